# SPDX-License-Identifier: Apache-2.0
"""Three brokers that are one cluster: real processes and real clients, kill -9 of the controller.

CHRONIK_E2E_KILLS (default 3) is how often the controller is killed under load."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import confluent_kafka

from chronik import READY_SECONDS, Tap, first_line, must, replay, wait_until

KILLS = int(os.environ.get("CHRONIK_E2E_KILLS", "3"))
NODES = 3


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Node:
    """One broker of the cluster; `number` from 1."""

    def __init__(self, cluster, number, ports=None, roles="broker,controller"):
        self.cluster = cluster
        self.number = number
        self.folder = os.path.join(cluster.folder, "node-%d" % number)
        os.mkdir(self.folder)
        open(os.path.join(self.folder, "errors"), "wb").close()
        self.host = "127.0.0.1" if ports else cluster.hosts[number - 1]
        self.port, peer_port = ports or cluster.ports[number - 1::NODES]
        self.process = None
        self.records = []  # of its lives
        with open(self.properties, "w", encoding="utf-8") as file:
            file.write("node.id=%d\nprocess.roles=%s\n"
                       "listeners=PLAINTEXT://%s:%d,CONTROLLER://%s:%d\n"
                       "controller.listener.names=CONTROLLER\n"
                       "controller.quorum.voters=%s\nlog.dirs=%s\n%s" % (
                           number, roles, self.host, self.port, self.host, peer_port,
                           cluster.voters, os.path.join(self.folder, "data"),
                           "".join(setting + "\n" for setting in cluster.settings)))

    @property
    def properties(self):
        return os.path.join(self.folder, "node.properties")

    @property
    def address(self):
        return "%s:%d" % (self.host, self.port)

    def run(self, *command):
        return subprocess.run([self.cluster.program, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=READY_SECONDS)

    def format(self):
        done = self.run("format", "--cluster-id", self.cluster.id, self.properties)
        must(done.returncode == 0, done.stdout.decode())

    def start(self):
        command = [self.cluster.program, "broker", self.properties]
        if self.cluster.simulator:
            self.records.append(os.path.join(self.folder, "record-%d" % len(self.records)))
            command += ["--set", "chronik.record.file=" + self.records[-1]]
        errors = open(os.path.join(self.folder, "errors"), "ab")
        self.process = subprocess.Popen([*self.cluster.enter(self.number), *command],
                                        stdout=subprocess.PIPE, stderr=errors)
        errors.close()

    def await_ready(self):
        line = first_line(self.process)
        must(line.startswith("chronik ready: "), "node %d is not ready: %s" %
             (self.number, self.log()))

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(READY_SECONDS)
        self.process.stdout.close()
        self.process = None
        return code

    def log(self):
        with open(os.path.join(self.folder, "errors"), "rb") as errors:
            return errors.read().decode(errors="replace")

    def topics(self):
        done = self.run("topic", "list", "--bootstrap-server", self.address)
        return {line.split()[0] for line in done.stdout.decode().splitlines()[1:]}

    def create(self, topic, partitions):
        """True when it was acknowledged."""
        done = self.run("topic", "create", topic, "--partitions", str(partitions),
                        "--bootstrap-server", self.address)
        return done.returncode == 0

    def terms_led(self):
        return [int(term) for term in
                re.findall(r"this node leads the quorum: term=(\d+)", self.log())]


class Cluster:
    """All of them, in one folder; for clients on these ports, or on any. Where each has a host of
    its own, enter(number) is the command that another one is started by to be there. When
    CHRONIK_SIM names the program chronik-sim, each life of each node keeps a flight record, and
    check_records() replays them."""

    def __init__(self, settings=(), hosts=("127.0.0.1",) * NODES, enter=lambda number: [],
                 ports=()):
        self.settings = settings
        self.hosts = hosts
        self.enter = enter
        self.simulator = os.environ.get("CHRONIK_SIM", "")
        self.program = os.environ.get("CHRONIK", os.path.join(os.getcwd(), "chronik"))
        self.folder = tempfile.mkdtemp(prefix="chronik-cluster.")
        self.ports = [*ports, *free_ports(2 * NODES - len(ports))]
        self.voters = ",".join("%d@%s:%d" % (i + 1, hosts[i], self.ports[NODES + i])
                               for i in range(NODES))
        self.id = subprocess.run([self.program, "random-uuid"], stdout=subprocess.PIPE,
                                 check=True).stdout.decode().strip()
        self.nodes = [Node(self, i + 1) for i in range(NODES)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            if node.process is not None:
                node.end(signal.SIGKILL)
        shutil.rmtree(self.folder)

    @property
    def addresses(self):
        return ",".join(node.address for node in self.nodes)

    def check_records(self, tap):
        """A case: what each node did in each of its lives is done again to the same end."""
        name = "the flight records of all nodes replay"
        if not self.simulator:
            tap.skip(name, "chronik-sim was not built")
            return
        tap.case(name, replay, self.simulator,
                 [record for node in self.nodes for record in node.records])

    def leader(self):
        """The node that began the latest term."""
        return max((node for node in self.nodes if node.terms_led()),
                   key=lambda node: max(node.terms_led()))


def unformatted(cluster):
    node = cluster.nodes[0]
    node.start()
    must(node.process.wait(READY_SECONDS) != 0, "an unformatted node does not start")
    node.process.stdout.close()
    node.process = None
    must("chronik format" in node.log(), "it says what mends that: " + node.log())


def forms(cluster):
    for node in cluster.nodes:
        node.format()
    for node in cluster.nodes[:-1]:
        node.start()
    time.sleep(1)
    must(not any(node.terms_led() for node in cluster.nodes),
         "nobody leads before every voter is there")
    cluster.nodes[-1].start()
    for node in cluster.nodes:
        node.await_ready()


def any_node_serves(cluster):
    for node in cluster.nodes:
        must(node.create("made-on-%d" % node.number, 6), "node %d makes a topic" % node.number)
    expected = {"made-on-%d" % node.number for node in cluster.nodes}
    wait_until(lambda: all(node.topics() >= expected for node in cluster.nodes), 10,
               "every node has every topic")


def clients_cross(cluster):
    """What is produced by way of one node is consumed by way of another, in a group."""
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.nodes[0].address,
                                         "enable.idempotence": True, "log_level": 2})
    for number in range(10000):
        producer.produce("made-on-3", b"%d" % number, on_delivery=lambda error, _: error is not None
                         and failed.append(error))
        producer.poll(0)
    must(producer.flush(60) == 0 and not failed, "all are delivered: %s" % failed[:3])
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.nodes[2].address,
                                         "group.id": "across", "auto.offset.reset": "earliest",
                                         "log_level": 2})
    consumer.subscribe(["made-on-3"])
    seen = set()
    end = time.monotonic() + 60
    while len(seen) < 10000 and time.monotonic() < end:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            seen.add(int(message.value()))
    consumer.commit(asynchronous=False)
    consumer.close()
    must(len(seen) == 10000, "%d of 10000 are consumed" % len(seen))


class Load(threading.Thread):
    """Makes topics on one node after another, and knows which were acknowledged."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.made = []
        self.longest = 0
        self.ending = False

    def run(self):
        number = 0
        last = time.monotonic()
        while not self.ending:
            node = self.cluster.nodes[number % NODES]
            name = "load-%d" % number
            number += 1
            if node.process is not None and node.create(name, 1):
                self.made.append(name)
                self.longest = max(self.longest, time.monotonic() - last)
                last = time.monotonic()


def kill_the_controller(cluster):
    load = Load(cluster)
    load.start()
    for _ in range(KILLS):
        made = len(load.made)
        wait_until(lambda enough=made + 10: len(load.made) > enough, 60, "topics are made")
        leader = cluster.leader()
        process = leader.process
        leader.process = None
        process.kill()
        process.wait()
        process.stdout.close()
        made = len(load.made)
        wait_until(lambda enough=made + 10: len(load.made) > enough, 60,
                   "topics are made without node %d" % leader.number)
        must(cluster.leader() is not leader, "another node leads")
        leader.start()
        leader.await_ready()
    load.ending = True
    load.join()
    print("# %d topics, at most %.0f ms between two acknowledgements" %
          (len(load.made), load.longest * 1000))
    wait_until(lambda: all(node.topics() >= set(load.made) for node in cluster.nodes), 20,
               "every topic that was acknowledged is on every node")


def one_that_does_not_vote(cluster):
    """Nobody's settings name it, and it leads partitions that the others follow."""
    node = Node(cluster, NODES + 1, free_ports(2), "broker")
    cluster.nodes.append(node)
    node.format()
    node.start()
    node.await_ready()
    done = node.run("topic", "create", "wide", "--partitions", "4", "--replication-factor", "4",
                    "--bootstrap-server", cluster.nodes[0].address)
    must(done.returncode == 0, done.stdout.decode())
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": node.address, "acks": "all"})
    for number in range(400):
        producer.produce("wide", b"%d" % number, partition=number % 4,
                         on_delivery=lambda error, _: failed.append(error) if error else None)
    must(producer.flush(20) == 0 and not failed, "all is acknowledged: %s" % failed)
    leaders = {part.leader for part in
               producer.list_topics("wide", timeout=10).topics["wide"].partitions.values()}
    must(node.number in leaders, "it leads: %s" % leaders)
    for other in cluster.nodes:
        done = other.run("cluster", "status", "--bootstrap-server", other.address)
        must(b"4 brokers" in done.stdout and b"0 under-replicated" in done.stdout,
             done.stdout.decode())


def orderly_end(cluster):
    for node in cluster.nodes:
        must(node.end(signal.SIGTERM) == 0, "node %d ends in order: %s" %
             (node.number, node.log()[-2000:]))


def main():
    tap = Tap()
    with Cluster() as cluster:
        tap.case("a node of a cluster does not start unformatted", unformatted, cluster)
        tap.case("a cluster forms once every voter is there", forms, cluster)
        tap.case("topics are made on any node, and known to all", any_node_serves, cluster)
        tap.case("clients reach every node's partitions by way of any", clients_cross, cluster)
        tap.case("kill -9 of the controller, %d times, loses nothing" % KILLS,
                 kill_the_controller, cluster)
        tap.case("a broker that does not vote", one_that_does_not_vote, cluster)
        tap.case("all end in order", orderly_end, cluster)
        cluster.check_records(tap)
        if tap.failed:
            for node in cluster.nodes:
                print("# node %d\n# %s" % (node.number, node.log()[-4000:].replace("\n", "\n# ")))
    tap.end()


if __name__ == "__main__":
    main()
