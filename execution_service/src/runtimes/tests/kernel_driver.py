"""Drives a kernel exactly as the worker does: pipes for output, and for control on descriptors 3 and 4."""

import json
import os
import select
import signal
import subprocess
import tempfile
import threading
import time

RUNTIMES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATIENCE_SECONDS = 30  # only ever reached by a kernel that hangs


class Answer:
    """What came back from one run."""

    def __init__(self, done, results):
        self.done = done
        self.results = [result for result in results if result["mime"]]
        self.clearings = len(results) - len(self.results)

    @property
    def exit_code(self):
        return self.done["exit_code"]

    @property
    def diagnostic(self):
        return self.done["diagnostic"]

    @property
    def main(self):
        return next((result["mime"] for result in self.results if result["main"]), None)

    @property
    def shown(self):
        return [result["mime"] for result in self.results if not result["main"]]


class Kernel:
    """A kernel with control pipes (Python and Node), in a workspace of its own."""

    script = "main.py"

    def __init__(self, command, environment=()):
        self._folder = tempfile.TemporaryDirectory(prefix="kernel-")
        self.home = os.path.join(self._folder.name, "home")
        os.mkdir(self.home)
        requests, self.requests = os.pipe()
        self.messages, messages = os.pipe()
        variables = {
            "PATH": os.environ["PATH"], "HOME": self.home, "TMPDIR": self._folder.name,
            "LANG": "C.UTF-8", "MPLBACKEND": "agg", "MPLCONFIGDIR": "/tmp/kernel-test-matplotlib",
        }
        variables.update(environment)
        # The child needs the pipes as numbers 3 and 4 and nothing else above 2; ours may be those as well.
        redirect = 'in=$1 out=$2; shift 2; exec {a}<&$in {b}>&$out; for fd in $in $out; do eval "exec $fd<&-"; done; '
        redirect += 'eval "exec \\"\\$@\\" 3<&$a 4>&$b $a<&- $b>&-"'
        wrapper = ["/bin/bash", "-c", redirect, "sh", str(requests), str(messages)]
        self.process = subprocess.Popen(
            wrapper + command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.home, env=variables, pass_fds=[requests, messages], start_new_session=True,
        )
        os.close(requests)
        os.close(messages)
        self._lines = os.fdopen(self.messages, "r", encoding="utf-8")
        self._streams = {"out": bytearray(), "err": bytearray()}
        for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr)):
            os.set_blocking(pipe.fileno(), False)
        self._next_id = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._drainer = threading.Thread(target=self._drain_until_stopped, daemon=True)
        self._drainer.start()
        event = self.next_event()
        assert event == {"event": "ready"}, event

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._stop.set()
        self._drainer.join()
        self._lines.close()
        self.hang_up()
        self.process.stdout.close()
        self.process.stderr.close()
        self._folder.cleanup()

    def hang_up(self):
        """The worker says nothing more."""
        if self.requests is not None:
            os.close(self.requests)
            self.requests = None

    def next_event(self):
        line = self._lines.readline()
        return json.loads(line) if line else None

    def start(self, code, mode="session", stdin=None, args=(), env=None):
        self._next_id += 1
        path = None
        if stdin is not None:
            path = os.path.join(self._folder.name, "stdin-%d" % self._next_id)
            with open(path, "wb") as file:
                file.write(stdin)
        message = {
            "op": "run", "mode": mode, "id": self._next_id, "code": code, "file": self.script,
            "args": list(args), "env": env or {}, "stdin": path,
        }
        line = memoryview(json.dumps(message).encode() + b"\n")
        while line:
            line = line[os.write(self.requests, line):]

    def finish(self):
        results = []
        while True:
            event = self.next_event()
            if event is None:
                return Answer(None, results)
            assert event["id"] == self._next_id, event
            if event["event"] == "done":
                return Answer(event, results)
            results.append(event)

    def run(self, code, **options):
        self.start(code, **options)
        return self.finish()

    def once(self, code, **options):
        """Runs a stateless program to the end of its process."""
        answer = self.run(code, mode="once", **options)
        self.process.wait(PATIENCE_SECONDS)
        return answer

    def interrupt(self):
        os.kill(self.process.pid, signal.SIGINT)

    def _drain(self):
        with self._lock:
            for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr)):
                while True:
                    try:
                        chunk = os.read(pipe.fileno(), 1 << 16)
                    except BlockingIOError:
                        break
                    if not chunk:
                        break
                    self._streams[name] += chunk

    def _drain_until_stopped(self):
        pipes = [self.process.stdout, self.process.stderr]
        while not self._stop.is_set():
            select.select(pipes, [], [], 0.05)
            self._drain()
            time.sleep(0.001)

    def _take(self, name):
        # After `done` every byte is in the pipe already: one drain without waiting must find it.
        self._drain()
        with self._lock:
            data = bytes(self._streams[name])
            self._streams[name].clear()
        return data.decode("utf-8", "replace")

    @property
    def out(self):
        return self._take("out")

    @property
    def err(self):
        return self._take("err")
