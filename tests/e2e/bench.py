# SPDX-License-Identifier: Apache-2.0
"""What "chronik bench" says, held against what the broker has."""

import json
import os
import re
import subprocess
import tempfile
import threading
import time

import confluent_kafka

from chronik import Broker, Tap, may_trace, must, wait_until

SECONDS = 120


def bench(broker, arm, *options, fails=False):
    """The line of JSON; or what was said, when there is none."""
    done = subprocess.run([broker.program, "bench", arm, "--bootstrap-server", broker.address,
                           "--json", "--warm-up", "0", "--seconds", "1", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=SECONDS)
    text = done.stdout.decode()
    must(done.returncode == (1 if fails else 0), "exit code %d: %s" % (done.returncode, text))
    return json.loads(text) if text.startswith("{") else text


def ends(broker, topic, partitions):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "ends"})
    found = [consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, p))[1]
             for p in range(partitions)]
    consumer.close()
    return found


def counts(broker):
    for acks, connections in (("all", 5), ("1", 3)):
        topic = "counts-" + acks
        said = bench(broker, "produce", "--topic", topic, "--create", "3:1", "--acks", acks,
                     "--connections", str(connections), "--pid", str(broker.process.pid),
                     "--warm-up", "1")
        must(said["errors"] == said["unanswered"] == said["lost"] == 0, said)
        must(0 < said["requests"] < said["all_requests"], "the warm-up does not count: %s" % said)
        must(said["records"] == 16 * said["requests"], said)
        must(16 * 1024 < said["bytes"] / said["requests"] < 17 * 1024, said)
        must(said["cpu_s"] > 0 and said["cpu_s_per_gb"] > 0, said)
        latency = said["latency_us"]
        must(0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"], said)
        # With acks=1 the end that consumers see follows once all is on the disk.
        wait_until(lambda name=topic, all=said["all_records"]: sum(ends(broker, name, 3)) >= all,
                   10 if acks == "1" else 0, "%s are in the log" % said["all_records"])
        found = ends(broker, topic, 3)
        must(sum(found) == said["all_records"] and min(found) > 0,
             "%d records were said to be acknowledged, the logs end at %s" % (
                 said["all_records"], found))


def spreads(broker):
    """Few connections, and every partition gets the same."""
    said = bench(broker, "produce", "--topic", "spread", "--create", "7:1", "--connections", "2",
                 "--spread")
    found = ends(broker, "spread", 7)
    must(said["partitions"] == 7 and sum(found) == said["all_records"], (said, found))
    must(min(found) > 0 and max(found) - min(found) <= 2 * said["batch_records"], found)


def sends(broker, *options):
    """How many requests each of its calls sent, as strace saw it (beside which a sanitizer cannot
    look for leaks)."""
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    with tempfile.NamedTemporaryFile() as trace:
        subprocess.run(["strace", "-f", "-o", trace.name, "-e", "trace=sendmsg",
                        broker.program, "bench", "produce", "--bootstrap-server", broker.address,
                        "--topic", "apart", "--create", "1:1", "--connections", "1",
                        "--depth", "8", "--batch-bytes", "100", "--record-bytes", "100",
                        "--warm-up", "0", "--seconds", "1", *options],
                       env=environment, stdout=subprocess.DEVNULL, check=True, timeout=SECONDS)
        return [int(found) for found in re.findall(rb"msg_iovlen=(\d+)", trace.read())]


def sends_together_or_apart(broker):
    together, apart = sends(broker), sends(broker, "--apart")
    must(max(together) == 8, "all that begin are sent together: %d" % max(together))
    must(len(apart) > 8 and set(apart) == {1}, "each is sent by itself: %s" % set(apart))


def fetches(broker):
    """A topic that one reader passes many times: whole rounds and a rest."""
    bench(broker, "produce", "--topic", "read", "--create", "1:1", "--rate", "100")
    end = ends(broker, "read", 1)[0]
    must(end == 16 * 100, end)
    said = bench(broker, "fetch", "--topic", "read", "--connections", "1", "--depth", "1",
                 "--fetch-bytes", "100000")
    must(said["requests"] > 10 and said["errors"] == 0, said)
    must(said["records"] / said["requests"] > 40, "replies are full: %s" % said)
    must("nothing to fetch" in bench(broker, "fetch", "--topic", "empty-1", fails=True), "empty")


def keeps_the_rate(broker):
    said = bench(broker, "produce", "--topic", "rate", "--create", "2:1", "--rate", "500",
                 "--seconds", "2", "--batch-bytes", "1024", "--depth", "256")
    must(said["requests"] == 1000 and said["unsent"] == 0, said)
    must(said["seconds"] == 2, said)


def cannot_keep_the_rate(broker):
    said = bench(broker, "produce", "--topic", "rate", "--rate", "1000000", "--connections", "1",
                 "--depth", "1", "--timeout", "6000")
    must(said["unsent"] > 0 and said["latency_us"]["max"] > 100000,
         "who waits for a place waits from when it was due: %s" % said)


def tails(broker):
    said = bench(broker, "tail", "--topic", "tail", "--create", "2:1", "--rate", "200",
                 "--batch-bytes", "300", "--record-bytes", "100", "--depth", "256")
    must(said["tail_records"] == said["all_records"] == 3 * 200, said)
    must(said["end_to_end_us"]["p50"] > 0, said)
    must(ends(broker, "tail", 2) == [300, 300], ends(broker, "tail", 2))


def topic_missing(broker):
    text = bench(broker, "produce", "--topic", "missing", fails=True)
    must("there is no such topic; --create" in text, text)


def topic_goes(broker):
    """Replies with an error are counted as what they are."""
    broker.create_topic("goes", 1)

    def delete():
        time.sleep(0.5)
        subprocess.run([broker.program, "topic", "delete", "goes", "--bootstrap-server",
                        broker.address], check=True, stdout=subprocess.DEVNULL)

    deleter = threading.Thread(target=delete)
    deleter.start()
    said = bench(broker, "produce", "--topic", "goes", "--connections", "2", "--seconds", "4",
                 fails=True)
    deleter.join()
    must(said["errors"] > 0 and said["requests"] > 0, said)
    must(sum(said["errors_by_code"].values()) == said["errors"], said)
    must(any(name.startswith("UNKNOWN_TOPIC") for name in said["errors_by_code"]), said)


def broker_goes(broker):
    killer = threading.Timer(3, broker.process.kill)
    killer.start()
    said = bench(broker, "produce", "--topic", "rate", "--seconds", "60", fails=True)
    killer.join()
    broker.kill()
    must(said["lost"] == 4 and said["unanswered"] > 0, said)
    must(said["requests"] > 0 and 0 < said["seconds"] < 50, "it counts until then: %s" % said)
    broker.start()


def main():
    tap = Tap()
    with Broker("num.partitions=1") as broker:
        broker.create_topic("empty-1", 1)
        tap.case("what it counts is in the logs", counts, broker)
        tap.case("a connection spreads over partitions", spreads, broker)
        if may_trace():
            tap.case("requests are sent together, or each by itself", sends_together_or_apart,
                     broker)
        else:
            tap.skip("requests are sent together", "there is no strace, or it may not trace")
        tap.case("fetch goes around", fetches, broker)
        tap.case("the clock's rate is kept", keeps_the_rate, broker)
        tap.case("a rate that cannot be kept is told", cannot_keep_the_rate, broker)
        tap.case("a tail sees all that is written", tails, broker)
        tap.case("a topic that is missing", topic_missing, broker)
        tap.case("a topic that goes: errors count", topic_goes, broker)
        tap.case("a broker that goes: connections are lost", broker_goes, broker)
        broker.check_records(tap)
        if tap.failed:
            print("# " + broker.log().replace("\n", "\n# "))
    tap.end()


if __name__ == "__main__":
    main()
