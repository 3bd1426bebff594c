# SPDX-License-Identifier: Apache-2.0
"""Clients that we did not write, from Debian's packages: kcat, librdkafka's and kafka-python.

CHRONIK_E2E_RECORDS (default 20000) is how many records of 100 bytes go there and back."""

import hashlib
import os
import random
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chronik import Broker, Tap, must, wait_until  # noqa: E402

import confluent_kafka  # noqa: E402
import kafka  # noqa: E402

RECORDS = int(os.environ.get("CHRONIK_E2E_RECORDS", "20000"))


def lines_of(seed, count, size):
    """Lines of random letters: the same for the same seed."""
    chance = random.Random(seed)
    letters = b"abcdefghijklmnopqrstuvwxyz"
    block = bytes(chance.choice(letters) for _ in range(size * 50))
    return [block[at:at + size] for at in
            (chance.randrange(len(block) - size) for _ in range(count))]


def kcat(broker, *arguments, **options):
    return subprocess.run(("kcat", "-b", broker.address) + arguments, check=True, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout


def kcat_round_trip(broker, topic, count, size, *options):
    sent = b"\n".join(lines_of(topic, count, size)) + b"\n"
    kcat(broker, "-P", "-t", topic, *options, input=sent)
    got = kcat(broker, "-C", "-t", topic, "-e", "-q", "-o", "beginning")
    must(hashlib.sha256(got).digest() == hashlib.sha256(sent).digest(),
         "%d bytes sent, %d bytes read back" % (len(sent), len(got)))


def kcat_lists(broker):
    text = kcat(broker, "-L").decode()
    must("broker 1 at 127.0.0.1:%d (controller)" % broker.port in text, text)


def kcat_by_time(broker):
    kcat(broker, "-P", "-t", "times", input=b"one\ntwo\n")
    text = kcat(broker, "-Q", "-t", "times:0:-1").decode()
    must("times [0] offset 2" in text, text)
    text = kcat(broker, "-Q", "-t", "times:0:1").decode()
    must("times [0] offset 0" in text, text)


def rdkafka_idempotent(broker):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "log_level": 2,
                                         "enable.idempotence": True, "linger.ms": 5})
    offsets = []

    def delivered(error, message):
        must(error is None, str(error))
        offsets.append(message.offset())

    for i in range(5000):
        producer.produce("idempotent", b"%d" % i, callback=delivered)
        producer.poll(0)
    must(producer.flush(120) == 0, "not everything was delivered")
    must(offsets == list(range(5000)), "offsets are not dense: %s..." % offsets[:10])


def rdkafka_empties_a_group(broker):
    """A group of one that commits, ends, and goes on where it was."""
    settings = {"bootstrap.servers": broker.address, "log_level": 2, "group.id": "committed",
                "auto.offset.reset": "earliest", "enable.auto.commit": False,
                "session.timeout.ms": 6000}
    kcat(broker, "-P", "-t", "committed", input=b"a\nb\nc\nd\n")

    def read(count):
        consumer = confluent_kafka.Consumer(settings)
        consumer.subscribe(["committed"])
        values = []
        try:
            while len(values) < count:
                message = consumer.poll(60)
                must(message is not None, "nothing came; so far %s" % values)
                must(message.error() is None, str(message.error()))
                values.append(message.value())
                consumer.commit(message, asynchronous=False)
        finally:
            consumer.close()
        return values

    must(read(2) == [b"a", b"b"], "the first two")
    must(read(2) == [b"c", b"d"], "the other two")


class Member(threading.Thread):
    """A consumer of a group; `leave` false: it goes without a word, as if its process had died."""

    def __init__(self, broker, topic, group):
        super().__init__(daemon=True)
        self.consumer = kafka.KafkaConsumer(
            topic, bootstrap_servers=broker.address, group_id=group, auto_offset_reset="earliest",
            session_timeout_ms=6000, heartbeat_interval_ms=1000, enable_auto_commit=True,
            auto_commit_interval_ms=200, consumer_timeout_ms=500)
        self.ending = threading.Event()
        self.leave = True
        self.seen = set()
        self.start()

    def run(self):
        while not self.ending.is_set():
            for message in self.consumer:
                self.seen.add((message.partition, message.offset))
                if self.ending.is_set():
                    break
        if self.leave:
            self.consumer.close(autocommit=True)
        else:
            self.consumer._client.close()

    def end(self, leave=True):
        self.leave = leave
        self.ending.set()


def kafka_python_group(broker):
    """Three consumers in a group, of which one dies: the others read everything."""
    admin = kafka.KafkaAdminClient(bootstrap_servers=broker.address)
    admin.create_topics([kafka.admin.NewTopic("shared", 6, 1)])
    admin.close()
    producer = kafka.KafkaProducer(bootstrap_servers=broker.address)
    members = [Member(broker, "shared", "three") for _ in range(3)]
    try:
        wait_until(lambda: all(len(m.consumer.assignment()) == 2 for m in members), 60,
                   "two partitions each")
        for i in range(600):
            producer.send("shared", b"%d" % i, partition=i % 6)
        producer.flush()
        wait_until(lambda: len(set().union(*(m.seen for m in members))) == 600, 60, "600 read")
        members[0].end(leave=False)
        wait_until(lambda: sum(len(m.consumer.assignment()) for m in members[1:]) == 6, 60,
                   "the dead one's partitions are taken over")
        for i in range(600):
            producer.send("shared", b"%d" % i, partition=i % 6)
        producer.flush()
        wait_until(lambda: len(set().union(*(m.seen for m in members))) == 1200, 60, "1200 read")
    finally:
        producer.close()
        for member in members:
            member.end(leave=member.leave)
        for member in members:
            member.join(30)


def survives_restart(broker):
    must(broker.stop() == 0, "SIGTERM is an orderly end")
    broker.start()
    must(kcat(broker, "-C", "-t", "committed", "-e", "-q") == b"a\nb\nc\nd\n", "records are there")


def main():
    tap = Tap()
    with Broker("group.initial.rebalance.delay.ms=0") as broker:
        tap.case("kcat lists the broker", kcat_lists, broker)
        tap.case("kcat: %d records of 100 bytes" % RECORDS, kcat_round_trip, broker, "small",
                 RECORDS, 100)
        tap.case("kcat: %d records of 1 KiB" % (RECORDS // 10), kcat_round_trip, broker, "large",
                 RECORDS // 10, 1024)
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            tap.case("kcat: compressed by " + codec, kcat_round_trip, broker, codec, 2000, 100,
                     "-z", codec)
        tap.case("kcat asks for offsets by time", kcat_by_time, broker)
        tap.case("librdkafka: idempotent producer", rdkafka_idempotent, broker)
        tap.case("librdkafka: a group goes on where it was", rdkafka_empties_a_group, broker)
        tap.case("kafka-python: a group of three, one dies", kafka_python_group, broker)
        tap.case("an orderly end and a new start", survives_restart, broker)
        broker.check_records(tap)
        if tap.failed:
            print("# " + broker.log().replace("\n", "\n# "))
    tap.end()


if __name__ == "__main__":
    main()
