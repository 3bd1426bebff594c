# SPDX-License-Identifier: Apache-2.0
"""A system-call trace of the broker: no acks=all reply leaves before an fdatasync of the segment
that began behind the write of its records has returned. With write.caching, which does not promise
that, the same check has to fail, or it would not look."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chronik import Broker, Tap, may_trace, must, replay, wait_until  # noqa: E402

import confluent_kafka  # noqa: E402

RECORDS = 30
TOPIC = "order"
CALLS = "pwritev,pwrite64,fdatasync,fsync,sendmsg"
# The leak detector of instrumented builds cannot work where another program traces.
WRAPPER = """#!/bin/sh
ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
export ASAN_OPTIONS
exec strace -D -f -y -tt -s 128 -xx -o '%s' -e trace=%s '%s' "$@"
"""


class TracedBroker(Broker):
    """A broker under strace. -D: the process that is started, and killed, is the broker."""

    def __init__(self, *settings):
        super().__init__(*settings)
        self.trace = os.path.join(self.folder, "trace")
        self.wrapper = os.path.join(self.folder, "chronik")
        with open(self.wrapper, "w") as script:
            script.write(WRAPPER % (self.trace, CALLS, self.program))
        os.chmod(self.wrapper, 0o755)
        self.program = self.wrapper
        self.pid = 0

    def trace_is_whole(self):
        """The last line, of the last thread, is written behind all calls."""
        with open(self.trace) as trace:
            return re.search(r"^%d .*\+\+\+ exited" % self.pid, trace.read(), re.MULTILINE)

    def stop(self):
        self.pid = self.process.pid
        return super().stop()

    def calls(self):
        with open(self.trace) as trace:
            return parse(trace)


class Call:
    """One system call: where in the trace it began and ended."""

    def __init__(self, name, text, began):
        self.name = name
        self.text = text
        self.began = began
        self.ended = None
        self.result = None

    @property
    def file(self):
        """The path behind the first argument's descriptor."""
        found = re.match(r"\d+<([^>]*)>", self.text)
        if found is None:
            return ""
        return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), found.group(1))

    def holds(self, value):
        return "".join("\\x%02x" % byte for byte in value) in self.text


def parse(lines):
    """The calls of a trace in the order in which they began. A call that another thread's cuts in
    two begins on one line and ends on a later one."""
    calls = []
    pending = {}
    for at, line in enumerate(lines):
        found = re.match(r"(\d+) +[\d:.]+ (.*)", line.rstrip("\n"))
        if found is None:
            continue
        thread, text = found.groups()
        resumed = re.match(r"<\.\.\. (\w+) resumed>(.*)", text)
        begun = re.match(r"(\w+)\((.*)", text)
        if resumed is not None:
            call = pending.pop(thread)
            call.text += resumed.group(2)
        elif begun is not None:
            call = Call(begun.group(1), begun.group(2), at)
            calls.append(call)
            if call.text.endswith("<unfinished ...>"):
                pending[thread] = call
                continue
        else:
            continue
        call.ended = at
        result = re.search(r"\) += (-?\d+)", call.text)
        call.result = int(result.group(1)) if result is not None else None
    return calls


def value_of(number):
    return b"record-%06d." % number


def produce_one_by_one(broker):
    """Each is acknowledged before the next is sent, so that the first send of the broker's behind a
    record's write is the reply to it: there is one connection that asks for anything else."""
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "log_level": 2,
                                         "acks": "all", "linger.ms": 0,
                                         "topic.metadata.refresh.interval.ms": -1})
    refused = []

    def delivered(error, _):
        if error is not None:
            refused.append(str(error))

    for i in range(RECORDS):
        producer.produce(TOPIC, value_of(i), partition=0, callback=delivered)
        must(producer.flush(60) == 0 and not refused, "record %d: %s" % (i, refused))


def replies_before_sync(calls):
    """The numbers of the records whose reply left too early. Aborts when the trace lacks a write or
    a reply: then it proves nothing."""
    early = []
    for i in range(RECORDS):
        write = next((c for c in calls if c.name in ("pwritev", "pwrite64") and
                      c.file.endswith(".log") and TOPIC in c.file and c.holds(value_of(i))), None)
        must(write is not None and write.result is not None and write.result > 0,
             "no write of record %d in the trace" % i)
        reply = next((c for c in calls if c.name == "sendmsg" and c.began > write.ended), None)
        must(reply is not None, "no reply to record %d in the trace" % i)
        covered = any(c.name in ("fdatasync", "fsync") and c.file == write.file and
                      c.began > write.ended and c.result == 0 and c.ended < reply.began
                      for c in calls)
        if not covered:
            early.append(i)
    return early


def traced(*settings):
    """What the check finds in a run with these settings."""
    with TracedBroker("num.partitions=1", *settings) as broker:
        produce_one_by_one(broker)
        must(broker.stop() == 0, "SIGTERM is an orderly end")
        wait_until(broker.trace_is_whole, 30, "strace ends")
        if broker.simulator:
            replay(broker.simulator, broker.records)
        return replies_before_sync(broker.calls())


def no_reply_before_sync():
    early = traced()
    must(not early, "replies before the sync: %s" % early)


def the_check_can_fail():
    early = traced("write.caching.default=true")
    # A sync of another reason (a checkpoint, a new file) may come first now and then.
    must(len(early) > RECORDS // 2, "found early replies only to %s" % early)


def main():
    tap = Tap()
    name = "acks=all: %d replies, each behind the sync of its record" % RECORDS
    if not may_trace():
        tap.skip(name, "there is no strace, or it may not trace")
        tap.end()
    tap.case(name, no_reply_before_sync)
    tap.case("write.caching: replies leave before the sync, and the check sees it",
             the_check_can_fail)
    tap.end()


if __name__ == "__main__":
    main()
