# SPDX-License-Identifier: Apache-2.0
"""What "chronik cluster status" says of three brokers, of which one stands still (SIGSTOP) under
load, goes on, and dies: lag, streams, and why a partition has no leader. Each is asked, and so many
partitions are there that an answer has several pages."""

import json
import signal
import subprocess
import time

from chronik import Tap, must, wait_until
from cluster import Cluster, orderly_end

SETTLE_SECONDS = 60
PARTITIONS = 2100  # an answer has 2000 at most
LOAD = ("--rate", "100", "--seconds", "120", "--acks", "1", "--batch-bytes", "1000",
        "--record-bytes", "100", "--connections", "6")


def table(node, *options):
    done = node.run("cluster", "status", "--timeout", "3000", "--bootstrap-server", node.address,
                    *options)
    must(done.returncode == 0, done.stdout.decode())
    return done.stdout.decode()


def status(node):
    return json.loads(table(node, "--json"))


def streams_to(said, node):
    """Of each broker that tells: its stream to that node."""
    return [stream for stream in said["streams"] if stream["to"] == node.number]


def lags_of(said, node):
    """By partition: how many records the node is behind, as far as that is known."""
    return {(part["topic"], part["partition"]): follower["lag"] for part in said["lag"]
            for follower in part["followers"]
            if follower["id"] == node.number and follower["lag"] is not None}


def is_well(node):
    said = status(node)
    return (all(broker["answers"] and not broker["fenced"] for broker in said["brokers"]) and
            not said["under_replicated"] and not said["leaderless"] and
            len(said["streams"]) == 6 and
            all(stream["state"] == "up" and stream["heard_ago_ms"] < 2000 and
                stream["catching_up"] == 0 for stream in said["streams"]) and
            all(follower["in_sync"] and follower["behind_for_ms"] < 1000
                for part in said["lag"] for follower in part["followers"]))


def await_well(cluster):
    for node in cluster.nodes:
        wait_until(lambda at=node: is_well(at), SETTLE_SECONDS, "all is well")
        text = table(node)
        must("0 under-replicated, 0 without a leader\n" in text and "followers: 0 behind\n" in text
             and text.endswith("streams: 6 up, 0 silent, 0 down\n"), "and nothing else: " + text)


def begins(cluster):
    for node in cluster.nodes:
        node.format()
    for node in cluster.nodes:
        node.start()
    for node in cluster.nodes:
        node.await_ready()
    for topic, partitions, replicas in (("orders", 6, 3), ("alone", 3, 1), ("many", PARTITIONS, 2)):
        done = cluster.nodes[0].run("topic", "create", topic, "--partitions", str(partitions),
                                    "--replication-factor", str(replicas), "--bootstrap-server",
                                    cluster.nodes[0].address)
        must(done.returncode == 0, done.stdout.decode())
    await_well(cluster)
    for node in cluster.nodes:
        said = status(node)
        must(len(said["lag"]) == 6 + PARTITIONS, "every partition with followers is told of")
        must(sum(stream["partitions"] for stream in said["streams"]) == 2 * 6 + PARTITIONS,
             "and has its streams")
        must(table(node, "--all").count("\n  many ") == PARTITIONS, "--all shows every one")


def stands_still(cluster):
    """Its streams are silent, what it misses grows, what it alone had is said to wait for it."""
    victim = cluster.nodes[2]
    other = cluster.nodes[0]
    load = subprocess.Popen([cluster.program, "bench", "produce", "--topic", "orders",
                             "--bootstrap-server", cluster.addresses, *LOAD],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)
        await_well(cluster)
        victim.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: status(other)["leaderless"], SETTLE_SECONDS, "it is missed")
        said = status(other)
        broker = said["brokers"][victim.number - 1]
        must(broker["fenced"] and not broker["answers"] and "did not answer" in broker["why_not"],
             "it is known not to answer: %s" % broker)
        must([stream["from"] for stream in streams_to(said, victim)] == [1, 2] and
             all(stream["state"] == "silent" and stream["heard_ago_ms"] > 1000
                 and stream["up_for_ms"] is None for stream in streams_to(said, victim)),
             "both streams to it are silent: %s" % said["streams"])
        must(any(stream["unacknowledged_bytes"] > 0 for stream in streams_to(said, victim)),
             "something waits for it: %s" % said["streams"])
        must([(part["topic"], part["waits_for"], part["eligible"]) for part in said["leaderless"]]
             == [("alone", "eligible_leader_replica", [victim.number])],
             "what it had alone waits for it: %s" % said["leaderless"])
        first = lags_of(said, victim)
        later = lags_of(status(other), victim)
        must(any(later[part] > first[part] > 0 for part in first if part in later),
             "it is further and further behind: %s" % first)
        text = table(other)
        must("fenced  does not tell: " in text and "  silent  " in text and
             "until one of these is back: 3\n" in text and " behind, at most " in text and
             "more: --all shows them\n" in text and "those from 1 broker are unknown\n" in text,
             text)
        victim.process.send_signal(signal.SIGCONT)
        await_well(cluster)
    finally:
        victim.process.send_signal(signal.SIGCONT)
        load.terminate()
        load.wait()


def dies(cluster):
    """The streams to it are down, not silent."""
    victim = cluster.leader()
    other = cluster.nodes[victim.number % 3]
    victim.end(signal.SIGKILL)
    wait_until(lambda: status(other)["brokers"][victim.number - 1]["fenced"] and
               status(other)["quorum"] is not None, SETTLE_SECONDS, "it is missed")
    said = status(other)
    must("refused" in said["brokers"][victim.number - 1]["why_not"], "nobody is there: %s" %
         said["brokers"])
    must(len(streams_to(said, victim)) == 2 and
         all(stream["state"] == "down" for stream in streams_to(said, victim)),
         "the streams to it are down: %s" % said["streams"])
    voter = said["quorum"]["voters"][victim.number - 1]
    must(voter["log_end"] == voter["heard_ms"] == -1, "its successor has not heard it: %s" % voter)
    victim.start()
    victim.await_ready()
    await_well(cluster)


def is_alone(cluster):
    """What a broker says that nobody leads may be old, and it says so."""
    for node in cluster.nodes[1:]:
        node.end(signal.SIGKILL)
    wait_until(lambda: status(cluster.nodes[0])["quorum"] is None, SETTLE_SECONDS, "none leads")
    must(status(cluster.nodes[0])["controller"] == -1, "nobody is the controller")
    must("controller none\n" in table(cluster.nodes[0]) and "may be old\n" in
         table(cluster.nodes[0]), "it is said: " + table(cluster.nodes[0]))
    for node in cluster.nodes[1:]:
        node.start()
    for node in cluster.nodes[1:]:
        node.await_ready()
    await_well(cluster)


def main():
    tap = Tap()
    with Cluster() as cluster:
        tap.case("every node tells of all partitions and streams", begins, cluster)
        tap.case("a node that stands still lags, and its streams are silent", stands_still, cluster)
        tap.case("the streams to a node that died are down", dies, cluster)
        tap.case("a node that is alone says that it may be wrong", is_alone, cluster)
        tap.case("all end in order", orderly_end, cluster)
        if tap.failed:
            for node in cluster.nodes:
                print("# node %d\n# %s" % (node.number, node.log()[-4000:].replace("\n", "\n# ")))
    tap.end()


if __name__ == "__main__":
    main()
