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

FOLDER = os.environ.get("CHRONIK_MEMBERS", os.path.join(os.getcwd(), "e2e-members"))
RECORDS = 300


def go():
    """The command of the Go client, built; None without Go."""
    if shutil.which("go") is None:
        return None
    folder = os.path.join(FOLDER, "go")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(HERE, "go", "main.go"), folder)
    run = {"cwd": folder, "check": True, "timeout": 600}
    if not os.path.exists(os.path.join(folder, "go.mod")):
        subprocess.run(["go", "mod", "init", "member"], **run)
        subprocess.run(["go", "get", "github.com/twmb/franz-go/pkg/kgo"], **run)
    subprocess.run(["go", "build", "-o", "member", "."], **run)
    return [os.path.join(folder, "member")]


def node():
    """The command of the JavaScript client; None without Node."""
    if shutil.which("npm") is None:
        return None
    folder = os.path.join(FOLDER, "node")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(HERE, "member.js"), folder)
    if not os.path.exists(os.path.join(folder, "node_modules", "kafkajs")):
        subprocess.run(["npm", "install", "--no-save", "--prefix", folder, "kafkajs"], check=True,
                       timeout=600)
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


def group(command, broker, topic):
    subprocess.run(["kcat", "-b", broker.address, "-L", "-t", topic], check=True,
                   stdout=subprocess.DEVNULL, timeout=60)
    members = [Member(command, broker, topic) for _ in range(3)]

    def produce(first):
        subprocess.run(command + ["produce", broker.address, topic, str(first), str(RECORDS)],
                       check=True, timeout=120)

    def numbers():
        return {value for member in members for _, _, value in member.seen}

    try:
        produce(0)
        wait_until(lambda: len(numbers()) == RECORDS, 60, "%d read" % RECORDS)
        members[0].kill()
        produce(RECORDS)
        wait_until(lambda: len(numbers()) == 2 * RECORDS, 60, "the other two read on")
        must({value % 6 == partition for m in members for partition, _, value in m.seen} == {True},
             "a record is in the wrong partition")
    finally:
        for member in members:
            if member.process.returncode is None:
                member.kill()


def main():
    tap = Tap()
    with Broker("group.initial.rebalance.delay.ms=0", "num.partitions=6") as broker:
        for name, prepare in (("franz-go", go), ("kafkajs", node)):
            title = name + ": produces, and a group of three of which one is killed"
            command = prepare()
            if command is None:
                tap.skip(title, "its language is not there")
            else:
                tap.case(title, group, command, broker, name)
        broker.check_records(tap)
        if tap.failed:
            print("# " + broker.log().replace("\n", "\n# "))
    tap.end()


if __name__ == "__main__":
    main()
