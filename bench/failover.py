# SPDX-License-Identifier: Apache-2.0
"""What the death of a broker costs: three of them on this machine, three replicas of everything,
min.insync.replicas=2, and kill -9 of one after the other under load.

    make bench-failover                 (CHRONIK_BENCH_ROUNDS, default 20, of each kind of victim;
                                         CHRONIK_BENCH_CLIENTS, default all, of those below)

Each client has a run of its own:

- raw: for each partition a process that asks with acks=all, one record a millisecond at most, and
  asks the next node at once when one refuses or is gone
- rdkafka, idempotent: librdkafka with its defaults, and with enable.idempotence
- java: Kafka's own producer with its defaults, where there are Java and Maven

A figure is the longest time between two acknowledgements of one partition that the victim led (or,
for a follower, of any). Beside it stands what a bare fdatasync of 4 KiB took meanwhile, and for raw
clients whether their p95 is within 25 ms and four of those. At the end each record that was
acknowledged has to be there on each node, and those of idempotent clients once."""

import collections
import multiprocessing
import os
import signal
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
import java  # noqa: E402
import raw  # noqa: E402
from chronik import wait_until  # noqa: E402
from cluster import Cluster  # noqa: E402
from phase7 import PARTITIONS, SETTLE_SECONDS, await_whole, create, describe, kill  # noqa: E402
from phase7 import own_log  # noqa: E402
from rolling import JavaProducer, Rdkafka  # noqa: E402
from syncs import Syncs  # noqa: E402

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "20"))
CLIENTS = os.environ.get("CHRONIK_BENCH_CLIENTS", "raw rdkafka idempotent java").split()
KINDS = ("leader", "follower", "controller")
TOPIC = "failover"
ANSWER_SECONDS = 1
PAUSE_SECONDS = 0.001
BOUND_MS, BOUND_SYNCS = 25, 4
# How long a client is watched after a death, and left alone when all is as it was: librdkafka takes
# seconds to connect again.
REST_SECONDS, RAW_REST_SECONDS = 1, 0.3
# So that leaderships are where they were before the next death.
SETTINGS = ["leader.imbalance.check.interval.seconds=1"]


class Asker:
    """One partition's client: acks=all, to whoever leads."""

    def __init__(self, ports, partition):
        self.ports = ports
        self.partition = partition
        self.node = 0
        self.connections = {}
        self.acked = []  # (time, offset, value)

    def connection(self):
        port = self.ports[self.node]
        if port not in self.connections:
            one = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[port] = one
        return self.connections[port]

    def read(self, connection, length):
        got = b""
        while len(got) < length:
            more = connection.recv(length - len(got))
            if not more:
                raise ConnectionError("closed")
            got += more
        return got

    def ask(self, value):
        """The offset; or None when this node does not lead, or is gone."""
        try:
            connection = self.connection()
            connection.sendall(raw.produce(TOPIC, self.partition, raw.ALL, b"%d" % value))
            size = struct.unpack(">i", self.read(connection, 4))[0]
            answer = self.read(connection, size)
        except OSError:
            gone = self.connections.pop(self.ports[self.node], None)
            if gone is not None:
                gone.close()
            return None
        _, error, offset = raw.produced(TOPIC, answer)
        return offset if error == 0 else None

    def run(self, stop, last):
        number = 0
        while not stop.is_set():
            began = time.monotonic()
            number += 1
            offset = self.ask(number)
            now = time.monotonic()
            if offset is None:
                self.node = (self.node + 1) % len(self.ports)
            else:
                self.acked.append((now, offset, number))
                last[self.partition] = now
            if now - began < PAUSE_SECONDS:
                time.sleep(PAUSE_SECONDS - (now - began))


def asker_main(ports, partition, stop, last, out):
    asker = Asker(ports, partition)
    asker.run(stop, last)
    out.put((partition, asker.acked))


class Askers:
    """An asker for each partition, in a process of its own."""

    def __init__(self, cluster, topic):
        del topic
        self.stop = multiprocessing.Event()
        self.out = multiprocessing.Queue()
        self.last = multiprocessing.Array("d", PARTITIONS)
        ports = [node.port for node in cluster.nodes]
        self.workers = [multiprocessing.Process(
            target=asker_main, args=(ports, p, self.stop, self.last, self.out), daemon=True)
                        for p in range(PARTITIONS)]
        self.wrong = []
        for worker in self.workers:
            worker.start()

    def flows(self, since):
        return min(self.last) > since

    def end(self):
        self.stop.set()
        taken = dict(self.out.get() for _ in self.workers)
        for worker in self.workers:
            worker.join()
        self.times = {p: [at for at, _, _ in acked] for p, acked in taken.items()}
        self.places = {p: {offset: number for _, offset, number in acked}
                       for p, acked in taken.items()}
        self.acked = {p: [number for _, _, number in acked] for p, acked in taken.items()}


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def report(name, values):
    if values:
        print("  %-49s p50 %7.1f ms   p95 %7.1f ms   worst %7.1f ms   (%d)" % (
            name, quantile(values, 0.5), quantile(values, 0.95), max(values), len(values)))


def is_balanced(cluster):
    partitions = describe(cluster, TOPIC)
    return partitions is not None and len({one["leader"] for one in partitions}) == PARTITIONS


def victim(cluster, kind, turn):
    """(node, partitions to look at): the leader of a partition, the controller, or a follower."""
    controller = cluster.leader()
    if kind == "controller":
        node = controller
    else:
        others = [node for node in cluster.nodes if node is not controller]
        node = others[turn % len(others)]
    led = [one["partition"] for one in describe(cluster, TOPIC) if one["leader"] == node.number]
    if kind == "follower":
        return node, [p for p in range(PARTITIONS) if p not in led]
    return node, led


def await_flow(load, since):
    try:
        wait_until(lambda: load.flows(since), SETTLE_SECONDS, "records are acknowledged")
    except AssertionError as error:
        raise AssertionError("%s; %s" % (error, load.wrong[:5])) from None


def rest_seconds(load):
    return RAW_REST_SECONDS if isinstance(load, Askers) else REST_SECONDS


def settle(cluster, load):
    """Everything is as it was, for the client too."""
    await_whole(cluster, TOPIC)
    wait_until(lambda: is_balanced(cluster), SETTLE_SECONDS, "each leads a partition")
    await_flow(load, time.monotonic())
    time.sleep(rest_seconds(load))
    await_flow(load, time.monotonic())


def kill_all(cluster, load):
    windows = {kind: [] for kind in KINDS}
    for turn in range(ROUNDS):
        for kind in KINDS:
            node, looked = victim(cluster, kind, turn)
            began = time.monotonic()
            kill(node)
            time.sleep(rest_seconds(load))
            await_flow(load, began + rest_seconds(load) / 2)
            windows[kind].append((began - 0.05, time.monotonic(), looked))
            node.start()
            node.await_ready()
            settle(cluster, load)
    return windows


def gaps(times, windows):
    found = []
    for began, ended, partitions in windows:
        for partition in partitions:
            within = [b - a for a, b in zip(times[partition], times[partition][1:])
                      if b >= began and a <= ended]
            found.append(max(within) * 1000 if within else (ended - began) * 1000)
    return found


def check(cluster, load, is_idempotent):
    """The records that are lost, or there too often, or were refused."""
    lost = again = 0
    for partition, acked in load.acked.items():
        for node in cluster.nodes:
            log = own_log(node, TOPIC, partition)
            there = collections.Counter(int(value) for _, value in log)
            lost += sum(number not in there for number in acked)
            again += sum(there.values()) - len(there)
            if isinstance(load, Askers):
                found = dict(log)
                lost += sum(found.get(offset) != str(number)
                            for offset, number in load.places[partition].items())
    print("  %d records were acknowledged; on some node lost: %d, twice: %d; refused: %d" % (
        sum(len(one) for one in load.acked.values()), lost, again, len(load.wrong)))
    return lost + len(load.wrong) + (again if is_idempotent else 0)


def measure(name, start, is_idempotent):
    """True when nothing was wrong."""
    with Cluster(SETTINGS) as cluster:
        for node in cluster.nodes:
            node.format()
            node.start()
        for node in cluster.nodes:
            node.await_ready()
        create(cluster, TOPIC)
        load = start(cluster, TOPIC)
        settle(cluster, load)
        syncs = Syncs(cluster.folder)
        syncs.start()
        windows = kill_all(cluster, load)
        syncs.end()
        load.end()
        print("%s:" % name)
        report("a bare fdatasync of 4 KiB", syncs.all_ms())
        bound = BOUND_MS + BOUND_SYNCS * quantile(syncs.all_ms(), 0.95)
        for kind in KINDS:
            found = gaps(load.times, windows[kind])
            report("without an acknowledgement, death of a " + kind, found)
            if name == "raw" and found:
                verdict = "PASS" if quantile(found, 0.95) <= bound else "FAIL"
                print("  %s: p95 within %d ms and %d fdatasyncs' p95, %.1f ms" %
                      (verdict, BOUND_MS, BOUND_SYNCS, bound))
        await_whole(cluster, TOPIC)
        time.sleep(1)
        wrong = check(cluster, load, is_idempotent)
        for node in cluster.nodes:
            node.end(signal.SIGTERM)
    return wrong == 0


def main():
    clients = {
        "raw": (Askers, False),
        "rdkafka": (Rdkafka, False),
        "idempotent": (lambda *where: Rdkafka(*where, **{"enable.idempotence": True}), True),
        "java": (JavaProducer, True)}
    good = True
    for name in CLIENTS:
        if name == "java" and not java.fetch():
            print("java: there is no Java or no Maven")
        else:
            good &= measure(name, *clients[name])
        sys.stdout.flush()
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
