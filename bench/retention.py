# SPDX-License-Identifier: Apache-2.0
"""A log under sustained load of which three times as much is written as it may hold: deleting
segments may not change what writing costs."""

import os
import statistics

from report import wrong

MB_PER_S = int(os.environ.get("CHRONIK_BENCH_RETENTION_MB", "64"))
THIRD_SECONDS = 60  # in which as much is written as the log may hold
SLICE_SECONDS = 10
BATCH_BYTES = 16384
SEGMENT_BYTES = 64 << 20
BOUND = 1.2
WORDS = ["produce", "--acks", "1", "--connections", "4", "--depth", "64", "--batch-bytes",
         str(BATCH_BYTES), "--record-bytes", "1024", "--rate",
         str(MB_PER_S * 1000000 // BATCH_BYTES)]
FIGURES = (
    ("CPU s/GB", lambda said: said["cpu_s_per_gb"]),
    ("p50 us", lambda said: said["latency_us"]["p50"]),
    ("p99 us", lambda said: said["latency_us"]["p99"]),
)


def limit_bytes():
    return MB_PER_S * 1000000 * THIRD_SECONDS


def settings():
    return ("write.caching=true", "segment.bytes=%d" % SEGMENT_BYTES, "file.delete.delay.ms=1000",
            "retention.bytes=%d" % limit_bytes())


def log_bytes(folder):
    """What the files of logs have in them."""
    return sum(os.path.getsize(os.path.join(path, name))
               for path, _, names in os.walk(folder) for name in names if name.endswith(".log"))


def judge(slices, held_bytes):
    """What there is to say of slices, in order, and of what the log has at the end."""
    third = len(slices) // 3
    figures = []
    for name, read in FIGURES:
        found = [read(said) for said in slices]
        first, last = statistics.median(found[:third]), statistics.median(found[-third:])
        figures.append({"figure": name, "first": first, "last": last, "slices": found,
                        "met": 0 < last <= BOUND * first})
    return {"limit_bytes": limit_bytes(), "held_bytes": held_bytes, "figures": figures,
            "deleted": held_bytes <= limit_bytes() + 4 * SEGMENT_BYTES}


def measure(broker, create, bench):
    """`create` makes a topic with these settings, `bench` puts load on it for so many seconds and
    says what "chronik bench" said. None when a slice went wrong, or the rate was not kept."""
    create(*settings())
    slices = [bench(WORDS, SLICE_SECONDS) for _ in range(3 * THIRD_SECONDS // SLICE_SECONDS)]
    return None if any(map(wrong, slices)) else judge(slices, log_bytes(broker.data))


def show(found):
    if found is None:
        print("\nretention: NOT measured")
        return
    print("\nretention: %d MB/s, until three times the limit of %.1f GB was written; the log has "
          "%.1f GB%s" % (MB_PER_S, found["limit_bytes"] / 1e9, found["held_bytes"] / 1e9,
                         "" if found["deleted"] else ": NOT deleted, so that nothing is shown"))
    for one in found["figures"]:
        print("%-10s first third %8.3f, last third %8.3f: %.2f, bound %.2f: %s" % (
            one["figure"], one["first"], one["last"], one["last"] / one["first"], BOUND,
            "met" if one["met"] else "NOT met"))
