# SPDX-License-Identifier: Apache-2.0
"""Three brokers with three replicas of everything, on ports 9092 to 9094 where those are free, as
those who run them meet them: how fast acks=all is, whether each node has each record, also after
silence and elections, and what the death of each leader costs.

CHRONIK_E2E_ROUNDS (default 1) is how often each leader is killed under load, and each node is
restarted before an election; CHRONIK_E2E_IDLE (default 5) for how many seconds nothing happens in
between. CHRONIK_E2E_BOUND_MS is how long a thousand records may take: without it that is shown and
not judged, since others work here. With CHRONIK_E2E_KAFKA Kafka's own dump tool, which comes as for
java.py, reads a node's log, too."""

import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import confluent_kafka

import java
import raw
from chronik import Tap, must, wait_until
from cluster import NODES, Cluster

ROUNDS = int(os.environ.get("CHRONIK_E2E_ROUNDS", "1"))
IDLE_SECONDS = float(os.environ.get("CHRONIK_E2E_IDLE", "5"))
BOUND_MS = os.environ.get("CHRONIK_E2E_BOUND_MS")
PORTS = range(9092, 9092 + NODES)
RECORDS = 1000
PARTITIONS = 3
ELECTION_NOT_NEEDED = 84
SETTLE_SECONDS = 60
# What the clients of a test wait for is the cluster, and not their own patience.
PATIENCE = {"log_level": 2, "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 50,
            "retry.backoff.ms": 10, "topic.metadata.refresh.fast.interval.ms": 20,
            "socket.timeout.ms": 5000}


def ports():
    """Those of three brokers on one machine; none, where somebody has one of them."""
    try:
        for port in PORTS:
            socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        print("# other ports than %d to %d: %s" % (PORTS[0], PORTS[-1], error))
        return ()
    return PORTS


def describe(cluster, topic):
    """The partitions of a topic as a node that runs knows them; None while nobody does."""
    for node in cluster.nodes:
        if node.process is None:
            continue
        done = subprocess.run([cluster.program, "topic", "describe", topic, "--json", "--timeout",
                               "2000", "--bootstrap-server", node.address],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            return json.loads(done.stdout)["partitions"]
    return None


def is_whole(cluster, topic):
    """Every partition has a leader and all of its replicas in sync."""
    partitions = describe(cluster, topic)
    return partitions is not None and all(
        one["leader"] > 0 and len(one["in_sync"]) == NODES for one in partitions)


def await_whole(cluster, topic):
    wait_until(lambda: is_whole(cluster, topic), SETTLE_SECONDS,
               "every replica of %s is in sync" % topic)


def own_log(node, topic, partition):
    """(offset, value) of every record of a partition in the node's own files."""
    folder = os.path.join(node.folder, "data", "%s-%d" % (topic, partition))
    done = node.run("dump", "--records", "--json", folder)
    must(done.returncode == 0, "node %d has a sound log: %s" %
         (node.number, done.stdout[-1000:].decode(errors="replace")))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [(line["offset"], line["value"]) for line in lines if line["kind"] == "record"]


def create(cluster, topic):
    done = cluster.nodes[0].run("topic", "create", topic, "--partitions", str(PARTITIONS),
                                "--replication-factor", str(NODES), "--config",
                                "min.insync.replicas=2", "--bootstrap-server",
                                cluster.nodes[0].address)
    must(done.returncode == 0, done.stdout.decode())
    await_whole(cluster, topic)


def forms(cluster):
    for node in cluster.nodes:
        node.format()
        node.start()
    for node in cluster.nodes:
        node.await_ready()
    create(cluster, "phase7")
    found = sorted(leaders(cluster, "phase7"))
    must(found == [1, 2, 3], "each node leads one partition: %s" % found)


def thousand(cluster, first):
    """1000 records of acks=all, from this one on."""
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.addresses, "acks": "all",
                                         **PATIENCE})
    producer.list_topics("phase7", 10)
    began = time.monotonic()
    for number in range(first, first + RECORDS):
        producer.produce("phase7", b"%d" % number, partition=number % PARTITIONS,
                         on_delivery=lambda error, _: error is not None and failed.append(error))
    must(producer.flush(60) == 0 and not failed, "all are delivered: %s" % failed[:3])
    took_ms = (time.monotonic() - began) * 1000
    print("# %d records of acks=all on %d replicas in %.0f ms" % (RECORDS, NODES, took_ms))
    must(not BOUND_MS or took_ms < float(BOUND_MS), "%.0f ms are too many" % took_ms)


def one_by_one(cluster):
    """Each is acknowledged before the next is produced."""
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.addresses, "acks": "all",
                                         "linger.ms": 0, **PATIENCE})
    times = []
    for number in range(200):
        began = time.monotonic()
        producer.produce("single", b"%d" % number, partition=number % PARTITIONS)
        must(producer.flush(60) == 0, "it is delivered")
        times.append((time.monotonic() - began) * 1000)
    times.sort()
    print("# one record of acks=all after the other: median %.2f ms, 99 of 100 in %.2f ms" %
          (times[len(times) // 2], times[len(times) * 99 // 100]))


def each_has_all(cluster, topic, expected):
    """Every node's own log has the same records, and these values of them exactly once."""
    logs = {}

    def same():
        for partition in range(PARTITIONS):
            logs[partition] = [own_log(node, topic, partition) for node in cluster.nodes]
            if any(log != logs[partition][0] for log in logs[partition]):
                return False
        return True

    wait_until(same, SETTLE_SECONDS, "all nodes have the same records of " + topic)
    values = [int(value) for partition in logs for _, value in logs[partition][0]]
    must(len(values) == len(set(values)), "nothing is there twice: %d of %d" %
         (len(set(values)), len(values)))
    must(set(values) >= expected, "%d records that were acknowledged are lost: %s" %
         (len(expected - set(values)), sorted(expected - set(values))[:5]))
    for partition in logs:
        offsets = [offset for offset, _ in logs[partition][0]]
        must(offsets == list(range(len(offsets))), "there is no gap in partition %d" % partition)
    return values


def thousand_each(cluster, count):
    values = each_has_all(cluster, "phase7", set(range(count)))
    must(len(values) == count, "%d of %d" % (len(values), count))
    print("# %d of %d on each of %d nodes" % (len(values), count, NODES))


def kafka_reads(cluster):
    """Kafka's own tool finds in the log of a node what ours does."""
    node = cluster.nodes[0]
    count = 0
    for partition in range(PARTITIONS):
        text = java.tool("DumpLogSegments", "--print-data-log", "--files", ",".join(sorted(
            glob.glob(os.path.join(node.folder, "data", "phase7-%d" % partition, "*.log")))))
        found = re.findall(r"^\| offset: (\d+) .* payload: (\d+)$", text, re.M)
        must([(int(offset), value) for offset, value in found] ==
             own_log(node, "phase7", partition), text[-2000:])
        count += len(found)
    must(count == RECORDS, "%d of %d" % (count, RECORDS))
    print("# Kafka's dump tool: %d of %d on node %d" % (count, RECORDS, node.number))


class Load(threading.Thread):
    """An idempotent producer that numbers its records, and knows which were acknowledged when."""

    def __init__(self, cluster, topic):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.topic = topic
        self.acked = set()
        self.failed = []
        self.sent = 0
        self.ending = False
        self.last = [time.monotonic()] * PARTITIONS
        self.gap = [0.0] * PARTITIONS  # between two acknowledgements, since reset()
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": cluster.addresses, "acks": "all", "enable.idempotence": True,
            "linger.ms": 0, "message.timeout.ms": 120000, **PATIENCE})

    def delivered(self, error, message):
        if error is not None:
            self.failed.append(error)
            return
        now = time.monotonic()
        partition = message.partition()
        self.gap[partition] = max(self.gap[partition], now - self.last[partition])
        self.last[partition] = now
        self.acked.add(int(message.value()))

    def reset(self):
        self.gap = [0.0] * PARTITIONS

    def run(self):
        while not self.ending:
            for partition in range(PARTITIONS):
                self.producer.produce(self.topic, b"%d" % self.sent, partition=partition,
                                      on_delivery=self.delivered)
                self.sent += 1
            self.producer.poll(0.002)
        self.producer.flush(120)

    def flows(self):
        """Waits until every partition has taken records that were sent from now on."""
        since = time.monotonic()
        wait_until(lambda: min(self.last) > since + 0.2, SETTLE_SECONDS, "records are taken")

    def finish(self):
        """Ends; then every record is acknowledged, and on each node once."""
        self.ending = True
        self.join()
        must(not self.failed, "nothing failed: %s" % self.failed[:3])
        must(len(self.acked) == self.sent, "all are acknowledged: %d of %d" %
             (len(self.acked), self.sent))
        values = each_has_all(self.cluster, self.topic, self.acked)
        must(len(values) == self.sent, "%d of %d" % (len(values), self.sent))


def kill(node):
    process = node.process
    node.process = None
    process.kill()
    process.wait()
    process.stdout.close()


def kill_each_leader(cluster, how):
    topic = "under-" + how
    create(cluster, topic)
    load = Load(cluster, topic)
    load.start()
    load.flows()
    longest = {True: 0.0, False: 0.0}
    for turn in range(ROUNDS * NODES):
        node = cluster.nodes[turn % NODES]
        led = [one["partition"] for one in describe(cluster, topic)
               if one["leader"] == node.number]
        leads_quorum = cluster.leader() is node
        load.reset()
        if how == "death":
            kill(node)
        else:
            must(node.end(signal.SIGTERM) == 0, "node %d ends in order" % node.number)
        load.flows()
        gaps = list(load.gap)
        others = [gaps[i] for i in range(PARTITIONS) if i not in led]
        began = time.monotonic()
        node.start()
        node.await_ready()
        await_whole(cluster, topic)
        took = time.monotonic() - began
        print("# node %d%s: led %s; at most %s ms without an acknowledgement, others %s ms; "
              "in sync %.1f s after its start" % (
                  node.number, " (controller)" if leads_quorum else "", led or "nothing",
                  "/".join("%.0f" % (gaps[i] * 1000) for i in led) or "-",
                  "/".join("%.0f" % (gap * 1000) for gap in others) or "-", took))
        longest[leads_quorum] = max([longest[leads_quorum]] + [gaps[i] for i in led])
    print("# the longest without an acknowledgement: %.0f ms, of a controller %.0f ms" %
          (longest[False] * 1000, longest[True] * 1000))
    load.finish()


def elect(node, topic):
    """Has the preferred leaders of a topic lead, by ElectLeaders 0; how many took over."""
    frame = struct.pack(">hhi", 43, 0, 1) + raw.text("phase7") + struct.pack(">i", 1) + \
        raw.text(topic) + struct.pack(">%di" % (PARTITIONS + 2), PARTITIONS, *range(PARTITIONS),
                                      SETTLE_SECONDS * 1000)
    with socket.create_connection((node.host, node.port), SETTLE_SECONDS) as link:
        link.sendall(struct.pack(">i", len(frame)) + frame)
        answers = link.makefile("rb")
        answer = answers.read(struct.unpack(">i", answers.read(4))[0])
    errors = []
    at = 4 + 4 + 4 + 2 + len(topic) + 4
    for _ in range(PARTITIONS):
        _, error, length = struct.unpack_from(">ihh", answer, at)
        errors.append(error)
        at += 8 + max(length, 0)
    must(set(errors) <= {0, ELECTION_NOT_NEEDED}, "errors of the election: %s" % errors)
    return errors.count(0)


def leaders(cluster, topic):
    return [one["leader"] for one in describe(cluster, topic)]


def elections(cluster):
    """Each node in turn is restarted, leads nothing, and is elected by hand, under load."""
    create(cluster, "elected")
    preferred = {topic: leaders(cluster, topic) for topic in ("phase7", "elected")}
    load = Load(cluster, "elected")
    load.start()
    for turn in range(ROUNDS * NODES):
        node = cluster.nodes[turn % NODES]
        load.flows()
        must(node.end(signal.SIGTERM) == 0, "node %d ends in order" % node.number)
        node.start()
        node.await_ready()
        for topic, wanted in preferred.items():
            await_whole(cluster, topic)
            must(node.number not in leaders(cluster, topic), "others lead %s" % topic)
            must(elect(cluster.nodes[(turn + 1) % NODES], topic) == 1, "one leader moves")
            wait_until(lambda which=topic, all_of=wanted: leaders(cluster, which) == all_of,
                       SETTLE_SECONDS, "the preferred leaders lead %s" % topic)
    load.finish()
    # librdkafka takes up to a second until it dials a broker that it has had nothing for.
    print("# %d elections by hand; at most %.0f ms without an acknowledgement" %
          (len(preferred) * ROUNDS * NODES, max(load.gap) * 1000))


def idle(cluster):
    """Nobody is elected, and nobody leaves, when nothing happens."""
    before = describe(cluster, "phase7")
    terms = cluster.leader().terms_led()
    time.sleep(IDLE_SECONDS)
    must(describe(cluster, "phase7") == before, "leaders and replicas are as they were")
    must(cluster.leader().terms_led() == terms, "no controller was elected")


def orderly_end(cluster):
    for node in cluster.nodes:
        must(node.end(signal.SIGTERM) == 0, "node %d ends in order: %s" %
             (node.number, node.log()[-2000:]))


def main():
    tap = Tap()
    with Cluster(ports=ports()) as cluster:
        tap.case("three nodes lead a partition each, with three replicas", forms, cluster)
        tap.case("%d records of acks=all are acknowledged" % RECORDS, thousand, cluster, 0)
        tap.case("each node has all of them in its own log", thousand_each, cluster, RECORDS)
        if os.environ.get("CHRONIK_E2E_KAFKA"):
            if java.fetch():
                tap.case("kafka-dump-log finds all of them, too", kafka_reads, cluster)
            else:
                tap.skip("kafka-dump-log finds all of them, too", "it needs Java and Maven")
        create(cluster, "single")
        tap.case("records are acknowledged one by one", one_by_one, cluster)
        tap.case("nothing happens in %.0f s without load" % IDLE_SECONDS, idle, cluster)
        tap.case("leaders that are elected by hand lead, and no client sees an error", elections,
                 cluster)
        tap.case("%d records more are acknowledged" % RECORDS, thousand, cluster, RECORDS)
        tap.case("each node has all of these, too", thousand_each, cluster, 2 * RECORDS)
        tap.case("kill -9 of each leader under load loses and doubles nothing", kill_each_leader,
                 cluster, "death")
        tap.case("SIGTERM of each leader under load likewise", kill_each_leader, cluster, "leave")
        tap.case("all end in order", orderly_end, cluster)
        cluster.check_records(tap)
        if tap.failed:
            for node in cluster.nodes:
                print("# node %d\n# %s" % (node.number, node.log()[-4000:].replace("\n", "\n# ")))
    tap.end()


if __name__ == "__main__":
    main()
