# SPDX-License-Identifier: Apache-2.0
"""What the broker wrote, and what it promised: found in the log of calls."""

import base64
import collections
import struct

import calls
import files
import load
import wire

Written = collections.namedtuple(
    "Written", "base_offset end_offset position end epoch crc producer sequence")


def batches(data, at=0):
    """The heads of the record batches in `data`, which ends with a whole one."""
    found = []
    while at < len(data):
        (base, length, epoch, _, crc, _, last, _, _, producer, _, sequence,
         _) = wire.BATCH.unpack_from(data, at)
        end = at + wire.BATCH_PREFIX_BYTES + length
        found.append(Written(base, base + last + 1, at, end, epoch, crc, producer, sequence))
        at = end
    return found


class History:
    """All that was ever written to one partition's log."""

    def __init__(self, topic, segments):
        self.topic = topic
        self.data = b"".join(segments)
        self.batches = batches(self.data)
        self.at = {}
        end = 0
        for number, batch in enumerate(self.batches):
            if batch.base_offset != end:
                raise ValueError("%s: a batch at %d behind %d" % (topic, batch.base_offset, end))
            end = batch.end_offset
            for offset in range(batch.base_offset, end):
                self.at[offset] = number

    def batch(self, offset):
        """The one that holds the offset, or None."""
        number = self.at.get(offset)
        return None if number is None else self.batches[number]


def histories(disk):
    """{(topic's id, partition): History} of everything that was ever in the data folder."""
    found = {}
    for name, folder in disk.find("data").made:
        made = folder.made if isinstance(folder, files.Folder) else ()
        ids = [node.visible for file, node in made if file == "partition.metadata" and node.visible]
        place = files.partition_of(name)
        if not ids or place is None:
            continue
        topic_id = base64.urlsafe_b64decode(ids[-1].split()[-1] + b"==")
        segments = sorted((file, bytes(node.visible)) for file, node in made
                          if file.endswith(".log"))
        found[topic_id, place[1]] = History(place[0], [data for _, data in segments])
    return found


class Promises:
    """What had been promised by the entries of the log that apply() was given. Data counts when it
    was acknowledged with acks=all or lay below a high watermark that somebody was told."""

    def __init__(self, requests, written):
        self.requests = requests
        self.by_topic = collections.defaultdict(list)
        for key, history in written.items():
            self.by_topic[history.topic, key[1]].append((key, history))
        self.streams = {}
        self.ends = {}       # {(topic's id, partition): offset}
        self.starts = {}     # likewise
        self.acked = {}      # {(topic, partition, producer): the last batch, its offset}
        self.topics = {}     # {name: (number of the step, whether it is there)}
        self.commits = {}    # {(topic, partition): offset}
        self.producer = -1   # the largest id that was given
        self.count = 0       # of replies

    def apply(self, call):
        if call.kind == calls.SEND:
            self.receive(call.fd, call.data)
        elif call.kind == calls.SEND_FILE:
            self.receive(call.fd, bytes(call.value))
        elif call.kind == calls.CLOSE:
            self.streams.pop(call.fd, None)
        elif call.kind == calls.START:
            self.streams = {}

    def receive(self, fd, data):
        data = self.streams.pop(fd, b"") + data
        while len(data) >= 4:
            end = 4 + struct.unpack_from(">i", data)[0]
            if len(data) < end:
                break
            request = self.requests.get(struct.unpack_from(">i", data, 4)[0])
            if request is not None:
                getattr(self, request.kind.replace(" ", "_"))(request.what,
                                                             wire.Reply(data[:end], 8))
                self.count += 1
            data = data[end:]
        self.streams[fd] = data

    # One for each kind of request.

    def produce(self, batch, reply):
        error, offset, *_ = wire.produced(reply)[batch.topic, batch.partition]
        if error != 0 or batch.acks != -1:
            return
        crc = wire.BATCH.unpack_from(batch.data)[4]
        for key, history in self.by_topic[batch.topic, batch.partition]:
            written = history.batch(offset)
            if written is None or (written.base_offset, written.crc) != (offset, crc):
                continue
            if load.TOPICS.get(batch.topic, (0, {}))[1].get("write.caching") != "true":
                self.ends[key] = max(self.ends.get(key, 0), written.end_offset)
                self.acked[batch.topic, batch.partition, batch.producer] = batch, offset
            return
        raise ValueError("%s-%d: acknowledged at %d, and not there" %
                         (batch.topic, batch.partition, offset))

    def fetch(self, _, reply):
        for where, (error, high_watermark, _) in wire.fetched(reply).items():
            for key, _ in self.by_topic[where] if error == 0 else ():
                self.ends[key] = max(self.ends.get(key, 0), high_watermark)

    def delete_records(self, _, reply):
        for where, (start, error) in wire.records_deleted(reply).items():
            for key, _ in self.by_topic[where] if error == 0 else ():
                self.starts[key] = max(self.starts.get(key, 0), start)

    def topic(self, step, reply):
        name, number, is_made = step
        errors = wire.topics_created(reply) if is_made else wire.topics_deleted(reply)
        if errors[name] in (0, load.TOPIC_EXISTS if is_made else load.UNKNOWN_TOPIC):
            self.topics[name] = number, is_made

    def commit(self, what, reply):
        where, offset = what
        if wire.committed(reply)[where][0] == 0:
            self.commits[where] = offset

    def producer_id(self, _, reply):
        error, producer, _ = wire.producer_id_given(reply)
        if error == 0:
            self.producer = max(self.producer, producer)

    def end(self, _, reply):
        pass

    def coordinator(self, _, reply):
        pass
