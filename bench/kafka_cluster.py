# SPDX-License-Identifier: Apache-2.0
"""Apache Kafka to compare with: three nodes on this host, each broker and controller (KRaft). The
jars are in CHRONIK_KAFKA_JARS; or Maven fetches them as for tests/e2e/java.py."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
import java  # noqa: E402
from peer import free_ports  # noqa: E402

NODES = 3
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
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
"""


def jars():
    """The folder of Kafka's jars; None when there is none, and no way to get them."""
    given = os.environ.get("CHRONIK_KAFKA_JARS")
    if given:
        return given
    return java.JARS if java.fetch() else None


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
                "controller": cluster.ports[NODES + number - 1], "folder": self.folder})
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
            self.process = subprocess.Popen(self.java("kafka.Kafka", self.properties),
                                            stdout=errors, stderr=errors)

    def await_ready(self):
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("Kafka does not start") from None
                time.sleep(0.2)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class KafkaCluster:
    """All of them, in one folder, with more lines of settings; `with` starts them."""

    def __init__(self, folder_of_jars, settings):
        self.jars = folder_of_jars
        self.settings = settings
        self.folder = tempfile.mkdtemp(prefix="chronik-kafka.")
        self.ports = free_ports(2 * NODES)
        self.voters = ",".join("%d@127.0.0.1:%d" % (i + 1, self.ports[NODES + i])
                               for i in range(NODES))
        self.nodes = [KafkaNode(self, i + 1) for i in range(NODES)]

    def __enter__(self):
        for node in self.nodes:
            node.format()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.await_ready()
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder)
