# SPDX-License-Identifier: Apache-2.0
"""What a cluster wrote and promised: found in the logs of calls of its nodes."""

import base64
import collections
import os
import struct

import calls
import files
import load
import promises
import wire

LOG_SUFFIX = ".log"
METADATA = "__cluster_metadata"


def merged(logs):
    """[(node, entry's number in its log, entry)] of the logs of all nodes, in the order of time."""
    everything = [(call.at_ns, node, at, call) for node, log in logs.items()
                  for at, call in enumerate(log)]
    everything.sort(key=lambda one: one[:3])
    return [one[1:] for one in everything]


def whole_batches(data):
    """Heads of the record batches at the begin of `data`, the torn end left out."""
    at = 0
    while at + wire.BATCH_BYTES <= len(data):
        length, _, magic = struct.unpack_from(">iib", data, at + 8)
        end = at + wire.BATCH_PREFIX_BYTES + length
        if magic != 2 or length <= 0 or end > len(data):
            break
        at = end
    return promises.batches(data[:at])


def topic_id_of(text):
    """Of the bytes of partition.metadata."""
    return base64.urlsafe_b64decode(text.split()[-1] + b"==")


class Written:
    """Which batches any node ever wrote where. An epoch and an offset never name two things."""

    def __init__(self):
        self.open = {}  # {node: {descriptor: the folder's name and node}}
        self.found = []  # (number in the merged log, folder's name, its node, batch)

    def apply(self, number, node, disk, call):
        """`disk` has taken the call in."""
        if call.kind == calls.START:
            self.open[node] = {}
        elif call.kind == calls.OPEN:
            path = call.data.decode()
            self.open[node].pop(call.fd, None)
            if path.endswith(LOG_SUFFIX):
                self.open[node][call.fd] = path.split("/")[-2], disk.parent(path)[0]
        elif call.kind == calls.WRITE and call.fd in self.open[node]:
            for batch in whole_batches(call.data):
                self.found.append((number, *self.open[node][call.fd], batch))

    def batches(self):
        """[(number, (topic's id or name, partition, offset, epoch), checksum)], once all calls were
        taken in."""
        keyed = ((number, log_key(name, folder), batch)
                 for number, name, folder, batch in self.found)
        # What a cluster begins with is of no term: who lost it before anybody stood for one writes
        # it anew.
        return [(number, (*key, batch.base_offset, batch.epoch), batch.crc)
                for number, key, batch in keyed
                if key is not None and (key[0] != METADATA or batch.epoch > 0)]


def log_key(name, folder):
    """Of a folder on a node's disk: (its topic, the partition), or None when it is no log's."""
    place = files.partition_of(name)
    if place is None:
        return None
    if place[0] == METADATA:
        return place
    ids = [node.visible for file, node in folder.made
           if file == "partition.metadata" and node.visible]
    return (topic_id_of(ids[-1]), place[1]) if ids else None


class ClusterPromises(promises.Promises):
    """What had been promised by the entries that apply() was given. Records count when they were
    acknowledged with acks=all, lay below a high watermark that somebody was told, or were read."""

    def __init__(self, kept):
        self.kept = kept
        self.requests = kept.requests
        self.streams = {}
        self.ends = {}       # {(topic, partition): offset}
        self.acked = collections.defaultdict(list)  # {(topic, partition): [(offset, batch)]}
        self.at_risk = collections.defaultdict(list)  # the same of acks=1
        self.consumed = collections.defaultdict(list)  # {(topic, partition): [(offset, checksum)]}
        self.topics = {}     # {name: (number of the step, whether it is there; None: who knows)}
        self.commits = {}    # {(topic, partition): offset}
        self.producers = set()
        self.count = 0       # of replies
        self.reads = collections.deque(kept.consumed)

    def apply_of(self, node, call):
        if call.kind == calls.SEND:
            self.receive((node, call.fd), call.data)
        elif call.kind == calls.SEND_FILE:
            self.receive((node, call.fd), bytes(call.value))
        elif call.kind == calls.CLOSE:
            self.streams.pop((node, call.fd), None)
        elif call.kind == calls.START:
            self.streams = {key: data for key, data in self.streams.items() if key[0] != node}
        while self.reads and self.reads[0][0] < call.at_ns:
            _, where, found = self.reads.popleft()
            self.consumed[where] += found

    def is_durable(self, topic):
        return self.kept.plan.promises_durable(topic)

    # One for each kind of request.

    def produce(self, batch, reply):
        error, offset, *_ = wire.produced(reply)[batch.topic, batch.partition]
        if error == 0 and self.is_durable(batch.topic):
            found = self.acked if batch.acks == -1 else self.at_risk
            found[batch.topic, batch.partition].append((offset, batch))

    def fetch(self, _, reply):
        for where, (error, high_watermark, _) in wire.fetched(reply).items():
            if error == 0 and self.is_durable(where[0]):
                self.ends[where] = max(self.ends.get(where, 0), high_watermark)

    def topic(self, step, reply):
        name, number, is_made = step
        errors = wire.topics_created(reply) if is_made else wire.topics_deleted(reply)
        needless = load.TOPIC_EXISTS if is_made else load.UNKNOWN_TOPIC
        comes_again = name.startswith("again")
        if errors[name] == 0 or (errors[name] == needless and not comes_again):
            self.topics[name] = number, is_made
        elif errors[name] == needless:
            # By a node that may not have heard of the step before.
            self.topics[name] = number, None

    def commit(self, what, reply):
        where, offset = what
        if wire.committed(reply)[where][0] == 0 and self.is_durable("__consumer_offsets"):
            self.commits[where] = offset

    def producer_id(self, _, reply):
        error, producer, _ = wire.producer_id_given(reply)
        if error == 0:
            self.producers.add(producer)


def log_on_disk(folder, where):
    """{offset: (batch, its bytes)} of a partition's log in a data folder; it begins with its first
    record."""
    path = "%s/%s-%d" % (folder, *where)
    found = {}
    if not os.path.isdir(path):
        return found
    for name in sorted(os.listdir(path)):
        if not name.endswith(LOG_SUFFIX):
            continue
        with open(path + "/" + name, "rb") as segment:
            data = segment.read()
        for batch in whole_batches(data):
            found[batch.base_offset] = batch._replace(position=0, end=0), data[
                batch.position:batch.end]
    return found
