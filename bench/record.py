# SPDX-License-Identifier: Apache-2.0
"""What a flight record costs: the processor's time that a broker spends under the same load with
and without chronik.record.file, in rounds that take turns. Prints a line for each load: the
medians, and the least and the most of the differences within a round.

    make bench-record                   (CHRONIK_BENCH_ROUNDS, default 11)

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

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "11"))
CACHED = "write.caching.default=true"

# Name, settings, records in a batch, bytes of each, requests, requests on the way.
LOADS = (
    ("one record a request, one at a time, each synced", (), 1, 100, 1500, 1),
    ("one record a request, one at a time, page cache", (CACHED,), 1, 100, 20000, 1),
    ("one record a request, 32 on the way, page cache", (CACHED,), 1, 100, 40000, 32),
    ("1,000 records of 1 KiB a request, page cache", (CACHED,), 1000, 1024, 400, 4),
)


def spent_ns(pid):
    total = 0
    for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
        with open(path) as schedstat:
            total += int(schedstat.read().split()[0])
    return total


def round_of(settings, records, times, one, depth):
    """Microseconds of the broker for each request."""
    with Broker(*settings) as broker:
        if records:
            broker.stop()
            broker.settings += ("chronik.record.file=" + os.path.join(broker.folder, "record"),
                                "chronik.record.bytes.max=%d" % (1 << 40))
            broker.start()
        connection = Connection(broker.port)
        broker.create_topic(TOPIC, 1)
        connection.repeat_produce(one, times // 10, depth)
        before = spent_ns(broker.process.pid)
        connection.repeat_produce(one, times, depth)
        return (spent_ns(broker.process.pid) - before) / times / 1000


def bench(name, settings, count, value_bytes, times, depth):
    one = batch(count, os.urandom(value_bytes))
    without, recorded, costs = [], [], []
    for i in range(ROUNDS):
        pair = {}
        for records in (False, True) if i % 2 == 0 else (True, False):
            pair[records] = round_of(settings, records, times, one, depth)
        without.append(pair[False])
        recorded.append(pair[True])
        costs.append((pair[True] / pair[False] - 1) * 100)
    print("%-52s %8.2f us without, %8.2f us with: %+.1f %%   (%+.1f to %+.1f, %d rounds)" % (
        name, statistics.median(without), statistics.median(recorded),
        statistics.median(costs), min(costs), max(costs), ROUNDS))
    sys.stdout.flush()


if __name__ == "__main__":
    for load in LOADS:
        bench(*load)
