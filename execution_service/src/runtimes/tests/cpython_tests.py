"""CPython's own tests (the package `test`), by its own runner, bare and in a sandbox of Crucible: what passes outside
passes inside, or is in differential/cpython_allowed.py with a reason.

`CRUCIBLE_URL=… CRUCIBLE_TOKEN=… python3 -m unittest cpython_tests`: what standalone/tests/differential does. Debian has
the package apart, as libpython3.11-testsuite. `MODULES="test_json"` in the environment chooses some modules.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from differential.cpython_allowed import ALLOWED
from differential.service import Service

# What models write makes use of, without what takes long or asks for a network.
MODULES = """
MODULES_HERE
""".split()
_AT_ONCE = 2
_PATIENCE_SECONDS = 120

# Runs one module and prints, of each of its tests, what was wrong with it.
_PROGRAM = r'''
import json, os, subprocess, sys, tempfile, xml.etree.ElementTree
found = {}
with tempfile.TemporaryDirectory() as folder:
    report = os.path.join(folder, "report.xml")
    command = [sys.executable, "-m", "test", "--timeout", "60", "--junit-xml", report, %r]
    ended = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        wrong = [each for each in case if each.tag in ("error", "failure", "skipped")]
        said = ["%%s: %%s" %% (each.tag, each.get("message") or each.text or "") for each in wrong]
        found[case.get("name")] = "\n".join(said)[-1500:]
print(json.dumps(found))
'''


def bare(module, executable, path):
    """Of each test of the module what was wrong, which is nothing when it passed."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": path, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}
        command = [executable, "-X", "utf8", "-c", _PROGRAM % module]
        ended = subprocess.run(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_SECONDS,
            text=True,
        )
    return json.loads(ended.stdout)


class CPython(unittest.TestCase):
    def test_passes_as_outside(self):
        service = Service()
        executable = service.answer("python", "import sys; print(sys.executable)")["stdout"].strip()
        path = service.answer("bash", 'echo "$PATH"')["stdout"].strip()
        if subprocess.run([executable, "-c", "import test.test_json"], capture_output=True).returncode:
            print("skipped: CPython's own tests (no package `test` for %s)" % executable, file=sys.stderr)
            self.skipTest("no package `test`")

        def both(module):
            inside = service.answer("python", _PROGRAM % module, timeout=_PATIENCE_SECONDS)
            try:
                return bare(module, executable, path), json.loads(inside["stdout"])
            except ValueError:
                return {module: ""}, {module: "no report: " + inside["stdout"] + inside["stderr"]}

        chosen = os.environ.get("MODULES", "").split() or MODULES
        passed = 0
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for module, (outside, inside) in zip(chosen, pool.map(both, chosen)):
                for name, wrong in outside.items():
                    if wrong or name in ALLOWED:
                        continue
                    with self.subTest(test=name):
                        self.assertEqual(inside.get(name, "not run"), "")
                        passed += 1
        print("%d tests of %d modules pass as outside" % (passed, len(chosen)), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
