# SPDX-License-Identifier: Apache-2.0
"""As much of Kafka's protocol as load and judge need: requests as bytes, replies as values. The
versions are the newest without tagged fields, but for topic ids, which there are none of there."""

import socket
import struct

(PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR,
 CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS, INIT_PRODUCER_ID, OFFSET_FOR_LEADER_EPOCH) = (
     (0, 7), (1, 4), (2, 1), (3, 12), (8, 2), (9, 1), (10, 0), (19, 4), (20, 3), (21, 0), (22, 0),
     (23, 2))
FLEXIBLE = (METADATA,)

EARLIEST = -2
LATEST = -1

BATCH = struct.Struct(">qiibIhiqqqhii")
BATCH_BYTES = BATCH.size  # without records
BATCH_PREFIX_BYTES = 12
BATCH_CRC_AT = 17  # what lies before it is the broker's to set


def crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def batch(values, producer=-1, epoch=-1, sequence=-1, time_ms=1000):
    """A record batch of version 2."""
    records = b""
    for number, value in enumerate(values):
        record = b"\0\0" + varint(number) + varint(-1) + varint(len(value)) + value + varint(0)
        records += varint(len(record)) + record
    last = len(values) - 1
    body = struct.pack(">hiqqqhii", 0, last, time_ms, time_ms, producer, epoch, sequence,
                       len(values)) + records
    return struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc32c(body)) + body


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def array(items):
    items = list(items)
    return struct.pack(">i", len(items)) + b"".join(items)


def by_topic(items, *layout):
    """{(topic, partition): values} as topics with their partitions."""
    topics = {}
    for (topic, partition), values in items.items():
        values = values if isinstance(values, tuple) else (values,)
        topics.setdefault(topic, []).append(
            struct.pack(">i" + "".join(layout), partition, *values))
    return array(string(topic) + array(partitions) for topic, partitions in topics.items())


def produce(batches, acks):
    topics = {}
    for (topic, partition), data in batches.items():
        topics.setdefault(topic, []).append(struct.pack(">ii", partition, len(data)) + data)
    return struct.pack(">hhi", -1, acks, 30000) + array(
        string(topic) + array(partitions) for topic, partitions in topics.items())


def fetch(offsets, wait_ms, partition_bytes):
    return struct.pack(">iiiib", -1, wait_ms, 1, 1 << 26, 0) + by_topic(
        {where: (offset, partition_bytes) for where, offset in offsets.items()}, "qi")


def list_offsets(times):
    return struct.pack(">i", -1) + by_topic(times, "q")


def compact_length(length):
    """As an unsigned varint of one more."""
    value = length + 1
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts + [value])


def metadata(topics):
    names = b"".join(bytes(16) + compact_length(len(topic)) + topic.encode() + b"\0"
                     for topic in topics)
    return compact_length(len(topics)) + names + b"\0\0\0"


def offset_commit(group, offsets):
    head = string(group) + struct.pack(">i", -1) + string("") + struct.pack(">q", -1)
    return head + by_topic({where: (offset, -1) for where, offset in offsets.items()}, "qh")


def offset_fetch(group, partitions):
    return string(group) + by_topic({where: () for where in partitions})


def create_topics(topics, replicas=1):
    """{name: (partitions, {key: value})}"""
    return array(string(name) + struct.pack(">ihi", partitions, replicas, 0) +
                 array(string(key) + string(value) for key, value in configs.items())
                 for name, (partitions, configs) in topics.items()) + struct.pack(">ib", 30000, 0)


def delete_topics(names):
    return array(string(name) for name in names) + struct.pack(">i", 30000)


def delete_records(offsets):
    return by_topic(offsets, "q") + struct.pack(">i", 30000)


def init_producer_id():
    return struct.pack(">hi", -1, 60000)


def offset_for_leader_epoch(epochs):
    """{(topic, partition): epoch}"""
    return by_topic({where: (-1, epoch) for where, epoch in epochs.items()}, "ii")


class Reply:
    def __init__(self, data, at=0):
        self.data = data
        self.at = at

    def take(self, layout):
        values = struct.unpack_from(">" + layout, self.data, self.at)
        self.at += struct.calcsize(">" + layout)
        return values if len(values) > 1 else values[0]

    def bytes(self, length):
        """Nothing for null, whose length is -1."""
        length = max(length, 0)
        self.at += length
        return self.data[self.at - length:self.at]

    def string(self):
        return self.bytes(self.take("h")).decode()

    def compact(self):
        """A length, or -1 for null."""
        return self.take("B") - 1 if self.data[self.at] < 0x80 else self.long_varint() - 1

    def long_varint(self):
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def partition(self):
        """Of Metadata: its number, and (leader, its epoch, replicas in sync)."""
        _, number, leader, epoch = self.take("hiii")
        _, in_sync, _ = (self.bytes(4 * self.compact()) for _ in range(3))
        self.take("B")
        return number, (leader, epoch, struct.unpack(">%di" % (len(in_sync) // 4), in_sync))

    def by_topic(self, layout):
        """{(topic, partition): values}"""
        found = {}
        for _ in range(self.take("i")):
            topic = self.string()
            for _ in range(self.take("i")):
                partition, *values = self.take(layout)
                found[topic, partition] = values
        return found


def produced(reply):
    """{(topic, partition): (error, base offset, ...)}"""
    return reply.by_topic("ihqqq")


def fetched(reply):
    """{(topic, partition): (error, high watermark, records)}"""
    found = {}
    reply.take("i")
    for _ in range(reply.take("i")):
        topic = reply.string()
        for _ in range(reply.take("i")):
            partition, error, high_watermark, _, aborted = reply.take("ihqqi")
            reply.bytes(16 * max(aborted, 0))
            found[topic, partition] = error, high_watermark, reply.bytes(reply.take("i"))
    return found


def listed(reply):
    """{(topic, partition): (error, time, offset)}"""
    return reply.by_topic("ihqq")


def described(reply):
    """{topic: (error, id, partitions)}"""
    return {topic: (error, topic_id, len(partitions))
            for topic, (error, topic_id, partitions) in cluster_described(reply)[1].items()}


def cluster_described(reply):
    """{broker: port}, {topic: (error, id, {partition: (leader, its epoch, replicas in sync)})}"""
    brokers = {}
    topics = {}
    reply.take("i")
    for _ in range(reply.compact()):
        broker = reply.take("i")
        reply.bytes(reply.compact())
        brokers[broker] = reply.take("i")
        reply.bytes(reply.compact())
        reply.take("B")
    reply.bytes(reply.compact())
    reply.take("i")
    for _ in range(reply.compact()):
        error = reply.take("h")
        topic = reply.bytes(reply.compact()).decode()
        topic_id = reply.bytes(16)
        reply.take("B")
        topics[topic] = error, topic_id, dict(reply.partition() for _ in range(reply.compact()))
        reply.take("iB")
    return brokers, topics


def committed(reply):
    """{(topic, partition): (error,)}"""
    return {where: values for where, values in reply.by_topic("ih").items()}


def offsets_fetched(reply):
    """{(topic, partition): (error, offset)}"""
    found = {}
    for _ in range(reply.take("i")):
        topic = reply.string()
        for _ in range(reply.take("i")):
            partition, offset, length = reply.take("iqh")
            reply.bytes(length)
            found[topic, partition] = reply.take("h"), offset
    return found


def coordinator_found(reply):
    return reply.take("h")


def coordinator_at(reply):
    """(error, broker)"""
    return reply.take("hi")


def topics_created(reply):
    """{topic: error}"""
    found = {}
    reply.take("i")
    for _ in range(reply.take("i")):
        topic = reply.string()
        found[topic] = reply.take("h")
        reply.string()
    return found


def topics_deleted(reply):
    """{topic: error}"""
    reply.take("i")
    return {reply.string(): reply.take("h") for _ in range(reply.take("i"))}


def records_deleted(reply):
    """{(topic, partition): (start, error)}"""
    reply.take("i")
    return reply.by_topic("iqh")


def producer_id_given(reply):
    """(error, id, epoch)"""
    return reply.take("ihqh")[1:]


def epochs_ended(reply):
    """{(topic, partition): (error, epoch, end)}"""
    found = {}
    reply.take("i")
    for _ in range(reply.take("i")):
        topic = reply.string()
        for _ in range(reply.take("i")):
            error, partition, epoch, end = reply.take("hiiq")
            found[topic, partition] = error, epoch, end
    return found


class Connection:
    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next = 1 << 30  # of ask(): other ids are the caller's

    def close(self):
        self.socket.close()

    def send(self, api, body, correlation):
        head = struct.pack(">hhi", *api, correlation) + string("power")
        if api in FLEXIBLE:
            head += b"\0"
        self.socket.sendall(struct.pack(">i", len(head) + len(body)) + head + body)

    def receive(self, length):
        data = bytearray()
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise ConnectionResetError("the broker has gone")
            data += more
        return bytes(data)

    def reply(self):
        """The next reply: its correlation id, and the reader of its body."""
        data = self.receive(*struct.unpack(">i", self.receive(4)))
        return struct.unpack_from(">i", data)[0], Reply(data, 4)

    def ask(self, api, body, decode):
        """A request and what its reply says."""
        self.next += 1
        self.send(api, body, self.next)
        correlation, reply = self.reply()
        if correlation != self.next:
            raise ValueError("the reply to another request")
        if api in FLEXIBLE:
            reply.take("B")
        return decode(reply)
