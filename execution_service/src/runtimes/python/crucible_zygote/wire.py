"""Messages between spawner and zygote: the postcard encoding of `sandbox/linux/wire/zygote.rs`.

Numbers are varints of seven bits a byte, lowest first; a text is its length and its bytes; an enum is
the number of its variant, in the order of the source.
"""

import array
import socket

_FILTER, _FORK = 0, 1
_READY, _FAILED, _FORKED, _JOINED, _REFUSED, _ENDED = 0, 1, 2, 3, 4, 5
_PACKET_BYTES = 96 << 10
_LONGEST_NUMBER = 10  # bytes, of 64 bits
# An init, the descriptors 1 to 4 of a kernel, and a file for each of at most four cgroups.
_DESCRIPTORS = 9


class Wire:
    """The zygote's end of the socket."""

    def __init__(self, fd):
        self._socket = socket.socket(fileno=fd)

    def fileno(self):
        """For poll()."""
        return self._socket.fileno()

    def detach(self):
        """In a child: forgets the descriptor, which another one is going to replace."""
        self._socket.detach()

    def receive_filter(self):
        """The first message: the seccomp program for the children."""
        kind, body, _ = self._receive()
        if kind != _FILTER:
            raise OSError("the spawner did not begin with a filter")
        length, start = _number(body, 1)
        program = body[start:start + length]
        if len(program) != length:
            raise OSError("the spawner's filter is incomplete")
        return program

    def receive_fork(self):
        """(number of the request, open files, niceness, descriptors), or None when the spawner is gone."""
        kind, body, descriptors = self._receive()
        if kind is None:
            return None
        if kind != _FORK:
            raise OSError("the spawner asked for something unknown")
        request, at = _number(body, 1)
        open_files, at = _number(body, at)
        if at >= len(body):
            raise OSError("the spawner's request is incomplete")
        return request, open_files, body[at], descriptors

    def ready(self, report):
        """Said once, when children can be had."""
        self._send(bytes([_READY]) + _text(report))

    def failed(self, why):
        """Said instead of `ready`."""
        self._send(bytes([_FAILED]) + _text(why))

    def forked(self, request, pid):
        """Half of the answer to a request; the other one is the child's own."""
        self._send(bytes([_FORKED]) + _varint(request) + _varint(pid))

    def joined(self, request, pid):
        """In a child: it is in its sandbox, where its number is `pid`."""
        self._send(bytes([_JOINED]) + _varint(request) + _varint(pid))

    def refused(self, request, errno):
        """Instead of one of them, by zygote or child."""
        self._send(bytes([_REFUSED]) + _varint(request) + _varint(errno))

    def ended(self, pid, status, microseconds, peak_kib):
        """A child has ended, with the raw status of wait4()."""
        numbers = (pid, status, microseconds, peak_kib)
        self._send(bytes([_ENDED]) + b"".join(map(_varint, numbers)))

    def _send(self, message):
        self._socket.send(message)

    def _receive(self):
        rights = array.array("i")
        body, ancillary, flags, _address = self._socket.recvmsg(
            _PACKET_BYTES, socket.CMSG_SPACE(_DESCRIPTORS * rights.itemsize), socket.MSG_CMSG_CLOEXEC
        )
        for _level, _type, data in ancillary:
            rights.frombytes(data[: len(data) - len(data) % rights.itemsize])
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise OSError("the spawner said more than fits")
        return (body[0] if body else None), body, list(rights)


def _varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _text(text):
    encoded = text.encode("utf-8", "replace")
    return _varint(len(encoded)) + encoded


def _number(body, start):
    number = shift = 0
    for position in range(start, min(len(body), start + _LONGEST_NUMBER)):
        byte = body[position]
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, position + 1
    raise OSError("the spawner's number has no end")
