# SPDX-License-Identifier: Apache-2.0
"""The metrics of real brokers over HTTP, as whoever watches over them reads them."""

import ctypes
import os
import re
import resource
import signal
import socket
import time
import urllib.error
import urllib.request

from chronik import READY_SECONDS, Broker, Tap, must, wait_until
from cluster import Cluster

ANYWHERE = "chronik.metrics.listener=127.0.0.1:0"
PAGE = os.path.join(os.path.dirname(__file__), "../../doc/METRICS.md")
LIBRARY = "libmicrohttpd.so.12"
SILENT = 40  # connections, more than libmicrohttpd is to have at once
CONTROLLER = "kafka_controller_kafkacontroller_"
CONNECTIONS = "kafka_server_socket_server_metrics_connection_count"
REPLICAS = "kafka_server_replicamanager_"


def url(log):
    """Where the latest process that wrote this log serves."""
    return re.findall(r"metrics are served: url=(\S+)", log)[-1]


def read(address):
    """All samples, by name with labels; each has been announced with its type."""
    with urllib.request.urlopen(address, timeout=READY_SECONDS) as answer:
        must(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"),
             "Prometheus knows the type: %s" % answer.headers["Content-Type"])
        text = answer.read().decode()
    samples = {}
    typed = set()
    for line in text.splitlines():
        comment = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line)
        sample = re.fullmatch(r'(([a-z_]+)(?:\{[a-z_]+="[a-z_]+"\})?) (-?\d+)', line)
        must(comment or sample, "this is a line of the format: " + line)
        if sample:
            must(sample.group(2) in typed, "it has a type: " + line)
            samples[sample.group(1)] = int(sample.group(3))
        elif comment.group(1) == "TYPE":
            must(comment.group(3) in ("gauge", "counter"), line)
            typed.add(comment.group(2))
    return samples


def documented():
    with open(PAGE, encoding="utf-8") as page:
        return set(re.findall(r"^\| `([a-z_]+)", page.read(), re.M))


def status(address, method="GET"):
    request = urllib.request.Request(address, method=method,
                                     data=b"x" * 100000 if method == "POST" else None)
    try:
        with urllib.request.urlopen(request, timeout=READY_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def one_broker(broker):
    address = url(broker.log())
    broker.create_topic("orders", 7)
    samples = read(address)
    must(samples[CONTROLLER + "globalpartitioncount"] == 7, samples)
    must(samples[REPLICAS + "leadercount"] == 7, samples)
    must(samples[CONTROLLER + "activecontrollercount"] == 1, samples)
    must(samples[CONNECTIONS] == 0, samples)
    with socket.create_connection(("127.0.0.1", broker.port)):
        wait_until(lambda: read(address)[CONNECTIONS] == 1, 10, "a connection counts")


def all_are_on_the_page(broker):
    served = {name.split("{")[0] for name in read(url(broker.log()))}
    must(served == documented(), "only one of the two has %s" % (served ^ documented()))


def what_is_not_there(broker):
    address = url(broker.log())
    must(status(address, "HEAD") == 200, "HEAD is answered")
    must(status(address, "POST") == 405, "POST is refused")
    must(status(address + "/other") == 404, "there is nothing else")


def port_of(address):
    return int(re.search(r":(\d+)/", address).group(1))


def silent_connections(broker):
    """They are more than are served at once; the last ones are ended as well, after a while."""
    address = url(broker.log())
    silent = [socket.create_connection(("127.0.0.1", port_of(address))) for _ in range(SILENT)]
    silent[-1].sendall(b"GET /metrics HTT")
    silent[-2].sendall(b"\x00\x00\x00\x10garbage\xff\r\n\r\n")
    broker.create_topic("meanwhile", 1)
    began = time.monotonic()
    must(read(address)[CONTROLLER + "globaltopiccount"] == 2, "whoever asks is answered")
    must(time.monotonic() - began < 5, "at once")
    silent[-1].settimeout(READY_SECONDS)
    must(silent[-1].recv(1) == b"", "who asks by half is not waited for")
    for each in silent:
        each.close()


def processor_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled(look):
    """What is seen once it stays the same: connections that were ended before may go yet."""
    seen = [look()]

    def stays():
        time.sleep(0.3)
        seen.append(look())
        return seen[-1] == seen[-2]
    wait_until(stays, READY_SECONDS, "it settles")
    return seen[-1]


def no_descriptor_left(broker):
    """A connection that cannot be accepted is turned away; the broker does not turn in circles."""
    pid = broker.process.pid
    address = url(broker.log())
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken = settled(lambda: {int(number) for number in os.listdir("/proc/%d/fd" % pid)})
    free = min(set(range(len(taken) + 1)) - taken)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, limits[1]))
    with socket.create_connection(("127.0.0.1", port_of(address)), 5) as refused_one:
        began = processor_seconds(pid)
        must(refused_one.recv(1) == b"", "it is turned away")
        time.sleep(1)
        must(processor_seconds(pid) - began < 0.5, "the broker sleeps")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    must(read(address)[CONTROLLER + "activecontrollercount"] == 1, "the next one is answered")


def without_the_setting():
    with Broker() as broker:
        must("metrics" not in broker.log(), broker.log())
        with open("/proc/%d/maps" % broker.process.pid, encoding="utf-8") as maps:
            must("microhttpd" not in maps.read(), "the library is not loaded")


def refused(setting, *reasons):
    """A broker that ends with each of the reasons."""
    broker = Broker(setting)
    try:
        broker.start()
    except RuntimeError as error:
        for reason in reasons:
            must(reason in str(error), "%s: %s" % (reason, error))
        must(broker.process.wait(READY_SECONDS) == 1, "the exit code says it")
        broker.process.stdout.close()
        broker.process = None
    else:
        raise AssertionError("it started")
    finally:
        broker.__exit__()


def cannot_be_served(broker):
    taken = re.search(r"//(.+)/", url(broker.log())).group(1)
    refused("chronik.metrics.listener=" + taken, "chronik.metrics.listener=" + taken,
            "Address already in use")
    refused("chronik.metrics.listener=9404", "--set chronik.metrics.listener=9404: error",
            "is not of the form host:port")


def sums(cluster, name):
    return sum(read(url(node.log()))[name] for node in cluster.nodes if node.process is not None)


def three_brokers(cluster):
    for node in cluster.nodes:
        node.format()
    for node in cluster.nodes:
        node.start()
    for node in cluster.nodes:
        node.await_ready()
    must(cluster.nodes[0].create("alone", 3), "a topic is made")
    done = cluster.nodes[0].run("topic", "create", "thrice", "--partitions", "3",
                                "--replication-factor", "3", "--bootstrap-server",
                                cluster.nodes[0].address)
    must(done.returncode == 0, done.stdout.decode())
    must(sums(cluster, CONTROLLER + "activecontrollercount") == 1, "one controller leads")
    wait_until(lambda: sums(cluster, REPLICAS + "leadercount") == 6, 10, "each has a leader")
    must(sums(cluster, REPLICAS + "underreplicatedpartitions") == 0, "all are in sync")


def one_of_three_dies(cluster):
    """It had the only replica of one partition, and a third of those of the others."""
    cluster.nodes[2].end(signal.SIGKILL)
    left = cluster.nodes[:2]

    def everywhere(name, count):
        wait_until(lambda: all(read(url(node.log()))[name] == count for node in left), 20,
                   "%s is %d" % (name, count))
    everywhere(CONTROLLER + "offlinepartitionscount", 1)
    everywhere('chronik_offline_partitions{waits_for="eligible_leader_replica"}', 1)
    everywhere(CONTROLLER + "fencedbrokercount", 1)
    wait_until(lambda: sums(cluster, REPLICAS + "underreplicatedpartitions") == 3, 20,
               "three lack a replica")
    cluster.nodes[2].start()
    cluster.nodes[2].await_ready()
    everywhere(CONTROLLER + "offlinepartitionscount", 0)
    wait_until(lambda: sums(cluster, REPLICAS + "underreplicatedpartitions") == 0, 20,
               "all are in sync")


def main():
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        print("1..0 # SKIP it needs " + LIBRARY)
        return
    tap = Tap()
    with Broker(ANYWHERE) as broker:
        tap.case("a broker tells of itself", one_broker, broker)
        tap.case("doc/METRICS.md has each of them", all_are_on_the_page, broker)
        tap.case("other paths and methods are refused", what_is_not_there, broker)
        tap.case("%d silent connections keep nobody out" % SILENT, silent_connections, broker)
        tap.case("connections are turned away without descriptors", no_descriptor_left, broker)
        tap.case("where metrics cannot be served, no broker starts", cannot_be_served, broker)
        broker.check_records(tap)
    tap.case("without the setting nothing is loaded", without_the_setting)
    with Cluster([ANYWHERE]) as cluster:
        tap.case("three brokers agree", three_brokers, cluster)
        tap.case("a partition without a leader says whom it waits for", one_of_three_dies, cluster)
        for node in cluster.nodes:
            if node.process is not None:
                node.end(signal.SIGTERM)
        cluster.check_records(tap)
    tap.end()


if __name__ == "__main__":
    main()
