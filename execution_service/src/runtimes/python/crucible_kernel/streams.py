"""Standard streams: descriptors 0, 1, 2 and the objects in `sys`, good at the start of every run."""

import errno
import io
import os
import sys

from .descriptors import keep_private

# bind: the user's code may replace these in their modules.
_close, _dup2, _fstat, _os_open, _os_write = os.close, os.dup2, os.fstat, os.open, os.write
_O_RDONLY = os.O_RDONLY
_DEVNULL = os.devnull
_EMFILE = errno.EMFILE
_io_open = io.open


class Streams:
    """Owns spare copies of stdout and stderr, so that a closed descriptor 1 or 2 can be healed."""

    def __init__(self):
        self._spares = {fd: keep_private(fd) for fd in (1, 2)}
        self._out = _writer(1)
        self._err = _writer(2)
        sys.stdout = sys.__stdout__ = self._out
        sys.stderr = sys.__stderr__ = self._err

    def prepare(self, stdin_path):
        """Before each run; `stdin_path` None is an empty input. Opening a FIFO waits for its writer."""
        for fd, spare in self._spares.items():
            if not _same_file(fd, spare):
                _dup2(spare, fd)
        if not _usable(self._out):
            self._out = _writer(1)
        if not _usable(self._err):
            self._err = _writer(2)
        sys.stdout = sys.__stdout__ = self._out
        sys.stderr = sys.__stderr__ = self._err

        path = _DEVNULL if stdin_path is None else stdin_path
        try:
            source = _os_open(path, _O_RDONLY)
        except OSError as error:
            if error.errno != _EMFILE:
                raise
            # The last run has left no descriptor free: the next one could not even close some.
            _close(0)
            source = _os_open(path, _O_RDONLY)
        if source != 0:
            _dup2(source, 0)
            _close(source)
        sys.stdin = sys.__stdin__ = _io_open(
            0, "r", encoding="utf-8", errors="surrogateescape", closefd=False
        )
        sys.stdin.buffer.raw.name = "<stdin>"

    def flush(self):
        """After each run: every byte that was written is in the pipes when this returns."""
        for stream in (sys.stdout, sys.stderr, self._out, self._err):
            try:
                stream.flush()
            except Exception:  # replaced, closed or detached by the user: nothing left to flush
                pass
        # C code called through ctypes writes to the C library's own buffer.
        ctypes = sys.modules.get("ctypes")
        if ctypes is not None:
            try:
                ctypes.CDLL(None).fflush(None)
            except Exception:  # a user's module of that name
                pass

    def write_error(self, text):
        """Writes to the user's stderr, or to descriptor 2 when that object no longer works."""
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except Exception:
            try:
                _os_write(2, text.encode("utf-8", "backslashreplace"))
            except OSError:  # descriptor 2 is closed: the diagnostic still carries the text
                pass


def _writer(fd):
    # backslashreplace: a lone surrogate in a printed string must not fail the program.
    stream = _io_open(fd, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    stream.reconfigure(line_buffering=True)
    stream.buffer.raw.name = "<stdout>" if fd == 1 else "<stderr>"
    return stream


def _usable(stream):
    try:
        return not stream.closed
    except ValueError:  # detached
        return False


def _same_file(fd, other):
    try:
        here, there = _fstat(fd), _fstat(other)
    except OSError:
        return False
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
