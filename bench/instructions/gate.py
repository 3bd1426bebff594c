# SPDX-License-Identifier: Apache-2.0
"""How many instructions of the core each request takes, compared with another commit: the tapes of
requests of bench/instructions, played to a broker in memory under callgrind, which counts
broker_step() and what it calls, and nothing of the driver. So the figures are the same in each run,
whatever else the machine does. More than 1 % more is refused, unless the message of one of the
commits in between has a line "Instructions: why".

    make bench-instructions

base.py tells which commit it is; CHRONIK_INSTRUCTIONS_FROM names a folder that it wrote before.
That commit is built anew with the options of this build, and plays this tree's tapes. At the end
work is added to one function of it, which has to be refused. Reports in TAP. Needs valgrind."""

import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import base  # noqa: E402

TAPE = "bench/instructions/tape"
ALLOWED = 0.01
NOISE = 0.0005
JOBS = os.cpu_count() or 1


class Report:
    def __init__(self):
        self.number = self.failed = 0

    def verdict(self, good, text):
        self.number += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.number, text))
        sys.stdout.flush()


class NotBuilt(Exception):
    """The other commit's tree did not build, and what make said."""


# ---- figures ----

def arms_of(program):
    """Name and text of every tape."""
    said = subprocess.run([program], stdout=subprocess.PIPE, check=True, text=True).stdout
    return dict(line.split("\t") for line in said.splitlines())


def count(program, arm):
    """Instructions, steps and blocks of memory for each request of an arm."""
    with tempfile.NamedTemporaryFile(prefix="chronik-callgrind.") as out:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out.name,
             "--toggle-collect=counted_step*", program, arm],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        profile = out.read().decode("ascii", "replace")
    played = re.search(r"(\d+) requests, (\d+) steps, (\d+) blocks", done.stdout)
    counted = re.search(r"^(?:summary|totals): (\d+)$", profile, re.MULTILINE)
    if done.returncode != 0 or not played or not counted or int(counted[1]) == 0:
        raise RuntimeError("%s %s was not counted: %s%s" % (program, arm, done.stdout, done.stderr))
    return tuple(int(n) / int(played[1]) for n in (counted[1], played[2], played[3]))


def count_all(runs):
    """The figures of (program, arm) of each run, side by side on all processors."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(lambda run: count(*run), runs))


# ---- the other commit ----

def call(command, folder):
    """A command of a build, which must not hear of the make that called us."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CFLAGS", "LDFLAGS", "CC")}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise NotBuilt("%s: %s" % (shlex.join(command), done.stdout[-3000:]))
    return done.stdout


def put_tapes(tree):
    """This tree's tapes take the place of those in another tree; its own, if it had any, go to the
    folder's name with ".own"."""
    there = os.path.join(tree, "bench", "instructions")
    if os.path.exists(there):
        os.rename(there, there + ".own")
    shutil.copytree(HERE, there, ignore=shutil.ignore_patterns("*.o", ".*", "__pycache__", "tape"))
    makefile = os.path.join(tree, "Makefile.am")
    include = "include bench/instructions/local.mk\n"
    with open(makefile, encoding="utf-8") as file:
        known = include in file.read()
    if not known:
        with open(makefile, "a", encoding="utf-8") as file:
            file.write(include)


def make_tape(tree):
    """Builds the tree's tape with the options of the build in this folder."""
    options = shlex.split(call(["./config.status", "--config"], "."))
    folder = os.path.join(tree, "build")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    call(["sh", "./bootstrap"], tree)
    call(["../configure"] + [o for o in options if o != "--enable-werror"], folder)
    call(["make", "-j%d" % JOBS, TAPE], folder)
    return os.path.join(folder, TAPE)


def build(tree):
    """The other tree's program, and a word about it."""
    put_tapes(tree)
    there = os.path.join(tree, "bench", "instructions")
    own = there + ".own"
    try:
        return make_tape(tree), "plays the tapes of this tree"
    except NotBuilt:
        if not os.path.exists(own):
            raise
    shutil.rmtree(there)
    os.rename(own, there)
    return make_tape(tree), "plays its own tapes, since those of this tree do not build there"


# ---- verdicts ----

def excuse(message):
    """What the messages say about more instructions; None: nothing."""
    found = re.search(r"^Instructions: *(\S.*)$", message, re.MULTILINE)
    return found[1] if found else None


def judge(arm, now, before, message):
    """Whether an arm's instructions may be, and the line that says so."""
    text = "%s: %.0f instructions a request, %.0f before, %+.2f %%" % (
        arm, now, before, (now / before - 1) * 100)
    if now <= before * (1 + ALLOWED):
        return True, text
    why = excuse(message)
    if why is None:
        return False, text + "; if that has to be, the message says \"Instructions: why\""
    return True, "%s; the message says: %s" % (text, why)


def print_table(arms, figures, before):
    print("# %-52s %10s %10s %8s %6s %7s" % ("instructions of the core for each request", "here",
                                             "before", "ratio", "steps", "blocks"))
    for arm, text in arms.items():
        now, steps, blocks = figures[arm]
        old = before.get(arm)
        print("# %-52s %10.0f %10s %8s %6.1f %7.1f" % (
            text, now, "-" if old is None else "%.0f" % old[0],
            "-" if old is None else "%.4f" % (now / old[0]), steps, blocks))
    sys.stdout.flush()


def plant(tree):
    """Adds a little work to one function, and builds the tree again."""
    path = os.path.join(tree, "core", "broker.c")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    work = "    for (int i = 0; i < 12; i++)\n        __asm__ volatile(\"\");\n"
    text, found = re.subn(r"\nvoid broker_step\([^)]*\)\n\{\n", lambda it: it[0] + work, text)
    if found != 1:
        raise NotBuilt("core/broker.c has no broker_step()")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    call(["make", TAPE], os.path.join(tree, "build"))


def try_gate(report, program, tree, arm, before):
    """More work in a function is refused, and with a line in the message it is not."""
    plant(tree)
    now, _, _ = count(program, arm)
    good, text = judge(arm, now, before, "area: what changed\n\nIt is slower.\n")
    report.verdict(not good, "more work in one function is refused: " + text)
    good, text = judge(arm, now, before, "area: what\n\nInstructions: a test wants it.\n")
    report.verdict(good, "and taken when the message says why: " + text)


def compare(report, folder, arms, figures):
    """Builds the other commit, compares with it, and tries the gate itself on it."""
    tree = os.path.join(folder, "tree")
    with open(os.path.join(folder, "name"), encoding="utf-8") as file:
        name = file.read().strip()
    with open(os.path.join(folder, "message"), encoding="utf-8") as file:
        message = file.read()
    try:
        program, how = build(tree)
    except NotBuilt as why:
        print("# " + str(why).replace("\n", "\n# "))
        print_table(arms, figures, {})
        report.verdict(True, "comparison # SKIP the tapes do not build in %s" % name)
        return
    print("# before: %s, which %s" % (name, how))
    there = [arm for arm in arms_of(program) if arm in arms]
    before = dict(zip(there, count_all([(program, arm) for arm in there])))
    print_table(arms, figures, before)
    for arm in there:
        report.verdict(*judge(arm, figures[arm][0], before[arm][0], message))
    try_gate(report, program, tree, there[0], before[there[0]][0])


def main():
    source = os.path.abspath(sys.argv[1])
    if os.environ.get("INSTRUMENTED", "no") != "no" or shutil.which("valgrind") is None:
        print("1..0 # SKIP it needs valgrind, and a build without instruments")
        return 0
    report = Report()
    arms = arms_of(TAPE)
    runs = count_all([(TAPE, arm) for arm in arms] * 2)
    figures = dict(zip(arms, runs))
    differing = [arm for arm, one, other in zip(arms, runs, runs[len(arms):])
                 if abs(one[0] / other[0] - 1) > NOISE]
    report.verdict(not differing, "two runs of each arm agree%s" % "".join(
        ", but not " + arm for arm in differing))
    with tempfile.TemporaryDirectory(prefix="chronik-instructions.", dir="/var/tmp") as scratch:
        folder = os.path.join(scratch, "base")
        given = os.environ.get("CHRONIK_INSTRUCTIONS_FROM")
        if given:
            shutil.copytree(given, folder, symlinks=True)
        else:
            base.export(source, folder)
        if os.path.exists(os.path.join(folder, "none")):
            with open(os.path.join(folder, "none"), encoding="utf-8") as file:
                why = file.read().strip()
            print_table(arms, figures, {})
            report.verdict(True, "comparison # SKIP %s" % why)
        else:
            compare(report, folder, arms, figures)
    print("1..%d" % report.number)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
