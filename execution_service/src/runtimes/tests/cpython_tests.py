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
test_abc
test_argparse
test_asyncgen
test_asyncio.test_locks
test_asyncio.test_queues
test_asyncio.test_runners
test_asyncio.test_streams
test_asyncio.test_subprocess
test_asyncio.test_taskgroups
test_asyncio.test_timeouts
test_atexit
test_base64
test_collections
test_configparser
test_contextlib
test_copy
test_coroutines
test_csv
test_dataclasses
test_datetime
test_enum
test_exceptions
test_fileio
test_functools
test_generators
test_glob
test_gzip
test_hashlib
test_inspect
test_itertools
test_json
test_linecache
test_locale
test_multiprocessing_spawn -m *WithProcessesTestPool.test_map -m *WithProcessesTestPool.test_apply -m *TestQueue.test_get
test_os
test_pathlib
test_posix
test_queue -m CSimpleQueueTest
test_random
test_re
test_runpy
test_shutil
test_signal -m PosixTests
test_socket -m BasicTCPTest -m BasicUDPTest -m GeneralModuleTests
test_string
test_subprocess -m ProcessTestCase
test_tempfile
test_textwrap
test_threading -m ThreadTests
test_time
test_traceback
test_urlparse
test_warnings
test_xml_etree
test_zipimport
""".strip().splitlines()
_AT_ONCE = 2
_PATIENCE_SECONDS = 200

# Runs one module and prints, of each of its tests, what was wrong with it.
_PROGRAM = r'''
import json, os, subprocess, sys, tempfile, xml.etree.ElementTree
found = {}
with tempfile.TemporaryDirectory() as folder:
    report = os.path.join(folder, "report.xml")
    command = [sys.executable, "-m", "test", "--timeout", "150", "--junit-xml", report, *%r.split()]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # which many of them write
    ended = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        wrong = [each for each in case if each.tag in ("error", "failure", "skipped")]
        said = ["%%s: %%s" %% (each.tag, each.get("message") or each.text or "") for each in wrong]
        found[case.get("name")] = "\n".join(said)[-1500:]
print(json.dumps(found))
'''


def bare(module, executable, path):
    """Of each test of the module what was wrong, which is nothing when it passed."""
    # An ordinary user, as inside: some of them do more for root.
    ordinary = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o777)
        environment = {"PATH": path, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}
        command = [executable, "-X", "utf8", "-c", _PROGRAM % module]
        ended = subprocess.run(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_SECONDS,
            text=True, **ordinary,
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

        chosen = os.environ.get("MODULES", "").split(",") if "MODULES" in os.environ else MODULES
        passed = 0
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for module, (outside, inside) in zip(chosen, pool.map(both, chosen)):
                for name, wrong in outside.items():
                    if wrong or name.startswith(tuple(ALLOWED)):
                        continue
                    with self.subTest(test=name):
                        self.assertEqual(inside.get(name, "not run"), "")
                        passed += 1
        print("%d tests of %d modules pass as outside" % (passed, len(chosen)), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
