# SPDX-License-Identifier: Apache-2.0
"""Load for three brokers that are one cluster. Each is killed again and again between two of its
calls, and started again on the same folder; clients find who leads, and go on where they were.

What was asked for is kept by correlation id as in load.py, with the moment before it was sent."""

import collections
import itertools
import os
import random
import signal
import socket
import subprocess
import threading
import time

import load
import promises
import wire

NODES = 3
OUT_OF_ORDER = 45
ADDRESS = "127.0.0.1"
TOPICS = {  # name: (partitions, configs)
    "keep": (2, {"write.caching": "false"}),
    "loose": (1, {"min.insync.replicas": "1"}),  # one replica in sync may acknowledge
    "cached": (1, {"write.caching": "true"}),
}
SETTINGS = ("auto.create.topics.enable=false", "log.segment.bytes=20000",
            "log.index.interval.bytes=512", "log.segment.delete.delay.ms=20",
            "metadata.log.max.record.bytes.between.snapshots=4000", "min.insync.replicas=2",
            "offsets.topic.num.partitions=1", "offsets.topic.segment.bytes=4000",
            "group.initial.rebalance.delay.ms=0", "controlled.shutdown.max.retries=1",
            "controlled.shutdown.retry.backoff.ms=500",
            "controller.quorum.election.timeout.ms=100", "controller.quorum.fetch.timeout.ms=200",
            "broker.session.timeout.ms=500", "broker.heartbeat.interval.ms=100")
READY_SECONDS = 30
LOAD_SECONDS = 6

# No link between nodes has a type of message that is the begin of such a correlation id.
CORRELATION_FIRST = 1 << 29

# Errors that a cluster gives in passing: also while nobody leads, while too few are in sync, and
# by a node that has not heard of a topic yet, or of who leads it now.
GOES_BY = load.GOES_BY + (3, 7, 8, 9, 19, 20, 38, 41, 74, 75)


def free_ports(count):
    """Ports that nobody has. Not those that the system gives out itself: who connects to one of
    these before a broker listens there may be connected to itself."""
    found = []
    for port in random.sample(range(20000, 32000), 1000):
        with socket.socket() as one:
            try:
                one.bind((ADDRESS, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no port is free")


class Plan:
    """What all nodes are told, of the load and of images of it alike."""

    def __init__(self, program, library, seed):
        self.program = program
        self.library = library
        # Of some loads everything is cached whose topic does not say otherwise.
        self.is_cached = seed % 4 == 0
        self.ports = free_ports(2 * NODES)
        self.voters = ",".join("%d@%s:%d" % (number, ADDRESS, self.ports[NODES + number - 1])
                               for number in range(1, NODES + 1))
        self.cluster_id = subprocess.run([program, "random-uuid"], stdout=subprocess.PIPE,
                                         check=True).stdout.decode().strip()

    def promises_durable(self, topic):
        """That what acks=all acknowledges is durable: the default of write.caching."""
        caching = TOPICS.get(topic, (0, {}))[1].get("write.caching")
        return caching == "false" or (caching is None and not self.is_cached)

    def port(self, number):
        return self.ports[number - 1]

    def settings(self, number, folder):
        return ("node.id=%d" % number, "process.roles=broker,controller",
                "controller.listener.names=CONTROLLER", "controller.quorum.voters=" + self.voters,
                "log.dirs=" + folder, "listeners=PLAINTEXT://%s:%d,CONTROLLER://%s:%d" % (
                    ADDRESS, self.port(number), ADDRESS, self.ports[NODES + number - 1]),
                "write.caching.default=%s" % str(self.is_cached).lower()) + SETTINGS

    def command(self, number, folder, *words):
        command = [self.program, *words]
        for setting in self.settings(number, folder):
            command += ["--set", setting]
        return command

    def environment(self, **more):
        wanted = dict(os.environ, LD_PRELOAD=self.library, **more)
        # A leak of a process that is killed is none, and an instrumented one may come second.
        wanted["ASAN_OPTIONS"] = wanted.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return wanted


class Node:
    """One broker under load. `folder` gets its log of calls ("calls") and files ("root/data")."""

    def __init__(self, plan, number, folder):
        self.plan = plan
        self.number = number
        self.folder = folder
        os.makedirs(folder + "/root")

    def begin(self, calls, *words):
        settings = {"POWER_ROOT": self.folder + "/root", "POWER_LOG": self.folder + "/calls",
                    "POWER_SYNC_US": "2000"}
        if calls:
            settings["POWER_KILL_CALLS"] = str(calls)
        with open(self.folder + "/errors", "ab") as errors:
            return subprocess.Popen(
                self.plan.command(self.number, self.folder + "/root/data", *words),
                stdout=subprocess.DEVNULL, stderr=errors, env=self.plan.environment(**settings))


class ClusterLoad:
    """`run` leaves a folder for each node in `folder`."""

    def __init__(self, program, library, folder, seed):
        self.plan = Plan(program, library, seed)
        self.rng = random.Random(seed)
        self.nodes = [Node(self.plan, number, "%s/node%d" % (folder, number))
                      for number in range(1, NODES + 1)]
        self.correlations = itertools.count(CORRELATION_FIRST)
        self.requests = {}
        self.fills = {}  # {producer: the topic that it fills, the step that made it}
        self.consumed = []  # (when, (topic, partition), batches)
        self.ending = threading.Event()
        self.set_up = threading.Event()
        self.failures = []
        self.begun_ns = 0  # from when on all nodes are formatted

    def entries_now(self):
        """Of requests: when."""
        return time.monotonic_ns()

    def run(self):
        for node in self.nodes:
            format = node.begin(0, "format", "--cluster-id", self.plan.cluster_id)
            if format.wait(READY_SECONDS) != 0:
                self.failures.append("node %d cannot be formatted" % node.number)
                return
        self.begun_ns = time.monotonic_ns()
        lives = [threading.Thread(target=self.live, args=(node, random.Random(self.rng.random())))
                 for node in self.nodes]
        actors = [Producer(self, ("keep", 0), True), Producer(self, ("keep", 1), True),
                  Producer(self, ("loose", 0), True), Producer(self, ("cached", 0), True),
                  Producer(self, ("keep", 0), False), Administrator(self), Committer(self),
                  Reader(self, ("keep", 0)), Reader(self, ("keep", 1)),
                  Reader(self, ("loose", 0)), Reader(self, ("cached", 0))]
        for thread in lives + actors:
            thread.start()
        self.ending.wait(LOAD_SECONDS)
        self.ending.set()
        for thread in lives + actors:
            thread.join()

    def live(self, node, rng):
        """Life after life of a node, the last of which ends in order."""
        calls = rng.choice((rng.randint(2, 150), 0, 0))
        while not self.ending.is_set() and not self.failures:
            process = node.begin(calls, "broker")
            code = self.await_end(process, rng.uniform(0.5, 4) if calls == 0 else LOAD_SECONDS)
            # SIGTERM ends a process that has only just begun.
            if code not in (-signal.SIGKILL, -signal.SIGTERM, 0):
                self.failures.append("node %d ended with code %s" % (node.number, code))
            # Too short for anybody to notice, or long enough for all to go on without it.
            self.ending.wait(rng.choice((0, rng.uniform(0, 0.1), rng.uniform(0.2, 1))))
            calls = rng.choice((0, rng.randint(60, 400), rng.randint(400, 2500),
                                rng.randint(400, 2500)))

    def await_end(self, process, seconds):
        """Waits for its death, or ends it in order when the time is over or the load is."""
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end and not self.ending.wait(0.005):
            pass
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "that never came"


class Actor(load.Actor):
    """A client that finds its way again and again until the load ends."""

    def run(self):
        while not self.load.ending.is_set():
            try:
                self.connection = self.connect(self.node())
                self.work()
            except (OSError, load.TryAgain):
                self.load.ending.wait(0.003)
            except Exception as error:  # for the main thread to tell
                self.load.failures.append("%s: %r" % (type(self).__name__, error))
                self.load.ending.set()
            finally:
                if self.connection is not None:
                    self.connection.close()
                self.connection = None

    def connect(self, number):
        connection = wire.Connection(self.load.plan.port(number))
        connection.socket.settimeout(5)
        return connection

    def any_node(self):
        return self.rng.randint(1, NODES)

    node = any_node

    def must_work(self):
        if self.load.ending.is_set():
            raise load.TryAgain

    def leader(self, topic, partition):
        self.must_work()
        connection = self.connect(self.any_node())
        try:
            _, topics = connection.ask(wire.METADATA, wire.metadata([topic]),
                                       wire.cluster_described)
        finally:
            connection.close()
        leader = topics[topic][2].get(partition, (-1,))[0]
        if leader < 0:
            raise load.TryAgain
        return leader

    def judge(self, error, *allowed):
        if error in GOES_BY and error not in allowed:
            raise load.TryAgain
        super().judge(error, *allowed)


class Producer(Actor, load.Producer):
    def __init__(self, of_load, where, idempotent):
        load.Producer.__init__(self, of_load, where, idempotent)

    def node(self):
        if not self.load.set_up.wait(0.01):
            raise load.TryAgain
        return self.leader(*self.where)

    def next_batch(self):
        self.must_work()
        return super().next_batch()

    def judge(self, error, *allowed):
        """What is cached may go when all brokers end at once, and what follows it stays out."""
        if error == OUT_OF_ORDER and not self.load.plan.promises_durable(self.where[0]):
            self.pending.clear()
            self.producer, self.sequence = -1, 0
        super().judge(error, *allowed)


class Administrator(Actor, load.Administrator):
    """What it makes has a replica on each node."""

    topics = TOPICS

    def __init__(self, of_load):
        super().__init__(of_load)
        self.made = {}  # {name: number of the step}
        self.doubted = None  # a step
        self.filling = None

    def create(self, name, number):
        self.change(name, number, True)

    def delete(self, name, number):
        self.change(name, number, False)

    def change(self, name, number, is_made):
        """A node that has not heard of the step before says that it need not be done; so another
        one is asked then, a while later."""
        needless = load.TOPIC_EXISTS if is_made else load.UNKNOWN_TOPIC
        self.must_work()
        if is_made:
            body = wire.create_topics({name: TOPICS.get(name, (1, {}))}, NODES)
            errors = self.ask("topic", (name, number, True), wire.CREATE_TOPICS, body,
                              wire.topics_created)
        else:
            errors = self.ask("topic", (name, number, False), wire.DELETE_TOPICS,
                              wire.delete_topics([name]), wire.topics_deleted)
        self.judge(errors[name], needless)
        if errors[name] == needless and self.doubted != number:
            self.doubted = number
            self.load.ending.wait(0.1)
            raise load.TryAgain
        if is_made:
            self.made[name] = number

    def new_producer_id(self):
        producer = super().new_producer_id()
        self.load.fills[producer] = self.filling, self.made[self.filling]
        return producer

    def fill(self, name):
        """Of what was made last. Once only: who fills is another producer each time."""
        connection = self.connection
        try:
            self.filling = name
            self.connection = self.connect(self.leader(name, 0))
            super().fill(name)
        except (OSError, load.TryAgain):
            pass
        finally:
            self.connection.close()
            self.connection = connection


class Committer(Actor, load.Committer):
    def node(self):
        self.must_work()
        connection = self.connect(self.any_node())
        try:
            error, broker = connection.ask(wire.FIND_COORDINATOR, wire.string(load.GROUP),
                                           wire.coordinator_at)
        finally:
            connection.close()
        self.judge(error)
        return broker

    def work(self):
        while self.load.set_up.wait(0.01):
            self.must_work()
            where = ("keep", self.offset % 2)
            errors = self.ask("commit", (where, self.offset), wire.OFFSET_COMMIT,
                              wire.offset_commit(load.GROUP, {where: self.offset}),
                              wire.committed)
            self.judge(errors[where][0])
            self.offset += 1
            time.sleep(0.004)


class Reader(Actor):
    """Keeps what it was given: that never changes any more."""

    def __init__(self, of_load, where):
        super().__init__(of_load)
        self.where = where
        self.place = 0

    def node(self):
        if not self.load.set_up.wait(0.01):
            raise load.TryAgain
        return self.leader(*self.where)

    def work(self):
        while True:
            self.must_work()
            reply = self.ask("fetch", None, wire.FETCH, wire.fetch({self.where: self.place}, 20,
                                                                   1 << 20), wire.fetched)
            error, _, records = reply[self.where]
            if error == load.OUT_OF_RANGE and not self.load.plan.promises_durable(self.where[0]):
                self.place = 0
                raise load.TryAgain
            self.judge(error)
            if records:
                found = promises.batches(records)
                self.load.consumed.append((time.monotonic_ns(), self.where, [
                    (batch.base_offset, batch.crc) for batch in found]))
                self.place = found[-1].end_offset
