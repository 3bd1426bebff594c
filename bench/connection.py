# SPDX-License-Identifier: Apache-2.0
"""Just enough of the protocol, since a client's own cost would be measured too."""

import socket
import struct
import time

TOPIC = "bench"
PRODUCE, FETCH, LIST_OFFSETS = 0, 1, 2


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(value):
    """Zig-zag, as records have it."""
    raw = value << 1
    out = b""
    while raw >= 0x80:
        out += bytes([raw & 0x7f | 0x80])
        raw >>= 7
    return out + bytes([raw])


def batch(count=1, value=b"hello"):
    """A record batch v2 with `count` records of one value."""
    now = int(time.time() * 1000)
    body = struct.pack(">hiqqqhii", 0, count - 1, now, now, -1, -1, -1, count)
    for i in range(count):
        record = b"\x00\x00" + varint(i) + b"\x01" + varint(len(value)) + value + b"\x00"
        body += varint(len(record)) + record
    return struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc32c(body)) + body


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.input = self.socket.makefile("rb")

    @staticmethod
    def frame(api, version, body):
        head = struct.pack(">hhi", api, version, 1) + text("bench")
        return struct.pack(">i", len(head) + len(body)) + head + body

    def answer(self):
        return self.input.read(struct.unpack(">i", self.input.read(4))[0])[4:]

    def call(self, api, version, body):
        self.socket.sendall(self.frame(api, version, body))
        return self.answer()

    def repeat_produce(self, one, times, depth):
        """Produces one batch to partition 0 again and again, `depth` requests on the way."""
        frame = self.frame(PRODUCE, 3, struct.pack(">hhi", -1, -1, 30000) + self.topic(
            1, lambda p: struct.pack(">i", len(one)) + one))
        sent = answered = 0
        while answered < times:
            more = min(depth - (sent - answered), times - sent)
            if more > 0:
                self.socket.sendall(frame * more)
                sent += more
            self.parts(self.answer(), 0, ">ihqq", 1)
            answered += 1

    def topic(self, partitions, part):
        return struct.pack(">i", 1) + text(TOPIC) + struct.pack(">i", partitions) + b"".join(
            struct.pack(">i", p) + part(p) for p in range(partitions))

    def produce(self, partitions):
        one = batch()
        answer = self.call(PRODUCE, 3, struct.pack(">hhi", -1, -1, 30000) + self.topic(
            partitions, lambda p: struct.pack(">i", len(one)) + one))
        return self.parts(answer, 0, ">ihqq", partitions)

    def ends(self, partitions):
        answer = self.call(LIST_OFFSETS, 1, struct.pack(">i", -1) + self.topic(
            partitions, lambda p: struct.pack(">q", -1)))
        return self.parts(answer, 0, ">ihqq", partitions)

    def fetch_last(self, ends):
        answer = self.call(FETCH, 4, struct.pack(">iiiib", -1, 0, 1, 1 << 30, 0) + self.topic(
            len(ends), lambda p: struct.pack(">qi", ends[p] - 1, 1 << 20)))
        at = 4 + 4 + 2 + len(TOPIC) + 4
        for _ in ends:
            _, error, _, _, aborted, length = struct.unpack_from(">ihqqii", answer, at)
            assert error == 0 and aborted <= 0 and length > 0, (error, length)
            at += 30 + length

    @staticmethod
    def parts(answer, at, form, count):
        """The third field of each partition, all of which are without an error."""
        at += 4 + 2 + len(TOPIC) + 4
        found = {}
        for _ in range(count):
            partition, error, _, last = struct.unpack_from(form, answer, at)
            assert error == 0, "partition %d: error %d" % (partition, error)
            found[partition] = last
            at += struct.calcsize(form)
        return [found[p] for p in range(count)]
