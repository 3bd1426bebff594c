# SPDX-License-Identifier: Apache-2.0
"""What a flight record costs: the processor's time that a broker spends under the same load with
and without chronik.record.file. Both brokers live at once, and take turns at short slices of the
load, so that what else the machine does meets both. Prints a line for each load: the median of all
slices, and of the differences between neighbours. Both brokers have the last processor, and their
client the first: a process that stays where its client is finds warm caches, and the other one not,
which is more than what is measured.

    make bench-record                   (CHRONIK_BENCH_ROUNDS, default 100)

The broker's time is that of all its threads (/proc/PID/task/*/schedstat). The data lie in TMPDIR.
"""

import glob
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from chronik import Broker  # noqa: E402
from connection import TOPIC, Connection, batch  # noqa: E402

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "100"))
PROCESSORS = sorted(os.sched_getaffinity(0))
CACHED = "write.caching.default=true"

# Name, settings, records in a batch, bytes of each, requests in a slice, requests on the way.
LOADS = (
    ("one record a request, one at a time, each synced", (), 1, 100, 200, 1),
    ("one record a request, one at a time, page cache", (CACHED,), 1, 100, 2000, 1),
    ("one record a request, 32 on the way, page cache", (CACHED,), 1, 100, 8000, 32),
    ("1,000 records of 1 KiB a request, page cache", (CACHED,), 1000, 1024, 20, 4),
)


def spent_ns(pid):
    total = 0
    for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
        with open(path) as schedstat:
            total += int(schedstat.read().split()[0])
    return total


class Side:
    """A broker with its client, with a record or without."""

    def __init__(self, settings, records):
        self.broker = Broker(*settings)
        if records:
            self.broker.settings += (
                "chronik.record.file=" + os.path.join(self.broker.folder, "record"),
                "chronik.record.bytes.max=%d" % (1 << 40))
        self.broker.enter = ("taskset", "-c", str(PROCESSORS[-1]))
        self.broker.start()
        self.broker.create_topic(TOPIC, 1)
        self.connection = Connection(self.broker.port)

    def slice_us(self, one, times, depth):
        """Microseconds of the broker for each request."""
        before = spent_ns(self.broker.process.pid)
        self.connection.repeat_produce(one, times, depth)
        return (spent_ns(self.broker.process.pid) - before) / times / 1000


def bench(name, settings, count, value_bytes, times, depth):
    one = batch(count, os.urandom(value_bytes))
    sides = (Side(settings, False), Side(settings, True))
    for side in sides:
        side.slice_us(one, times, depth)
    pairs = []
    for i in range(ROUNDS):
        pair = [0, 0]
        for which in (0, 1) if i % 2 == 0 else (1, 0):
            pair[which] = sides[which].slice_us(one, times, depth)
        pairs.append(pair)
    for side in sides:
        side.broker.__exit__()
    print("%-52s %8.2f us without, %8.2f us with, %+5.1f %%" % (
        name, statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs),
        statistics.median((p[1] / p[0] - 1) * 100 for p in pairs)))
    sys.stdout.flush()


if __name__ == "__main__":
    os.sched_setaffinity(0, {PROCESSORS[0]})
    for load in LOADS:
        bench(*load)
