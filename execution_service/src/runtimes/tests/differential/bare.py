"""A program run by the bare interpreter on a file, or compiled by gcc."""

import os
import subprocess
import tempfile

from .plain import plain

_PATIENCE_SECONDS = 60  # only ever reached by a program that hangs
FILES = {"python": "main.py", "node": "main.js", "bash": "main.sh", "c": "main.c"}


class Ended:
    """What a program has said, and its status as a shell tells it."""

    def __init__(self, out, err, status):
        self.out = out
        self.err = err
        self.status = status


def bare(program, command, path):
    """Runs `program` by `command` (in C: what compiles it) with `path` as PATH."""
    name = FILES[program.language]
    with tempfile.TemporaryDirectory(prefix="bare-") as base:
        home, scratch = os.path.join(base, "home"), os.path.join(base, "scratch")
        os.mkdir(home)
        os.mkdir(scratch)
        with open(os.path.join(home, name), "w", encoding="utf-8", newline="") as file:
            file.write(program.whole)
        environment = {"PATH": path, "HOME": home, "TMPDIR": scratch, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}

        def run(words):
            return subprocess.run(
                words, cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_SECONDS,
                start_new_session=True,
            )

        said = b""
        if program.language == "c":
            binary = os.path.join(base, "main")
            compiled = run(command + [name, "-o", binary, "-lm"])
            if compiled.returncode != 0:
                return Ended("", plain(_text(compiled.stderr), home), compiled.returncode)
            said, command, name = compiled.stderr, ["stdbuf", "-oL"], binary  # as on a terminal
        ended = run(command + [name])
        status = ended.returncode if ended.returncode >= 0 else 128 - ended.returncode
        return Ended(plain(_text(ended.stdout), home), plain(_text(said + ended.stderr), home), status)


def _text(data):
    return data.decode("utf-8", "replace")
