# SPDX-License-Identifier: Apache-2.0
"""Disks that are full or broken and a process without descriptors: what the broker refuses, what it
serves all the same, and how it goes on. Nothing that was acknowledged is lost.

CHRONIK_E2E_SEEDS (default "1") are what the faults are drawn from."""

import os
import random
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash  # noqa: E402
from chronik import Broker, Tap, must, wait_until  # noqa: E402
from faulty import ALWAYS, Control  # noqa: E402

import confluent_kafka  # noqa: E402
import confluent_kafka.admin  # noqa: E402

SEEDS = os.environ.get("CHRONIK_E2E_SEEDS", "1").split()
STORAGE_ERROR = confluent_kafka.KafkaError.KAFKA_STORAGE_ERROR
FOLDERS = ("data", "data2")
VALUE_BYTES = 100000
STORM_WINDOWS = 6
PASSING = ("NO_SPACE", "NO_ACCEPT", "NO_OPEN")
API_VERSIONS = bytes((0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255))


class Topic:
    """A topic of one partition, what was acknowledged there, and how the last try was refused."""

    def __init__(self, broker, name):
        self.broker = broker
        self.name = name
        self.tries = 0
        self.acked = {}  # offset -> value
        self.refusal = None
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": broker.address, "log_level": 0, "acks": "all", "retries": 0,
            "linger.ms": 0, "message.timeout.ms": 20000, "reconnect.backoff.max.ms": 200})

    def delivered(self, error, message):
        self.refusal = error
        if error is None:
            self.acked[message.offset()] = message.value()

    def produce(self, size=100):
        """Returns True when it was acknowledged; otherwise self.refusal says why not."""
        before = len(self.acked)
        self.tries += 1
        self.producer.produce(self.name, b"%d " % self.tries * (size // 4),
                              callback=self.delivered)
        must(self.producer.flush(60) == 0, "the broker does not answer")
        return len(self.acked) > before

    def must_produce(self, when):
        must(self.produce(), "%s, %s: %s" % (self.name, when, self.refusal))

    def must_refuse(self, code=STORAGE_ERROR):
        must(not self.produce(), "%s: acknowledged" % self.name)
        must(self.refusal.code() == code, "refused by " + str(self.refusal))

    def produce_until_refused(self):
        wait_until(lambda: not self.produce(VALUE_BYTES), 60, "a record is refused")
        must(self.refusal.code() == STORAGE_ERROR, "refused by " + str(self.refusal))

    def recovers(self):
        wait_until(self.produce, 30, "%s takes records again" % self.name)

    def read(self):
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.broker.address, "log_level": 0, "group.id": "audit",
            "enable.auto.commit": False, "enable.partition.eof": True})
        consumer.assign([confluent_kafka.TopicPartition(self.name, 0, 0)])
        found = []
        while True:
            message = consumer.poll(30)
            must(message is not None, "%s cannot be read" % self.name)
            if message.error() is not None:
                must(message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF,
                     str(message.error()))
                consumer.close()
                return found
            must(message.offset() == len(found), "a gap before %d" % message.offset())
            found.append(message.value())

    def check(self, doubtful=0):
        """What was acknowledged is there, in its place, and at most so many others."""
        found = self.read()
        wrong = [o for o, value in self.acked.items() if o >= len(found) or found[o] != value]
        must(not wrong, "%s: acknowledged and lost: %s" % (self.name, wrong))
        must(len(found) <= len(self.acked) + doubtful,
             "%s: %d acknowledged, %d found" % (self.name, len(self.acked), len(found)))


def admin_of(broker):
    return confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address, "log_level": 0})


def create(broker, *names):
    admin = admin_of(broker)
    made = admin.create_topics([confluent_kafka.admin.NewTopic(name, 1, 1) for name in names])
    for future in made.values():
        future.result(30)
    return [Topic(broker, name) for name in names]


def full_disk(broker, control):
    """Produce is refused; fetch and delete go on; with space again, all goes on."""
    topic, doomed = create(broker, "full", "doomed")
    topic.must_produce("before")
    doomed.must_produce("before")
    control.set("NO_SPACE", ALWAYS)
    topic.produce_until_refused()
    topic.check()
    admin = admin_of(broker)
    admin.delete_topics(["doomed"])["doomed"].result(30)
    must(control.happened("NO_SPACE") > 0, "no call failed")
    control.mend()
    topic.recovers()
    topic.check()


def restart_after_full_disk(broker, control):
    """kill -9 while the disk is full: the next start has what was acknowledged."""
    topic, = create(broker, "restarted")
    topic.must_produce("before")
    control.set("NO_SPACE", ALWAYS)
    topic.produce_until_refused()
    broker.kill()
    control.mend()
    broker.start()
    topic.check()
    topic.recovers()
    topic.check()


def no_descriptors_to_accept(broker, control):
    """New connections wait, those that are there go on."""
    topic, = create(broker, "accepts")
    topic.must_produce("before")
    control.set("NO_ACCEPT", ALWAYS)
    waiting = socket.create_connection(("127.0.0.1", broker.port), 30)
    waiting.sendall(API_VERSIONS)
    wait_until(lambda: control.happened("NO_ACCEPT") > 0, 10, "an accept failed")
    topic.must_produce("meanwhile")
    waiting.settimeout(0.5)
    try:
        must(waiting.recv(4) is None, "the waiting connection was served or closed")
    except socket.timeout:
        pass
    control.mend()
    waiting.settimeout(30)
    must(len(waiting.recv(4)) == 4, "the waiting connection is served in the end")
    waiting.close()
    topic.check()


def no_descriptors_to_open(broker, control):
    """What is open goes on; what is not is refused, and is there afterwards."""
    topic, = create(broker, "opens")
    topic.must_produce("before")
    control.set("NO_OPEN", ALWAYS)
    topic.must_produce("meanwhile")
    topic.check()
    fresh = Topic(broker, "fresh")
    must(not fresh.produce(), "a topic was made without descriptors")
    must(control.happened("NO_OPEN") > 0, "no call failed")
    control.mend()
    fresh.recovers()
    topic.recovers()
    fresh.check(doubtful=1)
    topic.check()


def folder_of(broker, name):
    """Which of the two data folders holds partition 0 of the topic."""
    return next(folder for folder in FOLDERS
                if os.path.isdir(os.path.join(broker.folder, folder, name + "-0")))


def folder_breaks(broker, control, kind):
    """Its folder goes offline, the other one goes on; a restart without faults has everything."""
    topics = create(broker, *["%s-%d" % (kind.lower(), i) for i in range(6)])
    metadata = folder_of(broker, "__cluster_metadata")
    for topic in topics:
        topic.must_produce("before")
    sick = next(t for t in topics if folder_of(broker, t.name) != metadata)
    well = next(t for t in topics if folder_of(broker, t.name) == metadata)
    control.set(kind, ALWAYS, "/%s/" % folder_of(broker, sick.name))
    sick.must_refuse()
    must(control.happened(kind) > 0, "no call failed")
    control.mend()
    sick.must_refuse()  # what failed once is not trusted again
    well.must_produce("meanwhile")
    well.check()
    broker.stop()
    broker.start()
    well.must_produce("after a restart")
    sick.recovers()
    for topic in topics:
        topic.check(doubtful=2 if topic == sick else 0)


def reads_break(broker, control):
    """A log that cannot be read when it is needed is refused; the other folder serves."""
    topics = create(broker, *["reads-%d" % i for i in range(6)])
    metadata = folder_of(broker, "__cluster_metadata")
    for topic in topics:
        topic.must_produce("before")
    sick = next(t for t in topics if folder_of(broker, t.name) != metadata)
    well = next(t for t in topics if folder_of(broker, t.name) == metadata)
    broker.kill()
    control.set("READ_ERROR", ALWAYS, "/%s/%s-0/" % (folder_of(broker, sick.name), sick.name))
    broker.start()
    well.must_produce("after a restart")
    sick.must_refuse()
    must(control.happened("READ_ERROR") > 0, "no call failed")
    well.check()
    broker.kill()
    control.mend()
    broker.start()
    for topic in topics:
        topic.recovers()
        topic.check(doubtful=1)


def last_folder_breaks(broker, control, kind):
    """The broker ends by itself, and has everything when it is started again."""
    topic, = create(broker, "last-" + kind.lower())
    topic.must_produce("before")
    control.set(kind, ALWAYS)
    must(not topic.produce(), "acknowledged by a broken disk")
    code = broker.process.wait(30)
    must(code == 1, "the exit code is %s" % code)
    must(control.happened(kind) > 0, "no call failed")
    control.mend()
    broker.start()
    topic.recovers()
    topic.check(doubtful=1)


def storm(broker, control, seed):
    """Windows of all that passes by, and kill -9, under an idempotent load."""
    chance = random.Random(int(seed))
    load = crash.Load(broker)
    load.start()
    wait_until(lambda: load.acked.count, 60, "the first record is acknowledged")
    for _ in range(STORM_WINDOWS):
        kind = chance.choice(PASSING)
        control.set(kind, chance.choice((100, ALWAYS)))
        time.sleep(0.2 + chance.random() * 0.5)
        if chance.random() < 0.5:
            broker.kill()
            control.mend()
            broker.start()
        control.mend()
        time.sleep(0.2)
    load.end()
    must(sum(control.happened(kind) for kind in PASSING) > 0, "no call failed")
    crash.audit(broker, load)


class TwoFolders(Broker):
    """A broker with two data folders."""

    @property
    def data(self):
        return ",".join(os.path.join(self.folder, folder) for folder in FOLDERS)


def stories(tap, control, seed):
    os.environ.update(control.environment(seed))
    one_folder = (full_disk, restart_after_full_disk, no_descriptors_to_accept,
                  no_descriptors_to_open)

    def tell(name, story, kind_of_broker, *arguments):
        control.mend()
        failed = tap.failed
        with kind_of_broker() as broker:
            tap.case("%s, seed %s" % (name, seed), story, broker, control, *arguments)
            if tap.failed > failed:
                print("# " + broker.log().replace("\n", "\n# "))
            control.mend()

    for story in one_folder:
        tell(story.__name__.replace("_", " "), story, Broker)
    for kind in ("WRITE_ERROR", "SYNC_ERROR"):
        tell("a folder breaks by " + kind, folder_breaks, TwoFolders, kind)
        tell("the last folder breaks by " + kind, last_folder_breaks, Broker, kind)
    tell("reads break", reads_break, TwoFolders)
    tell("a storm of all that passes by", storm, Storm, seed)


class Storm(Broker):
    """A broker with the topic of crash.py."""

    def __init__(self):
        super().__init__("num.partitions=%d" % crash.PARTITIONS)


def main():
    tap = Tap()
    with tempfile.NamedTemporaryFile(prefix="chronik-faulty.") as file:
        control = Control(file.name)
        for seed in SEEDS:
            stories(tap, control, seed)
    tap.end()


if __name__ == "__main__":
    main()
