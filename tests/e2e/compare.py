# SPDX-License-Identifier: Apache-2.0
"""bench/compare.py: what it says of rounds that are made up, and the real thing as short as it can
be, with the floor and chronik."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
import beside  # noqa: E402
import compare  # noqa: E402
import kafka_cluster  # noqa: E402
import report  # noqa: E402
import retention  # noqa: E402
import syscalls  # noqa: E402
from arms import ARMS, Arm, cpu_gb, requests  # noqa: E402
from chronik import Tap, must, wait_until  # noqa: E402

NAMES = ["floor", "chronik", "kafka"]
# Each figure that has bounds: how many times the floor's and Kafka's it may or has to be.
BOUNDS = [
    ("produce acks=1, 16 KiB batches, 4 x 4", "CPU s/GB", "<= 1.4", "<= 0.1"),
    ("produce acks=1, 16 KiB batches, 4 x 4", "requests/s", ">= 0.75", ">= 5"),
    ("produce, one record of 100 B, 4 x 16", "CPU us/request", "<= 1.4", "<= 0.25"),
    ("produce, one record of 100 B, 1 x 1", "p50 us", "<= 1.2", "<= 0.9"),
    ("durable, one record of 100 B, 4 x 16", "requests/s", ">= 0.75", ">= 6"),
    ("durable, 16 KiB batches, 4 x 4", "GB/s", ">= 0.75", ">= 2"),
    ("durable, 16 KiB batches, 4 x 4 over 300 partitions", "GB/s", "-", ">= 2"),
    ("fetch of 1 MiB, 4 connections", "GB/s", ">= 0.85", ">= 1.3"),
    ("tail at 1,000/s, end to end", "p50 us", "<= 1.3", "<= 0.7"),
    ("tail at 1,000/s, end to end", "p99 us", "<= 2", "<= 0.1"),
    ("RF 3 acks=all, 16 KiB batches, 3 x 4", "CPU s/GB", "<= 1.5", "<= 0.0667"),
    ("RF 3 acks=all, one record of 100 B, 3 x 16", "requests/s", ">= 0.6", ">= 10"),
    ("RF 3 acks=all, 2,000/s of 1 KiB", "p50 us", "<= 1.5", "<= 0.7"),
    ("RF 3 acks=all, 2,000/s of 1 KiB", "p99 us", "<= 2", "<= 0.25"),
]
SHORT_SECONDS = 120
ENDED_SECONDS = 20


# ---- rounds that are made up ----

def said(per_s, cpu, **more):
    return {"requests": 1, "requests_per_s": per_s, "cpu_s_per_gb": cpu, "errors": 0,
            "unanswered": 0, "unsent": 0, "lost": 0, "all_records": 10, "own_cpu_s": 0.95,
            "seconds": 1, "hiccup": dict.fromkeys(("p50_us", "p99_us", "p99_9_us", "max_us"), 1),
            **more}


def arm_of(known):
    return Arm("arm", 1, "cached", 1, [], True,
               (requests(0.75, 5, known), cpu_gb(1.4, 1 / 10)), True)


def round_of(row):
    return {name: {"arm": one} for name, one in zip(NAMES, row)}


def conclude(known, *rounds):
    return report.conclude(NAMES, [arm_of(known)], [round_of(row) for row in rounds])


def shown(function, *arguments):
    """What it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        function(*arguments)
    return out.getvalue()


def rows_of(text):
    """The rows of all tables as lists of cells, each with its arm's name."""
    found, arm = [], ""
    for line in text.splitlines():
        if line.startswith("| "):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            arm = cells[0] or arm
            found.append([arm, *cells[1:]])
    return found


def row_of(text, arm, figure):
    return next(row for row in rows_of(text) if row[:2] == [arm, figure])


def exit_code(found, *failures):
    run = compare.Run(None, None)
    run.found, run.failures = found, list(failures)
    return run.code()


ROUND = (said(1000, 1), said(800, 1.2), said(100, 20))


def judges():
    """By the median of the rounds' ratios: 80, 60 and 70 % of the floor, 8, 6 and 7 times Kafka."""
    found = conclude(10, ROUND, (said(2000, 1), said(1200, 1.3), said(200, 10)),
                     (said(1000, 1), said(700, 1.5), said(100, 10)))
    text = shown(report.show, found)
    must(found["void"] is False and "VOID" not in text and exit_code(found) == 0, text)
    must("3 rounds: fewer than 9, too few" in text, text)
    must(row_of(text, "arm", "requests/s")[2:] ==
         ["0.7 (0.6 to 0.8)", ">= 0.75", "missed by 1.07 x", "7 (6 to 8)", ">= 5", "yes"], text)
    must(row_of(text, "arm", "CPU s/GB")[2:] ==
         ["1.3 (1.2 to 1.5)", "<= 1.4", "yes", "0.13 (0.06 to 0.15)", "<= 0.1",
          "NO, missed by 1.30 x"], text)
    must("bounds by floor: 1 of 2 met, 0 missed by more" in text, text)
    must("bounds by Kafka: 1 of 2 met, 1 missed by more" in text, text)
    must(["arm", "requests/s", "1000", "800", "100", "95 %*, 95 %*, 95 %*"] in rows_of(text), text)
    json.dumps(found)


def floor_is_missed():
    text = shown(report.show, conclude(None, (said(1000, 1), said(400, 1), said(100, 20))))
    must(row_of(text, "arm", "requests/s")[4] == "NO, missed by 1.88 x", text)


def is_void():
    for known, wanted in ((10, False), (7.6, False), (7.4, True), (14.9, False), (15.1, True)):
        found = conclude(known, ROUND)
        text = shown(report.show, found)
        must(found["void"] == wanted and ("THIS RUN IS VOID" in text) == wanted, (known, text))
        must(exit_code(found) == (compare.EXIT_VOID if wanted else 0), (known, text))
    found = conclude(10, (*ROUND[:2], None))
    must(found["void"] is None and "cannot be told" in shown(report.show, found), found)


def counts_nothing_that_went_wrong():
    for wrong, why in ((said(1, 0, errors=3), "3 errors"), (said(1, 0, unsent=7), "7 unsent"),
                       (said(1, 0, lost=4), "4 lost"), (said(0, 0, requests=0), "no requests"),
                       (said(1, 0, unanswered=2), "2 unanswered"), (None, "nothing was said"),
                       (said(1, 0, tail_records=8), "2 records not read")):
        found = conclude(10, ROUND, (ROUND[0], wrong, ROUND[2]))
        text = shown(report.show, found)
        must("chronik, arm: not counted in 1 of 2 rounds: " + why in text, text)
        must(row_of(text, "arm", "requests/s")[2] == "0.8 (0.8 to 0.8)", text)
        must(exit_code(found) == compare.EXIT_MISSING, text)
    text = shown(report.show, conclude(10, (ROUND[0], said(1000, 0), ROUND[2])))
    must(row_of(text, "arm", "CPU s/GB")[2:5] == ["-", "<= 1.4", "?"], "no CPU: " + text)
    must(exit_code(conclude(10, ROUND), "something") == compare.EXIT_MISSING, "a failure is told")


def judges_retention():
    def slices(*p99s):
        return [{"cpu_s_per_gb": 1, "latency_us": {"p50": 1, "p99": p99}} for p99 in p99s]
    for last, wanted in ((119, True), (121, False)):
        found = retention.judge(slices(100, 90, 110, 500, 500, 500, last, 1, 1000), 0)
        must([one["met"] for one in found["figures"]] == [True, True, wanted], found)
        must(("NOT met" in shown(retention.show, found)) != wanted, found)
    must(retention.judge(slices(1, 1, 1), retention.limit_bytes())["deleted"], "within its limit")
    text = shown(retention.show, retention.judge(slices(1, 1, 1), 2 * retention.limit_bytes()))
    must("NOT deleted" in text, text)
    must("NOT measured" in shown(retention.show, None), "nothing is said to be met")


@contextlib.contextmanager
def changed(where, **names):
    before = {name: getattr(where, name) for name in names}
    for name, value in names.items():
        setattr(where, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(where, name, value)


def ends(function, *arguments):
    """The exit code with which it ends the program, and what it prints before."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            function(*arguments)
    except SystemExit as end:
        return end.code, out.getvalue()
    raise AssertionError("it does not end")


def does_without():
    with changed(syscalls.shutil, which=lambda name: None):
        text = shown(syscalls.show, {"floor": syscalls.count([], None)})
    must("NOT counted: there is no strace" in text, text)

    def fails():
        raise subprocess.CalledProcessError(1, "mvn")
    with changed(kafka_cluster.java, fetch=fails), changed(os, environ={}):
        text = shown(lambda: must(kafka_cluster.jars() is None, "no jars"))
    must("cannot be fetched" in text, text)
    with changed(os, environ={"CHRONIK_KAFKA_JARS": ""}):
        must(kafka_cluster.jars() is None, "without Kafka")
    with changed(os, environ={"CHRONIK_KAFKA_JARS": "/nowhere"}):
        code, text = ends(kafka_cluster.jars)
    must(code == compare.EXIT_CANNOT and "/nowhere" in text, text)


def does_not_begin():
    run = compare.Run(tempfile.gettempdir(), None)
    with changed(compare, DISK_BYTES=1 << 60, file_system=lambda folder: "a disk"):
        code, text = ends(compare.begin, run)
    must(code == compare.EXIT_CANNOT and "GB left" in text, text)
    with changed(compare, file_system=lambda folder: "tmpfs"):
        code, text = ends(compare.begin, run)
    must(code == compare.EXIT_CANNOT and "nothing is durable" in text, text)
    with changed(compare, CHOSEN=re.compile("no such arm")):
        code, text = ends(compare.begin, compare.Run(tempfile.gettempdir(), None))
    must(code == compare.EXIT_CANNOT and "chooses nothing" in text, text)


def tells_whole_rounds():
    """Of a run that a signal ends in its second round the first one is told."""
    run = compare.Run(None, None)
    run.names, run.arms = NAMES, [arm_of(10)]

    def measure_round(number):
        run.rounds.append(round_of(ROUND))
        if number == 1:
            sys.exit(130)
    with changed(run, measure_round=measure_round), changed(beside, touch_memory=lambda most: None):
        code, text = ends(run.run)
    must(code == 130 and "the ratios of 1 rounds" in text, text)


# ---- the real thing ----

def short():
    """In a process of its own: compare.py without what makes it long."""
    compare.ROUNDS, compare.SECONDS, compare.ARM_WARM_SECONDS = 1, 1, 0
    compare.WARM_SECONDS = dict.fromkeys(NAMES, 0)
    compare.FILL_SECONDS = retention.THIRD_SECONDS = retention.SLICE_SECONDS = 1
    compare.TOUCH_FIRST_BYTES = 0
    compare.settle = lambda system, arm: None
    compare.DISK_BYTES = compare.DISK_BYTES_PER_S = 1 << 30
    retention.SEGMENT_BYTES = 1 << 20
    syscalls.SECONDS = 1
    beside.others = lambda: 0
    compare.file_system = lambda folder: "whatever is here"
    compare.main()


class Short:
    """compare.py, short, in a session and with data in a folder of its own."""

    def __init__(self, arms, **environment):
        self.folder = tempfile.mkdtemp(prefix="chronik-short.")
        self.data = os.path.join(self.folder, "data")
        self.json = os.path.join(self.folder, "json")
        os.mkdir(self.data)
        with open(os.path.join(self.folder, "said"), "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), "short"], stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "TMPDIR": self.data, "CHRONIK_KAFKA_JARS": "",
                     "CHRONIK_BENCH_ARMS": arms, "CHRONIK_BENCH_JSON": self.json, **environment})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what a test that failed found left
        shutil.rmtree(self.folder)

    def said(self):
        with open(os.path.join(self.folder, "said"), encoding="utf-8") as lines:
            return lines.read()

    def commands(self):
        """Those of all processes that it started and that are there."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid, errors="replace", encoding="utf-8") as line:
                    state, _, _, session = line.read().rpartition(")")[2].split()[:4]
                with open("/proc/%s/cmdline" % pid, errors="replace", encoding="utf-8") as line:
                    command = line.read().replace("\0", " ")
            except OSError:
                continue
            if int(session) == self.process.pid and state != "Z":
                found.append(command)
        return found

    def await_command(self, *words):
        wait_until(lambda: self.process.poll() is not None or all(
            any(word in command for command in self.commands()) for word in words),
                   SHORT_SECONDS, "%s runs" % (words,))
        must(self.process.poll() is None, self.said())

    def leaves_nothing(self):
        wait_until(lambda: not self.commands(), ENDED_SECONDS, "all have ended")
        must(os.listdir(self.data) == [], "%s is left" % os.listdir(self.data))


def is_told(text, row):
    """The row is in the table, and was measured but for Kafka's; or else it is told, since a second
    on a busy machine may bring nothing."""
    arm, figure, floor, kafka = row
    ratios, absolute = (one for one in rows_of(text) if one[:2] == [arm, figure])
    must(ratios[3] == floor and ratios[6] == kafka and ratios[5] == "-" and ratios[7] == "?", text)
    for name, cell in zip(NAMES, absolute[2:4]):
        measured = cell != "-" or "# %s, %s: not counted" % (name, arm) in text
        must(measured != (name == "floor" and floor == "-"), text)


def tells_all(run, nodes, *more):
    """Every figure of these arms that has bounds, and more."""
    code = run.process.wait(SHORT_SECONDS)
    text = run.said()
    bounds = [(arm.name, figure.name) for arm in ARMS if arm.nodes == nodes
              for figure in arm.figures if figure.floor or figure.kafka]
    rows = [row for row in BOUNDS if row[0].startswith("RF 3") == (nodes == 3)]
    must([row[:2] for row in rows] == bounds, "bounds %s" % bounds)
    for row in rows:
        is_told(text, row)
    must(code == (compare.EXIT_MISSING if "not counted" in text else 0), "exit code %d: %s" % (
        code, text))
    for wanted in ("it cannot be told whether this run is void", *more):
        must(re.search(wanted, text, re.M), text)
    with open(run.json, encoding="utf-8") as file:
        kept = json.load(file)
    must(len(kept["rounds"]) == 1 and kept["found"]["figures"], "all is in the file")
    run.leaves_nothing()


def goes_on():
    """A system that does not start is told, and the others are measured."""
    with Short("1 x 1", FLOOR="/bin/false") as run:
        code = run.process.wait(SHORT_SECONDS)
        text = run.said()
        must(code == compare.EXIT_MISSING and "the floor is not ready" in text, text)
        row = [one for one in rows_of(text) if one[1] == "p50 us"][1]
        must(row[2] == "-" and float(row[3]) > 0, row)
        run.leaves_nothing()


def interrupt(how, send, *words):
    with Short("RF 3 acks=all, 16", CHRONIK_BENCH_SPIN="1") as run:
        run.await_command(*words)
        send(run.process.pid, how)
        code = run.process.wait(ENDED_SECONDS)
        wait_until(lambda: not run.commands(), ENDED_SECONDS, "all have ended")
        if how != signal.SIGKILL:
            must(code == 128 + how, "exit code %d: %s" % (code, run.said()))
            run.leaves_nothing()


def not_after_us():
    """Who started it had ended before it could ask to be told; whatever it is, it does not run."""
    command = beside.ends_with_us()
    done = subprocess.run([*command, "echo", "runs"], stdout=subprocess.PIPE, check=True)
    must(done.stdout == b"runs\n", done.stdout)
    with subprocess.Popen([*command[:2], str(os.getppid()), "echo", "runs"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as late:
        said = late.communicate()
    must(late.returncode == 1 and said[0] == b"" and b"No such process" in said[1], said)


def main():
    tap = Tap()
    with Short("^produce|^durable|^fetch|^tail") as one, \
            Short("^RF 3 acks|retention|system calls", CHRONIK_BENCH_RETENTION_MB="8") as three:
        tap.case("ratios are held against their bounds", judges)
        tap.case("a floor that is missed by too much", floor_is_missed)
        tap.case("a run that measured something else is void", is_void)
        tap.case("what went wrong is told, and not counted", counts_nothing_that_went_wrong)
        tap.case("the last third of a log that is deleted from", judges_retention)
        tap.case("without strace, Maven or jars", does_without)
        tap.case("what cannot begin", does_not_begin)
        tap.case("the whole rounds of a run that is interrupted", tells_whole_rounds)
        tap.case("a system that does not start", goes_on)
        tap.case("Ctrl-C leaves nothing", interrupt, signal.SIGINT, os.killpg, "node-3",
                 "beside spin")
        tap.case("SIGTERM leaves nothing", interrupt, signal.SIGTERM, os.kill, "node-3")
        tap.case("SIGKILL leaves no process", interrupt, signal.SIGKILL, os.kill, "beside spin")
        tap.case("nothing starts after who would have ended it", not_after_us)
        tap.case("a round of three nodes, system calls and retention", tells_all, three, 3,
                 r"^chronik +(\d\.\d+; bound 0\.5: |NOT counted: .)", "^retention: 8 MB/s",
                 r"^CPU s/GB +first third +\d.*bound 1\.20: ")
        tap.case("a round of one node", tells_all, one, 1)
    tap.end()


if __name__ == "__main__":
    if sys.argv[1:] == ["short"]:
        short()
    else:
        main()
