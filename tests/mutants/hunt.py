# SPDX-License-Identifier: Apache-2.0
"""Plants one bug after the other and hunts each with the random campaign, the scenario
everything.json, which is aimed at none of them. A bug that is not found means that a judge is
missing or blind.

    python3 hunt.py SOURCE_FOLDER OUTPUT.md [NAME...]

Each mutant is a patch in this folder, whose first line tells what is planted. CHRONIK_MUTANT_BASES
(default 1) is from how many base seeds each is hunted, CHRONIK_MUTANT_SECONDS (default 600) how
much processor time each hunt gets. Prints TAP, and writes a table. What was hunted stays in
OUTPUT.md.json, so that a hunt that was interrupted goes on; remove it to begin anew."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

BASES = int(os.environ.get("CHRONIK_MUTANT_BASES", "1"))
SECONDS = float(os.environ.get("CHRONIK_MUTANT_SECONDS", "600"))
SEEDS_AT_ONCE = 25
SCENARIO = "scenarios/everything.json"
HERE = os.path.dirname(os.path.abspath(__file__))


def call(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(command), done.stdout[-2000:]))


def build_tree(source, folder):
    """A copy of the source in `folder`, configured and built."""
    def ignored(where, names):
        return [n for n in names if n in (".git", "autom4te.cache") or
                os.path.exists(os.path.join(where, n, "config.status"))]
    shutil.copytree(source, folder, dirs_exist_ok=True, symlinks=True, ignore=ignored)
    call(["sh", "./bootstrap"], folder)
    os.makedirs(os.path.join(folder, "build"))
    call(["../configure", "CFLAGS=-O2"], os.path.join(folder, "build"))
    make(folder)


def make(folder):
    call(["make", "-j%d" % os.cpu_count(), "chronik-sim"], os.path.join(folder, "build"))


def hunt(folder, base):
    """Runs seeds until one fails; the finding, or None when the time is over."""
    seed, used, steps = base, 0.0, 0
    program = os.path.join(folder, "build", "chronik-sim")
    while used < SECONDS:
        done = subprocess.run(
            [program, "run", SCENARIO, "--json", "--no-traces", "--seeds",
             "%d-%d" % (seed, seed + SEEDS_AT_ONCE - 1)], cwd=folder, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        runs = [json.loads(line) for line in done.stdout.splitlines()
                if line.startswith("{\"scenario")]
        runs.sort(key=lambda run: run["seed"])
        for run in runs:
            used += run["cpu_seconds"]
            steps += run["steps"]
            if run["outcome"] != "passed":
                violation = run.get("violation", {})
                return {"seed": run["seed"], "seeds": run["seed"] - base + 1, "steps": steps,
                        "seconds": used, "judge": violation.get("judge", run["outcome"]),
                        "text": violation.get("text", "")}
        if not runs:
            raise RuntimeError("no run came of seeds from %d" % seed)
        seed += SEEDS_AT_ONCE
    return None


def is_clean(folder, base):
    done = subprocess.run([os.path.join(folder, "build", "chronik-sim"), "run", SCENARIO,
                           "--no-traces", "--seeds", "%d-%d" % (base, base + SEEDS_AT_ONCE - 1)],
                          cwd=folder, stdout=subprocess.DEVNULL)
    return done.returncode == 0


class Table:
    """What was found so far, kept in a file."""

    def __init__(self, path):
        self.path = path
        self.rows = {}
        if os.path.exists(path + ".json"):
            with open(path + ".json") as kept:
                self.rows = json.load(kept)

    def put(self, name, tells, findings):
        self.rows[name] = {"tells": tells, "findings": findings}
        with open(self.path + ".json", "w") as kept:
            json.dump(self.rows, kept, indent=1)

    def write(self):
        with open(self.path, "w") as out:
            out.write("| mutant | what is planted | found by | from base seeds | seeds | steps | "
                      "CPU s |\n|---|---|---|---|---|---|---|\n")
            for name in sorted(self.rows):
                row = self.rows[name]
                found = [f for f in row["findings"] if f is not None]
                judges = ", ".join(sorted({f["judge"] for f in found})) or "nobody"
                found.sort(key=lambda f: f["seconds"])
                middle = found[len(found) // 2] if found else None
                out.write("| %s | %s | %s | %d of %d | %s | %s | %s |\n" % (
                    name, row["tells"], judges, len(found), len(row["findings"]),
                    middle["seeds"] if middle else "", middle["steps"] if middle else "",
                    "%.1f" % middle["seconds"] if middle else ""))


def tells_of(patch):
    with open(patch) as text:
        return re.match(r"Tells: (.*?)\.?$", text.readline()).group(1)


def main():
    source, output, names = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
    names = names or sorted(n[:-6] for n in os.listdir(HERE)
                            if n.endswith(".patch") and not n.startswith("driver-"))
    table = Table(output)
    names = [name for name in names if name not in table.rows]
    bases = [1 + 1000 * i for i in range(BASES)]
    failed = 0
    print("1..%d" % (len(names) + 1))
    with tempfile.TemporaryDirectory(prefix="chronik-mutants.", dir="/var/tmp") as folder:
        build_tree(source, folder)
        broken = [base for base in bases if not is_clean(folder, base)]
        failed += bool(broken)
        print("%sok 1 - the clean build passes" % ("not " if broken else ""))
        for number, name in enumerate(names, 2):
            patch = os.path.join(HERE, name + ".patch")
            call(["patch", "-p1", "-s", "-i", patch], folder)
            make(folder)
            findings = [hunt(folder, base) for base in bases]
            call(["patch", "-p1", "-R", "-s", "-i", patch], folder)
            table.put(name, tells_of(patch), findings)
            found = sum(finding is not None for finding in findings)
            good = found >= (4 * len(bases) + 4) // 5
            failed += not good
            print("%sok %d - %s: found from %d of %d base seeds%s" % (
                "" if good else "not ", number, name, found, len(bases),
                ", by " + findings[0]["judge"] if findings[0] else ""))
            sys.stdout.flush()
    table.write()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
