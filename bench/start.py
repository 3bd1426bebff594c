# SPDX-License-Identifier: Apache-2.0
"""How long a broker takes to be there: on an empty folder, with many partitions, and after kill -9
with a large log; and what memory it takes when idle. Prints one line a figure: the median, and the
least and the most of all rounds.

    make bench-start                    (CHRONIK_BENCH_ROUNDS, default 20; CHRONIK_BENCH_GB, 4)

Times run from the moment at which the process is started. In the arms with a log the clock stops
when every partition has answered a Produce, a ListOffsets for its end and a Fetch at its last
offset. "Cold" drops the log from the page cache first."""

import os
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from chronik import Broker  # noqa: E402
from connection import TOPIC, Connection  # noqa: E402

import confluent_kafka  # noqa: E402

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "20"))
LOG_BYTES = int(float(os.environ.get("CHRONIK_BENCH_GB", "4")) * (1 << 30))
MANY_PARTITIONS = 1000
LOG_PARTITIONS = 16


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


def bench_many():
    with Broker("num.partitions=1") as broker:
        broker.create_topic(TOPIC, MANY_PARTITIONS)
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
        broker.create_topic(TOPIC, LOG_PARTITIONS)
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
