# SPDX-License-Identifier: Apache-2.0
"""A broker that is alone, as somebody begins, becomes a cluster of three, one voter after the
other, and the three survive the death of the first one under load."""

import json
import signal

import confluent_kafka

from chronik import Tap, must, wait_until
from cluster import Cluster, orderly_end
from phase7 import Load, await_whole, create, kill, own_log

RECORDS = 1000


def voters(node):
    done = node.run("cluster", "status", "--json", "--bootstrap-server", node.address)
    quorum = json.loads(done.stdout)["quorum"] if done.returncode == 0 else None
    return [voter["id"] for voter in quorum["voters"]] if quorum is not None else None


def configure(node, before, after):
    with open(node.properties, encoding="utf-8") as file:
        text = file.read()
    must(before in text, "the settings have " + before)
    with open(node.properties, "w", encoding="utf-8") as file:
        file.write(text.replace(before, after))


def alone(cluster):
    """Its settings name itself, and it serves at once."""
    node = cluster.nodes[0]
    configure(node, cluster.voters, cluster.voters.split(",")[0])
    node.format()
    node.start()
    node.await_ready()
    must(node.create("first", 1), "a topic is made")
    producer = confluent_kafka.Producer({"bootstrap.servers": node.address, "acks": "all"})
    for number in range(RECORDS):
        producer.produce("first", b"%d" % number)
    must(producer.flush(60) == 0, "all is delivered")


def becomes_a_cluster(cluster):
    """It starts again with settings that name all three, and still decides alone."""
    node = cluster.nodes[0]
    must(node.end(signal.SIGTERM) == 0, "it ends in order")
    configure(node, cluster.voters.split(",")[0], cluster.voters)
    node.start()
    node.await_ready()
    must(voters(node) == [1], "it is the only voter: %s" % voters(node))


def joins(cluster, node):
    before = voters(cluster.nodes[0])
    node.format()
    node.start()
    node.await_ready()
    must(voters(node) == before, "it does not vote yet: %s" % voters(node))
    done = node.run("cluster", "voter", "add", str(node.number),
                    cluster.voters.split(",")[node.number - 1].split("@")[1],
                    "--bootstrap-server", node.address)
    must(done.returncode == 0, done.stdout.decode())
    must(voters(node) == before + [node.number], "it votes: %s" % voters(node))


def survives(cluster):
    first = cluster.nodes[0]
    create(cluster, "wide")
    load = Load(cluster, "wide")
    load.start()
    load.flows()
    kill(first)
    load.flows()
    must(cluster.nodes[1].create("later", 1), "topics are made")
    must(voters(cluster.nodes[2]) == [1, 2, 3], "all three are voters")
    first.start()
    first.await_ready()
    await_whole(cluster, "wide")
    load.finish()
    wait_until(lambda: all("later" in node.topics() for node in cluster.nodes), 20,
               "all know every topic")
    must([int(value) for _, value in own_log(first, "first", 0)] == list(range(RECORDS)),
         "what it had when it was alone is there")


def main():
    tap = Tap()
    with Cluster() as cluster:
        tap.case("a node that is alone serves", alone, cluster)
        tap.case("with settings of a cluster it goes on", becomes_a_cluster, cluster)
        for node in cluster.nodes[1:]:
            tap.case("node %d joins, and votes" % node.number, joins, cluster, node)
        tap.case("the first one may die, and come back", survives, cluster)
        tap.case("all end in order", orderly_end, cluster)
        cluster.check_records(tap)
        if tap.failed:
            for node in cluster.nodes:
                print("# node %d\n# %s" % (node.number, node.log()[-4000:].replace("\n", "\n# ")))
    tap.end()


if __name__ == "__main__":
    main()
