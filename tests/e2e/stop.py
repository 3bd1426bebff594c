# SPDX-License-Identifier: Apache-2.0
"""A broker of three that does not die: it stands still (SIGSTOP) and wakes, or the network cuts it
off, from all others or from one, in both directions or in one, while clients still reach it. Or
all of that, by chance.

What was acknowledged with acks=all, by whomever, the woken or lonely broker included, is at its
offset on every node afterwards, without exception. The others go on after the silence that is
configured. acks=1 promises less: what of it is lost is counted and shown, and was sent before the
silence was over, since then there is no lease any more.

CHRONIK_E2E_ROUNDS (default 0: a short form) is how often each fault strikes, CHRONIK_E2E_SEED
(default 1) draws for how long, and CHRONIK_E2E_SLACK_MS is how much longer than the silence, and
the longest fdatasync meanwhile, nothing may be acknowledged with acks=all (default: that is shown,
and not judged: others work here). CHRONIK_E2E_ONLY names the faults that alone shall strike.
Without network namespaces only what stands still is tried, and the rest skipped."""

import math
import os
import random
import signal
import threading
import time

import network
import raw
from chronik import Tap, must, wait_until
from cluster import NODES, Cluster, orderly_end
from phase7 import PARTITIONS, SETTLE_SECONDS, await_whole, create, describe, own_log
from syncs import Syncs

ROUNDS = int(os.environ.get("CHRONIK_E2E_ROUNDS", "0"))
SLACK_MS = os.environ.get("CHRONIK_E2E_SLACK_MS")
ONLY = os.environ.get("CHRONIK_E2E_ONLY", "").split()
LOG_CHARACTERS = 20000
STORM_SECONDS = 10
CHANCE = random.Random(int(os.environ.get("CHRONIK_E2E_SEED", "1")))
SILENCE_MS = 2000 if ROUNDS else 1000
BOTH, OUT, IN = "both", "out", "in"
# What a deaf node sends is heard until its TCP waits for answers: for so long it is not silent.
DEAF_MS = 1000


class Stop:
    """The victim stands still."""

    is_alone = True
    heard_ms = 0  # for so long others hear of it
    leases_ms = 0  # for so long it may get new ones

    def __init__(self, cluster, victim):
        self.process = victim.process

    def begin(self):
        self.process.send_signal(signal.SIGSTOP)

    def end(self):
        self.process.send_signal(signal.SIGCONT)


class Cut:
    """Nothing comes through between the victim and others, in one direction or both."""

    leases_ms = 0

    def __init__(self, cluster, victim, others, way):
        self.net = cluster.net
        self.is_alone = len(others) == NODES - 1
        self.heard_ms = DEAF_MS if way == IN else 0
        self.pairs = []
        for other in others:
            if way in (BOTH, OUT):
                self.pairs.append((victim.number, other.number))
            if way in (BOTH, IN):
                self.pairs.append((other.number, victim.number))

    def begin(self):
        for source, target in self.pairs:
            self.net.drop(source, target)

    def end(self):
        for source, target in self.pairs:
            self.net.heal(source, target)


class Storm:
    """One short fault after the other, by chance, of one node or more at a time. How long nothing
    is acknowledged, and until when leases hold, is then anybody's guess."""

    is_alone = False
    heard_ms = leases_ms = math.inf

    def __init__(self, cluster, _):
        self.cluster = cluster
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def gust(self, victim):
        others = [node for node in self.cluster.nodes if node is not victim]
        if self.cluster.net is None or CHANCE.random() < 0.4:
            return Stop(self.cluster, victim)
        return Cut(self.cluster, victim, CHANCE.sample(others, CHANCE.randint(1, 2)),
                   CHANCE.choice((BOTH, OUT, IN)))

    def run(self):
        while not self.ending.is_set():
            gusts = [self.gust(victim) for victim in
                     CHANCE.sample(self.cluster.nodes, CHANCE.choice((1, 1, 2, 3)))]
            for gust in gusts:
                gust.begin()
            self.ending.wait(CHANCE.random() * SILENCE_MS / 1000)
            for gust in gusts:
                gust.end()
            self.ending.wait(CHANCE.random() * SILENCE_MS / 2000)

    def begin(self):
        self.thread.start()

    def end(self):
        self.ending.set()
        self.thread.join()


def places(cluster, topic):
    """What is at each (partition, offset), the same on every node."""
    logs = {}

    def same():
        try:
            for partition in range(PARTITIONS):
                logs[partition] = [own_log(node, topic, partition) for node in cluster.nodes]
        except AssertionError:
            return False  # it was read while the last records were written
        return all(log == some[0] for some in logs.values() for log in some)

    wait_until(same, SETTLE_SECONDS, "all nodes have the same records of " + topic)
    return {(partition, offset): value for partition, log in logs.items()
            for offset, value in log[0]}


def longest_ms(acked, began, ended):
    """The longest time without an acknowledgement, of each partition."""
    gaps = []
    for partition in range(PARTITIONS):
        times = sorted(one.at for one in acked if one.partition == partition)
        times = [began] + [at for at in times if began < at < ended] + [ended]
        gaps.append(max(b - a for a, b in zip(times, times[1:])) * 1000)
    return gaps


def suffer(cluster, topic, fault, seconds):
    """Load before the fault, in it, and after it; returns that, and the times of the changes."""
    load = raw.Load(cluster.nodes, topic, PARTITIONS)
    load.start()
    load.flows(SETTLE_SECONDS)
    began = time.monotonic()
    fault.begin()
    struck = time.monotonic()
    time.sleep(seconds)
    healed = time.monotonic()
    fault.end()
    load.flows(SETTLE_SECONDS)
    await_whole(cluster, topic)
    load.flows(SETTLE_SECONDS)
    ended = time.monotonic()
    load.end()
    return load, (began, struck, healed, ended)


def endure(cluster, topic, victim, fault, seconds):
    create(cluster, topic)
    led = [one["partition"] for one in describe(cluster, topic) if one["leader"] == victim.number]
    must(led, "node %d leads a partition" % victim.number)
    syncs = Syncs(cluster.folder)
    syncs.start()
    load, (began, struck, healed, ended) = suffer(cluster, topic, fault, seconds)
    syncs.end()
    found = places(cluster, topic)
    gaps = longest_ms(load.acked(raw.ALL), began, ended)
    slowest = max(syncs.all_ms())
    print("# %s: node %d, which led %s, for %.1f s; at most %s ms without an acknowledgement; a "
          "bare fdatasync at most %.0f ms" % (topic, victim.number, led, seconds,
                                              "/".join("%.0f" % gap for gap in gaps), slowest))
    lost = {}
    for acks, name in ((raw.ALL, "all"), (raw.ONE, "1")):
        acked = load.acked(acks)
        lost[acks] = [one for one in acked if found.get((one.partition, one.offset)) != one.value]
        alone = [one for one in acked if one.node == victim.number and struck < one.sent < healed]
        print("#   acks=%s: %d acknowledged, %d of them lost; the victim took %d meanwhile, and %d "
              "when it was over" % (name, len(acked), len(lost[acks]),
                                    sum(one.at < healed for one in alone),
                                    sum(one.at >= healed for one in alone)))
        must(acks == raw.ONE or not fault.is_alone or all(one.at >= healed for one in alone),
             "the victim acknowledges acks=all without others")
    must(not lost[raw.ALL], "%d records of acks=all are lost: %s" %
         (len(lost[raw.ALL]), lost[raw.ALL][:3]))
    late = [one for one in lost[raw.ONE]
            if one.sent > struck + (SILENCE_MS + fault.leases_ms) / 1000]
    must(not late, "%d lost records of acks=1 were sent to who had no lease any more: %s" %
         (len(late), late[:3]))
    must(SLACK_MS is None or max(gaps) <= SILENCE_MS + fault.heard_ms + slowest + int(SLACK_MS),
         "%.0f ms without an acknowledgement" % max(gaps))


def strike(cluster, name, kind, make, seconds):
    controller = cluster.leader()
    follower = next(node for node in cluster.nodes if node is not controller)
    victim = controller if kind == "controller" else follower
    endure(cluster, name, victim, make(cluster, victim), seconds)


def forms(cluster):
    for node in cluster.nodes:
        node.format()
        node.start()
    for node in cluster.nodes:
        node.await_ready()


def cut(way, count=NODES - 1, spares_controller=False):
    """Of all others; or of so many, the controller first or last."""
    def make(cluster, victim):
        controller = cluster.leader()
        others = sorted((node for node in cluster.nodes if node is not victim),
                        key=lambda node: (node is controller) == spares_controller)
        return Cut(cluster, victim, others[:count], way)

    return make


def faults():
    """(name, victim, what strikes it): of the short form, then the others. Each broker leads a
    partition; a victim that is called a leader does not lead the quorum."""
    short = [("stop-leader", "leader", Stop), ("stop-controller", "controller", Stop),
             ("cut-leader", "leader", cut(BOTH))]
    others = [
        ("cut-controller", "controller", cut(BOTH)),
        ("cut-leader-from-controller", "leader", cut(BOTH, 1)),
        ("cut-leader-from-follower", "leader", cut(BOTH, 1, True)),
        ("cut-controller-from-one", "controller", cut(BOTH, 1)),
        ("mute-leader", "leader", cut(OUT)), ("mute-controller", "controller", cut(OUT)),
        ("deaf-leader", "leader", cut(IN)), ("deaf-controller", "controller", cut(IN))]
    others.append(("storm", "leader", Storm))
    return [one for one in short + (others if ROUNDS else []) if not ONLY or one[0] in ONLY]


def run(tap, cluster, obstacle):
    tap.case("three nodes form a cluster", forms, cluster)
    for turn in range(max(ROUNDS, 1)):
        for name, kind, make in faults():
            # Between what nobody has to notice and what all have to; the latter in the first round.
            seconds = SILENCE_MS / 1000 * (CHANCE.uniform(0.3, 2) if turn else 1.5)
            if make is Storm:
                seconds = STORM_SECONDS
            case = "%s-%d" % (name, turn + 1)
            if obstacle is not None and make not in (Stop, Storm):
                tap.skip(case, obstacle)
            else:
                tap.case(case, strike, cluster, case, kind, make, seconds)


def main():
    tap = Tap()
    obstacle = network.enter()
    settings = ["broker.session.timeout.ms=%d" % SILENCE_MS,
                "broker.heartbeat.interval.ms=%d" % (SILENCE_MS / 4),
                "controller.quorum.fetch.timeout.ms=%d" % SILENCE_MS,
                "replica.lag.time.max.ms=%d" % SILENCE_MS,
                "replica.socket.timeout.ms=%d" % SILENCE_MS]
    where = []
    net = None
    if obstacle is None:
        net = network.Network(NODES)
        where = [net.hosts, net.enter]
    with Cluster(settings, *where) as cluster:
        cluster.net = net
        run(tap, cluster, obstacle)
        tap.case("all end in order", orderly_end, cluster)
        cluster.check_records(tap)
        if tap.failed:
            for node in cluster.nodes:
                print("# node %d\n# %s" %
                      (node.number, node.log()[-LOG_CHARACTERS:].replace("\n", "\n# ")))
    if net is not None:
        net.end()
    tap.end()


if __name__ == "__main__":
    main()
