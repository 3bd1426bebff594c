# SPDX-License-Identifier: Apache-2.0
"""Asks a broker that came back after a power loss whether it keeps what was promised before it."""

import time

import load
import promises
import wire

PATIENCE_SECONDS = 20
PARTITION_BYTES = 1 << 20


def must(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


class Judge:
    """`cut`: how many entries of the log of calls the power loss came after."""

    def __init__(self, connection, promised, written, requests, cut):
        self.connection = connection
        self.promised = promised
        self.written = written
        self.requests = requests
        self.cut = cut
        self.partitions = {}  # {(topic, partition): (topic's id, partition)}
        self.starts = {}
        self.ends = {}
        self.recovered = {}  # the ends, once retries were there again
        self.added = {}  # {(topic, partition): batches that came after the power loss}

    def judge(self):
        self.judge_topics()
        self.judge_ends()
        self.judge_records()
        self.judge_offsets()
        self.judge_producers()
        self.judge_new_records()
        self.judge_epochs()
        self.judge_new_topic()

    def sent(self, kind):
        """What had been asked for before the power loss, or may have been."""
        return [request.what for request in self.requests.values()
                if request.kind == kind and request.after < self.cut]

    def ask(self, api, body, decode, passing=lambda reply: ()):
        """The reply, once it holds no error that a broker gives in passing."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            reply = self.connection.ask(api, body, decode)
            if not set(passing(reply)) & set(load.GOES_BY):
                return reply
            must(time.monotonic() < end, "errors do not go by: %s", reply)
            time.sleep(0.002)

    def judge_topics(self):
        steps = {name: [] for name in load.TOPICS}
        for name, number, is_made in self.sent("topic"):
            steps.setdefault(name, []).append((number, is_made))
        reply = self.ask(wire.METADATA, wire.metadata(list(steps) + ["__consumer_offsets"]),
                         wire.described)
        for name, done in steps.items():
            error, topic_id, count = reply[name]
            must(error in (0, load.UNKNOWN_TOPIC), "topic %s: error %d", name, error)
            number, is_made = self.promised.topics.get(name, (-1, False))
            allowed = {is_made} | {made for step, made in done if step > number}
            must((error == 0) in allowed, "topic %s is %s", name,
                 "there" if error == 0 else "missing")
            must(error != 0 or count == load.TOPICS.get(name, (1,))[0],
                 "topic %s has %d partitions", name, count)
        for name, (error, topic_id, count) in reply.items():
            for partition in range(count if error == 0 else 0):
                self.partitions[name, partition] = topic_id, partition

    def list_offsets(self, which, found):
        reply = self.ask(wire.LIST_OFFSETS,
                         wire.list_offsets({where: which for where in self.partitions}),
                         wire.listed)
        for where, (error, _, offset) in reply.items():
            must(error == 0, "%s-%d: error %d", *where, error)
            found[where] = offset

    def judge_ends(self):
        self.list_offsets(wire.EARLIEST, self.starts)
        self.list_offsets(wire.LATEST, self.ends)
        for where, key in self.partitions.items():
            start, end = self.starts[where], self.ends[where]
            must(end >= self.promised.ends.get(key, 0), "%s-%d: it ends at %d, promised was %d",
                 *where, end, self.promised.ends.get(key, 0))
            must(start >= self.promised.starts.get(key, 0),
                 "%s-%d: it begins at %d, deleted was up to %d", *where, start,
                 self.promised.starts.get(key, 0))
            must(start == 0 or where[0] in ("short", "trim", "cached"), "%s-%d: it begins at %d",
                 *where, start)
            # What is below was retained away or deleted, and that was promised to be there.
            must(start <= self.promised.ends.get(key, 0) or where[0] == "cached",
                 "%s-%d: it begins at %d, beyond all", *where, start)

    def is_trimmed(self, where, offset):
        """Retention has moved the start beyond `offset` since that was told."""
        self.list_offsets(wire.EARLIEST, self.starts)
        return where[0] == "short" and self.starts[where] > offset

    def fetch_all(self, places, take):
        """Gives take(where, offset, records) all records from `places` to the ends."""
        while places:
            reply = self.ask(wire.FETCH, wire.fetch(places, 0, PARTITION_BYTES), wire.fetched)
            for where, (error, _, records) in reply.items():
                if error == load.OUT_OF_RANGE and self.is_trimmed(where, places[where]):
                    places[where] = self.starts[where]
                else:
                    must(error == 0 and records, "%s-%d: cannot be read at %d: error %d", *where,
                         places[where], error)
                    places[where] = take(where, places[where], records)
                if places[where] >= self.ends[where]:
                    del places[where]

    def judge_records(self):
        """Byte by byte what was written, from the begin to the end."""
        self.fetch_all({where: start for where, start in self.starts.items()
                        if start < self.ends[where]}, self.compare)

    def compare(self, where, offset, records):
        history = self.written.get(self.partitions[where])
        batch = history.batch(offset) if history is not None else None
        must(batch is not None, "%s-%d: nothing was ever written at %d", *where, offset)
        end = batch.position + len(records)
        must(records == history.data[batch.position:end],
             "%s-%d: other records than were written, from %d on", *where, batch.base_offset)
        # The next one begins where these end.
        while end < len(history.data) and batch.position < end:
            batch = history.batch(batch.end_offset)
        return history.batches[-1].end_offset if end == len(history.data) else batch.base_offset

    def judge_offsets(self):
        if not self.promised.commits:
            return
        reply = self.ask(wire.OFFSET_FETCH,
                         wire.offset_fetch(load.GROUP, list(self.promised.commits)),
                         wire.offsets_fetched, lambda reply: [e for e, _ in reply.values()])
        for where, promised in self.promised.commits.items():
            error, offset = reply[where]
            asked = max(offset for to, offset in self.sent("commit") if to == where)
            must(error == 0 and promised <= offset <= asked,
                 "%s-%d: committed was %d, and is %d: error %d", *where, promised, offset, error)

    def judge_producers(self):
        """The last acknowledged batch of each producer comes again, and then those behind it: each
        is in the log once."""
        sent = {}
        for batch in self.sent("produce"):
            if batch.producer >= 0:
                of_producer = sent.setdefault((batch.topic, batch.partition, batch.producer), {})
                of_producer[batch.sequence] = batch
        for (topic, partition, producer), (last, at) in self.promised.acked.items():
            where = topic, partition
            history = self.written.get(self.partitions.get(where))
            if history is None or history.batch(at) is None or at < self.starts[where] or \
                    history.batch(at).producer != producer:
                continue  # of a topic that was deleted, or of records that were
            following = [batch for sequence, batch in sorted(sent[(*where, producer)].items())
                         if sequence >= last.sequence]
            for batch in following[:load.WINDOW + 1]:
                self.produce_again(where, batch, at if batch.sequence == last.sequence else None)

    def produce_again(self, where, batch, at):
        reply = self.ask(wire.PRODUCE, wire.produce({where: batch.data}, -1), wire.produced)
        error, offset, *_ = reply[where]
        must(error == 0, "%s-%d: sequence %d of producer %d again: error %d", *where,
             batch.sequence, batch.producer, error)
        must(at is None or offset == at, "%s-%d: acknowledged at %d, and then at %d", *where, at,
             offset)
        written = self.written[self.partitions[where]].batch(offset)
        must(offset >= self.ends[where] or (written is not None and
                                            written.sequence == batch.sequence and
                                            written.producer == batch.producer),
             "%s-%d: a batch is acknowledged at %d, where another one is", *where, offset)

    def judge_new_records(self):
        error, producer, epoch = self.ask(wire.INIT_PRODUCER_ID, wire.init_producer_id(),
                                          wire.producer_id_given, lambda reply: reply[:1])
        must(error == 0, "no producer id: error %d", error)
        must(producer > self.promised.producer, "producer id %d is given again", producer)
        wanted = [where for where in self.partitions if not where[0].startswith("__")]
        data = wire.batch([b"after"], producer, epoch, 0, int(time.time() * 1000))
        self.recovered = dict(self.ends)
        for where, (error, offset, *_) in self.ask(
                wire.PRODUCE, wire.produce({where: data for where in wanted}, -1),
                wire.produced).items() if wanted else ():
            must(error == 0, "%s-%d: takes no records any more: error %d", *where, error)
            must(offset >= self.recovered[where], "%s-%d: new records at %d", *where, offset)
            self.ends[where] = offset + 1
            self.added[where] = []
        self.fetch_all({where: self.recovered[where] for where in wanted}, self.take_added)

    def recovered_batches(self, where):
        """Those that were there when the broker was ready."""
        history = self.written.get(self.partitions[where])
        return [batch for batch in history.batches if batch.base_offset < self.recovered[where]
                ] if history is not None else []

    def take_added(self, where, _, records):
        old = self.recovered_batches(where)
        sequences = {(batch.producer, batch.sequence) for batch in old if batch.producer >= 0}
        found = promises.batches(records)
        self.added[where] += found
        for batch in found:
            must(not old or batch.epoch > old[-1].epoch, "%s-%d: epoch %d is used again", *where,
                 batch.epoch)
            must((batch.producer, batch.sequence) not in sequences,
                 "%s-%d: sequence %d of producer %d is there twice", *where, batch.sequence,
                 batch.producer)
        return found[-1].end_offset

    def judge_epochs(self):
        """Where each leader epoch ends."""
        ends = {}
        for where, added in self.added.items():
            epochs = ends[where] = {}
            for batch in self.recovered_batches(where) + added:
                if batch.end_offset > self.starts[where]:
                    epochs[batch.epoch] = batch.end_offset
        for turn in range(max((len(epochs) for epochs in ends.values()), default=0)):
            asked = {where: sorted(epochs)[turn] for where, epochs in ends.items()
                     if len(epochs) > turn}
            reply = self.ask(wire.OFFSET_FOR_LEADER_EPOCH, wire.offset_for_leader_epoch(asked),
                             wire.epochs_ended)
            # New records may have made old ones go, and still do.
            self.list_offsets(wire.EARLIEST, self.starts)
            for where, (error, epoch, end) in reply.items():
                wanted = asked[where], ends[where][asked[where]]
                must(error == 0 and (epoch, end) == wanted or wanted[1] <= self.starts[where],
                     "%s-%d: epoch %d ended at %d, and now epoch %d at %d: error %d", *where,
                     *wanted, epoch, end, error)

    def judge_new_topic(self):
        created = self.ask(wire.CREATE_TOPICS, wire.create_topics({"after": (1, {})}),
                           wire.topics_created)
        must(created["after"] == 0, "no topic can be made: error %d", created["after"])
        reply = self.ask(wire.PRODUCE, wire.produce(
            {("after", 0): wire.batch([b"after"], time_ms=int(time.time() * 1000))}, -1),
                         wire.produced, lambda reply: [error for error, *_ in reply.values()])
        must(reply["after", 0][:2] == [0, 0], "a new topic does not take records: %s", reply)
