# SPDX-License-Identifier: Apache-2.0
"""What topics cost a cluster of three nodes on this machine, with three replicas of everything.

    make bench-topics       (CHRONIK_BENCH_TOPICS, default 1000; CHRONIK_BENCH_PARTITIONS, 10000)

First topics of three partitions are made one after the other, by each broker in turn: the time from
the request to its acknowledgement, and to the moment at which each broker tells who leads every
partition. Beside it stands what two writes of 4 KiB took that were synced one after the other, on
the same disk, between the topics: a topic is durable on the controller and on another node before
it is acknowledged.

Then topics of a hundred partitions are made until there are 10,000 partitions, and the time of each
thousand is told, the memory of each node (PSS), its use of processors without clients, and whether
drawn partitions take a record of acks=all and give it back."""

import os
import random
import signal
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from chronik import must  # noqa: E402
from cluster import NODES, Cluster  # noqa: E402
from connection import FETCH, PRODUCE, Connection, batch, text  # noqa: E402
from start import pss_mib  # noqa: E402

TOPICS = int(os.environ.get("CHRONIK_BENCH_TOPICS", "1000"))
PARTITIONS = int(os.environ.get("CHRONIK_BENCH_PARTITIONS", "10000"))
PARTITIONS_OF_ONE = 100
DRAWN = 50
METADATA, CREATE_TOPICS = 3, 19
SETTLE_SECONDS = 120
IDLE_SECONDS = 5


def take(answer, at, form):
    return struct.unpack_from(form, answer, at), at + struct.calcsize(form)


def take_text(answer, at):
    (length,), at = take(answer, at, ">h")
    return (answer[at:at + length].decode() if length >= 0 else None), at + max(length, 0)


def take_ids(answer, at):
    (count,), at = take(answer, at, ">i")
    return take(answer, at, ">%di" % count)


def create_body(name, partitions):
    return struct.pack(">i", 1) + text(name) + struct.pack(">ihii", partitions, NODES, 0, 0) + \
        struct.pack(">ib", 30000, 0)


def created(answer):
    (_, count), at = take(answer, 0, ">ii")
    name, at = take_text(answer, at)
    (error,), at = take(answer, at, ">h")
    message, _ = take_text(answer, at)
    must(count == 1 and error == 0, "%s: error %d: %s" % (name, error, message))


def metadata(connection, name):
    """{partition: (leader, how many are in sync)}; None while the broker does not know it all."""
    answer = connection.call(METADATA, 1, struct.pack(">i", 1) + text(name))
    (count,), at = take(answer, 0, ">i")
    for _ in range(count):
        at += 4
        _, at = take_text(answer, at)
        at += 4
        _, at = take_text(answer, at)
    (_, _, error), at = take(answer, at, ">iih")
    _, at = take_text(answer, at)
    (_, count), at = take(answer, at, ">bi")
    found = {}
    for _ in range(count):
        (wrong, partition, leader), at = take(answer, at, ">hii")
        _, at = take_ids(answer, at)
        in_sync, at = take_ids(answer, at)
        if wrong == 0 and leader > 0:
            found[partition] = (leader, len(in_sync))
    return found if error == 0 and count > 0 and len(found) == count else None


def make(connections, number, name, partitions):
    """Seconds until it was acknowledged, and until every broker knew it."""
    began = time.monotonic()
    created(connections[number % NODES].call(CREATE_TOPICS, 2, create_body(name, partitions)))
    acknowledged = time.monotonic() - began
    for connection in connections:
        while metadata(connection, name) is None:
            must(time.monotonic() - began < SETTLE_SECONDS, "every broker knows " + name)
    return acknowledged, time.monotonic() - began


class Syncs:
    """Pairs of synced writes, between other things."""

    def __init__(self, folder):
        self.file = open(os.path.join(folder, "synced"), "wb", buffering=0)
        self.times = []

    def pair(self):
        began = time.monotonic()
        for _ in range(2):
            self.file.write(b"\0" * 4096)
            os.fdatasync(self.file.fileno())
        self.times.append(time.monotonic() - began)


def report(name, seconds):
    values = sorted(seconds)
    print("%-46s p50 %7.2f ms   p99 %7.2f ms   most %8.2f ms   (%d)" % (
        name, values[len(values) // 2] * 1e3, values[min(len(values) - 1, len(values) * 99 // 100)]
        * 1e3, values[-1] * 1e3, len(values)))
    sys.stdout.flush()


def bench_single(cluster, connections):
    syncs = Syncs(cluster.folder)
    times = []
    for number in range(TOPICS):
        times.append(make(connections, number, "single-%d" % number, 3))
        syncs.pair()
    report("a topic of 3 partitions, acknowledged", [one for one, _ in times])
    report("... and known to every broker", [both for _, both in times])
    report("two synced writes of 4 KiB, meanwhile", syncs.times)
    tenth = max(1, len(times) // 10)
    report("the first tenth of them, known to every broker", [both for _, both in times[:tenth]])
    report("the last tenth", [both for _, both in times[-tenth:]])


def print_memory(cluster, when):
    print("memory (PSS) %s: %s MiB" % (when, ", ".join(
        "%.1f" % pss_mib(node.process.pid) for node in cluster.nodes)))


def cpu_seconds(node):
    """Of all threads: the clock that clock_getcpuclockid(3) gives for a process."""
    return time.clock_gettime((~node.process.pid << 3) | 2)


def print_idle(cluster):
    time.sleep(IDLE_SECONDS)
    before = [cpu_seconds(node) for node in cluster.nodes]
    time.sleep(IDLE_SECONDS)
    print("CPU of nodes without clients: %s ms a second" % ", ".join(
        "%.2f" % ((cpu_seconds(node) - one) * 1e3 / IDLE_SECONDS)
        for node, one in zip(cluster.nodes, before)))


def produce(connection, name, partition, value):
    """The offset of one record, of acks=all."""
    one = batch(1, value)
    answer = connection.call(PRODUCE, 3, struct.pack(">hhi", -1, -1, 30000) + struct.pack(">i", 1) +
                             text(name) + struct.pack(">iii", 1, partition, len(one)) + one)
    (_, error, offset), _ = take(answer, 4 + 2 + len(name) + 4, ">ihq")
    must(error == 0, "produce to %s-%d: error %d" % (name, partition, error))
    return offset


def fetch(connection, name, partition, offset):
    answer = connection.call(FETCH, 4, struct.pack(">iiiib", -1, 1000, 1, 1 << 20, 0) +
                             struct.pack(">i", 1) + text(name) +
                             struct.pack(">iiqi", 1, partition, offset, 1 << 20))
    (_, error), at = take(answer, 4 + 4 + 2 + len(name) + 4, ">ih")
    must(error == 0, "fetch of %s-%d: error %d" % (name, partition, error))
    return answer[at:]


def drawn_work(connections, topics):
    chance = random.Random(1)
    times = []
    for number in range(DRAWN):
        name = topics[chance.randrange(len(topics))]
        partition = chance.randrange(PARTITIONS_OF_ONE)
        leader = connections[metadata(connections[0], name)[partition][0] - 1]
        value = b"drawn %d" % number
        began = time.monotonic()
        offset = produce(leader, name, partition, value)
        must(value in fetch(leader, name, partition, offset), "it is given back")
        times.append(time.monotonic() - began)
    report("a record to a drawn partition, and back", times)


def bench_many(cluster, connections):
    topics = ["many-%d" % number for number in range(PARTITIONS // PARTITIONS_OF_ONE)]
    began = last = time.monotonic()
    for number, name in enumerate(topics):
        make(connections, number, name, PARTITIONS_OF_ONE)
        if (number + 1) % 10 == 0:
            now = time.monotonic()
            print("%6d partitions: the last thousand in %.2f s" % (
                (number + 1) * PARTITIONS_OF_ONE, now - last))
            sys.stdout.flush()
            last = now
    print("%d partitions, known to every broker: %.2f s" % (
        len(topics) * PARTITIONS_OF_ONE, time.monotonic() - began))
    print_idle(cluster)
    print_memory(cluster, "then")
    drawn_work(connections, topics)
    print_memory(cluster, "after that")


def main():
    with Cluster() as cluster:
        for node in cluster.nodes:
            node.format()
            node.start()
        for node in cluster.nodes:
            node.await_ready()
        connections = [Connection(node.port) for node in cluster.nodes]
        make(connections, 0, "first", 3)
        print_memory(cluster, "at the start")
        bench_single(cluster, connections)
        print_memory(cluster, "with these topics")
        bench_many(cluster, connections)
        for node in cluster.nodes:
            began = time.monotonic()
            must(node.end(signal.SIGTERM) == 0, "node %d ends in order" % node.number)
            print("node %d ended in order: %.2f s" % (node.number, time.monotonic() - began))


if __name__ == "__main__":
    main()
