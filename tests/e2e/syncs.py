# SPDX-License-Identifier: Apache-2.0
"""What the disk takes for a bare fdatasync of 4 KiB, all the while: what brokers cannot help."""

import os
import threading
import time

PAUSE_SECONDS = 0.01
FILE_BYTES_MAX = 1 << 22


class Syncs(threading.Thread):
    """Writes to a file of its own in `folder` until end()."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.path = os.path.join(folder, "synced")
        self.ending = threading.Event()
        self.taken = []  # (when it was over, milliseconds)

    def run(self):
        with open(self.path, "wb", buffering=0) as file:
            while not self.ending.wait(PAUSE_SECONDS):
                file.write(b"\0" * 4096)
                began = time.monotonic()
                os.fdatasync(file.fileno())
                now = time.monotonic()
                self.taken.append((now, (now - began) * 1000))
                if file.tell() > FILE_BYTES_MAX:
                    file.seek(0)

    def end(self):
        self.ending.set()
        self.join()
        os.unlink(self.path)

    def all_ms(self):
        return [ms for _, ms in self.taken]
