# SPDX-License-Identifier: Apache-2.0
"""How many system calls a request takes: a run of its own, since strace slows down whom it
watches."""

import os
import re
import shutil
import subprocess
import time

SECONDS = 3
ATTACH_SECONDS = 20
BOUND = 0.5


def is_watched(pids):
    """True when each thread of each process is traced."""
    for pid in pids:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/status" % (pid, thread), encoding="ascii") as lines:
                if "TracerPid:\t0\n" in lines:
                    return False
    return True


def await_tracer(tracer, pids):
    end = time.monotonic() + ATTACH_SECONDS
    while tracer.poll() is None and time.monotonic() < end:
        try:
            if is_watched(pids):
                return
        except FileNotFoundError:  # a thread that has just ended
            pass
        time.sleep(0.05)


def count(pids, bench):
    """Calls a request; or a text that says why that is not known."""
    if shutil.which("strace") is None:
        return "there is no strace"
    bench(1)
    tracer = subprocess.Popen(
        ["strace", "-f", "-c", "-q", *(word for pid in pids for word in ("-p", str(pid)))],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        await_tracer(tracer, pids)
        said = bench(SECONDS)
    finally:
        tracer.terminate()
        table = tracer.communicate()[1].decode()
    total = re.search(r"^100\.00\s+\S+\s+\S+\s+(\d+)", table, re.M)
    if said is None or total is None or not said["all_requests"]:
        return "strace said: " + (table.strip().splitlines() or ["nothing"])[-1]
    return int(total.group(1)) / said["all_requests"]


def show(counts):
    """`counts` by system, as count() returned them."""
    print("\nsystem calls a request, one record of 100 B, 4 x 16, cached")
    for name, each in counts.items():
        if isinstance(each, str):
            print("%-8s NOT counted: %s" % (name, each))
            continue
        print("%-8s %.3f%s" % (name, each, "" if name != "chronik" else "; bound %.1f: %s" % (
            BOUND, "met" if each <= BOUND else "NOT met")))
