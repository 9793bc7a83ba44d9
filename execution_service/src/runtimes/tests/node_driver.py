"""What tests of the Node kernel start from. `KERNEL_NODE` names another node than the one in PATH."""

import os
import shutil
import subprocess
import sys
import time
import unittest

from kernel_driver import RUNTIMES, Kernel

NODE = os.environ.get("KERNEL_NODE") or shutil.which("node")
COMMAND = [NODE or "node", "--experimental-vm-modules", os.path.join(RUNTIMES, "node", "kernel.cjs")]

# What uses up the stack, and the line where it is noticed: of the parser, of what looks through its tree, of V8.
TOO_DEEP = (
    ("parentheses", "let a;\n" + "(" * 100_000 + "1" + ")" * 100_000, 2),
    ("open parentheses", "(" * 100_000, 1),
    ("unary operators", "!" * 100_000 + "1", 1),
    ("blocks", "\n" + "{" * 100_000 + "}" * 100_000, 2),
    ("statements", "if (1) " * 50_000, 1),
    ("templates", "`${" * 50_000 + "1" + "}`" * 50_000, 1),
    ("patterns", "let " + "[" * 50_000 + "a" + "]" * 50_000 + " = 1", 1),
    ("regular expression", "/" + "(" * 50_000 + ")" * 50_000 + "/", 1),
    ("members", "let a;\na" + ".a" * 100_000, 1),
    ("members beside await", "await 1; let a; a" + ".a" * 100_000, 1),
)


def node_says(expression):
    return subprocess.run([NODE, "-p", expression], capture_output=True, check=True, text=True).stdout.strip()


def skip_without_node(module):
    if NODE is None:
        print("skipped: %s (no node in PATH)" % module, file=sys.stderr)
        raise unittest.SkipTest("no node")


class NodeKernel(Kernel):
    script = "main.js"


class NodeCase(unittest.TestCase):
    def setUp(self):
        self.kernel = self.fresh()

    def fresh(self):
        kernel = NodeKernel(COMMAND)
        self.addCleanup(kernel.__exit__)
        return kernel

    def value(self, code, **options):
        answer = self.kernel.run(code, **options)
        self.assertEqual(answer.exit_code, 0, self.kernel.err)
        return answer.main and answer.main["text/plain"]

    def wait_for_output(self, text):
        seen = ""
        while text not in seen:
            time.sleep(0.005)
            seen += self.kernel.out
        # Node changes hands with SIGINT at the end of the synchronous part: not at that very moment.
        time.sleep(0.05)
