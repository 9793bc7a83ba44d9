"""As test_differential.py, by way of the API of a whole Crucible, and of C as well.

`CRUCIBLE_URL=… CRUCIBLE_TOKEN=… python3 -m unittest against_service`: what standalone/tests/differential does.
"""

import json
import sys
import unittest

from differential.comparison import Comparison
from differential.service import Service

_GCC = ["gcc", "-Wall", "-fdiagnostics-plain-output", "-pthread"]


class Differential(Comparison):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        listed = cls.service.call("GET", "/v1/languages")["languages"]
        cls.versions = {each["name"]: _version(each["version"]) for each in listed}
        cls.path = cls.service.answer("bash", 'echo "$PATH"')["stdout"].strip()

    def check(self, language, command):
        if language not in self.versions:
            print("skipped: the differential test of %s (not on this machine)" % language, file=sys.stderr)
            self.skipTest("no " + language)
        self.compare(language, command, self.versions[language], self.service, self.path)

    def test_python(self):
        own = self.service.answer("python", "import sys; print(sys.executable)")["stdout"].strip()
        self.check("python", [own, "-X", "utf8"])

    def test_node(self):
        own = self.service.answer("node", "console.log(process.execPath)")["stdout"].strip()
        self.check("node", [own])

    def test_bash(self):
        own = self.service.answer("bash", 'echo "$BASH"')["stdout"].strip()
        self.check("bash", [own])

    def test_c(self):
        self.check("c", _GCC)


def _version(text):
    return tuple(int(part) for part in text.split(".")[:2])


if __name__ == "__main__":
    unittest.main()
