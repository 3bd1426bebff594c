# SPDX-License-Identifier: Apache-2.0
"""What the simulator costs: steps a second and core of a produce and fetch load with all judges on,
without a trace and with one; simulated seconds a second, of one core and of all, of three nodes
to which something happens every ten seconds; a day of a broker whose ten clients say nothing; the
most memory that a run of a scenario takes; questions to a trace of a million steps. Prints a line
for each figure.

    make bench-sim                      (CHRONIK_BENCH_ROUNDS, default 5)

Speeds are of the processor's time, of which the best round counts: what else the machine does makes
others slower. The trace lies in TMPDIR.
"""

import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.join(HERE, "..", "scenarios")
LOAD = os.path.join(HERE, "load.json")
SIM = os.path.abspath(os.environ.get("CHRONIK_SIM", "chronik-sim"))
ROUNDS = int(os.environ.get("CHRONIK_BENCH_ROUNDS", "5"))
MEMORY_SEEDS = "1-5"
CLUSTER = os.path.join(HERE, "cluster.json")
CLUSTER_SEEDS = "1-40"


def run(*arguments, jobs=1):
    """The JSON of the runs of a campaign, and the most memory that one of its processes took."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([SIM, "run", *arguments, "--json", "--jobs", str(jobs)],
                                   stdout=subprocess.PIPE, stderr=said, text=True)
        lines = process.stdout.readlines()
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        if status != 0:
            sys.exit("chronik-sim run %s: %s" % (" ".join(arguments), said.read()))
    return [json.loads(line) for line in lines[:-1]], usage.ru_maxrss / 1024


def tell(what, figure):
    print("%-58s %s" % (what, figure))
    sys.stdout.flush()


def speed(what, *arguments):
    best, steps, memory = 0, 0, 0
    for _ in range(ROUNDS):
        runs, memory = run(LOAD, "--seed", "1", *arguments)
        steps = runs[0]["steps"]
        best = max(best, steps / runs[0]["cpu_seconds"] / 1e6)
    tell(what, "%.2f M steps a second and core (%.2f M steps, %.0f MiB)" % (
        best, steps / 1e6, memory))


def question_ms(*arguments):
    times = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        subprocess.run([SIM, *arguments], stdout=subprocess.DEVNULL, check=True)
        times.append((time.monotonic() - start) * 1000)
    return "%.0f ms" % statistics.median(times)


def questions(trace):
    size = os.path.getsize(trace) / 2**20
    tell("the trace", "%.0f MiB" % size)
    for number in (10, 1000000):
        tell("why %d" % number, question_ms("why", trace, str(number)))
    tell("show --all of 10 ms in its middle",
         question_ms("show", trace, "--all", "--from", "15000", "--to", "15010"))
    tell("show --faults", question_ms("show", trace, "--faults"))


def cluster():
    best, best_of_all, cores = 0, 0, os.cpu_count()
    for _ in range(ROUNDS):
        runs, _ = run(CLUSTER, "--seeds", CLUSTER_SEEDS, "--no-traces")
        simulated = sum(one["virtual_seconds"] for one in runs)
        best = max(best, simulated / sum(one["cpu_seconds"] for one in runs))
        start = time.monotonic()
        run(CLUSTER, "--seeds", CLUSTER_SEEDS, "--no-traces", jobs=cores)
        best_of_all = max(best_of_all, simulated / (time.monotonic() - start))
    acknowledged = sum(one["tallies"]["acked_records"] for one in runs)
    faults = sum(count for one in runs for name, count in one["tallies"].items()
                 if name.startswith("fault_") and not name.endswith("_mattered"))
    tell("three nodes", "%.0f simulated seconds a second and core, %.0f on %d (%.0f records a "
         "second, a fault every %.1f s)" % (best, best_of_all, cores, acknowledged / simulated,
                                            simulated / faults))


def idle_day():
    start = time.monotonic()
    runs, _ = run(os.path.join(SCENARIOS, "idle-day.json"))
    tell("a day of 10 silent clients", "%.3f s, of the processor %.3f s (%d steps)" % (
        time.monotonic() - start, runs[0]["cpu_seconds"], runs[0]["steps"]))


def memory():
    most = max((run(path, "--seeds", MEMORY_SEEDS, "--each", "--no-traces")[1],
                os.path.basename(path)) for path in glob.glob(os.path.join(SCENARIOS, "*.json")))
    tell("the most memory of a scenario, seeds " + MEMORY_SEEDS, "%.0f MiB (%s)" % most)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        TRACE = os.path.join(folder, "load.db")
        speed("produce and fetch, without a trace")
        speed("produce and fetch, with a trace", "--trace", TRACE)
        questions(TRACE)
    cluster()
    idle_day()
    memory()
