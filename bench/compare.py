# SPDX-License-Identifier: Apache-2.0
"""The floor, chronik and Apache Kafka under one and the same load ("chronik bench"), one at a time
and in turns that begin with another one each round: one node, and three with three replicas.

    make bench-compare      CHRONIK_BENCH_ROUNDS    rounds; default 9
                            CHRONIK_BENCH_SECONDS   of each arm; 10
                            CHRONIK_BENCH_WARM      seconds of Kafka's warm-up; 60
                            CHRONIK_BENCH_ARMS      a regular expression on the arms' names, and on
                                                    "system calls" and "retention"
                            CHRONIK_BENCH_SPIN      1: spinners; see below
                            CHRONIK_BENCH_JSON      a file for all that was said and concluded
                            CHRONIK_KAFKA_JARS      the folder of Kafka's jars, else Maven fetches
                                                    them; empty: without Kafka
                            TMPDIR                  where all data lie

A figure is the median of all rounds, a ratio the median of the ratios of single rounds, chronik's
figure by the other one's, with the bound beside it. "Cached" is acknowledged from the page cache
(write.caching=true; Kafka's default), "durable" from the disk (write.caching=false;
flush.messages=1). With CHRONIK_BENCH_SPIN=1 spinners of the idle class keep the processors awake
while throughput is measured. Where processors that sleep are slow to wake that shows what programs
cost; a kernel that preempts lazily (6.18 does) lets what it wakes on another processor wait behind
a spinner for a tick, its own workers at the end of each sync among it: there it is left out. A
thread that only sleeps and wakes tells how late the machine itself was.

The exit code is 3 when the run is void: Kafka and the floor do not stand to one another as in an
earlier measurement, by more than a third, so that something else was measured. It is 1 when
something was to be measured and was not, 2 when nothing could begin, and 0 else, whether or not the
bounds are met."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
import beside  # noqa: E402
import kafka_cluster  # noqa: E402
import report  # noqa: E402
import retention  # noqa: E402
import syscalls  # noqa: E402
from arms import ARMS, PIPELINED  # noqa: E402
from chronik import wait_until  # noqa: E402
from systems import running  # noqa: E402

ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "9"))
SECONDS = int(os.environ.get("CHRONIK_BENCH_SECONDS", "10"))
# Of a system before its arms, and of each arm before it is counted.
WARM_SECONDS = {"floor": 3, "chronik": 5, "kafka": int(os.environ.get("CHRONIK_BENCH_WARM", "60"))}
ARM_WARM_SECONDS = 2
CHOSEN = re.compile(os.environ.get("CHRONIK_BENCH_ARMS", ""))
JSON = os.environ.get("CHRONIK_BENCH_JSON")
SPINS = os.environ.get("CHRONIK_BENCH_SPIN") == "1"
PROGRAM = os.environ.get("CHRONIK", os.path.join(os.getcwd(), "chronik"))
KAFKA_VERSION = "4.3.1"  # whose figures are known
SETTLE_SECONDS = 60
IDLE_WAIT_SECONDS = 15
CONFIGS = {
    "floor": {"cached": (), "durable": ()},
    "chronik": {"cached": ("write.caching=true",), "durable": ("write.caching=false",)},
    "kafka": {"cached": (), "durable": ("flush.messages=1",)},
}
# A topic to be fetched from has some 50 MB in each partition, which the floor's files hold.
FILL_SECONDS = 6
FILL_WORDS = ["produce", "--acks", "1", "--connections", "4", "--depth", "64", "--rate", "2000",
              "--batch-bytes", "16384", "--record-bytes", "1024"]
# The memory that a machine was not asked for in a while may not be its own any more: most of it is
# touched at the start, and before an arm that writes much what it may write into.
TOUCH_FIRST_BYTES = 1 << 40
TOUCH_BYTES = 3 << 30
# Logs are bounded by retention, but for what an arm writes until that takes place.
DISK_BYTES_PER_S = 2 << 30
DISK_BYTES = 8 << 30
OTHERS_MAX = 0.2  # processors that others may use
EXIT_MISSING, EXIT_CANNOT, EXIT_VOID = 1, 2, 3


def end_by_signal(number, _):
    """Whoever started something ends it on the way out; nothing ends that a second time."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)


def is_ending():
    return signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def command(system, *words, seconds=0):
    return subprocess.run(
        [*beside.ends_with_us(), PROGRAM, *words, "--bootstrap-server", system.address],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
        timeout=SETTLE_SECONDS + 2 * seconds)


def bench(system, topic, words, seconds, warm=0):
    """What one run of the load says; None, with a word, when it said nothing."""
    pids = [word for pid in system.pids for word in ("--pid", str(pid))]
    done = command(system, "bench", *words, "--json", "--topic", topic, "--seconds", str(seconds),
                   "--warm-up", str(warm), *pids, seconds=seconds + warm)
    if done.stdout.startswith(b"{"):
        return json.loads(done.stdout)
    print("# %s of %s: exit code %d: %s" % (words[0], topic, done.returncode,
                                            done.stderr.decode(errors="replace")[-500:].strip()))
    return None


def is_whole(system, topic, replicas):
    done = command(system, "topic", "describe", topic, "--json")
    return done.returncode == 0 and all(
        one["leader"] > 0 and len(one["in_sync"]) == replicas
        for one in json.loads(done.stdout)["partitions"])


def create(name, system, topic, partitions, replicas, config):
    done = command(system, "topic", "create", topic, "--partitions", str(partitions),
                   "--replication-factor", str(replicas if name != "floor" else 1),
                   *(word for line in config for word in ("--config", line)))
    if done.returncode != 0:
        raise RuntimeError("%s is not created: %s" % (topic, done.stderr.decode(errors="replace")))
    if name != "floor":
        wait_until(lambda: is_whole(system, topic, replicas), SETTLE_SECONDS,
                   "every replica of %s is in sync" % topic)


def topic_of(arm):
    return "%s-%d" % (arm.mode, arm.partitions)


def create_for(name, system, arm):
    topic = topic_of(arm)
    config = CONFIGS[name]["durable" if arm.mode == "durable" else "cached"]
    create(name, system, topic, arm.partitions, arm.nodes, config)
    if arm.mode == "fetched":
        filled = bench(system, topic, FILL_WORDS, FILL_SECONDS)
        if report.wrong(filled):
            raise RuntimeError("%s is not filled: %s" % (topic, report.wrong(filled)))


def settle(system, arm):
    """What was written before is nobody's who is measured, nor what is left to be done for it."""
    os.sync()
    beside.await_idle(system.pids, IDLE_WAIT_SECONDS)
    if arm.spins and arm.mode != "fetched":
        beside.touch_memory(TOUCH_BYTES)


def measure(name, system, arms, found):
    """Puts what was said of each arm into `found`."""
    wait_until(lambda: command(system, "topic", "list").returncode == 0, SETTLE_SECONDS,
               "%s answers" % name)
    for arm in {topic_of(one): one for one in arms}.values():
        create_for(name, system, arm)
    for arm in arms:
        if WARM_SECONDS[name] > 0:
            bench(system, topic_of(arm), arm.words, max(1, WARM_SECONDS[name] // len(arms)))
    for arm in arms:
        settle(system, arm)
        with beside.Hiccup() as hiccup, beside.Spinners(SPINS and arm.spins):
            said = bench(system, topic_of(arm), arm.words, SECONDS, ARM_WARM_SECONDS)
        if said is not None:
            said["hiccup"] = hiccup.said
        found[arm.name] = said


def check_disk(folder):
    free = shutil.disk_usage(folder).free
    wanted = DISK_BYTES + DISK_BYTES_PER_S * (SECONDS + ARM_WARM_SECONDS)
    if free < wanted:
        raise RuntimeError("%s has %.0f GB left of the %.0f GB that it takes; TMPDIR tells where "
                           "data go" % (folder, free / 1e9, wanted / 1e9))


class Run:
    def __init__(self, folder, folder_of_jars):
        self.folder = folder
        self.folder_of_jars = folder_of_jars
        self.names = ["floor", "chronik"] + (["kafka"] if folder_of_jars else [])
        self.arms = [arm for arm in ARMS if CHOSEN.search(arm.name)]
        self.counts_calls = bool(CHOSEN.search("system calls"))
        self.measures_retention = bool(CHOSEN.search("retention"))
        self.rounds = []
        self.failures = []
        self.found = {}

    def attempt(self, what, function, *arguments):
        """What goes wrong is told, and does not end a run of hours."""
        try:
            return function(*arguments)
        except Exception as error:  # whatever it is, something was not measured
            if is_ending():
                raise
            self.failures.append("%s: %s: %s" % (what, type(error).__name__, error))
            print("# " + self.failures[-1].rstrip().replace("\n", "\n# "))
            return None

    def start(self, name, nodes, durable=False):
        check_disk(self.folder)
        return running(name, nodes, durable, self.folder_of_jars)

    def measure_some(self, name, nodes, durable, arms, found):
        with self.start(name, nodes, durable) as system:
            measure(name, system, arms, found)

    def measure_all(self, number, name, nodes, found):
        """A system of so many nodes in one round; the floor twice, since it is told at its start
        what durable is."""
        began, busy = time.monotonic(), beside.others()
        arms = [arm for arm in self.arms
                if arm.nodes == nodes and (name != "floor" or arm.on_floor)]
        for durable in (False, True):
            some = [arm for arm in arms
                    if (name == "floor" and arm.mode == "durable") == durable]
            if some:
                self.attempt("round %d, %s" % (number + 1, name), self.measure_some, name, nodes,
                             durable, some, found)
        print("# round %d, %s, nodes %d: %.0f s%s" % (
            number + 1, name, nodes, time.monotonic() - began, "" if busy <= OTHERS_MAX else
            "; others used %.1f processors before it: the figures are not fit to be told" % busy))
        sys.stdout.flush()

    def measure_round(self, number):
        turn = number % len(self.names)
        found = {name: {} for name in self.names}
        self.rounds.append(found)
        for nodes in sorted({arm.nodes for arm in self.arms}):
            for name in self.names[turn:] + self.names[:turn]:
                self.measure_all(number, name, nodes, found[name])

    def count_calls(self, name):
        arm = ARMS[1]
        with self.start(name, 1) as system:
            create_for(name, system, arm)
            return syscalls.count(system.pids, lambda seconds: bench(
                system, topic_of(arm), PIPELINED, seconds))

    def measure_retention(self):
        with self.start("chronik", 1) as system:
            return retention.measure(
                system, lambda *config: create("chronik", system, "retained", 1, 1, config),
                lambda words, seconds: bench(system, "retained", words, seconds))

    def keep(self):
        """Writes what there is so far."""
        if JSON:
            with open(JSON + ".new", "w", encoding="utf-8") as out:
                json.dump({"found": self.found, "rounds": self.rounds}, out, indent=1)
            os.rename(JSON + ".new", JSON)

    def run(self):
        """Measures and tells everything. Returns the exit code."""
        beside.touch_memory(TOUCH_FIRST_BYTES)
        try:
            for number in range(ROUNDS if self.arms else 0):
                self.measure_round(number)
                self.found = report.conclude(self.names, self.arms, self.rounds)
                self.keep()
        finally:  # also when a signal ends it: of the rounds that are whole
            if self.found:
                report.show(self.found)
        if self.counts_calls:
            self.found["system calls"] = {
                name: self.attempt("system calls of " + name, self.count_calls, name)
                or "it went wrong" for name in self.names}
            syscalls.show(self.found["system calls"])
        if self.measures_retention:
            self.found["retention"] = self.attempt("retention", self.measure_retention)
            retention.show(self.found["retention"])
        self.found["failures"] = self.failures
        self.keep()
        return self.code()

    def code(self):
        if self.found.get("void"):
            return EXIT_VOID
        is_missing = self.failures or self.found.get("complaints") or \
            self.found.get("retention", True) is None
        return EXIT_MISSING if is_missing else 0


def file_system(folder):
    return subprocess.run(["stat", "-f", "-c", "%T", folder], stdout=subprocess.PIPE,
                          check=True).stdout.decode().strip()


def obstacle(run, kind):
    """Why it makes no sense to begin; None when it does."""
    if not (run.arms or run.counts_calls or run.measures_retention):
        return "CHRONIK_BENCH_ARMS chooses nothing"
    if kind in ("tmpfs", "ramfs") and any(arm.mode == "durable" for arm in run.arms):
        return "nothing is durable on %s: set TMPDIR, or leave those arms out" % kind
    try:
        check_disk(run.folder)
    except RuntimeError as error:
        return str(error)
    return None


def begin(run):
    """Says what is going to be measured. Ends the program when that cannot be."""
    kind = file_system(run.folder)
    why_not = obstacle(run, kind)
    if why_not:
        print(why_not)
        sys.exit(EXIT_CANNOT)
    version = kafka_cluster.version(run.folder_of_jars) if run.folder_of_jars else None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    print("# %d processors, %.0f GiB of memory, data on %s; %s, one at a time; %d rounds, %d s" % (
        os.cpu_count(), memory, kind, ", ".join(run.names), ROUNDS, SECONDS))
    if version is None:
        print("# without Kafka")
    elif version != KAFKA_VERSION:
        print("# Kafka is %s; what is known is of %s" % (version, KAFKA_VERSION))
    sys.stdout.flush()


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)
    folder_of_jars = kafka_cluster.jars()
    with tempfile.TemporaryDirectory(prefix="chronik-compare.",
                                     ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder  # of all who are started
        run = Run(folder, folder_of_jars)
        begin(run)
        code = run.run()
    sys.exit(code)


if __name__ == "__main__":
    main()
