# SPDX-License-Identifier: Apache-2.0
"""chronik beside Apache Kafka: three nodes of each on this host, three replicas of everything,
min.insync.replicas=2 and acks=all, under one and the same load ("chronik bench").

    make bench-compare-cluster      (CHRONIK_BENCH_ROUNDS, default 9; CHRONIK_BENCH_SECONDS, 10, of
                                     each arm; CHRONIK_BENCH_WARM, 60, seconds of Kafka's warm-up)

Kafka's jars are in CHRONIK_KAFKA_JARS, or Maven fetches them. Both systems take turns, which begins
changes from round to round; a round starts a system, warms it, measures each arm and ends it. They
run one at a time: six brokers on a few cores would measure one another.

In the mode "page cache" an acknowledged record is in the page cache of the replicas in sync
(write.caching=true; Kafka's default). In the mode "synced" it is on their disks
(write.caching=false; flush.messages=1). A figure is the median of all rounds, and a ratio the
median of the ratios of single rounds, with the least and the most of them: more than 1 is in
chronik's favour."""

import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from chronik import wait_until  # noqa: E402
from cluster import Cluster  # noqa: E402
from kafka_cluster import NODES, KafkaCluster, jars  # noqa: E402

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "9"))
SECONDS = int(os.environ.get("CHRONIK_BENCH_SECONDS", "10"))
WARM_SECONDS = {"chronik": 5, "kafka": int(os.environ.get("CHRONIK_BENCH_WARM", "60"))}
PROGRAM = os.environ.get("CHRONIK", os.path.join(os.getcwd(), "chronik"))
# So that no system's log outgrows the page cache.
SETTINGS = ["min.insync.replicas=2", "log.segment.bytes=134217728",
            "log.retention.bytes=536870912"]
SETTLE_SECONDS = 60

MODES = {
    "page cache": {"chronik": "write.caching=true", "kafka": "flush.messages=9223372036854775807"},
    "synced": {"chronik": "write.caching=false", "kafka": "flush.messages=1"},
}
ARMS = {
    "16 KiB batches of 1 KiB, 3 x 4": ["--depth", "4"],
    "one record of 100 B, 3 x 16": ["--depth", "16", "--batch-bytes", "100", "--record-bytes",
                                    "100"],
    "2,000 requests/s of 1 KiB": ["--depth", "256", "--batch-bytes", "1024", "--rate", "2000"],
}
# (name, of which arms, how it is read, how it is shown, whether more is better)
FIGURES = [
    ("requests/s", (0, 1), lambda said: said["requests_per_s"], "%.0f", True),
    ("MB/s", (0,), lambda said: said["bytes_per_s"] / 1e6, "%.1f", True),
    ("CPU s/GB, all nodes", (0,), lambda said: said["cpu_s_per_gb"], "%.2f", False),
    ("CPU us/request", (1, 2), lambda said: said["cpu_us_per_request"], "%.1f", False),
    ("p50 ms", (0, 1, 2), lambda said: said["latency_us"]["p50"] / 1e3, "%.3f", False),
    ("p99 ms", (0, 1, 2), lambda said: said["latency_us"]["p99"] / 1e3, "%.3f", False),
]


class ChronikCluster(Cluster):
    """The same as Kafka's, of tests/e2e."""

    def __enter__(self):
        for node in self.nodes:
            with open(node.properties, "a", encoding="utf-8") as out:
                out.write("".join(line + "\n" for line in SETTINGS))
            node.format()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.await_ready()
        return self


def command(cluster, *words):
    done = subprocess.run([PROGRAM, *words, "--bootstrap-server", cluster.nodes[0].address],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=SETTLE_SECONDS + 2 * max(WARM_SECONDS["kafka"], SECONDS))
    if done.returncode != 0:
        sys.stdout.write("# %s: exit code %d: %s\n" % (" ".join(words), done.returncode,
                                                       done.stdout.decode()[-500:]))
    return done


def is_whole(cluster, topic):
    done = command(cluster, "topic", "describe", topic, "--json")
    return done.returncode == 0 and all(
        one["leader"] > 0 and len(one["in_sync"]) == NODES
        for one in json.loads(done.stdout)["partitions"])


def bench(cluster, topic, seconds, warm, options):
    """What one run of the load says; None when it said nothing."""
    pids = [word for node in cluster.nodes for word in ("--pid", str(node.process.pid))]
    done = command(cluster, "bench", "produce", "--json", "--topic", topic, "--connections", "3",
                   "--seconds", str(seconds), "--warm-up", str(warm), *pids, *options)
    return json.loads(done.stdout) if done.stdout.startswith(b"{") else None


def measure(system, cluster):
    """{(mode, arm): what was said} of one system that has just been started."""
    wait_until(lambda: command(cluster, "topic", "list").returncode == 0, SETTLE_SECONDS,
               "%s answers" % system)
    for mode, config in MODES.items():
        topic = mode.replace(" ", "-")
        command(cluster, "topic", "create", topic, "--partitions", str(NODES),
                "--replication-factor", str(NODES), "--config", config[system])
        wait_until(lambda name=topic: is_whole(cluster, name), SETTLE_SECONDS,
                   "every replica of %s is in sync" % topic)
    turns = len(MODES) * len(ARMS)
    for mode in MODES:
        for options in ARMS.values():
            bench(cluster, mode.replace(" ", "-"), max(1, WARM_SECONDS[system] // turns), 0,
                  options)
    found = {}
    for mode in MODES:
        for arm, options in ARMS.items():
            os.sync()
            time.sleep(0.5)
            found[mode, arm] = bench(cluster, mode.replace(" ", "-"), SECONDS, 1, options)
    return found


def start(system, folder_of_jars):
    return ChronikCluster() if system == "chronik" else KafkaCluster(folder_of_jars, SETTINGS)


def run_round(number, folder_of_jars):
    found = {}
    systems = ["chronik", "kafka"]
    for system in systems if number % 2 == 0 else reversed(systems):
        began = time.monotonic()
        load = os.getloadavg()[0]
        with start(system, folder_of_jars) as cluster:
            found[system] = measure(system, cluster)
        print("# round %d, %s: %.0f s; load average before it %.1f%s" % (
            number + 1, system, time.monotonic() - began, load,
            ": others measure, too, and the figures are not fit to be told" if load > 1 else ""))
        sys.stdout.flush()
    return found


def print_row(name, read, form, more_is_better, pairs):
    ours = [read(one) for one, _ in pairs]
    theirs = [read(other) for _, other in pairs]
    ratios = [(a / b if more_is_better else b / a) for a, b in zip(ours, theirs)
              if a > 0 and b > 0]
    ratio = "-" if not ratios else "%.1f (%.1f to %.1f)" % (
        statistics.median(ratios), min(ratios), max(ratios))
    print("| %-21s | %10s | %10s | %-24s |" % (name, form % statistics.median(ours),
                                               form % statistics.median(theirs), ratio))


def report(rounds):
    for mode in MODES:
        for place, arm in enumerate(ARMS):
            pairs = [(one["chronik"][mode, arm], one["kafka"][mode, arm]) for one in rounds]
            pairs = [pair for pair in pairs if pair[0] and pair[1]]
            print("\n%s; %s; %d rounds of %d s" % (mode, arm, len(pairs), SECONDS))
            wrong = [sum(one["errors"] + one["unanswered"] + one["unsent"] for one in side)
                     for side in zip(*pairs)]
            if any(wrong):
                print("requests with an error, without an answer, or not begun: chronik %d, "
                      "Kafka %d" % tuple(wrong))
            print("| %-21s | %10s | %10s | %-24s |" % ("", "chronik", "Kafka", "ratio"))
            print("|-----------------------|-----------:|-----------:|--------------------------|")
            for name, arms, read, form, more_is_better in FIGURES:
                if place in arms and pairs:
                    print_row(name, read, form, more_is_better, pairs)


def main():
    folder_of_jars = jars()
    if folder_of_jars is None:
        print("it needs Kafka's jars: CHRONIK_KAFKA_JARS, or java and mvn")
        sys.exit(1)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    print("# %d cores, %.0f GiB of memory: one system at a time; acks=all, %d replicas,\n"
          "# min.insync.replicas=2, a warm-up of %d s (chronik) and %d s (Kafka) in each round" % (
              os.cpu_count(), memory, NODES, WARM_SECONDS["chronik"], WARM_SECONDS["kafka"]))
    rounds = []
    for number in range(ROUNDS):
        rounds.append(run_round(number, folder_of_jars))
    report(rounds)


if __name__ == "__main__":
    main()
