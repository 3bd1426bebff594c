# SPDX-License-Identifier: Apache-2.0
"""Apache Kafka to compare with: nodes on this host, each broker and controller (KRaft). The
jars are in CHRONIK_KAFKA_JARS; or Maven fetches them as for tests/e2e/java.py."""

import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
import java  # noqa: E402
from beside import ends_with_us  # noqa: E402
from nodes import Nodes  # noqa: E402
from peer import free_ports  # noqa: E402

READY_SECONDS = 120
HEAP = os.environ.get("CHRONIK_KAFKA_HEAP", "1g")
# Those of Kafka's own script to start a server.
JVM = ["-server", "-Xms" + HEAP, "-Xmx" + HEAP, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
       "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"]
CLUSTER_ID = "AAECAwQFBgcICQoLDA0ODw"
PROPERTIES = """process.roles=broker,controller
node.id=%(number)d
controller.quorum.voters=%(voters)s
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:%(port)d,CONTROLLER://127.0.0.1:%(controller)d
log.dirs=%(folder)s/data
offsets.topic.replication.factor=%(nodes)d
transaction.state.log.replication.factor=%(nodes)d
"""


def version(folder_of_jars):
    """That of Kafka itself among the jars; None when it is not there."""
    found = glob.glob(os.path.join(folder_of_jars, "kafka_2.13-*.jar"))
    return os.path.basename(found[0])[len("kafka_2.13-"):-len(".jar")] if found else None


def jars():
    """The folder of Kafka's jars; None, with a word, when there is none and no way to get them.
    Ends the program when the one that was given is of no use."""
    given = os.environ.get("CHRONIK_KAFKA_JARS")
    if given == "":
        return None
    if given is not None:
        if version(given) is None or shutil.which("java") is None:
            print("CHRONIK_KAFKA_JARS is %s, where no Kafka is, or there is no java" % given)
            sys.exit(2)
        return given
    try:
        if java.fetch():
            return java.JARS
        print("# there is no java, or no mvn to fetch Kafka's jars, nor CHRONIK_KAFKA_JARS")
    except (OSError, subprocess.SubprocessError) as error:
        print("# Kafka's jars cannot be fetched: %s" % error)
    return None


class KafkaNode:
    def __init__(self, cluster, number):
        self.cluster = cluster
        self.number = number
        self.folder = os.path.join(cluster.folder, "node-%d" % number)
        os.mkdir(self.folder)
        self.port = cluster.ports[number - 1]
        self.properties = os.path.join(self.folder, "node.properties")
        self.process = None
        with open(self.properties, "w", encoding="utf-8") as out:
            out.write(PROPERTIES % {
                "number": number, "port": self.port, "voters": cluster.voters,
                "controller": cluster.ports[cluster.count + number - 1], "folder": self.folder,
                "nodes": cluster.count})
            out.write("".join(line + "\n" for line in cluster.settings))

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def java(self, *arguments):
        return ["java", *JVM, "-cp", os.path.join(self.cluster.jars, "*"), *arguments]

    def format(self):
        with open(os.path.join(self.folder, "errors"), "wb") as errors:
            subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c",
                                     self.properties), check=True, stdout=errors, stderr=errors)

    def start(self):
        with open(os.path.join(self.folder, "errors"), "ab") as errors:
            self.process = subprocess.Popen(
                [*ends_with_us(), *self.java("kafka.Kafka", self.properties)],
                stdout=errors, stderr=errors)

    def await_ready(self):
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("Kafka does not start: " + self.log()) from None
                time.sleep(0.2)

    def log(self):
        with open(os.path.join(self.folder, "errors"), "rb") as errors:
            return errors.read().decode(errors="replace")[-2000:]

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class KafkaCluster(Nodes):
    """So many nodes, in one folder, with more lines of settings."""

    def __init__(self, folder_of_jars, settings, count):
        self.jars = folder_of_jars
        self.settings = settings
        self.folder = tempfile.mkdtemp(prefix="chronik-kafka.")
        self.count = count
        self.ports = free_ports(2 * count)
        self.voters = ",".join("%d@127.0.0.1:%d" % (i + 1, self.ports[count + i])
                               for i in range(count))
        self.nodes = [KafkaNode(self, i + 1) for i in range(count)]

    def __exit__(self, *_):
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder)
