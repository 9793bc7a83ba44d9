"""Programs run bare, by the interpreter on a file, and by the kernels: stdout, stderr and status are the same.

The programs are in differential/*.txt: `#### name` begins one, `-- next run` divides it into the runs of a session.
What differs, with the reason, is in differential/allowed.py.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from bash_driver import BashKernel
from kernel_driver import RUNTIMES, Kernel
from node_driver import COMMAND as NODE_COMMAND, NODE, NodeKernel

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential")
sys.path.insert(0, HERE)
from allowed import ALLOWED

PYTHON = os.environ.get("KERNEL_PYTHON", sys.executable)
PYTHON_COMMAND = [PYTHON, "-I", "-X", "utf8", os.path.join(RUNTIMES, "python", "kernel.py")]
LANGUAGES = {
    "python": ("main.py", [PYTHON, "-X", "utf8"], lambda: Kernel(PYTHON_COMMAND)),
    "node": ("main.js", [NODE or "node"], lambda: NodeKernel(NODE_COMMAND)),
    "bash": ("main.sh", ["bash"], BashKernel),
}
DIVIDER = re.compile(r"^(?:#|//) -- next run\n", re.MULTILINE)


def programs(language):
    with open(os.path.join(HERE, language + ".txt"), encoding="utf-8", newline="") as file:
        parts = re.split(r"^#### (\w+)\n", file.read(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def plain(text, home):
    """Without what no two runs have in common: paths, numbers of processes and addresses."""
    text = re.sub(r"(?:file://)?(?:%s|/tmp/kernel-\w+/(?:home|request))/?" % re.escape(home), "", text)
    text = re.sub(r"\bcell_\d+\.(py|js)\b", r"main.\1", text)
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    if re.search(r"main\.js:\d|node:", text):
        text = plain_trace(text)
    return re.sub(r"\(node:\d+\)|\d+ (Killed|Terminated)", "", text)


def plain_trace(text):
    """Node's, without its own frames, how it calls the main module, how it underlines, and its last line."""
    text = re.sub(r"^( +at .*) {$", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"^ +(at .*node:internal/|\.\.\. \d+ lines matching|\[\.\.\. lines).*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\bat (?:Object|Timeout)\.\S+ \((main\.js:\d+:\d+)\)", r"at \1", text)
    text = re.sub(r"^ *\^+\n|\n*Node\.js v[\d.]+\n", "", text, flags=re.MULTILINE)
    return re.sub(r"(main\.js:\d+\n)\n*", r"\1", text).rstrip("\n") + "\n"


class Bare:
    """The interpreter on a file."""

    def __init__(self, language, code):
        name, command, _ = LANGUAGES[language]
        with tempfile.TemporaryDirectory(prefix="kernel-") as home:
            with open(os.path.join(home, name), "w", encoding="utf-8", newline="") as file:
                file.write(code)
            environment = {
                "PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
            }
            ended = subprocess.run(
                command + [name], cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            self.out = plain(ended.stdout.decode("utf-8", "replace"), home)
            self.err = plain(ended.stderr.decode("utf-8", "replace"), home)
            self.status = ended.returncode if ended.returncode >= 0 else 128 - ended.returncode


class Crucible:
    """The kernel, once or run by run."""

    def __init__(self, language, runs, mode):
        kernel = LANGUAGES[language][2]()
        try:
            if mode == "once":
                answer = kernel.once(runs[0])
                status = kernel.process.returncode
                self.status = status if status >= 0 else 128 - status
                self.out, self.err = kernel.out, kernel.err
            else:
                self.out = self.err = ""
                for code in runs:
                    answer = kernel.run(code)
                    self.out += kernel.out
                    self.err += kernel.err
                self.status = answer.exit_code if answer.done else kernel.process.wait(10) & 255
            self.out, self.err = plain(self.out, kernel.home), plain(self.err, kernel.home)
        finally:
            kernel.close() if hasattr(kernel, "close") else kernel.__exit__()


def differences(language, name, code):
    """What is not as bare: (mode, which) → (bare, ours)."""
    whole = DIVIDER.sub("", code)
    bare = Bare(language, whole)
    found = {}
    for mode, runs in (("once", [whole]), ("session", DIVIDER.split(code))):
        ours = Crucible(language, runs, mode)
        for which in ("out", "err", "status"):
            expected, seen = getattr(bare, which), getattr(ours, which)
            if expected != seen:
                found[mode, which] = (expected, seen)
    return found


class Differential(unittest.TestCase):
    def check(self, language):
        for name, code in programs(language).items():
            with self.subTest(program=name):
                found = differences(language, name, code)
                modes, allowed, _because = ALLOWED.get((language, name), ((), "", ""))
                for (mode, which), (bare, ours) in found.items():
                    if mode not in modes or which not in allowed:
                        self.assertEqual(ours, bare, "%s of %s" % (which, mode))
                # A difference that is gone is taken off the list.
                self.assertTrue(found or not modes, "%s is as bare" % name)

    def test_python(self):
        self.check("python")

    def test_node(self):
        if NODE is None:
            print("skipped: test_node (no node in PATH)", file=sys.stderr)
            self.skipTest("no node")
        self.check("node")

    def test_bash(self):
        self.check("bash")
