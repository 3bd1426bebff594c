# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, again and again: nothing that was acknowledged is missing, nothing is doubled
with idempotence, and committed offsets stay committed.

CHRONIK_E2E_CYCLES (default 5) is how often."""

import array
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chronik import Broker, Tap, must, wait_until  # noqa: E402

import confluent_kafka  # noqa: E402

CYCLES = int(os.environ.get("CHRONIK_E2E_CYCLES", "5"))
PARTITIONS = 3
TOPIC = "crash"
GROUP = "crash"
NOWHERE = -1
SOMEWHERE = -2  # acknowledged by the answer to a later batch: librdkafka does not know where
RECORDS_A_SECOND = 20000  # a hundred cycles are some millions


class Places:
    """The offset of each number, whose partition is its remainder: millions of them fit."""

    def __init__(self):
        self.offsets = array.array("q")
        self.count = 0

    def put(self, number, offset):
        """False: the number has a place already."""
        while number >= len(self.offsets):
            self.offsets.append(NOWHERE)
        if self.offsets[number] != NOWHERE:
            return False
        self.offsets[number] = offset
        self.count += 1
        return True

    def get(self, number):
        return self.offsets[number] if number < len(self.offsets) else NOWHERE


class Load(threading.Thread):
    """An idempotent producer that sends numbers and notes where they were acknowledged."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": broker.address, "log_level": 2, "enable.idempotence": True,
            "acks": "all", "linger.ms": 1, "message.timeout.ms": 120000,
            "reconnect.backoff.max.ms": 200,
            "retry.backoff.ms": 20})
        self.next = 0
        self.acked = Places()
        self.failed = []
        self.ending = False

    def delivered(self, error, message):
        number = int(message.value())
        place = SOMEWHERE if message.offset() is None else message.offset()
        if error is not None:
            self.failed.append("%d: %s" % (number, error))
        elif not self.acked.put(number, place):
            self.failed.append("%d: acknowledged twice" % number)

    def run(self):
        began = time.monotonic()
        while not self.ending:
            due = (time.monotonic() - began) * RECORDS_A_SECOND
            if self.next < due and self.next - self.acked.count < 500:
                self.producer.produce(TOPIC, b"%d" % self.next,
                                      partition=self.next % PARTITIONS, callback=self.delivered)
                self.next += 1
                self.producer.poll(0)
            else:
                self.producer.poll(0.01)

    def end(self):
        self.ending = True
        self.join()
        must(self.producer.flush(120) == 0, "not everything was delivered in the end")
        must(not self.failed, "refused: %s" % self.failed[:5])


def read_all(broker):
    """The place of every record of the topic, and the numbers that are there twice or in another
    partition."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "log_level": 2,
                                         "group.id": "audit", "enable.auto.commit": False,
                                         "enable.partition.eof": True})
    consumer.assign([confluent_kafka.TopicPartition(TOPIC, p, 0) for p in range(PARTITIONS)])
    found = Places()
    wrong = []
    ended = set()
    last = {}
    while len(ended) < PARTITIONS:
        message = consumer.poll(30)
        must(message is not None, "the topic cannot be read to its end")
        if message.error() is not None:
            must(message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF,
                 str(message.error()))
            ended.add(message.partition())
            continue
        partition, offset = message.partition(), message.offset()
        must(offset == last.get(partition, -1) + 1, "a gap before %d/%d" % (partition, offset))
        last[partition] = offset
        number = int(message.value())
        if number % PARTITIONS != partition or not found.put(number, offset):
            wrong.append(number)
    consumer.close()
    return found, wrong


class Committer:
    """Commits ever higher offsets; knows the highest one that was acknowledged."""

    def __init__(self, broker):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": broker.address, "log_level": 2, "group.id": GROUP,
            "enable.auto.commit": False})
        self.committed = 0

    def commit(self, offset):
        try:
            self.consumer.commit(offsets=[confluent_kafka.TopicPartition(TOPIC, 0, offset)],
                                 asynchronous=False)
            self.committed = offset
        except confluent_kafka.KafkaException:
            pass  # the broker was killed meanwhile: the commit may have happened or not

    def check(self, tried):
        got = self.consumer.committed([confluent_kafka.TopicPartition(TOPIC, 0)], timeout=60)[0]
        found = max(got.offset, 0)  # below zero: nothing was committed yet
        must(self.committed <= found <= tried,
             "committed %d, found %d" % (self.committed, got.offset))


def cycles(broker, tap):
    load = Load(broker)
    committer = Committer(broker)
    chance = random.Random(1)
    tried = 0
    load.start()
    wait_until(lambda: load.acked.count, 60, "the first record is acknowledged")
    for cycle in range(CYCLES):
        until = time.monotonic() + 0.3 + chance.random()
        while time.monotonic() < until:
            tried += 1
            committer.commit(tried)
        broker.kill()
        took = broker.start()
        acked_before = load.acked.count
        tap.case("cycle %d: committed offsets stay (ready after %.0f ms, %d acknowledged)" %
                 (cycle + 1, took * 1000, acked_before), committer.check, tried)
    load.end()
    return load


def is_kept(acked, found):
    return acked in (NOWHERE, found) or (acked == SOMEWHERE and found != NOWHERE)


def audit(broker, load):
    found, wrong = read_all(broker)
    must(not wrong, "%d records are doubled or elsewhere: %s" % (len(wrong), wrong[:5]))
    lost = [n for n in range(load.next) if not is_kept(load.acked.get(n), found.get(n))]
    must(not lost, "%d records are not where they were acknowledged: %s" % (len(lost), lost[:5]))
    must(load.acked.count > 100, "there was no load")


def main():
    tap = Tap()
    with Broker("num.partitions=%d" % PARTITIONS) as broker:
        load = cycles(broker, tap)
        tap.case("%d acknowledged records are there, once" % load.acked.count, audit, broker, load)
        broker.check_records(tap)
        if tap.failed:
            print("# " + broker.log().replace("\n", "\n# "))
    tap.end()


if __name__ == "__main__":
    main()
