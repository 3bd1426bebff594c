# SPDX-License-Identifier: Apache-2.0
"""Clients in Go (franz-go) and JavaScript (kafkajs): each produces, and reads as a group of three
of which one is killed. Their packages are fetched into CHRONIK_MEMBERS (default: e2e-members in the
working folder); a language that is not there is skipped with a word."""

import os
import shutil
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from chronik import Broker, Tap, must, wait_until  # noqa: E402

# The first of these that the Go which is there can build; the last is for Debian 12's.
FRANZ_GO = ("v1.22.3", "v1.15.4")
KAFKAJS = "2.2.4"
FOLDER = os.environ.get("CHRONIK_MEMBERS", os.path.join(os.getcwd(), "e2e-members"))
RECORDS = 300
SECONDS = 120


def done(*command, folder):
    """Runs a package manager, whose words go past TAP; whether it had success."""
    return subprocess.run(command, cwd=folder, stdout=sys.stderr, timeout=600).returncode == 0


def go():
    """The command of the Go client, built."""
    folder = os.path.join(FOLDER, "go")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(HERE, "go", "main.go"), folder)
    for version in FRANZ_GO:
        with open(os.path.join(folder, "go.mod"), "w") as module:
            module.write("module member\n")
        if (done("go", "get", "github.com/twmb/franz-go/pkg/kgo@" + version, folder=folder) and
                done("go", "build", "-buildvcs=false", "-o", "member", ".", folder=folder)):
            return [os.path.join(folder, "member")]
    raise AssertionError("franz-go cannot be fetched and built")


def node():
    """The command of the JavaScript client."""
    folder = os.path.join(FOLDER, "node")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(HERE, "member.js"), folder)
    must(done("npm", "install", "--no-save", "--prefix", folder, "kafkajs@" + KAFKAJS,
              folder=folder), "kafkajs cannot be fetched")
    return ["node", os.path.join(folder, "member.js")]


class Member:
    """A consumer process and what it printed."""

    def __init__(self, command, broker, topic):
        self.process = subprocess.Popen(command + ["consume", broker.address, topic, topic],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.seen = set()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            partition, offset, value = line.split()
            self.seen.add((int(partition), int(offset), int(value)))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Group:
    """Three members of a group, and a producer of numbers that the whole group has to read."""

    def __init__(self, command, broker, topic):
        self.command = command
        self.broker = broker
        self.topic = topic
        self.sent = 0
        self.members = [Member(command, broker, topic) for _ in range(3)]

    def read_more(self):
        subprocess.run(self.command + ["produce", self.broker.address, self.topic, str(self.sent),
                                       str(RECORDS)], check=True, timeout=SECONDS)
        self.sent += RECORDS
        wait_until(lambda: self.numbers() == set(range(self.sent)), SECONDS,
                   "%d read" % self.sent)

    def numbers(self):
        return {value for member in self.members for _, _, value in list(member.seen)}

    def all_have_read(self):
        return all(member.seen for member in self.members)

    def end(self):
        for member in self.members:
            if member.process.returncode is None:
                member.kill()


def story(prepare, broker, topic):
    command = prepare()
    subprocess.run(["kcat", "-b", broker.address, "-L", "-t", topic], check=True,
                   stdout=subprocess.DEVNULL, timeout=60)
    group = Group(command, broker, topic)
    try:
        wait_until(lambda: group.read_more() or group.all_have_read(), SECONDS,
                   "each of the three reads something")
        group.members[0].kill()
        group.read_more()
        must({value % 6 == partition for member in group.members
              for partition, _, value in member.seen} == {True}, "a record is in another partition")
    finally:
        group.end()


def main():
    tap = Tap()
    with Broker("group.initial.rebalance.delay.ms=0", "num.partitions=6") as broker:
        for name, tool, prepare in (("franz-go", "go", go), ("kafkajs", "npm", node)):
            title = name + ": produces, and a group of three of which one is killed"
            if shutil.which(tool) is None:
                tap.skip(title, "there is no " + tool)
            else:
                tap.case(title, story, prepare, broker, name)
        broker.check_records(tap)
        if tap.failed:
            print("# " + broker.log().replace("\n", "\n# "))
    tap.end()


if __name__ == "__main__":
    main()
