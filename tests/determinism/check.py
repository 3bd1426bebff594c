# SPDX-License-Identifier: Apache-2.0
"""The same seeds give the same runs, whatever compiled the simulator: builds it anew with other
compilers, other optimisation and sanitizers, and compares the digest of every run with that of the
first build. Then it plants a read of the clock, and an order by addresses, in the core: both must
be seen.

    make check-determinism      (CHRONIK_DETERMINISM_SEEDS, default 200)

Reports in TAP. Needs gcc and clang."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

SEEDS = int(os.environ.get("CHRONIK_DETERMINISM_SEEDS", "200"))
PLANTED_SEEDS = 10
HERE = os.path.dirname(os.path.abspath(__file__))

# A name, and what configure is told.
BUILDS = (
    ("gcc -O2", ("CC=gcc", "CFLAGS=-O2")),
    ("gcc -O0", ("CC=gcc", "CFLAGS=-O0")),
    ("gcc -O3", ("CC=gcc", "CFLAGS=-O3")),
    ("clang -O0", ("CC=clang", "CFLAGS=-O0")),
    ("clang -O3", ("CC=clang", "CFLAGS=-O3")),
    ("clang -O1, address and undefined",
     ("CC=clang", "CFLAGS=-O1", "--enable-sanitizers=address,undefined")),
)


def call(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(command), done.stdout[-2000:]))


def drop_soaks(folder):
    """Hours of the world that take minutes of a build without optimisation."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if not name.endswith(".json"):
            continue
        with open(path, encoding="utf-8") as scenario:
            is_soak = json.load(scenario).get("soak", False)
        if is_soak:
            os.remove(path)


def copy_tree(source, folder):
    """The source without what was built in or below it, and without soaks."""
    def ignored(where, names):
        return [name for name in names if name in (".git", "autom4te.cache", "config.status") or
                os.path.exists(os.path.join(where, name, "config.status"))]
    shutil.copytree(source, folder, dirs_exist_ok=True, symlinks=True, ignore=ignored)
    drop_soaks(os.path.join(folder, "scenarios"))
    call(["sh", "./bootstrap"], folder)


def build(tree, name, options):
    """The program of a build folder of its own, made or brought up to date."""
    folder = os.path.join(tree, "build-" + "".join(c for c in name if c.isalnum()))
    if not os.path.exists(folder):
        os.makedirs(folder)
        call(["../configure", *options], folder)
    call(["make", "-j%d" % os.cpu_count(), "chronik-sim"], folder)
    return os.path.join(folder, "chronik-sim")


def digests(program, tree, seeds):
    """Scenario and seed of every run, with its digest and steps; and the number of steps in all."""
    done = subprocess.run([program, "run", "scenarios", "--json", "--no-traces", "--seeds",
                           "1-%d" % seeds], cwd=tree, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    runs = {}
    for line in done.stdout.splitlines():
        if line.startswith("{\"scenario"):
            run = json.loads(line)
            runs[run["scenario"], run["seed"]] = (run["digest"], run["steps"])
    return runs, sum(steps for _, steps in runs.values())


class Report:
    def __init__(self, count):
        self.number = self.failed = 0
        print("1..%d" % count)

    def verdict(self, good, text, why=""):
        self.number += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.number, text))
        if not good and why:
            print("# " + why)
        sys.stdout.flush()


def differing(one, other):
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def check_builds(tree, report):
    """Returns the first build's program."""
    first = None
    for name, options in BUILDS:
        program = build(tree, name, options)
        runs, steps = digests(program, tree, SEEDS)
        if first is None:
            first, first_runs = program, runs
            again, _ = digests(program, tree, SEEDS)
            report.verdict(len(runs) >= SEEDS and not differing(runs, again),
                           "%s: %d runs of %d steps, and the same once more" %
                           (name, len(runs), steps), "%s" % differing(runs, again)[:5])
            continue
        report.verdict(not differing(first_runs, runs),
                       "%s: the same %d runs" % (name, len(runs)),
                       "they differ: %s" % differing(first_runs, runs)[:5])


def check_planted(tree, report):
    """A bug that makes runs differ is seen: between two runs, or between two builds."""
    for name in ("clock", "address"):
        patch = os.path.join(HERE, name + ".patch")
        call(["patch", "-p1", "-s", "-i", patch], tree)
        runs = [digests(build(tree, *BUILDS[at]), tree, PLANTED_SEEDS)[0] for at in (0, 0, -1)]
        call(["patch", "-p1", "-R", "-s", "-i", patch], tree)
        report.verdict(differing(runs[0], runs[1]) or differing(runs[0], runs[2]),
                       "a planted order by address is seen" if name == "address"
                       else "a planted read of the clock is seen")


def main():
    source = os.path.abspath(sys.argv[1])
    report = Report(len(BUILDS) + 2)
    with tempfile.TemporaryDirectory(prefix="chronik-determinism.", dir="/var/tmp") as tree:
        copy_tree(source, tree)
        check_builds(tree, report)
        check_planted(tree, report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
