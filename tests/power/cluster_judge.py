# SPDX-License-Identifier: Apache-2.0
"""Asks three brokers that came back after a power loss whether they are one cluster, and keep what
was promised before it; then compares what each of them has on its disk."""

import collections
import select
import signal
import subprocess
import time

import cluster_load
import cluster_promises
import load
import promises
import wire
from judge import must

PATIENCE_SECONDS = 30
PARTITION_BYTES = 1 << 20
OFFSETS = "__consumer_offsets"
NODES = range(1, cluster_load.NODES + 1)


class Cluster:
    """Brokers on the folders FOLDER/N/data, at an address of their own."""

    def __init__(self, plan, folder, host):
        self.plan = plan
        self.folder = folder
        self.host = host
        self.processes = {}

    def data(self, number):
        return "%s/%d/data" % (self.folder, number)

    def start(self):
        for number in NODES:
            with open("%s/errors%d" % (self.folder, number), "wb") as errors:
                self.processes[number] = subprocess.Popen(
                    self.plan.command(number, self.data(number), "broker"),
                    stdout=subprocess.PIPE, stderr=errors,
                    env=self.plan.environment(POWER_LOOPBACK=self.host))
        for number, process in self.processes.items():
            must(select.select([process.stdout], [], [], PATIENCE_SECONDS)[0] and
                 process.stdout.readline().startswith(b"chronik ready: "),
                 "node %d does not become ready", number)

    def kill(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGKILL)
        for process in self.processes.values():
            process.wait()
            process.stdout.close()
        self.processes = {}

    def errors(self):
        said = []
        for number in NODES:
            with open("%s/errors%d" % (self.folder, number), "rb") as errors:
                said.append("node %d: %s" % (number, errors.read()[-3000:].decode(
                    errors="replace")))
        return "\n".join(said)


class ClusterJudge:
    """`promised`, `written` ({(topic, partition, offset, epoch): checksum}): before the power loss,
    which came at `cut_ns`."""

    def __init__(self, cluster, promised, written, cut_ns):
        self.cluster = cluster
        self.promised = promised
        self.written = written
        self.requests = promised.requests
        self.cut_ns = cut_ns
        self.connections = {number: wire.Connection(cluster.plan.port(number), cluster.host)
                            for number in NODES}
        self.end = time.monotonic() + PATIENCE_SECONDS
        self.topics = {}   # {name: (error, id, partitions)}, as all nodes say
        self.found = {}    # {(topic, partition): [(batch, its bytes)]}
        self.added = {}    # {(topic, partition): the offset of what came after the power loss}
        self.tally = collections.Counter()

    def judge(self):
        self.settle(self.names() + [OFFSETS])
        self.judge_topics()
        self.read()
        for where in self.found:
            self.judge_order(where)
            if self.promised.is_durable(where[0]):
                self.judge_records(where)
        self.judge_offsets()
        self.judge_producers()
        self.judge_new_topic()
        self.judge_new_records()
        self.settle(list(self.topics))
        for connection in self.connections.values():
            connection.close()
        self.cluster.kill()
        self.judge_disks()

    def sent(self, kind):
        """What had been asked for before the power loss, or may have been."""
        return [request.what for request in self.requests.values()
                if request.kind == kind and request.after < self.cut_ns]

    def names(self):
        return list(dict.fromkeys(list(cluster_load.TOPICS) +
                                  [name for name, _, _ in self.sent("topic")]))

    def wait(self, what, *values):
        must(time.monotonic() < self.end, "not within %d s: " + what, PATIENCE_SECONDS, *values)
        time.sleep(0.01)

    # One cluster.

    def settle(self, names):
        """Until all nodes say the same of the topics, and all replicas are in sync."""
        while True:
            said = [self.connections[number].ask(wire.METADATA, wire.metadata(names),
                                                 wire.cluster_described) for number in NODES]
            if all(one == said[0] for one in said) and len(said[0][0]) == len(NODES) and all(
                    leader > 0 and len(in_sync) == len(NODES)
                    for _, _, partitions in said[0][1].values()
                    for leader, _, in_sync in partitions.values()):
                self.topics = said[0][1]
                return
            self.wait("the nodes are one cluster, and all in sync: %s", said)

    def judge_topics(self):
        steps = {}
        for name, number, is_made in self.sent("topic"):
            steps.setdefault(name, []).append((number, is_made))
        for name in self.names():
            error, _, partitions = self.topics[name]
            must(error in (0, load.UNKNOWN_TOPIC), "topic %s: error %d", name, error)
            number, is_made = self.promised.topics.get(name, (-1, False))
            allowed = {is_made} | {made for step, made in steps.get(name, ()) if step > number}
            must((error == 0) in allowed or None in allowed, "topic %s is %s", name,
                 "there" if error == 0 else "missing")
            must(error != 0 or len(partitions) == cluster_load.TOPICS.get(name, (1,))[0],
                 "topic %s has %d partitions", name, len(partitions))

    def partitions(self):
        return [(name, partition) for name, (error, _, partitions) in self.topics.items()
                for partition in partitions if error == 0]

    def ask_leaders(self, api, encode, values, decode):
        """{(topic, partition): answer} of the leaders, once none has an error that goes by."""
        answers = {}
        left = dict(values)
        while True:
            by_leader = {}
            for where, value in left.items():
                leader = self.topics[where[0]][2][where[1]][0]
                by_leader.setdefault(leader, {})[where] = value
            for leader, part in by_leader.items():
                answers.update(self.connections[leader].ask(api, encode(part), decode))
            left = {where: value for where, value in left.items()
                    if answers[where][0] in cluster_load.GOES_BY}
            if not left:
                return answers
            self.wait("no leader says %s", {where: answers[where][0] for where in left})
            self.settle(list(self.topics))
            must(set(left) <= set(self.partitions()), "topics went: %s", left.keys())

    # Records.

    def read(self):
        """All that can be read."""
        ends = self.ask_leaders(wire.LIST_OFFSETS, wire.list_offsets,
                                {where: wire.LATEST for where in self.partitions()}, wire.listed)
        places = {where: 0 for where in ends}
        self.found = {where: [] for where in ends}
        while places:
            for where in [where for where, place in places.items() if place >= ends[where][2]]:
                del places[where]
            reply = self.ask_leaders(wire.FETCH, lambda part: wire.fetch(part, 0, PARTITION_BYTES),
                                     places, wire.fetched) if places else {}
            for where, (error, _, records) in reply.items():
                must(error == 0 and records, "%s-%d: cannot be read at %d: error %d", *where,
                     places[where], error)
                for batch in promises.batches(records):
                    self.found[where].append((batch, records[batch.position:batch.end]))
                places[where] = self.found[where][-1][0].end_offset

    def end_of(self, where):
        return self.found[where][-1][0].end_offset if self.found[where] else 0

    def judge_order(self, where):
        """No holes, no epoch that goes back, and nothing twice."""
        end = epoch = 0
        sequences = {}
        for batch, _ in self.found[where]:
            must(batch.base_offset == end, "%s-%d: %d follows %d", *where, batch.base_offset, end)
            must(batch.epoch >= epoch, "%s-%d: epoch %d follows %d", *where, batch.epoch, epoch)
            end, epoch = batch.end_offset, batch.epoch
            if batch.producer < 0:
                continue
            next = sequences.get(batch.producer, 0)
            # Who finds nothing of a producer takes any sequence: what it wrote before was cached.
            must(batch.sequence == next or
                 (batch.sequence > next and not self.promised.is_durable(where[0])),
                 "%s-%d: at %d sequence %d of producer %d follows %d", *where, batch.base_offset,
                 batch.sequence, batch.producer, next)
            sequences[batch.producer] = batch.sequence + end - batch.base_offset

    def is_kept(self, batch):
        """Its topic is still the one that it was acknowledged in."""
        name, step = self.promised.kept.fills.get(batch.producer, (None, None))
        return name is None or self.promised.topics.get(name) == (step, True)

    def judge_records(self, where):
        there = {batch.base_offset: (batch, data) for batch, data in self.found[where]}
        must(self.end_of(where) >= self.promised.ends.get(where, 0),
             "%s-%d: it ends at %d, and %d was told", *where, self.end_of(where),
             self.promised.ends.get(where, 0))
        for offset, batch in self.promised.acked[where]:
            must(not self.is_kept(batch) or is_same(there.get(offset), batch.data),
                 "%s-%d: what was acknowledged at %d is not there", *where, offset)
        for offset, batch in self.promised.at_risk[where]:
            self.tally["batches were acknowledged with acks=1"] += 1
            if not is_same(there.get(offset), batch.data):
                self.tally["of these were lost, as acks=1 allows"] += 1
        for offset, crc in self.promised.consumed[where]:
            must(offset in there and there[offset][0].crc == crc,
                 "%s-%d: what was read at %d is not there", *where, offset)

    # What else was promised.

    def judge_offsets(self):
        if not self.promised.commits:
            return
        while True:
            error, broker = self.connections[1].ask(wire.FIND_COORDINATOR, wire.string(load.GROUP),
                                                    wire.coordinator_at)
            if error == 0:
                reply = self.connections[broker].ask(
                    wire.OFFSET_FETCH, wire.offset_fetch(load.GROUP, list(self.promised.commits)),
                    wire.offsets_fetched)
                error = max(error for error, _ in reply.values())
            if error not in cluster_load.GOES_BY:
                break
            self.wait("a coordinator answers: %d", error)
        for where, promised in self.promised.commits.items():
            asked = max(offset for to, offset in self.sent("commit") if to == where)
            error, offset = reply[where]
            must(error == 0 and promised <= offset <= asked,
                 "%s-%d: committed was %d, and is %d: error %d", *where, promised, offset, error)

    def judge_producers(self):
        """The last acknowledged batch of each producer comes again, and then those behind it: each
        is in the log once."""
        sent = {}
        for batch in self.sent("produce"):
            if batch.producer >= 0:
                sent.setdefault(batch.producer, {})[batch.sequence] = batch
        for where, acked in self.promised.acked.items():
            if where not in self.found:
                continue  # its deletion was under way
            last = {batch.producer: (offset, batch) for offset, batch in acked
                    if self.is_kept(batch)}
            for producer, (offset, batch) in last.items():
                following = [again for sequence, again in sorted(sent[producer].items())
                             if sequence >= batch.sequence]
                for again in following[:load.WINDOW + 1]:
                    self.produce_again(where, again, offset if again is batch else None)

    def produce_again(self, where, batch, at):
        answer = self.ask_leaders(wire.PRODUCE, lambda part: wire.produce(part, -1),
                                  {where: batch.data}, wire.produced)
        error, offset, *_ = answer[where]
        must(error == 0, "%s-%d: sequence %d of producer %d again: error %d", *where,
             batch.sequence, batch.producer, error)
        must(at is None or offset == at, "%s-%d: acknowledged at %d, and then at %d", *where, at,
             offset)
        before = {one.base_offset: (one, data) for one, data in self.found[where]}
        must(offset >= self.end_of(where) or is_same(before.get(offset), batch.data),
             "%s-%d: a batch is acknowledged at %d, where another one is", *where, offset)

    def judge_new_topic(self):
        while True:
            created = self.connections[2].ask(
                wire.CREATE_TOPICS, wire.create_topics({"after": (1, {})}, len(NODES)),
                wire.topics_created)["after"]
            if created not in cluster_load.GOES_BY:
                break
            self.wait("a topic can be made: error %d", created)
        must(created == 0, "no topic can be made: error %d", created)
        names = list(self.topics) + ["after"]
        self.settle(names)
        while self.topics["after"][0] != 0:
            self.wait("all nodes know what was made")
            self.settle(names)

    def judge_new_records(self):
        error, producer, epoch = self.connections[3].ask(
            wire.INIT_PRODUCER_ID, wire.init_producer_id(), wire.producer_id_given)
        must(error == 0, "no producer id: error %d", error)
        must(producer not in self.promised.producers, "producer id %d is given again", producer)
        data = wire.batch([b"after"], producer, epoch, 0, int(time.time() * 1000))
        wanted = {where: data for where in self.partitions() if where[0] != OFFSETS}
        for where, (error, offset, *_) in self.ask_leaders(
                wire.PRODUCE, lambda part: wire.produce(part, -1), wanted, wire.produced).items():
            must(error == 0, "%s-%d: takes no records any more: error %d", *where, error)
            must(where not in self.found or offset >= self.end_of(where),
                 "%s-%d: new records at %d", *where, offset)
            self.added[where] = offset

    # What is on the disks.

    def judge_disks(self):
        """Replicas agree, and nobody wrote anything else at an offset under an epoch before."""
        logs = {where: (self.topics[where[0]][1], where[1]) for where in self.partitions()}
        logs[cluster_promises.METADATA, 0] = cluster_promises.METADATA, 0
        for where, key in logs.items():
            copies = [cluster_promises.log_on_disk(self.cluster.data(number), where)
                      for number in NODES]
            must(where not in self.added or all(self.added[where] in copy for copy in copies),
                 "%s-%d: a replica in sync lacks what was acknowledged", *where)
            begin = max(min(copy, default=0) for copy in copies)
            end = min(max(copy, default=-1) for copy in copies)
            for offset in range(begin, end + 1):
                found = [copy.get(offset) for copy in copies]
                must(found.count(found[0]) == len(found), "%s-%d: replicas differ at %d", *where,
                     offset)
            for offset, (batch, _) in (item for copy in copies for item in copy.items()):
                crc = self.written.get((*key, offset, batch.epoch))
                must(crc in (None, batch.crc),
                     "%s-%d: offset %d and epoch %d have named two things", *where, offset,
                     batch.epoch)


def is_same(found, data):
    """A batch that was found is what a client sent, but for its offset and its epoch."""
    return found is not None and found[1][wire.BATCH_CRC_AT:] == data[wire.BATCH_CRC_AT:]
