"""The file that a stateless program says it is, for as long as it runs.

`__file__` is opened, started again by `subprocess` and loaded by pools of processes: all of which begin with
the program's own words. A program that never mentions any of it is not written down.
"""

import os

from .user_text import USERS_OF_THE_FILE

_close, _fstat, _getpid, _open, _stat, _unlink, _write = (
    os.close, os.fstat, os.getpid, os.open, os.stat, os.unlink, os.write,
)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class ProgramFile:
    """`path` while the program runs. A file that is there already is the user's, and stays as it is."""

    def __init__(self, path):
        self.path = path
        self._written = None
        self._owner = _getpid()

    def write(self, code):
        """Writes `code` if it seems to ask for its file."""
        if not any(word in code for word in USERS_OF_THE_FILE):
            return
        try:
            fd = _open(self.path, _NEW, 0o644)
        except OSError:  # a file of the user's, or no room: then it is not there, as all the rest
            return
        try:
            left = memoryview(code.encode("utf-8", "surrogateescape"))
            while left:
                left = left[_write(fd, left):]
        except (OSError, UnicodeError):
            pass
        self._written = _identity(_fstat(fd))
        _close(fd)

    def is_there(self):
        """Whether the file at the path is the program."""
        try:
            return self._written is not None and _identity(_stat(self.path)) == self._written
        except OSError:
            return False

    def remove(self):
        """Removes what `write` has made, unless the program has written to it since."""
        if self._owner == _getpid() and self.is_there():
            try:
                _unlink(self.path)
            except OSError:
                pass


def _identity(status):
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
