# SPDX-License-Identifier: Apache-2.0
"""What is measured, as processes: started, awaited and ended."""

import os
import re
import shutil
import subprocess
import tempfile
import threading

READY_SECONDS = 60
BLOCK_BYTES = 64 << 20


class Floor:
    """bench/floor, in a folder of its own; `with` starts it."""

    def __init__(self, replicas=1, durable=False, block_bytes=BLOCK_BYTES):
        self.program = os.environ.get("FLOOR", os.path.join(os.getcwd(), "bench/floor/floor"))
        self.folder = tempfile.mkdtemp(prefix="chronik-floor.")
        self.options = ["--replicas", str(replicas), "--block-bytes", str(block_bytes)]
        self.options += ["--durable"] if durable else []
        self.process = None
        self.port = 0
        self.pids = []

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def __enter__(self):
        with open(os.path.join(self.folder, "errors"), "wb") as errors:
            self.process = subprocess.Popen(
                [self.program, "--folder", os.path.join(self.folder, "data"), *self.options],
                stdout=subprocess.PIPE, stderr=errors)
        guard = threading.Timer(READY_SECONDS, self.process.kill)
        guard.start()
        line = self.process.stdout.readline().decode()
        guard.cancel()
        found = re.match(r"floor ready: 127\.0\.0\.1:(\d+) processes (.*)", line)
        if found is None:
            raise RuntimeError("the floor is not ready: " + self.log())
        self.port = int(found.group(1))
        self.pids = [int(pid) for pid in found.group(2).split()]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder)

    def log(self):
        with open(os.path.join(self.folder, "errors"), "rb") as errors:
            return errors.read().decode(errors="replace")
