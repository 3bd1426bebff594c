# SPDX-License-Identifier: Apache-2.0
"""chronik cluster try: real processes and real clients, from the first start to the last."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import confluent_kafka

from chronik import READY_SECONDS, Tap, must, wait_until

RECORDS = 1000


def free_ports(count):
    """The first of so many ports in a row that nobody has."""
    for first in range(21092, 32000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no ports are free")


class Try:
    """The command, with what it said."""

    def __init__(self):
        self.program = os.environ.get("CHRONIK", os.path.join(os.getcwd(), "chronik"))
        self.scratch = tempfile.mkdtemp(prefix="chronik-try.")
        self.folder = os.path.join(self.scratch, "cluster")
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.give_up()
        shutil.rmtree(self.scratch)

    def give_up(self):
        """Ends what a case that failed left behind."""
        if self.process is not None:
            self.end(signal.SIGTERM)

    def start(self, *arguments):
        self.give_up()
        self.errors = open(os.path.join(self.scratch, "errors"), "w+")
        self.process = subprocess.Popen([self.program, "cluster", "try", *arguments],
                                        stdout=subprocess.PIPE, stderr=self.errors)

    def await_ready(self):
        """Returns the bootstrap servers."""
        guard = threading.Timer(READY_SECONDS, self.process.kill)
        guard.start()
        line = self.process.stdout.readline().decode()
        guard.cancel()
        found = re.match(r"chronik cluster ready: (\S+)\n", line)
        must(found is not None, "it is not ready: " + self.said())
        return found.group(1)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def wait(self):
        """Returns the exit code."""
        code = self.process.wait(READY_SECONDS)
        self.process.stdout.close()
        self.process = None
        return code

    def end(self, how):
        self.process.send_signal(how)
        return self.wait()

    def pids(self):
        return [int(pid) for pid in re.findall(r"^node \d+: .* pid (\d+),", self.said(), re.M)]

    def run(self, *arguments):
        """Runs it to its end; returns the exit code and what it said."""
        done = subprocess.run([self.program, "cluster", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=READY_SECONDS)
        return done.returncode, done.stdout.decode()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def produce(servers, topic, first):
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": servers, "log_level": 2,
                                         "enable.idempotence": True})
    for number in range(first, first + RECORDS):
        producer.produce(topic, b"%d" % number,
                         on_delivery=lambda error, _: error is not None and failed.append(error))
        producer.poll(0)
    must(producer.flush(60) == 0 and not failed, "all are delivered: %s" % failed[:3])


def consume(servers, topic, expected, group):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": servers, "group.id": group,
                                         "auto.offset.reset": "earliest", "log_level": 2})
    consumer.subscribe([topic])
    seen = set()

    end = time.monotonic() + 60
    while not seen >= expected and time.monotonic() < end:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            seen.add(int(message.value()))
    must(seen >= expected, "%d of %d are consumed" % (len(seen), len(expected)))
    consumer.close()


def first_start(one):
    port = free_ports(3)
    one.start("3", one.folder, "--port", str(port))
    servers = one.await_ready()
    must(servers == ",".join("127.0.0.1:%d" % (port + i) for i in range(3)), servers)
    must(len(one.pids()) == 3 and all(is_running(pid) for pid in one.pids()), one.said())
    done = subprocess.run([one.program, "topic", "create", "tried", "--partitions", "6",
                           "--bootstrap-server", servers.split(",")[1]], check=False,
                          stdout=subprocess.DEVNULL)
    must(done.returncode == 0, "a topic is made")
    produce(servers.split(",")[0], "tried", 0)
    consume(servers.split(",")[2], "tried", set(range(RECORDS)), "first")
    pids = one.pids()
    must(one.end(signal.SIGINT) == 0, "Ctrl-C ends it in order: " + one.said())
    must(not any(is_running(pid) for pid in pids), "no broker is left")


def status(one, servers):
    code, said = one.run("status", "--json", "--bootstrap-server", servers)
    must(code == 0, said)
    return json.loads(said)


def status_tells(one):
    """Of a cluster that is whole; and of one that lacks a broker."""
    one.start(one.folder)
    servers = one.await_ready()
    wait_until(lambda: not status(one, servers)["under_replicated"], 20, "all are in sync")
    known = status(one, servers)
    must([broker["id"] for broker in known["brokers"]] == [1, 2, 3] and known["controller"] > 0 and
         not known["leaderless"], known)
    must(known["quorum"]["leader"] == known["controller"] and
         [voter["id"] for voter in known["quorum"]["voters"]] == [1, 2, 3], known)
    must(sum(broker["leads"] for broker in known["brokers"]) == known["partitions"], known)
    os.kill(one.pids()[2], signal.SIGKILL)
    wait_until(lambda: status(one, servers)["brokers"][2]["fenced"], 20, "it is fenced")
    known = status(one, servers)
    must(known["brokers"][2]["leads"] == 0 and not known["leaderless"], known)
    must(len(known["under_replicated"]) == known["partitions"], known)
    code, said = one.run("status", "--bootstrap-server", servers)
    must(code == 0 and "  fenced  does not tell: " in said and "0 without a leader" in said, said)
    one.end(signal.SIGTERM)
    code, said = one.run("status", "--bootstrap-server", servers)
    must(code == 1 and servers.split(",")[0] in said, "nobody answers: " + said)


def disk_is_replaced(one):
    """Node 3 comes back without anything: it follows, and votes again when it is told to."""
    shutil.rmtree(os.path.join(one.folder, "node-3"))
    one.start(one.folder)
    servers = one.await_ready()

    def voters():
        quorum = status(one, servers)["quorum"]
        return None if quorum is None else {v["id"]: v["directory"] for v in quorum["voters"]}

    wait_until(lambda: voters() is not None, 20, "somebody leads")
    before = voters()
    wait_until(lambda: [o["id"] for o in status(one, servers)["quorum"]["observers"]] == [3], 20,
               "node 3 follows")
    with open(os.path.join(one.folder, "node-3.properties"), encoding="utf-8") as file:
        port = re.search(r"CONTROLLER://127.0.0.1:(\d+)", file.read()).group(1)
    add = ["voter", "add", "3", "127.0.0.1:" + port, "--bootstrap-server", servers]
    code, said = one.run(*add)
    must(code == 1 and "voter add 3: " in said, "its old self votes still: " + said)
    code, said = one.run("voter", "remove", "3", "--bootstrap-server", servers)
    must(code == 0 and "is no voter any more" in said, said)
    must(sorted(voters()) == [1, 2], voters())
    code, said = one.run(*add)
    must(code == 0 and "is a voter" in said, said)
    must(sorted(voters()) == [1, 2, 3] and voters()[3] != before[3], voters())
    wait_until(lambda: not status(one, servers)["under_replicated"], 30, "all are in sync again")
    consume(servers, "tried", set(range(2 * RECORDS)), "after")
    must(one.end(signal.SIGTERM) == 0, "it ends in order: " + one.said())


def second_start(one):
    """What is there goes on, with the same ports."""
    one.start(one.folder)
    servers = one.await_ready()
    produce(servers, "tried", RECORDS)
    consume(servers, "tried", set(range(2 * RECORDS)), "second")


def one_is_killed(one):
    pids = one.pids()
    os.kill(pids[1], signal.SIGKILL)
    wait_until(lambda: "node 2: ended by signal 9" in one.said(), 10, "it is noticed")
    must("chronik broker node-2.properties" in one.said(), "how to start it again is said")
    must(one.end(signal.SIGTERM) == 1, "that was no end in order")
    must(not any(is_running(pid) for pid in pids), "no broker is left")


def it_is_killed(one):
    one.start(one.folder)
    one.await_ready()
    pids = one.pids()
    one.end(signal.SIGKILL)
    wait_until(lambda: not any(is_running(pid) for pid in pids), 20,
               "brokers whose command is gone end")
    for number in (1, 2, 3):
        with open(os.path.join(one.folder, "node-%d.log" % number), encoding="utf-8") as log:
            must(log.read().endswith("ended in order\n"), "node %d ends in order" % number)


def port_is_taken(one):
    with open(os.path.join(one.folder, "cluster"), encoding="utf-8") as file:
        port = int(re.search(r"^port=(\d+)", file.read(), re.M).group(1))
    with socket.create_server(("127.0.0.1", port + 1)):
        one.start(one.folder)
        must(one.wait() == 1, "it fails")
    must("node 2: ended with exit code 1" in one.said() and "cannot listen" in one.said(),
         "it says why: " + one.said())


def refusals(one):
    code, said = one.run("try", "5", one.folder)
    must(code == 2 and "has 3 nodes" in said, "another number of nodes: " + said)
    code, said = one.run("try", os.path.join(one.folder, "node-1"))
    must(code == 1 and "something else" in said, "a folder with other things: " + said)
    code, said = one.run("try", "17")
    must(code == 2 and "1 to 16 nodes" in said, "too many: " + said)
    code, said = one.run("try", "--port", "65535", os.path.join(one.scratch, "narrow"))
    must(code == 2 and "no room" in said, "no room for their ports: " + said)
    code, said = one.run("stauts")
    must(code == 2 and "did you mean \"status\"" in said, "an unknown word: " + said)
    for wrong in (["voter"], ["voter", "add", "3"], ["voter", "drop", "3"],
                  ["voter", "remove", "x"], ["voter", "remove", "3", "h:1"],
                  ["voter", "add", "3", "nowhere"],
                  ["voter", "remove", "3", "--directory", "short"]):
        must(one.run(*wrong)[0] == 2, "it is refused: %s" % wrong)
    code, said = one.run("status", "--port", "9092")
    must(code == 2 and "--port is not for status" in said, "an option of another: " + said)


def main():
    tap = Tap()
    with Try() as one:
        tap.case("the first start forms a cluster for clients, Ctrl-C ends it", first_start, one)
        tap.case("the second start goes on with what is there", second_start, one)
        tap.case("a broker that is killed is noticed", one_is_killed, one)
        tap.case("the status tells who is there, and what lacks a replica", status_tells, one)
        tap.case("brokers whose command was killed end in order", it_is_killed, one)
        tap.case("a node whose disk was replaced votes again", disk_is_replaced, one)
        tap.case("a port that is taken ends the start", port_is_taken, one)
        tap.case("what is no cluster is refused", refusals, one)
    tap.end()


if __name__ == "__main__":
    main()
