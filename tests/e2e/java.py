# SPDX-License-Identifier: Apache-2.0
"""Kafka's own Java tools, unchanged, against a broker: producers with each compression, consumers
in a group, topics, and the dump tool on our files. Maven fetches them into CHRONIK_JARS (default:
e2e-jars in the working folder); without Maven all is skipped with a word."""

import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chronik import Broker, Tap, must  # noqa: E402

VERSION = "4.3.1"
JARS = os.environ.get("CHRONIK_JARS", os.path.join(os.getcwd(), "e2e-jars"))
POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>chronik</groupId><artifactId>e2e</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>%s</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
<version>%s</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId>
<version>2.0.16</version></dependency></dependencies></project>""" % (VERSION, VERSION)

TOOLS = "org.apache.kafka.tools."


def fetch():
    """Fetches the jars once. False: there is no Java or no Maven."""
    if shutil.which("java") is None:
        return False
    if glob.glob(os.path.join(JARS, "kafka-tools-*.jar")):
        return True
    if shutil.which("mvn") is None:
        return False
    os.makedirs(JARS, exist_ok=True)
    with open(os.path.join(JARS, "pom.xml"), "w") as pom:
        pom.write(POM)
    # Standard output is for TAP.
    subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "-f", os.path.join(JARS, "pom.xml"),
                    "dependency:copy-dependencies", "-DoutputDirectory=" + JARS], check=True,
                   timeout=600, stdout=sys.stderr)
    return True


def tool(name, *arguments, data=None, fails=False):
    done = subprocess.run(["java", "-Xmx256m", "-cp", os.path.join(JARS, "*"), TOOLS + name] +
                          list(arguments), input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    text = done.stdout.decode(errors="replace")
    must(fails or done.returncode == 0, "%s: exit code %d: %s" % (name, done.returncode,
                                                                  text[-2000:]))
    return text


def topics(broker):
    server = ["--bootstrap-server", broker.address]
    tool("TopicCommand", *server, "--create", "--topic", "made", "--partitions", "3",
         "--config", "retention.ms=100000")
    text = tool("TopicCommand", *server, "--describe", "--topic", "made")
    must("PartitionCount: 3" in text and "retention.ms=100000" in text, text)
    tool("TopicCommand", *server, "--alter", "--topic", "made", "--partitions", "5")
    text = tool("TopicCommand", *server, "--describe", "--topic", "made")
    must("PartitionCount: 5" in text, text)
    tool("TopicCommand", *server, "--delete", "--topic", "made")
    must("made" not in tool("TopicCommand", *server, "--list").split(), "it is still listed")


def performance(broker, codec):
    text = tool("ProducerPerformance", "--topic", "perf-" + codec, "--num-records", "50000",
                "--record-size", "100", "--throughput", "-1", "--producer-props",
                "bootstrap.servers=" + broker.address, "compression.type=" + codec)
    must("50000 records sent" in text, text[-500:])


def verifiable(broker):
    text = tool("VerifiableProducer", "--bootstrap-server", broker.address, "--topic", "verified",
                "--max-messages", "2000", "--acks", "-1")
    must(text.count('"name":"producer_send_success"') == 2000, text[-500:])


def console(broker):
    """Console producer to console consumer, in a group, and once more without anything left."""
    tool("ConsoleProducer", "--bootstrap-server", broker.address, "--topic", "console",
         data=b"".join(b"line %d\n" % i for i in range(500)))
    consumer = ["--bootstrap-server", broker.address, "--topic", "console", "--group", "readers",
                "--from-beginning", "--timeout-ms", "8000"]
    text = tool("consumer.ConsoleConsumer", *consumer, fails=True)
    got = re.findall(r"^line (\d+)$", text, re.M)
    must(got == [str(i) for i in range(500)], "%d lines, %s..." % (len(got), text[:300]))
    text = tool("consumer.ConsoleConsumer", *consumer, fails=True)
    must(not re.findall(r"^line (\d+)$", text, re.M), "read twice: " + text[:300])
    text = tool("consumer.group.ConsumerGroupCommand", "--bootstrap-server", broker.address,
                "--describe", "--group", "readers")
    must(re.search(r"readers\s+console\s+0\s+500\s+500\s+0", text) is not None, text)


def dump(broker):
    """Finds nothing wrong in any segment, the active ones too."""
    segments = sorted(glob.glob(os.path.join(broker.data, "*", "*.log")))
    must(len(segments) >= 7, "only %s" % segments)
    text = tool("DumpLogSegments", "--deep-iteration", "--files", ",".join(segments))
    must("isvalid: false" not in text and "Found" not in text, text[-3000:])
    must(text.count("Dumping ") == len(segments), "not all were read")
    must("isvalid: true" in text, text[:500])
    indexes = sorted(glob.glob(os.path.join(broker.data, "perf-none-0", "*index")))
    text = tool("DumpLogSegments", "--index-sanity-check", "--files", ",".join(indexes))
    must("Mismatches" not in text and "Exception" not in text, text[-3000:])


def dump_offsets(broker):
    """Our __consumer_offsets in Kafka's words."""
    found = ""
    for segment in glob.glob(os.path.join(broker.data, "__consumer_offsets-*", "*.log")):
        found += tool("DumpLogSegments", "--offsets-decoder", "--print-data-log", "--files",
                      segment)
    must('"group":"readers","topic":"console","partition":0' in found, found[-3000:])
    must('"offset":500' in found, found[-3000:])


def main():
    tap = Tap()
    if not fetch():
        print("1..0 # SKIP it needs Java and Maven")
        return
    with Broker("group.initial.rebalance.delay.ms=0") as broker:
        tap.case("kafka-topics", topics, broker)
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            tap.case("kafka-producer-perf-test: " + codec, performance, broker, codec)
        tap.case("kafka-verifiable-producer", verifiable, broker)
        tap.case("kafka-console-producer, kafka-console-consumer in a group", console, broker)
        tap.case("kafka-dump-log reads every segment", dump, broker)
        tap.case("kafka-dump-log reads committed offsets", dump_offsets, broker)
        broker.check_records(tap)
        if tap.failed:
            print("# " + broker.log().replace("\n", "\n# "))
    tap.end()


if __name__ == "__main__":
    main()
