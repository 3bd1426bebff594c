# SPDX-License-Identifier: Apache-2.0
"""Three brokers with three replicas of everything, as those who run them meet them: how fast
acks=all is, whether each node has each record, and what the death of each leader costs.

CHRONIK_E2E_ROUNDS (default 1) is how often each leader is killed under load, and
CHRONIK_E2E_IDLE (default 5) for how many seconds nothing happens in between."""

import json
import os
import signal
import subprocess
import threading
import time

import confluent_kafka

from chronik import Tap, must, wait_until
from cluster import NODES, Cluster

ROUNDS = int(os.environ.get("CHRONIK_E2E_ROUNDS", "1"))
IDLE_SECONDS = float(os.environ.get("CHRONIK_E2E_IDLE", "5"))
RECORDS = 1000
PARTITIONS = 3
SETTLE_SECONDS = 60
# What the clients of a test wait for is the cluster, and not their own patience.
PATIENCE = {"log_level": 2, "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 50,
            "retry.backoff.ms": 10, "topic.metadata.refresh.fast.interval.ms": 20,
            "socket.timeout.ms": 5000}


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
         (node.number, done.stdout.decode()[-500:]))
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
    leaders = sorted(one["leader"] for one in describe(cluster, "phase7"))
    must(leaders == [1, 2, 3], "each node leads one partition: %s" % leaders)


def thousand(cluster):
    """1000 records of acks=all. How long they take is shown and not judged: others work here."""
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.addresses, "acks": "all",
                                         **PATIENCE})
    producer.list_topics("phase7", 10)
    began = time.monotonic()
    for number in range(RECORDS):
        producer.produce("phase7", b"%d" % number, partition=number % PARTITIONS,
                         on_delivery=lambda error, _: error is not None and failed.append(error))
    must(producer.flush(60) == 0 and not failed, "all are delivered: %s" % failed[:3])
    print("# %d records of acks=all on %d replicas in %.0f ms" %
          (RECORDS, NODES, (time.monotonic() - began) * 1000))


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


def thousand_each(cluster):
    values = each_has_all(cluster, "phase7", set(range(RECORDS)))
    must(len(values) == RECORDS, "%d of %d" % (len(values), RECORDS))
    print("# %d of %d on each of %d nodes" % (len(values), RECORDS, NODES))


class Load(threading.Thread):
    """An idempotent producer that numbers its records, and knows which were acknowledged when."""

    def __init__(self, cluster, topic):
        super().__init__(daemon=True)
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
    load.ending = True
    load.join()
    print("# the longest without an acknowledgement: %.0f ms, of a controller %.0f ms" %
          (longest[False] * 1000, longest[True] * 1000))
    must(not load.failed, "nothing failed: %s" % load.failed[:3])
    must(len(load.acked) == load.sent, "all are acknowledged: %d of %d" %
         (len(load.acked), load.sent))
    values = each_has_all(cluster, topic, load.acked)
    must(len(values) == load.sent, "%d of %d" % (len(values), load.sent))


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
    with Cluster() as cluster:
        tap.case("three nodes lead a partition each, with three replicas", forms, cluster)
        tap.case("%d records of acks=all are acknowledged" % RECORDS, thousand, cluster)
        tap.case("each node has all of them in its own log", thousand_each, cluster)
        create(cluster, "single")
        tap.case("records are acknowledged one by one", one_by_one, cluster)
        tap.case("nothing happens in %.0f s without load" % IDLE_SECONDS, idle, cluster)
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
