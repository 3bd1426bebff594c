# SPDX-License-Identifier: Apache-2.0
"""What runs beside a measurement (bench/beside), and before it."""

import json
import mmap
import os
import subprocess
import time

PROGRAM = os.environ.get("BESIDE", os.path.join(os.getcwd(), "bench/beside/beside"))
# Whoever uses less of a processor for so long is idle; Kafka never rests wholly.
IDLE_SHARE = 0.1
IDLE_SECONDS = 0.5


def ends_with_us():
    """What a command begins with that goes when this process does, however that comes about."""
    return [PROGRAM, "until", str(os.getpid())]


class Spinners:
    """One on each processor while it is entered; none when it is not `wanted`."""

    def __init__(self, wanted):
        self.cpus = sorted(os.sched_getaffinity(0)) if wanted else []
        self.processes = []

    def __enter__(self):
        for cpu in self.cpus:
            self.processes.append(subprocess.Popen(
                [*ends_with_us(), PROGRAM, "spin", str(cpu)]))

    def __exit__(self, kind, *_):
        ended = [process.args for process in self.processes if process.poll() is not None]
        for process in self.processes:
            process.kill()
            process.wait()
        if kind is None and ended:
            raise RuntimeError("it did not last: %s" % ended)


class Hiccup:
    """How late the machine was; `said` once it is left."""

    def __init__(self):
        self.process = None
        self.said = None

    def __enter__(self):
        self.process = subprocess.Popen([*ends_with_us(), PROGRAM, "hiccup"],
                                        stdout=subprocess.PIPE)
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        said = self.process.communicate()[0]
        if kind is None:
            self.said = json.loads(said)


def touch_memory(most):
    """Has the machine below give us memory before it is measured how fast that is written: so many
    bytes, and no more than three quarters of what is free."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        free_kib = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    step = 1 << 20
    with mmap.mmap(-1, max(step, min(most, free_kib * 1024 * 3 // 4) // step * step)) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, len(memory), step):
            memory[at:at + step:mmap.PAGESIZE] = b"x" * (step // mmap.PAGESIZE)


def busy_seconds():
    """What all processors have done, and what others were given on the host, since the start."""
    with open("/proc/stat", encoding="ascii") as lines:
        user, nice, system, _, _, irq, softirq, steal = map(int, next(lines).split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """What these processes have used, as clock_getcpuclockid() has it."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def await_idle(pids, seconds):
    """Waits while they still do something that nobody asks for now; no longer than `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = cpu_seconds(pids)
        time.sleep(IDLE_SECONDS)
        if cpu_seconds(pids) - before <= IDLE_SHARE * IDLE_SECONDS:
            return


def others():
    """How many processors are busy while nothing is measured."""
    began, before = time.monotonic(), busy_seconds()
    time.sleep(1)
    return (busy_seconds() - before) / (time.monotonic() - began)
