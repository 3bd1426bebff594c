# SPDX-License-Identifier: Apache-2.0
"""A network for a test, of its own: each host is a network namespace, and the test is the router
between them, which drops what goes from one host to another as it is told, without a word. It takes
no privileges where users may have namespaces, and leaves nothing behind."""

import os
import shutil
import subprocess
import sys

INSIDE = "CHRONIK_E2E_NETWORK"


def call(*command):
    subprocess.run(command, check=True)


def enter():
    """Goes on in a network namespace of our own, from the start of the program; returns what is in
    the way of that, None once we are there."""
    if INSIDE in os.environ:
        return None
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where users have no use for them
    missing = [name for name in ("ip", "nsenter", "unshare") if shutil.which(name) is None]
    if missing:
        return "there is no " + " and no ".join(missing)
    command = ["unshare", "--net"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    tried = subprocess.run(command + ["ip", "link", "set", "lo", "up"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
    if tried.returncode != 0:
        return "no network namespaces for this user: " + tried.stdout.decode().strip()
    sys.stdout.flush()
    os.execvpe(command[0], command + [sys.executable] + sys.argv, {**os.environ, INSIDE: "1"})


class Network:
    """So many hosts; `number` from 1."""

    def __init__(self, count):
        self.hosts = ["10.77.%d.2" % (i + 1) for i in range(count)]
        self.holders = []
        call("ip", "link", "set", "lo", "up")
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
            file.write("1")
        for number in range(1, count + 1):
            self.add(number)

    def add(self, number):
        """A namespace lives as long as the process that holds it, and that as long as we do."""
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.readline()
        self.holders.append(holder)
        ours, router = "to-%d" % number, "10.77.%d.1" % number
        call("ip", "link", "add", ours, "type", "veth", "peer", "name", "net", "netns",
             str(holder.pid))
        call("ip", "address", "add", router + "/24", "dev", ours)
        call("ip", "link", "set", ours, "up")
        for command in (("link", "set", "lo", "up"),
                        ("address", "add", self.hosts[number - 1] + "/24", "dev", "net"),
                        ("link", "set", "net", "up"), ("route", "add", "default", "via", router)):
            call(*self.enter(number), "ip", *command)

    def enter(self, number):
        return ["nsenter", "--net=/proc/%d/ns/net" % self.holders[number - 1].pid]

    def rule(self, what, source, target):
        call("ip", "rule", what, "from", self.hosts[source - 1], "to", self.hosts[target - 1],
             "blackhole")

    def drop(self, source, target):
        """From now on nothing comes through from the one to the other, until as many heal()."""
        self.rule("add", source, target)

    def heal(self, source, target):
        self.rule("delete", source, target)

    def end(self):
        for holder in self.holders:
            holder.communicate()
