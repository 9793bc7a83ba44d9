"""What tests of the TypeScript kernel start from: Node's, and the translator, `cargo build -p typescript`, which
`KERNEL_TYPESCRIPT` names if it is elsewhere."""

import os
import sys
import unittest

from kernel_driver import RUNTIMES, Kernel
from node_driver import NODE, NodeCase

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(RUNTIMES)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.join(PROJECT, "target")
TRANSLATOR = os.environ.get("KERNEL_TYPESCRIPT") or os.path.join(TARGET, "debug", "typescript")
KERNEL = os.path.join(RUNTIMES, "typescript", "kernel.cjs")
COMMAND = [NODE or "node", "--experimental-vm-modules", KERNEL, TRANSLATOR]


def skip_without_typescript(module):
    if NODE is None or not os.access(TRANSLATOR, os.X_OK):
        print("skipped: %s (no node in PATH, or no %s: cargo build -p typescript)" % (module, TRANSLATOR), file=sys.stderr)
        raise unittest.SkipTest("no TypeScript")


class TypeScriptKernel(Kernel):
    script = "main.ts"

    def write(self, **files):
        """Files of the workspace; `__` in a name is a slash, `_` before its ending a point."""
        for name, text in files.items():
            folder, _, ending = name.rpartition("_")
            path = os.path.join(self.home, *folder.split("__")) + "." + ending
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


class TypeScriptCase(NodeCase):
    def fresh(self):
        kernel = TypeScriptKernel(COMMAND)
        self.addCleanup(kernel.__exit__)
        return kernel

    def prints(self, code, expected, **files):
        """A program of its own that ends well and prints this."""
        kernel = self.fresh()
        kernel.write(**files)
        answer = kernel.once(code)
        self.assertEqual((kernel.out, kernel.err), (expected, ""), code)
        self.assertEqual(answer.exit_code, 0)

    def fails_at(self, answer, file, line, column=None):
        found = answer.diagnostic
        place = (found["file"], found["line"]) + ((found["column"],) if column else ())
        self.assertEqual(place, (file, line) + ((column,) if column else ()), found)
        return found
