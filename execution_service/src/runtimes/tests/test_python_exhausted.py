"""The Python kernel when the user's code has left it nothing to work with: memory, descriptors, its channel."""

import unittest

from test_python_kernel import PythonCase


class Exhausted(PythonCase):
    def test_no_memory_left_to_tell_it(self):
        answer = self.kernel.once(
            "import resource\nwith open('/proc/self/statm') as file:\n    size = int(file.read().split()[0]) * 4096\n"
            "resource.setrlimit(resource.RLIMIT_AS, (size + (20 << 20),) * 2)\nkept = [None] * 1000000\nindex = 0\n"
            "for each in range(4096, 0, -16):\n    try:\n        while True:\n            kept[index] = bytes(each)\n            index += 1\n"
            "    except MemoryError:\n        pass\nkept * 100")
        self.assertIsNotNone(answer.done)
        # The line is told only if the interpreter itself found a few bytes to note it in.
        self.assertEqual(answer.diagnostic["name"], "MemoryError")
        err = self.kernel.err
        self.assertIn("MemoryError", err)
        self.assertNotIn("crucible", err)

    def test_no_descriptors_left_to_tell_it(self):
        answer = self.kernel.once("import socket\nkept = []\nwhile True:\n    kept.append(socket.socket())")
        self.assertEqual((answer.diagnostic["errno"], answer.diagnostic["line"]), (24, 4))
        err = self.kernel.err
        self.assertIn("    kept.append(socket.socket())\n", err)
        self.assertIn("OSError: [Errno 24] Too many open files", err)

    def test_errno_of_what_cannot_be_started(self):
        refused = "raise BlockingIOError(11, 'Resource temporarily unavailable')"
        self.assertEqual(self.kernel.once(refused).diagnostic["errno"], 11)
        # A stack that no address space can hold: pthread_create() fails with EAGAIN.
        threads = "import threading\nthreading.stack_size(1 << 46)\nthreading.Thread(target=print).start()"
        found = self.fresh().once(threads).diagnostic
        self.assertEqual((found["name"], found["errno"], found["line"]), ("RuntimeError", 11, 3))
        self.assertIsNone(self.fresh().once("raise RuntimeError('other')").diagnostic["errno"])

    def test_signals_between_fork_and_the_child_show_nothing_of_ours(self):
        self.kernel.once(
            "import os, signal\nparent = os.getpid()\ndef strike(*_):\n    if os.getpid() != parent: raise KeyboardInterrupt\n"
            "signal.signal(signal.SIGINT, strike)\nif os.fork() == 0:\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "    while os.getppid() == parent: os.kill(0, signal.SIGINT)\n    os._exit(0)\n"
            "for _ in range(400):\n    pid = os.fork()\n    if pid == 0: os._exit(0)\n    os.waitpid(pid, 0)\nos._exit(0)")
        self.assertNotRegex(self.kernel.err, r"Exception ignored in: .*(close|child)|descriptors\.py")

    def test_child_keeps_its_own_descriptors_when_it_forks(self):
        self.kernel.once(
            "import os, sys\nif os.fork() == 0:\n    own = [os.dup(0) for _ in range(950)]\n    if os.fork() == 0:\n"
            "        for fd in own: os.fstat(fd)\n        print('all there', flush=True)\n        os._exit(0)\n    os.wait()\n    os._exit(0)\nos.wait()")
        self.assertEqual(self.kernel.out, "all there\n", self.kernel.err)

    def test_closed_channel_is_no_error_of_the_program(self):
        for mode, status in (("once", 0), ("session", 1)):
            kernel = self.fresh()
            kernel.run("import os\nos.closerange(3, 1024)\nprint('x')\n1 + 1", mode=mode)
            self.assertEqual(kernel.process.wait(20), status)
            self.assertEqual((kernel.out, kernel.err), ("x\n", ""))

    def test_used_up_descriptors_can_be_given_back_in_the_next_run(self):
        self.kernel.run("import os\nkept = []\nwhile True:\n    kept.append(os.dup(0))")
        answer = self.kernel.run("for fd in kept:\n    os.close(fd)\ninput()", stdin=b"read")
        self.assertEqual(answer.main, {"text/plain": "'read'"}, self.kernel.err)


if __name__ == "__main__":
    unittest.main()
