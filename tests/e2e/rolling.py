# SPDX-License-Identifier: Apache-2.0
"""A rolling restart: each of three brokers is told to end, and started again when it has, under the
load of clients that are set up as they come: librdkafka's and, where there are Java and Maven,
Kafka's own; kafka-python's with retries, which it does not do by itself. No client shows an error,
nothing that was acknowledged is lost, order is kept, and consumers in groups get everything.

CHRONIK_E2E_ROUNDS (default 1) is how often each broker is restarted."""

import atexit
import collections
import json
import logging
import os
import signal
import subprocess
import threading
import time

import confluent_kafka
import kafka

import java
from chronik import Tap, must, wait_until
from cluster import Cluster, orderly_end
from phase7 import PARTITIONS, SETTLE_SECONDS, await_whole, create, own_log
from syncs import Syncs

ROUNDS = int(os.environ.get("CHRONIK_E2E_ROUNDS", "1"))
PAUSE_SECONDS = 0.005
FLOW_SECONDS = 1
END_SECONDS = 60


class Client(threading.Thread):
    """Something that goes on until it is ended, and notes what went wrong and when something came,
    by partition."""

    def __init__(self, topic):
        super().__init__(daemon=True)
        self.topic = topic
        self.wrong = []
        self.times = collections.defaultdict(list)
        self.ending = threading.Event()
        self.start()

    def run(self):
        try:
            self.work()
        except Exception as error:  # whatever it is, a client has shown it
            self.wrong.append(repr(error))

    def came(self, partition):
        self.times[partition].append(time.monotonic())

    def flows(self, since):
        return sum(times[-1] > since for times in list(self.times.values())) == PARTITIONS

    def longest_ms(self, since):
        """Without anything in a partition."""
        return max((b - a for times in list(self.times.values()) for a, b in zip(times, times[1:])
                    if b >= since), default=0) * 1000

    def end(self):
        self.ending.set()
        self.join(END_SECONDS)
        must(not self.is_alive(), "%s of %s ends" % (type(self).__name__, self.topic))


class Producer(Client):
    """Sends 0, 1, … to each partition; acked: what of it was acknowledged, in that order."""

    def __init__(self, topic):
        self.acked = {partition: [] for partition in range(PARTITIONS)}
        super().__init__(topic)

    def done(self, partition, value):
        self.acked[partition].append(value)
        self.came(partition)


class Rdkafka(Producer):
    def __init__(self, cluster, topic, **settings):
        self.producer = confluent_kafka.Producer(
            {"bootstrap.servers": cluster.addresses, "log_level": 2, **settings})
        super().__init__(topic)

    def delivered(self, error, message):
        if error is not None:
            self.wrong.append("%s: %s" % (message.value(), error))
        else:
            self.done(message.partition(), int(message.value()))

    def work(self):
        number = 0
        while not self.ending.is_set():
            for partition in range(PARTITIONS):
                self.producer.produce(self.topic, b"%d" % number, partition=partition,
                                      on_delivery=self.delivered)
            number += 1
            self.producer.poll(PAUSE_SECONDS)
        must(self.producer.flush(END_SECONDS) == 0, "all is delivered in the end")


class Python(Producer):
    def __init__(self, cluster, topic):
        self.producer = kafka.KafkaProducer(
            bootstrap_servers=cluster.addresses.split(","), acks="all", retries=100,
            max_in_flight_requests_per_connection=1)
        super().__init__(topic)

    def work(self):
        number = 0
        while not self.ending.is_set():
            for partition in range(PARTITIONS):
                sent = self.producer.send(self.topic, b"%d" % number, partition=partition)
                sent.add_callback(lambda _, p=partition, n=number: self.done(p, n))
                sent.add_errback(lambda error: self.wrong.append(repr(error)))
            number += 1
            time.sleep(PAUSE_SECONDS)
        self.producer.flush(END_SECONDS)
        self.producer.close()


class Tool(Client):
    """One of Kafka's own programs, which tells what it does in lines of JSON."""

    def __init__(self, topic, name, *arguments):
        self.process = subprocess.Popen(
            ["java", "-Xmx128m", "-cp", os.path.join(java.JARS, "*"), java.TOOLS + name,
             *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)  # of a test that failed before
        super().__init__(topic)

    def work(self):
        for line in self.process.stdout:
            self.said(json.loads(line))
        self.process.wait()
        must(self.ending.is_set(), "its program ends when it is told")

    def end(self):
        self.ending.set()
        self.process.send_signal(signal.SIGTERM)
        super().end()


class JavaProducer(Tool, Producer):
    """With Java's defaults, which its program does not have: those retry, and are idempotent."""

    def __init__(self, cluster, topic):
        config = os.path.join(cluster.folder, "java.properties")
        with open(config, "w", encoding="ascii") as file:
            file.write("retries=2147483647\nenable.idempotence=true\n")
        super().__init__(topic, "VerifiableProducer", "--bootstrap-server", cluster.addresses,
                         "--topic", topic, "--throughput", "500", "--repeating-keys", "12",
                         "--command-config", config)

    def said(self, what):
        if what["name"] == "producer_send_success":
            self.done(what["partition"], int(what["value"]))
        elif what["name"] == "producer_send_error":
            self.wrong.append(str(what))


class Reader(Client):
    """Of a group; read: the values of each partition in the order of their offsets."""

    def __init__(self, topic):
        self.read = {partition: [] for partition in range(PARTITIONS)}
        self.next = collections.Counter()
        super().__init__(topic)

    def got(self, partition, offset, value):
        if offset < self.next[partition]:
            return  # once more, from what was committed
        if offset > self.next[partition]:
            self.wrong.append("%d-%d is missing before %d" %
                              (partition, self.next[partition], offset))
        self.next[partition] = offset + 1
        self.read[partition].append(int(value))
        self.came(partition)


class RdkafkaReader(Reader):
    def __init__(self, cluster, topic):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": cluster.addresses, "log_level": 2, "group.id": "of-" + topic,
            "auto.offset.reset": "earliest"})
        self.consumer.subscribe([topic])
        super().__init__(topic)

    def work(self):
        while not self.ending.is_set():
            message = self.consumer.poll(0.1)
            if message is None:
                continue
            if message.error() is not None:
                self.wrong.append(str(message.error()))
            else:
                self.got(message.partition(), message.offset(), message.value())
        self.consumer.close()


class PythonReader(Reader):
    def __init__(self, cluster, topic):
        self.consumer = kafka.KafkaConsumer(
            topic, bootstrap_servers=cluster.addresses.split(","), group_id="of-" + topic,
            auto_offset_reset="earliest", consumer_timeout_ms=100)
        super().__init__(topic)

    def work(self):
        while not self.ending.is_set():
            for message in self.consumer:
                self.got(message.partition, message.offset, message.value)
        self.consumer.close()


class JavaReader(Tool, Client):
    """Its program tells offsets and not values."""

    def __init__(self, cluster, topic):
        self.next = collections.Counter()
        super().__init__(topic, "VerifiableConsumer", "--bootstrap-server", cluster.addresses,
                         "--topic", topic, "--group-id", "of-" + topic, "--reset-policy",
                         "earliest")

    def said(self, what):
        if what["name"] == "offsets_committed" and not what["success"]:
            self.wrong.append(str(what))
        if what["name"] != "records_consumed":
            return
        for part in what["partitions"]:
            partition = part["partition"]
            if part["minOffset"] > self.next[partition]:
                self.wrong.append("%d-%d is missing" % (partition, self.next[partition]))
            self.next[partition] = max(self.next[partition], part["maxOffset"] + 1)
            self.came(partition)


def forms(cluster):
    for node in cluster.nodes:
        node.format()
        node.start()
    for node in cluster.nodes:
        node.await_ready()


def clients_of(cluster):
    """(producer, reader) of each kind, with a topic of its own."""
    kinds = [("rdkafka", Rdkafka, RdkafkaReader),
             ("idempotent", lambda *where: Rdkafka(*where, **{"enable.idempotence": True}),
              RdkafkaReader),
             ("python", Python, PythonReader)]
    if java.fetch():
        kinds.append(("java", JavaProducer, JavaReader))
    else:
        print("# Kafka's own clients need Java and Maven")
    for topic, _, _ in kinds:
        create(cluster, topic)
    return [(producer(cluster, topic), reader(cluster, topic)) for topic, producer, reader in kinds]


def await_flow(clients):
    since = time.monotonic()
    for client in (client for pair in clients for client in pair):
        wait_until(lambda one=client: one.flows(since) or one.wrong, SETTLE_SECONDS,
                   "%s of %s gets on" % (type(client).__name__, client.topic))


def restart(cluster, clients, node):
    syncs = Syncs(cluster.folder)
    syncs.start()
    began = time.monotonic()
    must(node.end(signal.SIGTERM) == 0, "node %d ends in order: %s" %
         (node.number, node.log()[-2000:]))
    ended = time.monotonic()
    node.start()
    node.await_ready()
    for topic in ["__consumer_offsets"] + [producer.topic for producer, _ in clients]:
        await_whole(cluster, topic)
    whole = time.monotonic()
    await_flow(clients)
    time.sleep(FLOW_SECONDS)
    syncs.end()
    print("# node %d ended in %.1f s, and was in sync %.1f s later; at most without an "
          "acknowledgement: %s; a bare fdatasync at most %.0f ms" % (
              node.number, ended - began, whole - ended,
              ", ".join("%s %.0f ms" % (producer.topic, producer.longest_ms(began))
                        for producer, _ in clients), max(syncs.all_ms())))


def rolls(cluster, clients):
    for _ in range(ROUNDS):
        for node in cluster.nodes:
            restart(cluster, clients, node)
    for producer, _ in clients:
        producer.end()
    for producer, reader in clients:
        ends = {partition: len(own_log(cluster.nodes[0], producer.topic, partition))
                for partition in range(PARTITIONS)}
        wait_until(lambda: all(reader.next[p] >= end for p, end in ends.items()) or reader.wrong,
                   END_SECONDS, "%s is read to its end" % producer.topic)
        reader.end()


def judge(cluster, began, producer, reader):
    must(not producer.wrong, "its producer shows an error: %s" % producer.wrong[:3])
    must(not reader.wrong, "its consumer shows an error: %s" % reader.wrong[:3])
    count = again = disorder = 0
    for partition, acked in producer.acked.items():
        logs = [own_log(node, producer.topic, partition) for node in cluster.nodes]
        must(all(log == logs[0] for log in logs), "all nodes have the same")
        values = [int(value) for _, value in logs[0]]
        must(set(acked) <= set(values), "%d records are lost" % len(set(acked) - set(values)))
        must(not isinstance(reader, Reader) or reader.read[partition] == values,
             "what is read is what is there")
        first = list(dict.fromkeys(values))
        count += len(acked)
        again += len(values) - len(first)
        disorder += sum(a > b for a, b in zip(first, first[1:]))
    print("# %s: %d records; at most %.0f ms without an acknowledgement, %.0f ms without one to "
          "read; %d twice, %d out of order" % (producer.topic, count, producer.longest_ms(began),
                                               reader.longest_ms(began), again, disorder))
    # Without idempotence, librdkafka may send once more what others were sent behind meanwhile.
    must(producer.topic == "rdkafka" or disorder == 0, "order is kept")
    must(producer.topic not in ("idempotent", "java") or again == 0, "nothing is there twice")


def main():
    logging.disable(logging.CRITICAL)  # kafka-python's, of what it mends itself
    tap = Tap()
    with Cluster() as cluster:
        tap.case("three nodes form a cluster", forms, cluster)
        clients = clients_of(cluster)
        tap.case("clients get on", await_flow, clients)
        began = time.monotonic()
        tap.case("each broker is restarted, %d times" % ROUNDS, rolls, cluster, clients)
        for producer, reader in clients:
            tap.case("clients of %s notice nothing" % producer.topic, judge, cluster, began,
                     producer, reader)
        tap.case("all end in order", orderly_end, cluster)
        cluster.check_records(tap)
        if tap.failed:
            for node in cluster.nodes:
                print("# node %d\n# %s" % (node.number, node.log()[-8000:].replace("\n", "\n# ")))
    tap.end()


if __name__ == "__main__":
    main()
