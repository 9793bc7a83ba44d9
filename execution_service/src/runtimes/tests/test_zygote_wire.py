"""What the zygote makes of the spawner's messages: all of one, or an OSError."""

import os
import random
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))
from crucible_zygote.wire import Wire, _varint

CASES = int(os.environ.get("PROPTEST_CASES", "500"))


class ToZygote(unittest.TestCase):
    def setUp(self):
        self.spawner, zygote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.wire = Wire(zygote.detach())

    def tearDown(self):
        self.spawner.close()
        os.close(self.wire.fileno())
        self.wire.detach()

    def hear(self, packet, receive):
        self.spawner.send(packet)
        try:
            return receive()
        except OSError as error:
            return error

    def test_messages_come_whole_or_not_at_all(self):
        program = bytes(range(256)) * 3
        packet = bytes([0]) + _varint(len(program)) + program
        self.assertEqual(self.hear(packet, self.wire.receive_filter), program)
        for end in range(1, len(packet)):
            self.assertIsInstance(self.hear(packet[:end], self.wire.receive_filter), OSError)
        for number in (0, 1, 127, 128, 2**32, 2**64 - 1):
            packet = bytes([1]) + _varint(number) + _varint(256) + bytes([5])
            self.assertEqual(self.hear(packet, self.wire.receive_fork), (number, 256, 5, []))
            for end in range(1, len(packet)):
                self.assertIsInstance(self.hear(packet[:end], self.wire.receive_fork), OSError)

    def test_any_bytes(self):
        draw = random.Random(1)
        for _ in range(CASES):
            packet = bytes(draw.choice((0, 1, 0x80, 0xFF, draw.randrange(256))) for _ in range(draw.randrange(1, 40)))
            for receive in (self.wire.receive_filter, self.wire.receive_fork):
                self.hear(packet, receive)

    def test_more_descriptors_than_a_fork_has(self):
        with open(os.devnull) as null:
            # As many as fit: the kernel rounds up.
            fds = [null.fileno()] * 20
            socket.send_fds(self.spawner, [bytes([1, 1, 32, 0])], fds)
            self.assertRaises(OSError, self.wire.receive_fork)

    def test_the_end(self):
        self.spawner.shutdown(socket.SHUT_WR)
        self.assertIsNone(self.wire.receive_fork())


if __name__ == "__main__":
    unittest.main()
