# SPDX-License-Identifier: Apache-2.0
"""Runs tests/kafka_bytes, a request of every API and version that we serve, against a broker of
Apache Kafka in a folder of its own; its answers have to be those in a folder of golden files.

    peer.py PROGRAM FOLDER

Maven fetches Kafka into CHRONIK_JARS as for java.py; without it all is skipped with a word."""

import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from java import JARS, fetch  # noqa: E402

READY_SECONDS = 120
JAVA = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
        os.path.join(JARS, "*")]
CLUSTER_ID = "AAECAwQFBgcICQoLDA0ODw"
# Wherever it listens, it says the same of itself in every run.
PROPERTIES = """process.roles=broker,controller
node.id=1
advertised.listeners=PLAINTEXT://127.0.0.1:21092
controller.quorum.voters=1@127.0.0.1:%(controller)d
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:%(broker)d,CONTROLLER://127.0.0.1:%(controller)d
log.dirs=%(folder)s/data
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
"""


def free_ports(count):
    """Ports that nobody has. Not those that the system gives out itself: who tries to connect to
    one of these before the broker listens may be connected to itself."""
    found = []
    for port in range(21092, 32000):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no port is free")


def wait_until_ready(process, port):
    """Until Kafka, which listens once it can serve, takes connections."""
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("Kafka does not start") from None
            time.sleep(0.2)


def run(program, golden, folder):
    broker, controller = free_ports(2)
    properties = os.path.join(folder, "server.properties")
    with open(properties, "w") as out:
        out.write(PROPERTIES % {"broker": broker, "controller": controller, "folder": folder})
    with open(os.path.join(folder, "errors"), "w+") as errors:
        process = None
        try:
            subprocess.run(JAVA + ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c",
                                   properties], check=True, stdout=errors, stderr=errors)
            process = subprocess.Popen(JAVA + ["kafka.Kafka", properties], stdout=errors,
                                       stderr=errors)
            wait_until_ready(process, broker)
            return subprocess.run([program, "127.0.0.1", str(broker), golden]).returncode
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            errors.seek(0)
            print("Bail out! %s\n%s" % (error, errors.read()[-4000:]))
            return 1
        finally:
            if process is not None:
                process.kill()
                process.wait()


def main():
    if not fetch():
        print("1..0 # SKIP it needs Java and Maven")
        return
    program, golden = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="chronik-kafka.") as folder:
        sys.exit(run(program, golden, folder))


if __name__ == "__main__":
    main()
