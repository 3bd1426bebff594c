# SPDX-License-Identifier: Apache-2.0
"""bench/floor, which is measured beside brokers, does what it is measured for."""

import filecmp
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
from chronik import Tap, must  # noqa: E402
from connection import Connection, batch  # noqa: E402
from systems import Floor  # noqa: E402

PROGRAM = os.environ.get("CHRONIK", os.path.join(os.getcwd(), "chronik"))
PARTITIONS = 3
# Small enough that each partition's file is written over many times.
BLOCK_BYTES = 1 << 20
SECONDS = 120


def bench(floor, arm, *options):
    done = subprocess.run([PROGRAM, "bench", arm, "--bootstrap-server", floor.address, "--json",
                           "--warm-up", "0", "--seconds", "1", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=SECONDS)
    must(done.returncode == 0, "exit code %d: %s%s" % (done.returncode, done.stdout.decode(),
                                                       floor.log()))
    return json.loads(done.stdout)


def produce(floor, *options):
    pids = [word for pid in floor.pids for word in ("--pid", str(pid))]
    said = bench(floor, "produce", "--create", "%d:1" % PARTITIONS, "--connections", "4", *pids,
                 *options)
    must(said["errors"] == said["unanswered"] == said["lost"] == 0, said)
    must(said["all_requests"] > 100 and said["cpu_s"] > 0, said)
    return said


def counts(floor):
    written = sum(produce(floor, "--acks", acks, "--depth", "8")["all_records"]
                  for acks in ("all", "1"))
    found = Connection(floor.port).ends(PARTITIONS)
    must(sum(found) == written and min(found) > 0, "%d written, ends %s" % (written, found))


def fetches(floor):
    """What is left of logs that were written over many times: batches in a row, around again."""
    produce(floor, "--batch-bytes", "5000", "--record-bytes", "100")
    said = bench(floor, "fetch", "--connections", "3", "--fetch-bytes", "100000")
    must(said["requests"] > 100 and said["errors"] == said["lost"] == 0, said)
    must(said["records"] / said["requests"] >= 50, "whole batches: %s" % said)
    ends = Connection(floor.port).ends(PARTITIONS)
    Connection(floor.port).fetch_last(ends[:1])


def tails(floor):
    said = bench(floor, "tail", "--topic", "tail", "--create", "2:1", "--rate", "200",
                 "--batch-bytes", "300", "--record-bytes", "100", "--depth", "256")
    must(said["tail_records"] == said["all_records"] == 3 * 200, said)


def waits(floor):
    """A fetch at the end comes back when its time is over, with nothing."""
    connection = Connection(floor.port)
    end = connection.ends(PARTITIONS)[0]
    answer = connection.call(1, 4, struct.pack(">iiiib", -1, 100, 1, 1 << 20, 0) + connection.topic(
        1, lambda p: struct.pack(">qi", end, 1 << 20)))
    must(struct.unpack(">i", answer[-4:])[0] == 0, answer)


def refuses(floor):
    """What is not what it says goes into no log."""
    before = Connection(floor.port).ends(PARTITIONS)
    for wrong in (batch()[:-1] + b"x", batch()[:-1], batch() + b"x"):
        connection = Connection(floor.port)
        connection.socket.settimeout(SECONDS)
        connection.socket.sendall(connection.frame(0, 3, struct.pack(
            ">hhi", -1, -1, 30000) + connection.topic(
                1, lambda p, one=wrong: struct.pack(">i", len(one)) + one)))
        try:
            must(connection.socket.recv(1) == b"", "it is turned away")
        except ConnectionResetError:
            pass
    for noise in (b"\0\0\0\0", b"\0\0\0\4noise", b"\x7f\xff\xff\xff", b"\0\0\0\x0c" + b"\xff" * 12,
                  b"\0\0\0\x0e\0\0\0\7\0\0\0\0\0\0\0\0\0\0"):
        with socket.create_connection(("127.0.0.1", floor.port), SECONDS) as other:
            other.sendall(noise)
            other.shutdown(socket.SHUT_WR)
            try:
                must(other.recv(1) == b"", "%r is turned away" % noise)
            except ConnectionResetError:
                pass
    must(Connection(floor.port).ends(PARTITIONS) == before, "nothing was written")


def replicates(durable):
    with Floor(replicas=3, durable=durable, block_bytes=BLOCK_BYTES) as floor:
        must(len(floor.pids) == 3, floor.pids)
        said = produce(floor, "--depth", "8")
        must(durable or said["bytes"] > PARTITIONS * BLOCK_BYTES, "files are written over: %s" %
             said)
        produce(floor, "--batch-bytes", "100", "--record-bytes", "100", "--depth", "16")
        folder = os.path.join(floor.folder, "data")
        for number in range(PARTITIONS):
            name = "%d.log" % number
            for follower in ("follower-1", "follower-2"):
                must(filecmp.cmp(os.path.join(folder, name), os.path.join(folder, follower, name),
                                 shallow=False), "%s of %s is the leader's" % (name, follower))
        tails(floor)


def in_memory():
    """The file system of /dev/shm cannot make blocks that were written unwritten again."""
    with mock.patch.object(tempfile, "tempdir", "/dev/shm"), \
            Floor(durable=True, block_bytes=BLOCK_BYTES) as floor:
        counts(floor)


def main():
    tap = Tap()
    with Floor(block_bytes=BLOCK_BYTES) as floor:
        tap.case("what it counts is in the logs", counts, floor)
        tap.case("fetch goes around in what was written over", fetches, floor)
        tap.case("a tail sees all that is written", tails, floor)
        tap.case("a fetch waits so long and no longer", waits, floor)
        tap.case("what is wrong is turned away", refuses, floor)
        if tap.failed:
            print("# " + floor.log().replace("\n", "\n# "))
    with Floor(durable=True, block_bytes=BLOCK_BYTES) as floor:
        tap.case("the same synced", counts, floor)
        tap.case("fetch of what was synced", fetches, floor)
    tap.case("the same synced, in memory alone", in_memory)
    tap.case("followers have what the leader has", replicates, False)
    tap.case("followers have what the leader has, synced", replicates, True)
    tap.end()


if __name__ == "__main__":
    main()
