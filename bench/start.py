# SPDX-License-Identifier: Apache-2.0
"""How long a broker takes to be there: on an empty folder, with many partitions, and after kill -9
with a large log; and what memory it takes when idle. Prints one line a figure: the median, and the
least and the most of all rounds.

    make bench-start                    (CHRONIK_BENCH_ROUNDS, default 20; CHRONIK_BENCH_GB, 4)

Times run from the moment at which the process is started. In the arms with a log the clock stops
when every partition has answered a Produce, a ListOffsets for its end and a Fetch at its last
offset. "Cold" drops the log from the page cache first."""

import os
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from chronik import Broker  # noqa: E402

import confluent_kafka  # noqa: E402

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "20"))
LOG_BYTES = int(float(os.environ.get("CHRONIK_BENCH_GB", "4")) * (1 << 30))
MANY_PARTITIONS = 1000
LOG_PARTITIONS = 16
TOPIC = "bench"
PRODUCE, FETCH, LIST_OFFSETS = 0, 1, 2


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def batch():
    """A record batch v2 with one record of five bytes."""
    record = b"\x00\x00\x00\x01\x0a" + b"hello" + b"\x00"
    now = int(time.time() * 1000)
    body = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1)
    body += bytes([len(record) * 2]) + record
    return struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc32c(body)) + body


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Connection:
    """Speaks just enough of the protocol, since a client's own start would be measured too."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.input = self.socket.makefile("rb")

    def call(self, api, version, body):
        head = struct.pack(">hhi", api, version, 1) + text("bench")
        self.socket.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        return self.input.read(struct.unpack(">i", self.input.read(4))[0])[4:]

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


def report(name, values, unit):
    print("%-66s %8.2f %s   (%.2f to %.2f, %d rounds)" % (
        name, statistics.median(values), unit, min(values), max(values), len(values)))
    sys.stdout.flush()


def pss_mib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def bench_empty():
    times, memory = [], []
    for _ in range(ROUNDS):
        with Broker() as broker:
            times.append(broker.took * 1000)
            time.sleep(0.05)
            memory.append(pss_mib(broker.process.pid))
            broker.stop()
    report("start to ready, empty data folder", times, "ms")
    report("memory when idle (PSS), empty data folder", memory, "MiB")


def create_topic(broker, partitions):
    subprocess.run([broker.program, "topic", "create", TOPIC, "--bootstrap-server", broker.address,
                    "--partitions", str(partitions)], check=True, stdout=subprocess.DEVNULL)


def bench_many():
    with Broker("num.partitions=1") as broker:
        create_topic(broker, MANY_PARTITIONS)
        Connection(broker.port).produce(MANY_PARTITIONS)
        for name, end in (("clean stop", broker.stop), ("kill -9", broker.kill)):
            times, memory = [], []
            for _ in range(ROUNDS):
                end()
                times.append(broker.start() * 1000)
                time.sleep(0.05)
                memory.append(pss_mib(broker.process.pid))
            report("start to ready, %d partitions, after %s" % (MANY_PARTITIONS, name), times, "ms")
            report("memory when idle (PSS), the same", memory, "MiB")


class Load(threading.Thread):
    """Fills the log and goes on writing until the broker is killed."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": broker.address, "log_level": 0, "linger.ms": 5,
            "batch.size": 1 << 20, "queue.buffering.max.kbytes": 1 << 17,
            "message.timeout.ms": 60000, "reconnect.backoff.max.ms": 100})
        self.bytes = 0
        self.ending = False

    def run(self):
        value = os.urandom(16 * 1024)
        partition = 0
        while not self.ending:
            try:
                self.producer.produce(TOPIC, value, partition=partition)
                self.bytes += len(value)
                partition = (partition + 1) % LOG_PARTITIONS
            except BufferError:
                self.producer.poll(0.01)
            self.producer.poll(0)

    def wait(self, size):
        end = self.bytes + size
        while self.bytes < end:
            time.sleep(0.01)


def drop_from_cache(folder):
    os.sync()
    for path, _, names in os.walk(folder):
        for name in names:
            handle = os.open(os.path.join(path, name), os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def bench_log():
    with Broker("num.partitions=1") as broker:
        create_topic(broker, LOG_PARTITIONS)
        load = Load(broker)
        load.start()
        load.wait(LOG_BYTES)
        for cold in (False, True):
            times, ready = [], []
            for _ in range(ROUNDS):
                load.wait(16 << 20)
                load.ending = True
                load.join()
                broker.kill()
                if cold:
                    drop_from_cache(broker.data)
                began = time.monotonic()
                ready.append(broker.start() * 1000)
                connection = Connection(broker.port)
                connection.produce(LOG_PARTITIONS)
                connection.fetch_last(connection.ends(LOG_PARTITIONS))
                times.append((time.monotonic() - began) * 1000)
                load = Load(broker)
                load.start()
            name = "page cache %s" % ("cold" if cold else "hot")
            report("start to ready, %.1f GiB of log, after kill -9, %s" % (
                LOG_BYTES / (1 << 30), name), ready, "ms")
            report("the same until every partition has written and read", times, "ms")
        load.ending = True
        load.join()


if __name__ == "__main__":
    bench_empty()
    bench_many()
    bench_log()
