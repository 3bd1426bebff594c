# SPDX-License-Identifier: Apache-2.0
"""What is measured, as processes that are started, awaited and ended: the floor, chronik, Apache
Kafka, of one node or of three. Each has `address`, of one node, and `pids`, of all."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from beside import ends_with_us  # noqa: E402
from chronik import Broker, first_line  # noqa: E402
from cluster import Cluster  # noqa: E402
from kafka_cluster import KafkaCluster  # noqa: E402
from nodes import Nodes  # noqa: E402

BLOCK_BYTES = 64 << 20
# So that no log outgrows the page cache, nor the disk; and what is deleted is memory that the
# machine below has given already: chronik's bulk took three times as much of a processor without.
SETTINGS = ("log.segment.bytes=67108864", "log.retention.bytes=268435456",
            "log.segment.delete.delay.ms=1000")
KAFKA_SETTINGS = ("log.retention.check.interval.ms=1000", "log.initial.task.delay.ms=1000",
                  "num.partitions=1")
QUORUM_SETTINGS = ("min.insync.replicas=2",)


class Floor:
    """bench/floor, in a folder of its own."""

    def __init__(self, replicas=1, durable=False, block_bytes=BLOCK_BYTES):
        self.program = os.environ.get("FLOOR", os.path.join(os.getcwd(), "bench/floor/floor"))
        self.folder = tempfile.mkdtemp(prefix="chronik-floor.")
        self.options = ["--replicas", str(replicas), "--block-bytes", str(block_bytes)]
        self.options += ["--durable"] if durable else []
        self.process = None
        self.port = 0
        self.pids = []

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def __enter__(self):
        with open(os.path.join(self.folder, "errors"), "wb") as errors:
            self.process = subprocess.Popen(
                [*ends_with_us(), self.program, "--folder", os.path.join(self.folder, "data"),
                 *self.options], stdout=subprocess.PIPE, stderr=errors)
        found = re.match(r"floor ready: 127\.0\.0\.1:(\d+) processes (.*)",
                         first_line(self.process))
        if found is None:
            raise RuntimeError("the floor is not ready: " + self.log())
        self.port = int(found.group(1))
        self.pids = [int(pid) for pid in found.group(2).split()]
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        shutil.rmtree(self.folder)

    def log(self):
        with open(os.path.join(self.folder, "errors"), "rb") as errors:
            return errors.read().decode(errors="replace")


class ChronikNode(Broker):
    def __init__(self, *settings):
        super().__init__(*settings)
        self.enter = ends_with_us()
        self.simulator = ""  # it would be measured what a flight record costs

    @property
    def pids(self):
        return [self.process.pid]


class ChronikCluster(Nodes, Cluster):
    def __init__(self, *settings):
        super().__init__(settings, enter=lambda number: ends_with_us())
        self.simulator = ""


def make(name, nodes, durable, folder_of_jars):
    settings = SETTINGS + (QUORUM_SETTINGS if nodes > 1 else ())
    if name == "floor":
        return Floor(replicas=nodes, durable=durable)
    if name == "chronik":
        return ChronikNode(*settings) if nodes == 1 else ChronikCluster(*settings)
    return KafkaCluster(folder_of_jars, settings + KAFKA_SETTINGS, nodes)


@contextlib.contextmanager
def started(system):
    """Starts it; whatever happens, also before it is ready, nothing of it is left."""
    try:
        system.__enter__()
        yield system
    finally:
        system.__exit__(None, None, None)


def running(name, nodes, durable=False, folder_of_jars=None):
    """A context of the system of that name. `durable` is for the floor, whose topics are all
    alike."""
    return started(make(name, nodes, durable, folder_of_jars))
