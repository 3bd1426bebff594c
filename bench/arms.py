# SPDX-License-Identifier: Apache-2.0
"""What compare.py measures: the arms, and how each figure has to stand beside those of others."""

from collections import namedtuple

# A figure of an arm: its name, how it is read from what "chronik bench" says and shown, whether
# more is better; ours has to be at most (or, where more is better, at least) so many times the
# floor's and Kafka's (None: no bound); and what floor : Kafka was when it was first measured (None:
# not known).
Figure = namedtuple("Figure", "name read form more floor kafka known")

# name; nodes; how acknowledged ("cached", "durable"), or "fetched"; partitions; the words for
# "chronik bench"; whether spinners may keep the processors awake; figures; whether the floor is
# measured, too
Arm = namedtuple("Arm", "name nodes mode partitions words spins figures on_floor")


def requests(floor=None, kafka=None, known=None):
    return Figure("requests/s", lambda said: said["requests_per_s"], "%.0f", True, floor, kafka,
                  known)


def gigabytes(floor=None, kafka=None, known=None):
    return Figure("GB/s", lambda said: said["bytes_per_s"] / 1e9, "%.3f", True, floor, kafka, known)


def cpu_gb(floor=None, kafka=None, known=None):
    return Figure("CPU s/GB", lambda said: said["cpu_s_per_gb"], "%.3f", False, floor, kafka, known)


def cpu_request(floor=None, kafka=None, known=None):
    return Figure("CPU us/request", lambda said: said["cpu_us_per_request"], "%.2f", False, floor,
                  kafka, known)


def quantile(key, part, floor, kafka, known):
    return Figure("%s us" % part, lambda said: said[key][part], "%.0f", False, floor, kafka, known)


def latency(part, floor=None, kafka=None, known=None):
    return quantile("latency_us", part, floor, kafka, known)


def end_to_end(part, floor=None, kafka=None, known=None):
    return quantile("end_to_end_us", part, floor, kafka, known)


BIG = ["--batch-bytes", "16384", "--record-bytes", "1024"]
# Records that come one by one are sent one by one, as most clients do: a broker that is woken for
# each of them does other work than one that finds many.
TINY = ["--batch-bytes", "100", "--record-bytes", "100"]
ONE = [*TINY, "--apart"]
KIB = ["--batch-bytes", "1024", "--record-bytes", "1024"]


def load(arm, connections, depth, *words):
    return [arm, "--connections", str(connections), "--depth", str(depth), *words]


# The load under which system calls are counted: requests that come together.
PIPELINED = load("produce", 4, 16, "--acks", "1", *TINY)

# What is known of the floor and Kafka 4.3.1 was measured on 2 vCPUs, ext4, with one client for all.
# Of the floor the middle of what was found is taken; where it was measured over other files than
# those of bench/floor (synced batches of 16 KiB) nothing is known, nor of three replicas. A run in
# which one of these ratios is more than a third off has measured something else.
ARMS = (
    Arm("produce acks=1, 16 KiB batches, 4 x 4", 1, "cached", 1,
        load("produce", 4, 4, "--acks", "1", *BIG), True,
        (cpu_gb(1.4, 1 / 10, 0.39 / 6.6), requests(0.75, 5, 137 / 14.8), latency("p99")), True),
    Arm("produce, one record of 100 B, 4 x 16", 1, "cached", 1,
        load("produce", 4, 16, "--acks", "1", *ONE), True,
        (cpu_request(1.4, 1 / 4, 4.8 / 32), requests(known=160 / 40)), True),
    Arm("produce, one record of 100 B, 1 x 1", 1, "cached", 1,
        load("produce", 1, 1, "--acks", "1", *ONE), False,
        (latency("p50", 1.2, 0.9, 58 / 80), cpu_request(known=26 / 55)), True),
    Arm("durable, one record of 100 B, 4 x 16", 1, "durable", 1,
        load("produce", 4, 16, *ONE), True,
        (requests(0.75, 6, 66 / 7.8), cpu_request(known=6.6 / 114)), True),
    Arm("durable, 16 KiB batches, 4 x 4", 1, "durable", 1, load("produce", 4, 4, *BIG), True,
        (gigabytes(0.75, 2), cpu_gb()), True),
    Arm("durable, 16 KiB batches, 4 x 4 over 300 partitions", 1, "durable", 300,
        load("produce", 4, 4, "--spread", *BIG), True, (gigabytes(None, 2), cpu_gb()), False),
    Arm("fetch of 1 MiB, 4 connections", 1, "fetched", 4,
        load("fetch", 4, 1, "--fetch-bytes", "1048576"), True,
        (gigabytes(0.85, 1.3, 4.7 / 3.0), cpu_gb(known=0.19 / 0.27)), True),
    Arm("tail at 1,000/s, end to end", 1, "cached", 1,
        load("tail", 1, 256, "--rate", "1000", *ONE), False,
        (end_to_end("p50", 1.3, 0.7, 114 / 220), end_to_end("p99", 2, 1 / 10),
         cpu_request(known=25 / 289)), True),
    Arm("RF 3 acks=all, 16 KiB batches, 3 x 4", 3, "cached", 3, load("produce", 3, 4, *BIG), True,
        (cpu_gb(1.5, 1 / 15), gigabytes(), latency("p99")), True),
    Arm("RF 3 acks=all, one record of 100 B, 3 x 16", 3, "cached", 3,
        load("produce", 3, 16, *ONE), True,
        (requests(0.6, 10), cpu_request(), latency("p99")), True),
    Arm("RF 3 acks=all, 2,000/s of 1 KiB", 3, "cached", 3,
        load("produce", 3, 256, "--rate", "2000", *KIB), False,
        (latency("p50", 1.5, 0.7), latency("p99", 2, 1 / 4), cpu_request()), True),
    Arm("RF 3 durable, 16 KiB batches, 3 x 4", 3, "durable", 3, load("produce", 3, 4, *BIG), True,
        (gigabytes(), cpu_gb(), latency("p99")), True),
    Arm("RF 3 durable, one record of 100 B, 3 x 16", 3, "durable", 3,
        load("produce", 3, 16, *ONE), True,
        (requests(), cpu_request(), latency("p99")), True),
    Arm("RF 3 durable, 2,000/s of 1 KiB", 3, "durable", 3,
        load("produce", 3, 256, "--rate", "2000", *KIB), False,
        (latency("p50"), latency("p99"), cpu_request()), True),
)

# How much of an earlier ratio a run may be off.
KNOWN_SLACK = 1 / 3
