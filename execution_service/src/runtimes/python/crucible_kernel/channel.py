"""The control channel: one JSON object per line, over one pipe each way."""

import fcntl
import json
import os
import stat
import time
from _thread import allocate_lock

from .descriptors import keep_private
from .interrupts import interrupts

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode
_READ_BYTES = 1 << 16
_fstat, _is_pipe, _ioctl, _clock, _sleep = os.fstat, stat.S_ISFIFO, fcntl.ioctl, time.monotonic, time.sleep
_FIONREAD = 0x541B  # how many bytes nobody has read yet
_PAUSE_SECONDS = 0.0001


class Channel:
    """Takes over the descriptors it is given: of the worker's requests, and of our messages. Sending is
    safe from any thread."""

    def __init__(self, requests, messages, close=os.close, read=os.read, write=os.write, getpid=os.getpid):
        self._numbers = requests, messages
        self._requests = keep_private(requests)
        self._messages = keep_private(messages)
        close(requests)
        close(messages)
        self._read = read
        self._write = write
        self._getpid = getpid
        self._owner = getpid()
        self._received = bytearray()
        self._lock = allocate_lock()

    def hand_over(self, dup2=os.dup2):
        """Puts the pipes back where they came from, for the program that takes our place."""
        dup2(self._requests, self._numbers[0])
        dup2(self._messages, self._numbers[1])

    def take_back(self, close=os.close):
        """Undoes `hand_over`."""
        for number in self._numbers:
            close(number)

    def take_first(self, fd, close=os.close):
        """The next message is the one in the file `fd`, which another interpreter has left us."""
        while True:
            chunk = self._read(fd, _READ_BYTES)
            if not chunk:
                break
            self._received += chunk
        close(fd)

    def is_ours(self):
        """False in a process that the user's code forked: nothing may be sent from there."""
        return self._getpid() == self._owner

    def send(self, message):
        """Sends one message, whole: an interrupt waits until the line is complete.

        Nothing is said when the user's code has closed our descriptor: its own run goes on, and the
        worker sees that nothing comes.
        """
        # "replace": a lone surrogate is neither UTF-8 nor valid in a strict reader of JSON.
        line = memoryview(_encode(message).encode("utf-8", "replace") + b"\n")
        with interrupts.held(), self._lock:
            try:
                while line:
                    line = line[self._write(self._messages, line):]
            except OSError:
                pass

    def send_in_order(self, message, patience):
        """Sends what has a place between what the program writes before and after it: waits until the worker has read
        the one, and then this, for so many seconds at most. Returns how many are left."""
        until = _clock() + patience
        for fd in (1, 2):
            self._wait_until_read(fd, until)
        self.send(message)
        self._wait_until_read(self._messages, until)
        return max(0, until - _clock())

    def _wait_until_read(self, fd, until):
        try:
            if not _is_pipe(_fstat(fd).st_mode):
                return
            while any(_ioctl(fd, _FIONREAD, b"0000")) and _clock() < until:
                _sleep(_PAUSE_SECONDS)
        except OSError:  # closed by the program
            pass

    def receive(self):
        """Returns the next message, or None when the worker has hung up."""
        while True:
            end = self._received.find(b"\n")
            if end >= 0:
                line = self._received[:end].decode("utf-8", "surrogatepass")
                del self._received[: end + 1]
                return _decode(line)
            chunk = self._read(self._requests, _READ_BYTES)
            if not chunk:
                return None
            self._received += chunk
