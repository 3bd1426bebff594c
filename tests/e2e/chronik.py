# SPDX-License-Identifier: Apache-2.0
"""A broker process for end-to-end tests, and TAP for what they find."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

READY_SECONDS = 60
REPLAY_SECONDS = 600


class Broker:
    """A broker in a data folder of its own, on a port that it keeps over restarts.

    When CHRONIK_SIM names the program chronik-sim, each life of the broker keeps a flight record,
    and check_records() replays them."""

    enter = ()  # what its command begins with

    def __init__(self, *settings):
        self.simulator = os.environ.get("CHRONIK_SIM", "")
        self.records = []
        self.program = os.environ.get("CHRONIK", os.path.join(os.getcwd(), "chronik"))
        self.folder = tempfile.mkdtemp(prefix="chronik-e2e.")
        self.settings = settings
        self.port = 0
        self.process = None
        self.took = 0  # seconds of the last start
        self.errors = open(os.path.join(self.folder, "errors"), "ab")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
        self.errors.close()
        shutil.rmtree(self.folder)

    @property
    def data(self):
        return os.path.join(self.folder, "data")

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def start(self):
        """Starts the broker; returns and keeps the seconds until it was ready."""
        command = [*self.enter, self.program, "broker", "--set", "log.dirs=" + self.data, "--set",
                   "listeners=PLAINTEXT://127.0.0.1:%d" % self.port]
        for setting in self.settings:
            command += ["--set", setting]
        if self.simulator:
            self.records.append(os.path.join(self.folder, "record-%d" % len(self.records)))
            command += ["--set", "chronik.record.file=" + self.records[-1]]
        began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors)
        line = first_line(self.process)
        self.took = time.monotonic() - began
        found = re.match(r"chronik ready: PLAINTEXT://127\.0\.0\.1:(\d+)", line)
        if found is None:
            raise RuntimeError("the broker is not ready: " + self.log())
        self.port = int(found.group(1))
        return self.took

    def create_topic(self, name, partitions):
        subprocess.run([self.program, "topic", "create", name, "--bootstrap-server", self.address,
                        "--partitions", str(partitions)], check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(READY_SECONDS)
        self.process.stdout.close()
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def check_records(self, tap):
        """A case: what the broker did in each of its lives, the present one included, is done
        again to the same end."""
        name = "its flight records replay"
        if not self.simulator:
            tap.skip(name, "chronik-sim was not built")
            return
        if self.process is not None:
            self.stop()
        tap.case(name, replay, self.simulator, self.records)

    def log(self):
        with open(os.path.join(self.folder, "errors"), "rb") as errors:
            return errors.read().decode(errors="replace")[-4000:]


def first_line(process):
    """By which a process says that it is ready. It is killed when that takes too long."""
    guard = threading.Timer(READY_SECONDS, process.kill)
    guard.daemon = True  # a signal may end us before it can be cancelled
    guard.start()
    try:
        return process.stdout.readline().decode()
    finally:
        guard.cancel()


def replay(simulator, records):
    """Replays flight records; one that is not the same is kept where we are."""
    events = size = 0
    for record in records:
        size += os.path.getsize(record)
        done = subprocess.run([simulator, "replay", record], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=REPLAY_SECONDS)
        said = done.stdout.decode(errors="replace")
        same = re.match(r"the same: (\d+) events", said)
        if done.returncode != 0 or same is None:
            kept = tempfile.mkdtemp(prefix="chronik-record.", dir=os.getcwd())
            shutil.copy(record, kept)
            raise AssertionError("%s in %s: exit code %d: %s" %
                                 (os.path.basename(record), kept, done.returncode, said))
        events += int(same.group(1))
    print("# replayed %d records: %d bytes, %d events" % (len(records), size, events))
    must(events > 0, "nothing was recorded")


def may_trace():
    """Whether there is an strace, and it may look at what we start."""
    try:
        return subprocess.run(("strace", "-o", os.devnull, "true"), check=False,
                              stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


class Tap:
    """Runs functions as cases and reports them."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def case(self, name, function, *arguments):
        self.count += 1
        try:
            function(*arguments)
        except Exception as error:  # whatever it is, it is this case's failure
            self.failed += 1
            print("not ok %d - %s" % (self.count, name))
            for line in ("%s: %s" % (type(error).__name__, error)).splitlines():
                print("# " + line)
        else:
            print("ok %d - %s" % (self.count, name))
        sys.stdout.flush()

    def skip(self, name, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, why))

    def end(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.failed else 0)


def must(condition, text):
    if not condition:
        raise AssertionError(text)


def wait_until(condition, seconds, text):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, text))
        time.sleep(0.05)
