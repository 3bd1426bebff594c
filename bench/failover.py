# SPDX-License-Identifier: Apache-2.0
"""What the death of a broker costs: three of them on this machine, three replicas of everything,
min.insync.replicas=2, and kill -9 of one after the other under load.

    make bench-failover                 (CHRONIK_BENCH_ROUNDS, default 20, of each kind of victim)

The load is a raw client for each partition, a process of its own that asks with acks=all, one
record a millisecond at most, and asks the next node at once when one refuses or is gone. A figure
is the longest time between two acknowledgements of one partition that the victim led (or, for a
follower, of any). Beside it stands what a bare fdatasync of 4 KiB took meanwhile. At the end each
record that was acknowledged has to be at its offset, on each node."""

import multiprocessing
import os
import signal
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from cluster import NODES, Cluster  # noqa: E402
from connection import PRODUCE, text, varint  # noqa: E402
from phase7 import await_whole, create, describe, kill, own_log  # noqa: E402

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "20"))
TOPIC = "failover"
PARTITIONS = 3
ANSWER_SECONDS = 1
PAUSE_SECONDS = 0.001


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC = crc_table()


def batch(value):
    now = int(time.time() * 1000)
    body = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1)
    record = b"\x00\x00\x00\x01" + varint(len(value)) + value + b"\x00"
    body += varint(len(record)) + record
    crc = 0xFFFFFFFF
    for byte in body:
        crc = (crc >> 8) ^ CRC[(crc ^ byte) & 0xFF]
    return struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc ^ 0xFFFFFFFF) + body


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
        one = batch(value)
        head = struct.pack(">hhi", PRODUCE, 3, 1) + text("bench")
        body = struct.pack(">hhi", -1, -1, 30000) + struct.pack(">i", 1) + text(TOPIC) + \
            struct.pack(">iii", 1, self.partition, len(one)) + one
        try:
            connection = self.connection()
            connection.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
            size = struct.unpack(">i", self.read(connection, 4))[0]
            answer = self.read(connection, size)
        except OSError:
            gone = self.connections.pop(self.ports[self.node], None)
            if gone is not None:
                gone.close()
            return None
        _, error, offset = struct.unpack_from(">ihq", answer, 4 + 4 + 2 + len(TOPIC) + 4)
        return offset if error == 0 else None

    def run(self, stop):
        number = 0
        while not stop.is_set():
            began = time.monotonic()
            number += 1
            value = b"%d" % number
            offset = self.ask(value)
            now = time.monotonic()
            if offset is None:
                self.node = (self.node + 1) % len(self.ports)
            else:
                self.acked.append((now, offset, number))
            if now - began < PAUSE_SECONDS:
                time.sleep(PAUSE_SECONDS - (now - began))


def asker_main(ports, partition, stop, out):
    asker = Asker(ports, partition)
    asker.run(stop)
    out.put((partition, asker.acked))


def sync_main(path, stop, out):
    """What the disk does with a small write all the while."""
    times = []
    with open(path, "wb", buffering=0) as file:
        while not stop.is_set():
            file.write(b"\0" * 4096)
            began = time.monotonic()
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - began) * 1000)
            time.sleep(0.01)
            if file.tell() > 1 << 22:
                file.seek(0)
    out.put(times)


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def report(name, values):
    if values:
        print("%-46s p50 %7.1f ms   p95 %7.1f ms   worst %7.1f ms   (%d)" % (
            name, quantile(values, 0.5), quantile(values, 0.95), max(values), len(values)))


def victim(cluster, kind, turn):
    """(node, partitions to look at): the leader of a partition, the controller, or a follower."""
    partitions = describe(cluster, TOPIC)
    controller = cluster.leader()
    if kind == "controller":
        node = controller
    else:
        others = [node for node in cluster.nodes if node is not controller]
        node = others[turn % len(others)]
    led = [one["partition"] for one in partitions if one["leader"] == node.number]
    if kind == "follower":
        return node, [p for p in range(PARTITIONS) if p not in led]
    return node, led


def kill_all(cluster, kinds):
    windows = {kind: [] for kind in kinds}
    for turn in range(ROUNDS):
        for kind in kinds:
            node, looked = victim(cluster, kind, turn)
            began = time.monotonic()
            kill(node)
            time.sleep(1)
            windows[kind].append((began - 0.05, time.monotonic(), looked))
            node.start()
            node.await_ready()
            await_whole(cluster, TOPIC)
    return windows


def gaps(acked, windows):
    found = []
    for began, ended, partitions in windows:
        for partition in partitions:
            times = [at for at, _, _ in acked[partition] if began <= at <= ended + 5]
            within = [b - a for a, b in zip(times, times[1:]) if a <= ended]
            found.append(max(within) * 1000 if within else (ended - began) * 1000)
    return found


def check(cluster, acked):
    lost = 0
    for partition in range(PARTITIONS):
        logs = [{offset: value for offset, value in own_log(node, TOPIC, partition)}
                for node in cluster.nodes]
        for _, offset, number in acked[partition]:
            lost += sum(str(log.get(offset)) != str(number) for log in logs)
    print("# %d records were acknowledged; not at their place on some node: %d" % (
        sum(len(one) for one in acked.values()), lost))
    return lost


def main():
    kinds = ("leader", "follower", "controller")
    with Cluster() as cluster:
        for node in cluster.nodes:
            node.format()
            node.start()
        for node in cluster.nodes:
            node.await_ready()
        create(cluster, TOPIC)
        ports = [node.port for node in cluster.nodes]
        stop, out, syncs = (multiprocessing.Event(), multiprocessing.Queue(),
                            multiprocessing.Queue())
        workers = [multiprocessing.Process(target=asker_main, args=(ports, p, stop, out))
                   for p in range(PARTITIONS)]
        workers.append(multiprocessing.Process(
            target=sync_main, args=(os.path.join(cluster.folder, "synced"), stop, syncs)))
        for worker in workers:
            worker.start()
        time.sleep(1)
        windows = kill_all(cluster, kinds)
        stop.set()
        acked = dict(out.get() for _ in range(PARTITIONS))
        times = syncs.get()
        for worker in workers:
            worker.join()
        report("a bare fdatasync of 4 KiB", times)
        for kind in kinds:
            report("without an acknowledgement, death of a " + kind, gaps(acked, windows[kind]))
        await_whole(cluster, TOPIC)
        time.sleep(1)
        lost = check(cluster, acked)
        for node in cluster.nodes:
            node.end(signal.SIGTERM)
        if lost > 0:
            sys.exit(1)


if __name__ == "__main__":
    main()
