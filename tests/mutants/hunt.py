# SPDX-License-Identifier: Apache-2.0
"""Plants one bug after the other and hunts it. A bug that is not found means that a judge, a client
or a fault is missing, or blind.

    python3 hunt.py [--some N] SOURCE_FOLDER STATE.json [NAME...]

Each mutant is a patch in this folder, whose first line tells what is planted. Those of the core
are hunted by the random campaign, the scenario everything.json, which is aimed at none of them;
cluster-*.patch by that of a cluster, cluster.json, quorum-*.patch by that of its metadata log,
quorum.json, disk-*.patch by cluster-swapped-disks.json, in which machines get others' disks, old
ones and empty ones, differing-*.patch by cluster-differing.json, in which configuration files
differ, deletions-*.patch by cluster-deletions.json, whose records are deleted, rot-*.patch by
cluster-rot.json, in which bits of one node's logs flip, and phase7-*.patch by phase7.json, in which
nothing happens for long; those of the drivers, driver-*.patch, by the suite of the drivers'
contract and by tests with real clients. The failing run of a mutant of the core is shrunk, too.

--some N takes N mutants of the core, others for each state of the sources. Variables:
CHRONIK_MUTANT_BASES (default 5), from how many base seeds each is hunted; CHRONIK_MUTANT_SECONDS
(600), the processor time that each hunt gets; CHRONIK_MUTANT_JOBS (one a processor), how many are
hunted at once.

Prints TAP. What was found stays in STATE.json, so that a hunt that was interrupted goes on; it
begins anew when the sources have changed. table.py makes a table of it."""

import concurrent.futures
import hashlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

BASES = int(os.environ.get("CHRONIK_MUTANT_BASES", "5"))
SECONDS = float(os.environ.get("CHRONIK_MUTANT_SECONDS", "600"))
JOBS = int(os.environ.get("CHRONIK_MUTANT_JOBS", str(os.cpu_count())))
BASES_APART = 1000000   # no hunt comes from one to the next
# The clean build passes as many; else:
SEEDS_AT_ONCE = {"cluster": 8, "disk": 8, "differing": 8, "phase7": 2, "deletions": 8, "rot": 8}
SEEDS_AT_ONCE_ELSE = 25
SHRINK_SECONDS = 55
DRIVER_TEST_SECONDS = 900
CLEAN_PROGRAM = "chronik-sim-clean"
SCENARIO = "scenarios/everything.json"
SCENARIOS = {"cluster": "scenarios/cluster.json", "quorum": "scenarios/quorum.json",
             "disk": "scenarios/cluster-swapped-disks.json",
             "differing": "scenarios/cluster-differing.json", "phase7": "scenarios/phase7.json",
             "deletions": "scenarios/cluster-deletions.json",
             "rot": "scenarios/cluster-rot.json", "unclean": "scenarios/cluster-unclean.json"}
SOURCES = ("core", "sim", "net", "disk", SCENARIO) + tuple(SCENARIOS.values())
HERE = os.path.dirname(os.path.abspath(__file__))
# What hunts mutants of the drivers, in this order; whether a seed makes a difference.
DRIVER_JUDGES = {"tests/check_conformance": True, "tests/check_net": False,
                 "tests/e2e/disturbed.sh": True}
DRIVER_PROGRAMS = ("chronik", "tests/check_conformance", "tests/check_net", "tests/chronik-faulty")


def bases():
    return [1 + BASES_APART * i for i in range(BASES)]


def names_of(folder=HERE):
    return sorted(n[:-len(".patch")] for n in os.listdir(folder) if n.endswith(".patch"))


def is_of_driver(name):
    return name.startswith("driver-")


def kind_of(name):
    """What hunts it: a key of SCENARIOS, or an empty one."""
    kind = name.split("-")[0]
    return kind if kind in SCENARIOS else ""


def scenario_of(kind):
    return SCENARIOS.get(kind, SCENARIO)


def at_once(kind):
    return SEEDS_AT_ONCE.get(kind, SEEDS_AT_ONCE_ELSE)


def patch_of(name):
    return os.path.join(HERE, name + ".patch")


def tells_of(name):
    with open(patch_of(name), encoding="utf-8") as text:
        line = text.readline()
    told = re.match(r"Tells: (.*?)\.?$", line)
    if told is None:
        raise RuntimeError("%s.patch:1: begins with \"Tells: \", not with %s" % (name, line))
    return told.group(1)


def call(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(command), done.stdout[-2000:]))


def digest_of(source):
    """Of all that decides what a hunt finds, but for the patches."""
    digest = hashlib.sha256()
    for part in SOURCES:
        top = os.path.join(source, part)
        files = [top] if os.path.isfile(top) else sorted(
            os.path.join(where, name) for where, _, names in os.walk(top) for name in names)
        for path in files:
            with open(path, "rb") as text:
                digest.update(os.path.relpath(path, source).encode() + b"\0" + text.read())
    return digest.hexdigest()


# ---- Trees, of which each holds one mutant at a time. ----

def tree_copy(source, folder):
    def ignored(where, names):
        return [n for n in names if n in (".git", "autom4te.cache") or
                os.path.exists(os.path.join(where, n, "config.status"))]
    shutil.copytree(source, folder, symlinks=True, ignore=ignored)
    if not os.path.exists(os.path.join(folder, "configure")):
        call(["sh", "./bootstrap"], folder)
    os.makedirs(os.path.join(folder, "build"))
    call(["../configure", "CFLAGS=-O2"], os.path.join(folder, "build"))


def make(folder, programs, jobs=1):
    call(["make", "-j%d" % jobs] + list(programs), os.path.join(folder, "build"))


class Planted:
    """While it lasts, the tree has the mutant."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name

    def __enter__(self):
        call(["patch", "-p1", "-s", "--no-backup-if-mismatch", "-i", patch_of(self.name)],
             self.folder)

    def __exit__(self, *_):
        call(["patch", "-p1", "-R", "-s", "-i", patch_of(self.name)], self.folder)


# ---- Mutants of the core. ----

def campaign(folder, kind, seeds, program="chronik-sim", jobs=1):
    """What came of each seed, in order."""
    done = subprocess.run([os.path.join(folder, "build", program), "run", scenario_of(kind),
                           "--json", "--no-traces", "--jobs", str(jobs), "--seeds",
                           "%d-%d" % seeds],
                          cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    runs = [json.loads(line) for line in done.stdout.splitlines()
            if line.startswith("{\"scenario")]
    if len(runs) != seeds[1] - seeds[0] + 1:
        raise RuntimeError("seeds %d-%d gave %d runs" % (seeds + (len(runs),)))
    return sorted(runs, key=lambda run: run["seed"])


def judge_of(run):
    return run.get("violation", {}).get("judge") or run["outcome"]


def is_clean(folder, kind, seed):
    return campaign(folder, kind, (seed, seed), CLEAN_PROGRAM)[0]["outcome"] == "passed"


def hunt(folder, kind, base):
    """Runs seeds until one fails that the clean build passes; the finding, or None when the time
    is over."""
    seed, used, steps = base, 0.0, 0
    while used < SECONDS:
        for run in campaign(folder, kind, (seed, seed + at_once(kind) - 1)):
            used += run["cpu_seconds"]
            steps += run["steps"]
            if run["outcome"] != "passed" and is_clean(folder, kind, run["seed"]):
                return {"seed": run["seed"], "seeds": run["seed"] - base + 1, "events": steps,
                        "seconds": used, "judge": judge_of(run),
                        "text": run.get("violation", {}).get("text", "")}
        seed += at_once(kind)
    return None


def shrink(folder, scenario_file, finding):
    """How small the scenario of a finding gets: {"actions", "seconds"}, or None."""
    program = os.path.join(folder, "build", "chronik-sim")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        trace, small = os.path.join(place, "failed.db"), os.path.join(place, "small.json")
        subprocess.run([program, "run", scenario_file, "--seed", str(finding["seed"]), "--trace",
                        trace], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun = time.monotonic()
        subprocess.run([program, "shrink", trace, "--out", small, "--seconds",
                        str(SHRINK_SECONDS)], cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - begun
        if not os.path.exists(small):
            return None
        with open(small, encoding="utf-8") as text:
            scenario = json.load(text)
        said = subprocess.run([program, "run", small, "--seed", str(finding["seed"]), "--json",
                               "--no-traces"], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout
        run = json.loads(said.splitlines()[0])
        if judge_of(run) != finding["judge"]:
            return None
    return {"actions": len(scenario.get("clients", [])) + len(scenario.get("faults", [])),
            "seconds": seconds}


def hunt_core(folder, name):
    with Planted(folder, name):
        make(folder, ["chronik-sim"])
        kind = kind_of(name)
        findings = [hunt(folder, kind, base) for base in bases()]
        found = [finding for finding in findings if finding is not None]
        return {"findings": findings,
                "shrunk": shrink(folder, scenario_of(kind), found[0]) if found else None}


# ---- Mutants of the drivers. ----

def run_test(folder, test, seed):
    """Whether the test passes, and the processor time that it took."""
    variables = dict(os.environ, srcdir="..", CHRONIK_FAULTY_SEED=str(seed),
                     CHRONIK_E2E_SEEDS=str(seed), CK_DEFAULT_TIMEOUT="30")
    command = ["sh", os.path.join("..", test)] if test.endswith(".sh") else [test]
    child = subprocess.Popen(["timeout", str(DRIVER_TEST_SECONDS)] + command,
                             cwd=os.path.join(folder, "build"), env=variables,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode == 0, used.ru_utime + used.ru_stime


def hunt_driver(folder, name):
    with Planted(folder, name):
        make(folder, DRIVER_PROGRAMS)
        for test, is_seeded in DRIVER_JUDGES.items():
            findings = []
            for seed in range(1, BASES + 1):
                if seed == 1 or is_seeded:
                    passed, seconds = run_test(folder, test, seed)
                findings.append(None if passed else {
                    "seed": seed, "seeds": 1, "seconds": seconds, "judge": test, "text": ""})
            if is_enough(findings):
                break
    return {"findings": findings, "shrunk": None}


# ---- All of them. ----

def is_enough(findings):
    """Four of five base seeds, one of two."""
    return 5 * sum(finding is not None for finding in findings) >= 4 * len(findings) - 3


class State:
    """What was found so far, kept in a file."""

    def __init__(self, path, digest):
        self.path = path
        self.lock = threading.Lock()
        self.kept = {"sources": digest, "bases": bases(), "mutants": {}, "clean": {},
                     "broken": {}}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as text:
                kept = json.load(text)
            if kept["sources"] == digest and kept["bases"] == bases():
                self.kept = kept

    def row(self, name):
        row = self.kept["mutants"].get(name)
        with open(patch_of(name), encoding="utf-8") as text:
            return row if row is not None and row["patch"] == text.read() else None

    def put(self, name, found):
        with open(patch_of(name), encoding="utf-8") as text:
            self.kept["mutants"][name] = dict(found, patch=text.read(), tells=tells_of(name))
        self.write()

    def put_clean(self, what, seeds):
        self.kept["clean"][what] = seeds
        self.write()

    def write(self):
        with self.lock:
            with open(self.path + ".new", "w", encoding="utf-8") as text:
                json.dump(self.kept, text, indent=1, sort_keys=True)
            os.replace(self.path + ".new", self.path)


class Tap:
    def __init__(self, count):
        self.number, self.failed, self.lock = 0, 0, threading.Lock()
        print("1..%d" % count, flush=True)

    def verdict(self, good, text, why=""):
        with self.lock:
            self.number += 1
            self.failed += not good
            print("%sok %d - %s" % ("" if good else "not ", self.number, text))
            for line in why.splitlines():
                print("# " + line)
            sys.stdout.flush()


def row_tell(tap, name, row):
    found = [finding for finding in row["findings"] if finding is not None]
    text = "%s: found from %d of %d base seeds" % (name, len(found), len(row["findings"]))
    if found:
        text += " by " + ", ".join(sorted({finding["judge"] for finding in found}))
    if row["shrunk"] is not None:
        text += "; shrunk to %(actions)d actions in %(seconds).0f s" % row["shrunk"]
    tap.verdict(is_enough(row["findings"]), text)


def hunt_one(trees, tap, state, name):
    row = state.row(name)
    if row is None or not is_enough(row["findings"]):
        folder = trees.get()
        try:
            state.put(name, (hunt_driver if is_of_driver(name) else hunt_core)(folder, name))
        except RuntimeError as error:
            tap.verdict(False, name, str(error))
            return
        finally:
            trees.put(folder)
        row = state.row(name)
    row_tell(tap, name, row)


def key_of(kind, base):
    return "%s:%d" % (kind, base) if kind else str(base)


def clean_core(tap, state, folder, kind, names):
    """The clean build passes every seed that a mutant needed, and at least a few."""
    for place, base in enumerate(bases()):
        key = key_of(kind, base)
        found = [state.kept["mutants"][name]["findings"][place] for name in names
                 if name in state.kept["mutants"]]
        last = max([finding["seed"] for finding in found if finding is not None] +
                   [base + at_once(kind) - 1])
        broken = []
        if state.kept["clean"].get(key, 0) < last or state.kept["broken"].get(key):
            broken = [run for run in campaign(folder, kind, (base, last), CLEAN_PROGRAM, JOBS)
                      if run["outcome"] != "passed"]
            state.kept["broken"][key] = [run["seed"] for run in broken]
            state.put_clean(key, last)
        tap.verdict(not broken, "the clean build passes seeds %d to %d of %s" % (
            base, last, scenario_of(kind)), "\n".join(
            "seed %d: %s" % (run["seed"], run.get("violation", run["outcome"])) for run in broken))


def clean_driver(tap, state, folder, names):
    """The clean build passes whatever found a mutant."""
    found = {finding["judge"] for name in names if name in state.kept["mutants"]
             for finding in state.kept["mutants"][name]["findings"] if finding is not None}
    make(folder, DRIVER_PROGRAMS)
    broken = []
    for test in sorted(found):
        if state.kept["clean"].get(test, 0) < BASES:
            seeds = [seed for seed in range(1, 1 + (BASES if DRIVER_JUDGES[test] else 1))
                     if not run_test(folder, test, seed)[0]]
            broken += ["%s with seed %d" % (test, seed) for seed in seeds]
            if not seeds:
                state.put_clean(test, BASES)
    tap.verdict(not broken, "the clean build passes " + ", ".join(sorted(found)),
                "\n".join(broken))


def some_of(names, count, digest):
    names = [name for name in names if not is_of_driver(name)]
    return sorted(sorted(names, key=lambda name: hashlib.sha256(
        (digest + name).encode()).hexdigest())[:count])


def main():
    arguments, some = sys.argv[1:], 0
    if arguments[0] == "--some":
        some, arguments = int(arguments[1]), arguments[2:]
    source, state_path, names = os.path.abspath(arguments[0]), arguments[1], arguments[2:]
    digest = digest_of(source)
    names = names or names_of()
    names = some_of(names, some, digest) if some else names
    core = [name for name in names if not is_of_driver(name)]
    state = State(os.path.abspath(state_path), digest)
    drivers = len(core) < len(names)
    kinds = sorted({kind_of(name) for name in core})
    tap = Tap(len(names) + BASES * len(kinds) + (1 if drivers else 0))
    with tempfile.TemporaryDirectory(prefix="chronik-mutants.", dir="/var/tmp") as work:
        first = os.path.join(work, "tree-1")
        tree_copy(source, first)
        programs = (["chronik-sim"] if core else []) + (list(DRIVER_PROGRAMS) if drivers else [])
        make(first, programs, os.cpu_count())
        if core:
            shutil.copy2(os.path.join(first, "build", "chronik-sim"),
                         os.path.join(first, "build", CLEAN_PROGRAM))
        trees = queue.Queue()
        trees.put(first)
        for number in range(2, JOBS + 1):
            other = os.path.join(work, "tree-%d" % number)
            call(["cp", "-a", first, other], work)
            trees.put(other)
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda name: hunt_one(trees, tap, state, name), names))
        for kind in kinds:
            clean_core(tap, state, first, kind, [n for n in core if kind_of(n) == kind])
        if drivers:
            clean_driver(tap, state, first, [name for name in names if is_of_driver(name)])
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
