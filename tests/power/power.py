# SPDX-License-Identifier: Apache-2.0
"""Power loss of the real broker. It runs under load while its file calls and sends are logged; from
the log, images are made of what a power loss at some moment may leave (tests/power/files.py says
what that is); a broker recovers each of them, and nothing that was promised before is missing.

    power.py                               the campaign, in TAP
    power.py again FOLDER NUMBER           an image of a kept load once more

CHRONIK_POWER_IMAGES (300)    how many images
CHRONIK_POWER_SEED (1)        of the first load; another seed is another load
CHRONIK_POWER_JOBS            how many at a time; as many as there are processors
CHRONIK_POWER_FAILURES (5)    so many images that fail end the campaign
"""

import collections
import multiprocessing
import os
import pickle
import random
import select
import shutil
import signal
import sys
import tempfile
import time

import calls
import files
import judge
import load
import promises
import wire

IMAGES = int(os.environ.get("CHRONIK_POWER_IMAGES", "300"))
SEED = int(os.environ.get("CHRONIK_POWER_SEED", "1"))
JOBS = int(os.environ.get("CHRONIK_POWER_JOBS", os.cpu_count() or 1))
FAILURES_MAX = int(os.environ.get("CHRONIK_POWER_FAILURES", "5"))
PROGRAM = os.environ.get("CHRONIK", os.path.join(os.getcwd(), "chronik"))
LIBRARY = os.environ.get("CHRONIK_POWER_CALLS", os.path.join(os.getcwd(), "tests/calls.so"))

IMAGES_PER_LOAD = 150

# A start is so many entries of the log, and the first moments after it.
START_ENTRIES = 200

Image = collections.namedtuple("Image", "number cut")


class Kept:
    """A load that has run, and what its log says. `asked`: what the load knows of it."""

    def __init__(self, folder, seed, asked):
        self.folder = folder
        self.seed = seed
        self.asked = asked
        self.requests = asked
        self.calls = calls.read(folder + "/calls")
        disk = files.Disk()
        for at, call in enumerate(self.calls):
            disk.apply(at, call)
        root = folder + "/root"  # of a load that was kept the log alone is there
        self.differences = disk.differences(root) if os.path.isdir(root) else []
        self.written = promises.histories(disk)

    def logs(self):
        """Of calls, in the folder."""
        return ["calls"]

    def judge_in(self, folder):
        return Images(self, folder)

    def images(self, count):
        """Where the power fails, in order: anywhere, in any life, but rather just after a reply or
        a start."""
        rng = random.Random(self.seed)
        sends = [at for at, call in enumerate(self.calls) if call.kind == calls.SEND]
        starts = [at for at, call in enumerate(self.calls) if call.kind == calls.START]
        lives = list(zip(starts, starts[1:] + [len(self.calls)]))
        cuts = []
        for _ in range(count):
            drawn = rng.random()
            if drawn < 0.3:
                cut = rng.randint(1, len(self.calls))
            elif drawn < 0.5:
                cut = rng.randint(*rng.choice(lives))
            elif drawn < 0.8:
                cut = rng.choice(sends) + rng.randint(1, 4)
            else:
                cut = rng.choice(starts) + rng.randint(1, START_ENTRIES)
            cuts.append(min(cut, len(self.calls)))
        return [Image(number, cut) for number, cut in enumerate(sorted(cuts))]


class Images:
    """Makes the images of a load one after the other, and has each judged. `tally`: what is counted
    and not judged."""

    def __init__(self, kept, folder):
        self.tally = collections.Counter()
        self.kept = kept
        self.folder = folder
        self.disk = files.Disk()
        self.promised = promises.Promises(kept.requests, kept.written)
        self.at = 0

    def advance(self, cut):
        while self.at < cut:
            call = self.kept.calls[self.at]
            self.disk.apply(self.at, call)
            self.promised.apply(call)
            self.at += 1

    def make(self, image):
        self.advance(image.cut)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.disk.store(self.folder, random.Random("%d %d" % (self.kept.seed, image.number)))

    def run(self, image):
        """None, or what is wrong."""
        self.make(image)
        os.makedirs(self.folder + "/data", exist_ok=True)
        with open(self.folder + "/errors", "wb+") as errors:
            process, port = load.start_broker(PROGRAM, self.folder + "/data", errors=errors)
            try:
                judge.must(port is not None, "the broker does not start")
                connection = wire.Connection(port)
                judge.Judge(connection, self.promised, self.kept.written, self.kept.requests,
                            image.cut).judge()
                connection.close()
                return None
            except Exception as error:  # whatever it is, the image is not as it should be
                process.kill()
                process.wait()
                errors.seek(0)
                return "%s: %s\n%s" % (type(error).__name__, error,
                                       errors.read().decode(errors="replace"))
            finally:
                process.kill()
                process.wait()
                process.stdout.close()


def work(kept, images, folder, pipe):
    """One process, with a group of its own: sends back each image with what is wrong with it, and
    at last what it has counted."""
    os.setpgid(0, 0)
    judged = kept.judge_in(folder)
    for image in images:
        pipe.send((image, judged.run(image)))
    pipe.send((None, judged.tally))
    pipe.close()
    shutil.rmtree(folder, ignore_errors=True)


def end_group(process):
    """Of what the worker had started nothing is left, wherever it was."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()  # it has not come so far
    process.join()


def judge_images(kept, images, folder):
    """Yields (image, what is wrong) of all images, and (None, what was counted)."""
    pipes = []
    processes = []
    for job in range(JOBS):
        ours, theirs = multiprocessing.Pipe(False)
        process = multiprocessing.Process(target=work, args=(
            kept, images[job::JOBS], "%s/image%d" % (folder, job), theirs))
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    try:
        while pipes:
            for pipe in select.select(pipes, [], [])[0]:
                try:
                    yield pipe.recv()
                except EOFError:
                    pipes.remove(pipe)
    finally:
        for process in processes:
            end_group(process)


def keep(kept, image):
    """Puts a load where it stays, and says how to make the image again."""
    folder = tempfile.mkdtemp(prefix="chronik-power-failed.")
    for log in kept.logs():
        os.makedirs(os.path.dirname(folder + "/" + log), exist_ok=True)
        shutil.copy(kept.folder + "/" + log, folder + "/" + log)
    with open(folder + "/requests", "wb") as out:
        pickle.dump((kept.seed, kept.asked, len(kept.images_made)), out)
    return "%s again %s %d" % (os.path.basename(sys.argv[0]), folder, image.number)


class Campaign:
    def __init__(self):
        self.count = 0
        self.failed = 0
        self.images = 0
        self.failures = 0
        self.tally = collections.Counter()

    def case(self, name, wrong):
        self.count += 1
        self.failed += wrong is not None
        print("%s %d - %s" % ("ok" if wrong is None else "not ok", self.count, name))
        for line in (wrong or "").splitlines():
            print("# " + line)
        sys.stdout.flush()

    def begin(self, seed, folder):
        """A load that has run, and what is kept of it if it has done so well."""
        one = load.Load(PROGRAM, LIBRARY, folder, seed)
        one.run()
        return one.failures, None if one.failures else Kept(folder, seed, one.requests)

    def load(self, seed, count, folder):
        failures, kept = self.begin(seed, folder)
        if failures:
            self.case("load %d runs" % seed, "\n".join(failures))
            return
        if kept.differences:
            self.case("load %d: its log tells what it did" % seed, "\n".join(kept.differences))
            return
        kept.images_made = kept.images(count)
        wrong = []
        judged = 0
        for image, what in judge_images(kept, kept.images_made, folder):
            if image is None:
                self.tally += what
                continue
            judged += 1
            if what is not None:
                wrong.append("image %d, cut at %d of %d: %s" % (image.number, image.cut,
                                                               len(kept.calls), what))
                if len(wrong) == 1:
                    wrong.append(keep(kept, image))
            if self.failures + len(wrong) > FAILURES_MAX:
                break
        if not wrong and judged < count:
            wrong.append("only %d images were judged" % judged)
        self.failures += len(wrong)
        self.images += judged
        self.case("load %d: %d images, %d calls, %d requests" % (
            seed, count, len(kept.calls), len(kept.requests)), "\n".join(wrong) or None)

    def run(self, folder):
        began = time.monotonic()
        left = IMAGES
        seed = SEED
        while left > 0 and self.failures < FAILURES_MAX:
            count = min(left, IMAGES_PER_LOAD)
            below = "%s/load%d" % (folder, seed)
            os.mkdir(below)
            self.load(seed, count, below)
            shutil.rmtree(below)
            left -= count
            seed += 1
        for what, count in sorted(self.tally.items()):
            print("# %d %s" % (count, what))
        print("# %d images in %.1f s" % (self.images, time.monotonic() - began))
        print("1..%d" % self.count)
        return 1 if self.failed else 0


def again(folder, number, kept_of):
    with open(folder + "/requests", "rb") as text:
        seed, asked, count = pickle.load(text)
    kept = kept_of(folder, seed, asked)
    image = kept.images(count)[number]
    images = kept.judge_in(folder + "/image")
    images.make(image)
    shutil.rmtree(folder + "/before", ignore_errors=True)
    shutil.copytree(folder + "/image", folder + "/before")
    print(images.run(image) or "nothing is wrong")
    print("the image, before a broker saw it: %s/before" % folder)


def main(campaign, kept_of):
    if sys.argv[1:2] == ["again"]:
        again(sys.argv[2], int(sys.argv[3]), kept_of)
        return 0
    multiprocessing.set_start_method("fork")
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="chronik-power.", dir=base)
    try:
        return campaign.run(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(Campaign(), Kept))
