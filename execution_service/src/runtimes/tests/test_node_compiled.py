"""The byte code that `--compile` leaves beside the sources of the Node kernel."""

import os
import shutil
import subprocess
import tempfile
import unittest

from kernel_driver import RUNTIMES
from test_node_kernel import NODE, NodeKernel, setUpModule  # noqa: F401: unittest calls it


class Compiled(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kernel-")
        self.addCleanup(folder.cleanup)
        self.copy = os.path.join(folder.name, "node")
        shutil.copytree(os.path.join(RUNTIMES, "node"), self.copy)
        self.compiled = os.path.join(self.copy, "compiled.bin")

    def hello(self):
        kernel = NodeKernel([NODE, os.path.join(self.copy, "kernel.cjs")])
        self.addCleanup(kernel.__exit__)
        kernel.once("console.log(new Error('e').stack.split('\\n').length); null.x")
        err = kernel.err
        self.assertEqual(kernel.out, "2\n", err)
        self.assertIn("TypeError", err)
        self.assertNotIn(self.copy, err)

    def test_with_it_everything_is_the_same(self):
        subprocess.run([NODE, os.path.join(self.copy, "kernel.cjs"), "--compile"], check=True, stdin=subprocess.DEVNULL)
        self.assertGreater(os.path.getsize(self.compiled), 50_000)
        self.hello()

    def test_what_another_node_has_made_is_ignored(self):
        subprocess.run([NODE, os.path.join(self.copy, "kernel.cjs"), "--compile"], check=True, stdin=subprocess.DEVNULL)
        with open(self.compiled, "rb") as file:
            head, body = file.read().split(b"\n", 1)
        with open(self.compiled, "wb") as file:
            file.write(head + b"\n" + b"\0" * len(body))
        self.hello()


if __name__ == "__main__":
    unittest.main()
