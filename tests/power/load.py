# SPDX-License-Identifier: Apache-2.0
"""Load for a broker whose calls are logged, through several of its lives: it is killed again and
again between two calls, and started again on the same folder. Clients that lose it go on where they
were, with the same batches: what the broker promised may so be the promise of a later life.

What was asked for is kept by correlation id, each of them used once, so that the replies in the log
of calls can be read; and with the number of entries that the log had then, which cannot show it."""

import collections
import itertools
import mmap
import os
import random
import signal
import struct
import subprocess
import threading
import time

import wire

TOPICS = {  # name: (partitions, configs)
    "keep": (2, {}),
    "trim": (1, {}),  # its oldest records are deleted by request
    "short": (1, {"retention.bytes": "12000"}),
    "cached": (1, {"write.caching": "true"}),
}
SETTINGS = ("auto.create.topics.enable=false", "log.segment.bytes=6000",
            "log.index.interval.bytes=512", "log.segment.delete.delay.ms=20",
            "offsets.topic.num.partitions=1", "offsets.topic.segment.bytes=2048",
            "group.initial.rebalance.delay.ms=0")
GROUP = "group"
LIVES = 8  # that are neither the first ones, nor such as end in order
WINDOW = 4  # requests of a producer that wait for replies; the broker remembers five batches
PATIENCE_SECONDS = 60

# So many partitions, made and removed, are metadata enough for a snapshot of it.
FILLER_PARTITIONS = 10000
FILLER_ROUNDS = 6

OUT_OF_RANGE = 1
UNKNOWN_TOPIC = 3
TOPIC_EXISTS = 36
GOES_BY = (5, 6, 14, 15, 16, 45, 56)  # errors of a broker that has just started

Batch = collections.namedtuple("Batch", "topic partition data producer sequence count acks")
Request = collections.namedtuple("Request", "kind what after")


def start_broker(program, folder, port=0, environment=None, errors=subprocess.DEVNULL):
    """A process, and the port it is ready at; None when it ended before."""
    command = [program, "broker", "--set", "log.dirs=" + folder, "--set",
               "listeners=PLAINTEXT://127.0.0.1:%d" % port]
    for setting in SETTINGS:
        command += ["--set", setting]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)
    line = process.stdout.readline().decode()
    if not line.startswith("chronik ready: "):
        return process, None
    return process, int(line.rpartition(":")[2])


class TryAgain(Exception):
    """A reply that a broker gives in passing: from the beginning, on a new connection."""


class Load:
    """`run` leaves in `folder` the log of calls ("calls") and the files ("root/data")."""

    def __init__(self, program, library, folder, seed):
        self.program = program
        self.library = library
        self.folder = folder
        self.rng = random.Random(seed)
        self.correlations = itertools.count(1)
        self.entries = None  # in the log of calls
        self.requests = {}
        self.port = None  # while the broker serves
        self.life = 0
        self.changed = threading.Condition()
        self.ending = False
        self.failures = []
        self.set_up = threading.Event()

    # What clients use.

    def wait_for_broker(self, life):
        """The port and the number of the life that follows `life`; None at the end."""
        with self.changed:
            self.changed.wait_for(lambda: self.ending or (self.port and self.life > life),
                                  PATIENCE_SECONDS)
            return None if self.ending or self.life == life else (self.port, self.life)

    def entries_now(self):
        return struct.unpack("=Q", self.entries[:])[0]

    # The broker's lives.

    def environment(self, calls):
        wanted = dict(os.environ, LD_PRELOAD=self.library, POWER_ROOT=self.folder + "/root",
                      POWER_LOG=self.folder + "/calls", POWER_SYNC_US="2000")
        # A leak of a process that is killed is none, and an instrumented one may come second.
        wanted["ASAN_OPTIONS"] = wanted.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        if calls:
            wanted["POWER_KILL_CALLS"] = str(calls)
        return wanted

    def live(self, calls, work=None, is_alone=False):
        """One life: until it has made so many calls, or, when `work` is given, until that is done
        and it is asked to end. `is_alone`: the other clients do not learn of it."""
        with open(self.folder + "/errors", "ab") as errors:
            process, port = start_broker(self.program, self.folder + "/root/data",
                                         environment=self.environment(calls), errors=errors)
        with self.changed:
            self.port = None if is_alone else port
            self.life += 1
            self.changed.notify_all()
        try:
            if work is not None and port is not None:
                work(port)
                process.terminate()
            code = process.wait(PATIENCE_SECONDS)
            if code != (-signal.SIGKILL if work is None else 0):
                self.failures.append("the broker ended with code %d" % code)
        except subprocess.TimeoutExpired:
            self.failures.append("the load ends before the broker's life does")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            with self.changed:
                self.port = None

    def run(self):
        os.makedirs(self.folder + "/root")
        with open(self.folder + "/calls.count", "wb+") as count:
            count.truncate(8)
            self.entries = mmap.mmap(count.fileno(), 8, access=mmap.ACCESS_READ)
        actors = [Producer(self, ("keep", 0), True), Producer(self, ("keep", 1), True),
                  Producer(self, ("trim", 0), True), Producer(self, ("short", 0), True),
                  Producer(self, ("cached", 0), True), Producer(self, ("keep", 0), False),
                  Administrator(self), Committer(self), Reader(self)]
        for actor in actors:
            actor.start()
        for life in self.lives():
            self.live(*life)
            if self.failures:
                break
        with self.changed:
            self.ending = True
            self.changed.notify_all()
        for actor in actors:
            actor.join()

    def lives(self):
        """The arguments of live() for one after the other."""
        yield (self.rng.randint(2, 40),)
        yield (self.rng.randint(2, 120),)
        for _ in range(LIVES):
            yield (self.rng.choice((self.rng.randint(60, 400), self.rng.randint(400, 1500))),)
        yield 0, lambda port: time.sleep(0.1)
        yield 0, self.fill, True
        yield (self.rng.randint(300, 900),)

    def fill(self, port):
        """Metadata until there are snapshots of it, and the log before them goes."""
        connection = wire.Connection(port)
        for _ in range(FILLER_ROUNDS):
            connection.ask(wire.CREATE_TOPICS, wire.create_topics(
                {"filler": (FILLER_PARTITIONS, {})}), wire.topics_created)
            connection.ask(wire.DELETE_TOPICS, wire.delete_topics(["filler"]), wire.topics_deleted)
        connection.close()


class Actor(threading.Thread):
    """A client that comes back as long as there is a next life."""

    def __init__(self, load):
        super().__init__(daemon=True)
        self.load = load
        self.rng = random.Random(load.rng.random())
        self.connection = None

    def run(self):
        life = 0
        while True:
            found = self.load.wait_for_broker(life)
            if found is None:
                return
            try:
                self.connection = wire.Connection(found[0])
                self.work()
            except OSError:
                life = found[1]
            except TryAgain:
                time.sleep(0.003)
            except Exception as error:  # for the main thread to tell
                self.load.failures.append("%s: %r" % (type(self).__name__, error))
                return
            finally:
                if self.connection is not None:
                    self.connection.close()

    def send(self, kind, what, api, body):
        correlation = next(self.load.correlations)
        self.load.requests[correlation] = Request(kind, what, self.load.entries_now())
        self.connection.send(api, body, correlation)

    def ask(self, kind, what, api, body, decode):
        self.send(kind, what, api, body)
        return decode(self.connection.reply()[1])

    def judge(self, error, *allowed):
        if error in GOES_BY and error not in allowed:
            raise TryAgain
        if error != 0 and error not in allowed:
            raise ValueError("an unexpected error %d" % error)

    def new_producer_id(self):
        error, producer, _ = self.ask("producer id", None, wire.INIT_PRODUCER_ID,
                                      wire.init_producer_id(), wire.producer_id_given)
        self.judge(error)
        return producer

    def values(self):
        """Some with long runs of zeros, as a lost sector looks."""
        values = []
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            length = self.rng.choice((10, 100, 400, 700))
            value = self.rng.randbytes(length)
            if self.rng.random() < 0.2:
                value = value[:50] + bytes(length)
            values.append(value)
        return values


class Producer(Actor):
    """Pipelined batches to one partition; idempotent ones again, as they are, after a loss."""

    def __init__(self, load, where, idempotent):
        super().__init__(load)
        self.where = where
        self.idempotent = idempotent
        self.producer = -1
        self.sequence = 0
        self.pending = collections.deque()

    def work(self):
        self.load.set_up.wait(0.01)
        if not self.load.set_up.is_set():
            raise TryAgain
        if self.idempotent and self.producer < 0:
            self.producer = self.new_producer_id()
        for batch in self.pending:
            self.send_batch(batch)
        while True:
            while len(self.pending) < WINDOW:
                self.pending.append(self.next_batch())
                self.send_batch(self.pending[-1])
            reply = wire.produced(self.connection.reply()[1])
            self.judge(reply[self.where][0])
            self.pending.popleft()
            if self.rng.random() < 0.1:
                time.sleep(0.01)

    def send_batch(self, batch):
        self.send("produce", batch, wire.PRODUCE,
                  wire.produce({self.where: batch.data}, batch.acks))

    def next_batch(self):
        values = self.values()
        sequence = self.sequence if self.idempotent else -1
        epoch = 0 if self.idempotent else -1
        self.sequence += len(values)
        data = wire.batch(values, self.producer, epoch, sequence, int(time.time() * 1000))
        return Batch(*self.where, data, self.producer, sequence, len(values),
                     -1 if self.idempotent else 1)


class Administrator(Actor):
    """Makes the topics; then makes, fills, deletes and makes again others, one after the other."""

    topics = TOPICS

    def __init__(self, load):
        super().__init__(load)
        self.plan = self.steps()
        self.step = next(self.plan)

    def work(self):
        while True:
            kind, what = self.step
            {"create": self.create, "delete": self.delete, "fill": self.fill}[kind](*what)
            self.step = next(self.plan)

    def steps(self):
        for name in self.topics:
            yield "create", (name, 0)
        self.load.set_up.set()
        for turn in itertools.count(1):
            if turn % 4 == 0:
                yield "create", ("stays%d" % turn, 0)
                yield "fill", ("stays%d" % turn,)
            name = "again%d" % (turn % 2)
            yield "create", (name, 2 * turn)
            if turn % 3 != 0:
                yield "fill", (name,)
            yield "delete", (name, 2 * turn + 1)

    def create(self, name, number):
        errors = self.ask("topic", (name, number, True), wire.CREATE_TOPICS,
                          wire.create_topics({name: TOPICS.get(name, (1, {}))}),
                          wire.topics_created)
        self.judge(errors[name], TOPIC_EXISTS)

    def delete(self, name, number):
        errors = self.ask("topic", (name, number, False), wire.DELETE_TOPICS,
                          wire.delete_topics([name]), wire.topics_deleted)
        self.judge(errors[name], UNKNOWN_TOPIC)

    def fill(self, name):
        """Begins anew, as another producer, when the broker goes."""
        producer = self.new_producer_id()
        sequence = 0
        for _ in range(self.rng.randint(1, 12)):
            values = self.values()
            data = wire.batch(values, producer, 0, sequence, int(time.time() * 1000))
            batch = Batch(name, 0, data, producer, sequence, len(values), -1)
            reply = self.ask("produce", batch, wire.PRODUCE, wire.produce({(name, 0): data}, -1),
                             wire.produced)
            self.judge(reply[name, 0][0])
            sequence += len(values)


class Committer(Actor):
    """Offsets of a group that count up."""

    def __init__(self, load):
        super().__init__(load)
        self.offset = 0

    def work(self):
        self.load.set_up.wait(0.01)
        self.judge(self.ask("coordinator", None, wire.FIND_COORDINATOR, wire.string(GROUP),
                            wire.coordinator_found))
        while True:
            where = ("keep", self.offset % 2)
            errors = self.ask("commit", (where, self.offset), wire.OFFSET_COMMIT,
                              wire.offset_commit(GROUP, {where: self.offset}), wire.committed)
            self.judge(errors[where][0], UNKNOWN_TOPIC)
            self.offset += 1
            time.sleep(0.004)


class Reader(Actor):
    """Is told high watermarks, which are promises, and has old records deleted."""

    def __init__(self, load):
        super().__init__(load)
        self.places = {(topic, partition): 0 for topic, (count, _) in TOPICS.items()
                       for partition in range(count) if topic != "cached"}

    def work(self):
        self.load.set_up.wait(0.01)
        if not self.load.set_up.is_set():
            raise TryAgain
        while True:
            self.read()
            if self.rng.random() < 0.05:
                self.trim()

    def read(self):
        reply = self.ask("fetch", None, wire.FETCH, wire.fetch(self.places, 20, 1), wire.fetched)
        for where, (error, high_watermark, _) in reply.items():
            self.judge(error, OUT_OF_RANGE)
            self.places[where] = self.end(where) if error == OUT_OF_RANGE else high_watermark

    def end(self, where):
        reply = self.ask("end", None, wire.LIST_OFFSETS, wire.list_offsets({where: wire.LATEST}),
                         wire.listed)
        self.judge(reply[where][0])
        return reply[where][2]

    def trim(self):
        offset = max(self.places["trim", 0] - self.rng.randint(5, 60), 0)
        reply = self.ask("delete records", offset, wire.DELETE_RECORDS,
                         wire.delete_records({("trim", 0): offset}), wire.records_deleted)
        self.judge(reply["trim", 0][1])
