# SPDX-License-Identifier: Apache-2.0
"""Malformed requests by the thousand, idle, half-open and slow connections: the clients beside them
that do nothing wrong see no error, and the broker keeps within its limits.

CHRONIK_E2E_REQUESTS (default 20000) is how many malformed requests there are, CHRONIK_E2E_IDLE
(default 500) how many connections stay idle meanwhile, CHRONIK_E2E_SEED (default 1) what the
mutations are drawn from."""

import os
import random
import re
import resource
import select
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chronik import Broker, Tap, must, wait_until  # noqa: E402

import confluent_kafka  # noqa: E402
import confluent_kafka.admin  # noqa: E402
import kafka  # noqa: E402

REQUESTS = int(os.environ.get("CHRONIK_E2E_REQUESTS", "20000"))
IDLE = int(os.environ.get("CHRONIK_E2E_IDLE", "500"))
SEED = int(os.environ.get("CHRONIK_E2E_SEED", "1"))
HALF_OPEN = 1000
SLOW_WRITERS = 20
HOARDERS = 12
AT_ONCE = 48  # connections of the storm

# By then the kernel has probed each of them to its end (net/listen.c), where probes get lost. It
# loses none of a thousand (net.core.netdev_max_backlog), for which nobody has to wait.
PROBED_SECONDS = 250 if IDLE > 1000 else 0

QUEUED_BYTES = 16 << 20
REQUEST_BYTES = 4 << 20
# What the broker may grow by: twice its limit for requests (they are held when replies are), what a
# thousand connections cost, and the topics and groups that mutated requests made in earnest.
GROWTH_BYTES = 2 * QUEUED_BYTES + (IDLE // 1000 + 1) * (4 << 20) + (32 << 20)
if os.environ.get("INSTRUMENTED") not in (None, "", "no"):
    GROWTH_BYTES += 1 << 30  # sanitizers keep what was freed
LOG_BYTES_A_SECOND = 8 << 10
LOG_BYTES = 64 << 10
TOPIC = "well-behaved"
VICTIM = "v"

API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 7, -1)


def connect(broker, timeout=30):
    return socket.create_connection(("127.0.0.1", broker.port), timeout)


def receive(connection, length):
    got = b""
    while len(got) < length:
        part = connection.recv(length - len(got))
        must(part, "closed after %d bytes" % len(got))
        got += part
    return got


def answer(connection):
    """The next answer's correlation id and body."""
    size = struct.unpack(">i", receive(connection, 4))[0]
    body = receive(connection, size)
    return struct.unpack(">i", body[:4])[0], body[4:]


class Capture(threading.Thread):
    """Stands between clients and the broker and keeps the requests that it passes on."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = None
        self.frames = {}
        self.lock = threading.Lock()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            broker = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.requests, args=(client, broker), daemon=True).start()
            threading.Thread(target=self.replies, args=(broker, client), daemon=True).start()

    def requests(self, client, broker):
        pending = b""
        while part := self.pass_on(client, broker):
            pending += part
            while len(pending) >= 4:
                size = struct.unpack(">i", pending[:4])[0]
                if len(pending) < 4 + size:
                    break
                self.keep(pending[:4 + size])
                pending = pending[4 + size:]

    def replies(self, broker, client):
        while self.pass_on(broker, client):
            pass

    @staticmethod
    def pass_on(source, target):
        try:
            part = source.recv(1 << 16)
            if part:
                target.sendall(part)
            else:
                target.shutdown(socket.SHUT_WR)
            return part
        except OSError:
            return b""

    def keep(self, frame):
        key = struct.unpack(">hh", frame[4:8])
        with self.lock:
            kept = self.frames.setdefault(key, [])
            if len(kept) < 8 and len(frame) < 4096 and frame not in kept:
                kept.append(frame)


def capture_rdkafka(address):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address, "log_level": 2})
    for name in (VICTIM, "doomed"):
        admin.create_topics([confluent_kafka.admin.NewTopic(name, 2, 1)])[name].result(30)
    resource_of = confluent_kafka.admin.ConfigResource("topic", VICTIM)
    admin.describe_configs([resource_of])[resource_of].result(30)
    admin.create_partitions([confluent_kafka.admin.NewPartitions(VICTIM, 3)])[VICTIM].result(30)
    admin.delete_topics(["doomed"])["doomed"].result(30)
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "log_level": 2,
                                         "enable.idempotence": True})
    for i in range(20):
        producer.produce(VICTIM, b"%d" % i * 20)
        must(producer.flush(30) == 0, "produced through the capture")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": address, "log_level": 2,
                                         "group.id": "g", "auto.offset.reset": "earliest",
                                         "enable.auto.commit": False})
    consumer.subscribe([VICTIM])
    message = consumer.poll(60)
    must(message is not None and message.error() is None, "consumed through the capture")
    consumer.commit(message, asynchronous=False)
    consumer.committed([confluent_kafka.TopicPartition(VICTIM, 0)], timeout=30)
    consumer.offsets_for_times([confluent_kafka.TopicPartition(VICTIM, 0, 1)], timeout=30)
    admin.list_groups(timeout=30)
    consumer.close()


def capture_kafka_python(address):
    producer = kafka.KafkaProducer(bootstrap_servers=address, acks=1)
    for i in range(5):
        producer.send(VICTIM, b"%d" % i, partition=0).get(30)
    producer.close()
    consumer = kafka.KafkaConsumer(VICTIM, bootstrap_servers=address, group_id="p",
                                   auto_offset_reset="earliest", consumer_timeout_ms=30000)
    next(consumer)
    consumer.commit()
    consumer.close()
    admin = kafka.KafkaAdminClient(bootstrap_servers=address)
    admin.describe_consumer_groups(["p"])
    admin.list_consumer_groups()
    admin.delete_consumer_groups(["p"])
    admin.close()


def capture_all(broker, capture):
    """Frames of every request that real clients made, in a fixed order."""
    capture.target = broker.port
    capture.start()
    address = "127.0.0.1:%d" % capture.port
    capture_rdkafka(address)
    capture_kafka_python(address)
    subprocess.run(("kcat", "-b", address, "-C", "-t", VICTIM, "-e", "-q", "-c", "3"), check=True,
                   timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    capture.listener.close()
    must(len({api for api, _ in capture.frames}) >= 15,
         "captured only the APIs %s" % sorted({api for api, _ in capture.frames}))


class Mutator:
    """Draws malformed frames from good ones; the same seed and frames give the same ones."""

    NUMBERS = [-1, 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
               0xfffffffe, 0x40000000, 0x00ffffff, 0x10000]
    STRANGERS = [b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
                 b"\x00", b"SSH-2.0-OpenSSH_9.2\r\n", b"\xff" * 64, bytes(64), b""]

    def __init__(self, seed, frames):
        self.chance = random.Random(seed)
        self.groups = [frames[key] for key in sorted(frames)]
        self.ways = [self.flip, self.flip, self.number, self.number, self.cut, self.cut_short,
                     self.length, self.splice, self.repeat, self.relabel, self.noise,
                     self.stranger]

    def draw(self):
        frame = self.frame()
        return self.chance.choice(self.ways)(bytearray(frame))

    def frame(self):
        return self.chance.choice(self.chance.choice(self.groups))

    @staticmethod
    def sized(frame):
        """With the size that it has: the mistake is then within."""
        frame[:4] = struct.pack(">i", len(frame) - 4)
        return bytes(frame)

    def flip(self, frame):
        for _ in range(self.chance.randint(1, 8)):
            frame[self.chance.randrange(4, len(frame))] ^= 1 << self.chance.randrange(8)
        return bytes(frame)

    def number(self, frame):
        width = self.chance.choice((1, 2, 4, 8))
        at = self.chance.randrange(4, len(frame))
        value = self.chance.choice(self.NUMBERS) & ((1 << 8 * width) - 1)
        frame[at:at + width] = value.to_bytes(width, "big")
        return self.sized(frame)

    def cut(self, frame):
        del frame[self.chance.randrange(4, len(frame)):]
        return self.sized(frame)

    def cut_short(self, frame):
        """The rest never comes."""
        return bytes(frame[:self.chance.randrange(1, len(frame))])

    def length(self, frame):
        size = self.chance.choice(self.NUMBERS + [REQUEST_BYTES, REQUEST_BYTES + 1, len(frame)])
        frame[:4] = struct.pack(">I", size & 0xffffffff)
        return bytes(frame)

    def splice(self, frame):
        other = self.frame()
        return self.sized(frame[:self.chance.randrange(8, len(frame))] +
                          bytearray(other[self.chance.randrange(8, len(other)):]))

    def repeat(self, frame):
        at = self.chance.randrange(8, len(frame))
        part = frame[at:at + self.chance.randint(1, 40)]
        return self.sized(frame[:at] + part * self.chance.randint(2, 20) + frame[at:])

    def relabel(self, frame):
        """One request's body under another's name and version."""
        frame[4:8] = struct.pack(">hh", self.chance.randint(-1, 80), self.chance.randint(-1, 20))
        return bytes(frame)

    def noise(self, frame):
        del frame[12:]
        frame += self.chance.getrandbits(8 * 64).to_bytes(64, "big")[:self.chance.randint(0, 64)]
        return self.sized(frame)

    def stranger(self, _):
        return self.chance.choice(self.STRANGERS)


class Storm:
    """Sends malformed requests, each on a connection of its own, and waits for what becomes of it:
    our side of the connection ends behind the request, so that the broker has read it when it ends
    the other."""

    def __init__(self, broker, mutator):
        self.broker = broker
        self.mutator = mutator
        self.poll = select.epoll()
        self.open = {}
        self.answered = 0
        self.closed = 0

    def throw(self):
        frame = self.mutator.draw()
        connection = connect(self.broker)
        try:
            connection.sendall(frame)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused already
        self.open[connection.fileno()] = [connection, False, frame]
        self.poll.register(connection.fileno(), select.EPOLLIN)

    def take(self, seconds):
        """Takes in what came; false when nothing did."""
        events = self.poll.poll(seconds)
        for fd, _ in events:
            entry = self.open[fd]
            try:
                part = entry[0].recv(1 << 16)
            except OSError:
                part = b""
            if part:
                entry[1] = True
                continue
            if entry[1]:
                self.answered += 1
            else:
                self.closed += 1
            self.poll.unregister(fd)
            entry[0].close()
            del self.open[fd]
        return bool(events)

    def run(self, count):
        thrown = 0
        while thrown < count or self.open:
            while thrown < count and len(self.open) < AT_ONCE:
                self.throw()
                thrown += 1
            must(self.take(60), "the broker leaves connections open whose client has ended: %s" %
                 [entry[2][:64].hex() for entry in self.open.values()][:3])


class GoodProducer(threading.Thread):
    """Sends numbers, idempotent and acks=all, and notes every complaint."""

    def __init__(self, broker, complaints):
        super().__init__(daemon=True)
        self.complaints = complaints
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": broker.address, "enable.idempotence": True, "acks": "all",
            "linger.ms": 1, "error_cb": lambda error: complaints.append("producer: %s" % error),
            "log_level": 2})
        self.sent = 0
        self.acked = 0
        self.longest = 0.0
        self.ending = threading.Event()

    def delivered(self, error, message):
        if error is not None:
            self.complaints.append("delivery: %s" % error)
        self.acked += 1
        self.longest = max(self.longest, message.latency() or 0.0)

    def run(self):
        while not self.ending.is_set():
            if self.sent - self.acked < 100:
                self.producer.produce(TOPIC, b"%d" % self.sent, callback=self.delivered,
                                      partition=self.sent % 3)
                self.sent += 1
            self.producer.poll(0.005)

    def end(self):
        self.ending.set()
        self.join()
        must(self.producer.flush(60) == 0, "not everything was delivered")


class GoodConsumer(threading.Thread):
    """The only member of a group, which therefore never has reason to rebalance."""

    def __init__(self, broker, complaints):
        super().__init__(daemon=True)
        self.complaints = complaints
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": broker.address, "group.id": "well-behaved",
            "auto.offset.reset": "earliest", "auto.commit.interval.ms": 500, "log_level": 2,
            "error_cb": lambda error: complaints.append("consumer: %s" % error),
            "on_commit": self.on_commit})
        self.assigned = 0
        self.seen = {}
        self.ending = threading.Event()

    def on_commit(self, error, _):
        if error is not None and error.code() != confluent_kafka.KafkaError._NO_OFFSET:
            self.complaints.append("commit: %s" % error)

    def on_assign(self, *_):
        self.assigned += 1

    def run(self):
        self.consumer.subscribe([TOPIC], on_assign=self.on_assign,
                                on_revoke=lambda *_: self.complaints.append("revoked"))
        while not self.ending.is_set():
            message = self.consumer.poll(0.1)
            if message is None:
                continue
            if message.error() is not None:
                self.complaints.append("fetch: %s" % message.error())
                continue
            number = int(message.value())
            self.seen[number] = self.seen.get(number, 0) + 1

    def end(self):
        self.ending.set()
        self.join()


class Good:
    """Clients that do nothing wrong."""

    def __init__(self, broker):
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
        admin.create_topics([confluent_kafka.admin.NewTopic(TOPIC, 3, 1)])[TOPIC].result(30)
        self.complaints = []
        self.producer = GoodProducer(broker, self.complaints)
        self.consumer = GoodConsumer(broker, self.complaints)
        self.producer.start()
        self.consumer.start()
        wait_until(lambda: self.consumer.seen, 60, "the first record is read")

    def goes_on(self):
        """Service at this moment: more is acknowledged and read."""
        acked, seen = self.producer.acked, len(self.consumer.seen)
        wait_until(lambda: self.producer.acked > acked + 200 and
                   len(self.consumer.seen) > seen + 200, 30, "the good clients are served")
        must(not self.complaints, "%s" % self.complaints[:5])

    def end(self):
        self.producer.end()
        wait_until(lambda: len(self.consumer.seen) >= self.producer.sent, 60,
                   "everything produced is read")
        complaints = list(self.complaints)
        self.consumer.end()
        must(not complaints, "%d complaints: %s" % (len(complaints), complaints[:5]))
        must(self.consumer.assigned == 1, "assigned %d times" % self.consumer.assigned)
        must(sorted(self.consumer.seen) == list(range(self.producer.sent)), "a record is missing")
        doubled = [n for n, times in self.consumer.seen.items() if times > 1]
        must(not doubled, "%d records came twice" % len(doubled))


class Bystanders:
    """Connections that stay: idle ones, half-open ones, slow ones, and hoarders of memory."""

    def __init__(self, broker):
        self.broker = broker
        self.idle = []
        self.idle_since = 0
        self.half_open = []
        self.slow = []
        self.hoarders = []

    def open_idle(self):
        """Not faster than the broker takes them: what overflows the kernel's queue of those to be
        accepted is lost without anybody's doing. A queue has an order: an answer to a later one
        says that all before it were taken."""
        while len(self.idle) < IDLE:
            self.idle += [connect(self.broker) for _ in range(min(IDLE - len(self.idle), 1000))]
            with connect(self.broker) as last:
                last.sendall(API_VERSIONS)
                must(answer(last)[0] == 7, "the last of the idle connections is taken")
        self.idle_since = time.monotonic()

    def open_half(self, frames):
        for i in range(HALF_OPEN):
            connection = connect(self.broker)
            frame = frames[i % len(frames)]
            connection.sendall((frame[:1 + i % (len(frame) - 1)],
                                struct.pack(">i", REQUEST_BYTES) + frame[4:])[i % 2])
            self.half_open.append(connection)

    def hoard(self):
        """Each brings most of a request as large as allowed, and together they bring three times
        what the broker holds for all connections."""
        most = struct.pack(">i", REQUEST_BYTES) + API_VERSIONS[4:] + bytes(REQUEST_BYTES - 100)
        for _ in range(HOARDERS):
            connection = connect(self.broker)
            connection.setblocking(False)
            self.hoarders.append([connection, most])

    def feed(self, seconds):
        """The hoarders send as much as is taken."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for entry in self.hoarders:
                try:
                    entry[1] = entry[1][entry[0].send(entry[1][:1 << 18]):]
                except BlockingIOError:
                    pass
                except OSError:
                    entry[1] = b""  # the broker has closed it, as it may
            time.sleep(0.005)

    def end_hoarders(self):
        for connection, _ in self.hoarders:
            connection.close()

    def write_slowly(self):
        """One byte at a time, and yet a good request: it is answered."""
        connections = [connect(self.broker) for _ in range(SLOW_WRITERS)]
        for byte in API_VERSIONS:
            for connection in connections:
                connection.sendall(bytes((byte,)))
            time.sleep(0.1)
        for connection in connections:
            must(answer(connection)[0] == 7, "a slow writer is answered")
            connection.close()

    def are_served(self):
        """Each of them, however long it had nothing to say."""
        time.sleep(max(0, self.idle_since + PROBED_SECONDS - time.monotonic()))
        asked = []
        lost = []
        for connection in self.idle:
            try:
                connection.sendall(API_VERSIONS)
                asked.append(connection)
            except OSError as error:
                lost.append(error)
        for connection in asked:
            try:
                must(answer(connection)[0] == 7, "another answer")
            except (OSError, AssertionError) as error:
                lost.append(error)
        must(not lost, "%d of %d are lost, the first: %s" % (len(lost), IDLE, lost[:1]))

    def end(self):
        for connection in self.idle + self.half_open:
            connection.close()


def memory_bytes(broker):
    with open("/proc/%d/status" % broker.process.pid) as status:
        fields = dict(line.split(":", 1) for line in status)
    return {name: int(fields[name].split()[0]) << 10 for name in ("VmRSS", "VmHWM")}


def descriptors(broker):
    return len(os.listdir("/proc/%d/fd" % broker.process.pid))


def errors_log(broker):
    with open(os.path.join(broker.folder, "errors"), "rb") as errors:
        return errors.read().decode(errors="replace")


def log_is_bounded(broker, seconds):
    log = errors_log(broker)
    limit = LOG_BYTES + seconds * LOG_BYTES_A_SECOND
    must(len(log) <= limit, "%d bytes of log in %d s" % (len(log), seconds))
    refusals = len(re.findall(r"closing the connection of", log))
    refusals += sum(int(n) for n in re.findall(r"closed (\d+) more connections", log))
    must(refusals >= REQUESTS // 3, "the log speaks of %d refusals only" % refusals)


def is_alive(broker):
    """It answers a new connection, which a process that is still writing its core file does not."""
    try:
        with connect(broker) as connection:
            connection.sendall(API_VERSIONS)
            alive = answer(connection)[0] == 7
    except (OSError, AssertionError):
        alive = False
    if not alive:
        raise AssertionError("the broker ended or hangs: %s" % how_it_ended(broker))


def how_it_ended(broker):
    try:
        return "code %d" % broker.process.wait(60)
    except subprocess.TimeoutExpired:
        return "it runs"


def memory_is_bounded(broker, before):
    most = memory_bytes(broker)["VmHWM"]
    print("# VmHWM %d KiB, VmRSS before %d KiB, limit for the growth %d KiB" %
          (most >> 10, before >> 10, GROWTH_BYTES >> 10))
    must(most - before <= GROWTH_BYTES, "grew by %d bytes" % (most - before))


def assault(broker, tap, frames):
    every = [frame for key in sorted(frames) for frame in frames[key]]
    began = time.monotonic()
    good = Good(broker)
    before = memory_bytes(broker)["VmRSS"]
    fds = descriptors(broker)
    bystanders = Bystanders(broker)
    tap.case("%d idle connections" % IDLE, bystanders.open_idle)
    tap.case("%d half-open connections" % HALF_OPEN, bystanders.open_half, every)
    tap.case("%d slow writers are answered" % SLOW_WRITERS, bystanders.write_slowly)
    bystanders.hoard()
    bystanders.feed(2)
    tap.case("who hoards the memory for requests keeps none from the others", good.goes_on)
    bystanders.end_hoarders()
    storm = Storm(broker, Mutator(SEED, frames))
    tap.case("%d malformed requests are answered or refused" % REQUESTS, storm.run, REQUESTS)
    print("# %d answered, %d closed; %d good records, the slowest took %.0f ms" %
          (storm.answered, storm.closed, good.producer.acked, good.producer.longest * 1000))
    tap.case("the broker lives", is_alive, broker)
    tap.case("the good clients saw no error and lost nothing", good.end)
    tap.case("the log is bounded", log_is_bounded, broker, time.monotonic() - began)
    tap.case("the idle connections are served", bystanders.are_served)
    bystanders.end()
    tap.case("memory is bounded", memory_is_bounded, broker, before)
    tap.case("no descriptor is left open", wait_until, lambda: descriptors(broker) <= fds + 200,
             30, "connections are closed")
    print("# took %.1f s" % (time.monotonic() - began))


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tap = Tap()
    capture = Capture()
    limits = ("socket.request.max.bytes=%d" % REQUEST_BYTES,
              "queued.max.request.bytes=%d" % QUEUED_BYTES,
              "auto.create.topics.enable=false", "group.initial.rebalance.delay.ms=0")
    with Broker(*limits, "advertised.listeners=PLAINTEXT://127.0.0.1:%d" % capture.port) as broker:
        tap.case("requests of real clients are captured", capture_all, broker, capture)
        if not tap.failed:
            must(broker.stop() == 0, "SIGTERM is an orderly end")
            broker.settings = limits
            broker.start()
            assault(broker, tap, capture.frames)
            tap.case("SIGTERM is an orderly end", lambda: must(broker.stop() == 0, "exit code"))
            broker.check_records(tap)
        if tap.failed:
            print("# " + broker.log().replace("\n", "\n# "))
    tap.end()


if __name__ == "__main__":
    main()
