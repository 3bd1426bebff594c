# SPDX-License-Identifier: Apache-2.0
"""A client that is nobody's: it says exactly what a test wants said, keeps what a broker was asked
until it answers, however late, and knows when, where and by whom each record was acknowledged."""

import collections
import selectors
import socket
import struct
import threading
import time

from chronik import wait_until

PRODUCE, PRODUCE_VERSION = 0, 3
ALL, ONE = -1, 1
CONNECT_SECONDS = 1
REQUEST_MS = 30000

# A record that was acknowledged: when it was sent, when the answer came, by which node, and where.
Acked = collections.namedtuple("Acked", "sent at node partition offset value")


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC = crc_table()


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def batch(value):
    """A record batch v2 of one record, whose value is shorter than 48 bytes."""
    now = int(time.time() * 1000)
    body = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1)
    record = b"\x00\x00\x00\x01" + bytes([len(value) << 1]) + value + b"\x00"
    body += bytes([len(record) << 1]) + record
    crc = 0xFFFFFFFF
    for byte in body:
        crc = (crc >> 8) ^ CRC[(crc ^ byte) & 0xFF]
    return struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc ^ 0xFFFFFFFF) + body


def produce(topic, partition, acks, value, correlation=1):
    """The frame that asks for it."""
    one = batch(value)
    frame = struct.pack(">hhi", PRODUCE, PRODUCE_VERSION, correlation) + text("raw") + \
        struct.pack(">hhi", -1, acks, REQUEST_MS) + struct.pack(">i", 1) + text(topic) + \
        struct.pack(">iii", 1, partition, len(one)) + one
    return struct.pack(">i", len(frame)) + frame


def produced(topic, answer):
    """(correlation, error, offset) of the answer to that, without its size."""
    correlation = struct.unpack_from(">i", answer)[0]
    _, error, offset = struct.unpack_from(">ihq", answer, 4 + 4 + 2 + len(topic) + 4)
    return correlation, error, offset


class Link:
    """A connection to a node, and what it was asked on it."""

    def __init__(self, load, node):
        self.load = load
        self.node = node
        self.socket = None
        self.input = b""
        self.asked = {}  # value by correlation, with the time
        self.count = 0

    def close(self):
        if self.socket is not None:
            self.load.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None
            self.input = b""
            self.asked = {}

    def ask(self, partition, acks, value):
        """False: the node is gone."""
        try:
            if self.socket is None:
                one = socket.create_connection((self.node.host, self.node.port), CONNECT_SECONDS)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.setblocking(False)
                self.socket = one
                self.load.selector.register(one, selectors.EVENT_READ, self)
            self.count += 1
            self.asked[self.count] = (time.monotonic(), value)
            self.socket.sendall(produce(self.load.topic, partition, acks, value, self.count))
        except OSError:
            self.close()
            return False
        return True

    def answers(self):
        """(sent, value, error, offset) of each that has come."""
        found = []
        try:
            more = self.socket.recv(1 << 16)
        except BlockingIOError:
            return found
        except OSError:
            more = b""
        if not more:
            self.close()
            return found
        self.input += more
        while len(self.input) >= 4:
            size = struct.unpack_from(">i", self.input)[0]
            if len(self.input) < 4 + size:
                break
            correlation, error, offset = produced(self.load.topic, self.input[4:4 + size])
            self.input = self.input[4 + size:]
            found.append((*self.asked.pop(correlation), error, offset))
        return found

    def oldest(self):
        """When what is asked longest was sent; None when nothing is."""
        return next(iter(self.asked.values()))[0] if self.asked else None


class Client:
    """Of one partition and one acks. It has a connection of its own to each of its nodes."""

    def __init__(self, load, number, partition, acks, nodes):
        self.load = load
        self.number = number
        self.partition = partition
        self.acks = acks
        self.links = [Link(load, node) for node in nodes]
        for link in self.links:
            link.client = self
        self.at = 0
        self.due = 0
        self.values = 0
        self.acked = []

    def ask(self, link):
        self.values += 1
        return link.ask(self.partition, self.acks, b"%d.%d" % (self.number, self.values))

    def take(self, link):
        for sent, value, error, offset in link.answers():
            if error == 0:
                self.acked.append(Acked(sent, time.monotonic(), link.node.number, self.partition,
                                        offset, value.decode()))
            self.answered(link, error == 0)

    def close(self):
        for link in self.links:
            link.close()


class Seeker(Client):
    """Asks whoever takes it, one record after the other, and looks elsewhere when that takes too
    long; what it asked there stays asked."""

    PAUSE_SECONDS = 0.005
    PATIENCE_SECONDS = 0.1

    def turn(self, now):
        link = self.links[self.at]
        if now < self.due:
            return
        if link.asked:
            if now - link.oldest() > self.PATIENCE_SECONDS:
                self.at = (self.at + 1) % len(self.links)
            return
        self.due = now + self.PAUSE_SECONDS
        if not self.ask(link):
            self.at = (self.at + 1) % len(self.links)

    def answered(self, link, is_acked):
        if is_acked:
            self.at = self.links.index(link)
        elif link is self.links[self.at]:
            self.at = (self.at + 1) % len(self.links)


class Pesterer(Client):
    """Asks one node, again and again, whatever that says or does not say."""

    PAUSE_SECONDS = 0.05
    ASKED_MAX = 200

    def turn(self, now):
        link = self.links[0]
        if now < self.due or len(link.asked) >= self.ASKED_MAX:
            return
        self.due = now + self.PAUSE_SECONDS
        self.ask(link)

    def answered(self, link, is_acked):
        pass


class Load(threading.Thread):
    """For each partition and acks a seeker, and a pesterer of each node."""

    def __init__(self, nodes, topic, partitions):
        super().__init__(daemon=True)
        self.topic = topic
        self.partitions = partitions
        self.selector = selectors.DefaultSelector()
        self.ending = False
        self.clients = []
        for acks in (ALL, ONE):
            for partition in range(partitions):
                self.add(Seeker, partition, acks, nodes)
                for node in nodes:
                    self.add(Pesterer, partition, acks, [node])

    def add(self, kind, partition, acks, nodes):
        self.clients.append(kind(self, len(self.clients), partition, acks, nodes))

    def run(self):
        while not self.ending:
            now = time.monotonic()
            for client in self.clients:
                client.turn(now)
            for key, _ in self.selector.select(0.001):
                key.data.client.take(key.data)
        for client in self.clients:
            client.close()

    def end(self):
        self.ending = True
        self.join()

    def acked(self, acks):
        return [one for client in self.clients if client.acks == acks for one in client.acked]

    def flows(self, seconds):
        """Waits until each partition acknowledges to all what is sent from now on."""
        since = time.monotonic()
        wait_until(lambda: len({client.partition for client in self.clients if client.acks == ALL
                                and client.acked and client.acked[-1].sent > since}) ==
                   self.partitions, seconds, "records of acks=all are acknowledged")
