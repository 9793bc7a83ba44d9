"""Drives the bash kernel as the worker does: two FIFOs held open read-write, a folder of request files."""

import json
import os
import select
import shlex
import signal
import subprocess
import tempfile
import time

from kernel_driver import PATIENCE_SECONDS, RUNTIMES, Answer

# As in language/bash/kernel.rs.
LOOKS_AT_TRAPS = ("trap", "set -v", "set -xv", "set -vx", "-o verbose")
SCRIPT = os.path.join(RUNTIMES, "bash", "kernel.sh")


class BashKernel:
    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="kernel-")
        base = self._folder.name
        self.home = os.path.join(base, "home")
        self.request = os.path.join(base, "request")
        os.mkdir(self.home)
        os.mkdir(self.request)
        self._files = {}
        for name in ("in", "out"):
            path = os.path.join(base, name)
            os.mkfifo(path)
            self._files[name] = os.open(path, os.O_RDWR)
        self._buffer = b""
        self._run_id = 1 << 52  # as large as the worker's may be
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", os.path.join(self.request, "main.sh"),
             os.path.join(base, "in"), os.path.join(base, "out"), self.request],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": self.home, "TMPDIR": base, "LANG": "C.UTF-8", "BASH_ENV": SCRIPT},
            # As init does: whoever runs the tests in the background has it ignored, and Bash keeps that.
            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        for pipe in (self.process.stdout, self.process.stderr):
            os.set_blocking(pipe.fileno(), False)
        event = self.next_event()
        assert event == {"event": "ready"}, event

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        for file in self._files.values():
            os.close(file)
        self._folder.cleanup()

    def next_event(self):
        """The next line, or None when the process has ended without one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self._buffer:
            if select.select([self._files["out"]], [], [], 0.02)[0]:
                self._buffer += os.read(self._files["out"], 1 << 16)
            elif self.process.poll() is not None:
                if not select.select([self._files["out"]], [], [], 0)[0]:
                    return None
            assert time.monotonic() < deadline, "the kernel hangs"
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line.decode("utf-8"))

    def start(self, code, mode="session", stdin=None, args=(), env=None):
        source = "/dev/null"
        if stdin is not None:
            source = os.path.join(self.request, "stdin")
            with open(source, "wb") as file:
                file.write(stdin)
        with open(os.path.join(self.request, "main.sh"), "wb") as file:
            file.write(code.encode())
        with open(os.path.join(self.request, "prologue.sh"), "w") as file:
            for name, value in (env or {}).items():
                file.write("export %s=%s\n" % (name, shlex.quote(value)))
            file.write("set -- %s\n" % " ".join(map(shlex.quote, args)))
            file.write("__crucible_stdin=%s\n" % shlex.quote(source))
            if any(words in code for words in LOOKS_AT_TRAPS):
                file.write("__crucible_looks_at_traps=1\n")
        self._run_id += 1
        os.write(self._files["in"], b"%s %d\n" % (mode.encode(), self._run_id))

    def finish(self):
        event = self.next_event()
        assert event is None or event["id"] == self._run_id, event
        return Answer(event, [])

    def run(self, code, **options):
        self.start(code, **options)
        return self.finish()

    def once(self, code, **options):
        answer = self.run(code, mode="once", **options)
        self.process.wait(PATIENCE_SECONDS)
        return answer

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)

    def _take(self, pipe, stream):
        taken = b""
        while True:
            try:
                chunk = os.read(pipe.fileno(), 1 << 16)
            except BlockingIOError:
                break
            if not chunk:
                break
            taken += chunk
        return taken.decode("utf-8", "replace")

    @property
    def out(self):
        return self._take(self.process.stdout, "out")

    @property
    def err(self):
        return self._take(self.process.stderr, "err")
