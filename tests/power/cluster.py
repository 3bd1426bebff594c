# SPDX-License-Identifier: Apache-2.0
"""Power loss of three real brokers at once. They run as one cluster under load while the file
calls and sends of each are logged; the power fails at one moment for all; from the three logs,
images are made of what that may leave on each (tests/power/files.py); brokers recover them, and are
one cluster again, in which nothing is missing that was promised before.

    cluster.py                             the campaign, in TAP
    cluster.py again FOLDER NUMBER         an image of a kept load once more

The variables are those of power.py, but for the images (40) and the jobs (twice as many as there
are processors)."""

import collections
import os
import random
import shutil
import sys

os.environ.setdefault("CHRONIK_POWER_IMAGES", "40")
# Most of the time brokers wait for one another.
os.environ.setdefault("CHRONIK_POWER_JOBS", str(2 * (os.cpu_count() or 1)))

import calls
import cluster_judge
import cluster_load
import cluster_promises
import files
import power

NODES = cluster_judge.NODES
QUORUM_STATE = "quorum-state"

# The moments after a start, after a term or a vote was written down, in entries of all logs.
START_ENTRIES = 300
VOTE_ENTRIES = 60


class Kept:
    """A load that has run, and what its logs say. `asked`: what the load knows of it."""

    def __init__(self, folder, seed, asked):
        self.folder = folder
        self.seed = seed
        self.asked = asked
        self.plan, self.requests, self.consumed, self.fills, self.begun_ns = asked
        self.calls = cluster_promises.merged(
            {node: calls.read("%s/node%d/calls" % (folder, node)) for node in NODES})
        disks = {node: files.Disk() for node in NODES}
        written = cluster_promises.Written()
        self.votes = []
        for number, (node, at, call) in enumerate(self.calls):
            disks[node].apply(at, call)
            written.apply(number, node, disks[node], call)
            if call.kind == calls.OPEN and call.data == b"data/" + QUORUM_STATE.encode():
                self.votes.append(number)
        self.written = written.batches()
        self.differences = [one for node in NODES if os.path.exists(self.root(node))
                            for one in disks[node].differences(self.root(node))]

    def root(self, node):
        return "%s/node%d/root" % (self.folder, node)

    def logs(self):
        return ["node%d/calls" % node for node in NODES]

    def judge_in(self, folder):
        return Images(self, folder)

    def images(self, count):
        """Where the power fails, in order: anywhere once all are formatted, but rather just after
        a reply, a start or a vote."""
        rng = random.Random(self.seed)
        kinds = {kind: [at for at, (_, _, call) in enumerate(self.calls)
                        if call.kind == kind and call.at_ns > self.begun_ns]
                 for kind in (calls.SEND, calls.START)}
        first = kinds[calls.START][0]
        cuts = []
        for _ in range(count):
            drawn = rng.random()
            if drawn < 0.35:
                cut = rng.randint(first, len(self.calls))
            elif drawn < 0.6:
                cut = rng.choice(kinds[calls.SEND]) + rng.randint(1, 4)
            elif drawn < 0.8 or not self.votes:
                cut = rng.choice(kinds[calls.START]) + rng.randint(1, START_ENTRIES)
            else:
                cut = rng.choice(self.votes) + rng.randint(1, VOTE_ENTRIES)
            cuts.append(min(cut, len(self.calls)))
        return [power.Image(number, cut) for number, cut in enumerate(sorted(cuts))]


class Images:
    """Makes the images of a load one after the other, and has each judged, as power.Images."""

    def __init__(self, kept, folder):
        self.tally = collections.Counter()
        self.kept = kept
        self.folder = folder
        self.disks = {node: files.Disk() for node in NODES}
        self.promised = cluster_promises.ClusterPromises(kept)
        self.at = 0
        self.written = {}
        self.written_at = 0
        # Every worker, and every campaign on this machine, has its own.
        self.host = "127.%d.%d.%d" % tuple(os.urandom(3)[i] % 250 + 2 for i in range(3))

    def advance(self, cut):
        while self.at < cut:
            node, at, call = self.kept.calls[self.at]
            self.disks[node].apply(at, call)
            self.promised.apply_of(node, call)
            self.at += 1
        written = self.kept.written
        while self.written_at < len(written) and written[self.written_at][0] < cut:
            _, key, crc = written[self.written_at]
            self.written.setdefault(key, crc)
            self.written_at += 1

    def make(self, image):
        self.advance(image.cut)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        rng = random.Random("%d %d" % (self.kept.seed, image.number))
        for node in NODES:
            self.disks[node].store("%s/%d" % (self.folder, node), rng)

    def run(self, image):
        """None, or what is wrong."""
        self.make(image)
        cluster = cluster_judge.Cluster(self.kept.plan, self.folder, self.host)
        try:
            cluster.start()
            judge = cluster_judge.ClusterJudge(cluster, self.promised, self.written,
                                               self.kept.calls[image.cut - 1][2].at_ns)
            judge.judge()
            self.tally += judge.tally
            return None
        except Exception as error:  # whatever it is, the image is not as it should be
            cluster.kill()
            return "%s: %s\n%s" % (type(error).__name__, error, cluster.errors())
        finally:
            cluster.kill()


class Campaign(power.Campaign):
    def begin(self, seed, folder):
        one = cluster_load.ClusterLoad(power.PROGRAM, power.LIBRARY, folder, seed)
        one.run()
        return one.failures, None if one.failures else Kept(folder, seed, (
            one.plan, one.requests, one.consumed, one.fills, one.begun_ns))


if __name__ == "__main__":
    sys.exit(power.main(Campaign(), Kept))
