"""Programs run bare, by the interpreter on a file, and by the kernels: stdout, stderr and status are the same.

The programs are in differential/LANGUAGE/*.txt. What differs, with the reason, is in differential/allowed.py.
`PROGRAMS="name name"` in the environment chooses some of them.
"""

import os
import subprocess
import sys

from bash_driver import BashKernel
from differential.bare import Ended
from differential.comparison import Comparison
from differential.plain import plain
from kernel_driver import RUNTIMES, Kernel
from node_driver import COMMAND as NODE_COMMAND, NODE, NodeKernel, node_says

PYTHON = os.environ.get("KERNEL_PYTHON", sys.executable)
PYTHON_COMMAND = [PYTHON, "-I", "-X", "utf8", os.path.join(RUNTIMES, "python", "kernel.py")]
KERNELS = {
    "python": lambda: Kernel(PYTHON_COMMAND),
    "node": lambda: NodeKernel(NODE_COMMAND),
    "bash": BashKernel,
}


class Kernels:
    """The kernels, driven as the worker does, outside of a sandbox."""

    is_all = True
    also_allowed = {}

    @staticmethod
    def modes(program):
        return ("once", [program.whole]), ("session", program.runs)

    @staticmethod
    def run(language, runs, mode):
        kernel = KERNELS[language]()
        try:
            out = err = ""
            if mode == "once":
                kernel.once(runs[0])
                out, err, status = kernel.out, kernel.err, kernel.process.returncode
                status = status if status >= 0 else 128 - status
            else:
                for code in runs:
                    answer = kernel.run(code)
                    if not answer.done:
                        status = kernel.process.wait(10)
                    out, err = out + kernel.out, err + kernel.err
                    if not answer.done:
                        status = status if status >= 0 else 128 - status
                        break
                    status = answer.exit_code
            homes = [kernel.home, getattr(kernel, "request", kernel.home)]
            return Ended(plain(out, *homes), plain(err, *homes), status)
        finally:
            kernel.close() if hasattr(kernel, "close") else kernel.__exit__()


class Differential(Comparison):
    def test_python(self):
        say = "import sys; print(*sys.version_info[:2])"
        said = subprocess.run([PYTHON, "-c", say], capture_output=True, text=True, check=True).stdout
        version = tuple(map(int, said.split()))
        self.compare("python", [PYTHON, "-X", "utf8"], version, Kernels)

    def test_node(self):
        if NODE is None:
            print("skipped: test_node (no node in PATH)", file=sys.stderr)
            self.skipTest("no node")
        version = node_says("process.versions.node").split(".")
        self.compare("node", [NODE], (int(version[0]), int(version[1])), Kernels)

    def test_bash(self):
        self.compare("bash", ["bash"], (5, 0), Kernels)
