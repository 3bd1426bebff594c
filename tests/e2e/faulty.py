# SPDX-License-Identifier: Apache-2.0
"""A broker of which system calls go wrong by chance (tests/faulty), and what makes them."""

import mmap
import os
import struct

# enum fault_kind and struct faulty_control of tests/faulty/faulty.h.
KINDS = ("SHORT", "INTERRUPTED", "AGAIN", "WAKE", "SLOW", "NO_SPACE", "READ_ERROR", "WRITE_ERROR",
         "SYNC_ERROR", "NO_ACCEPT", "NO_OPEN", "HELD")
HARMLESS = KINDS[:5]
HAPPENED_AT = 16 * 4
PART_AT = HAPPENED_AT + 16 * 8 + 8
PART_BYTES = 128
ALWAYS = 1000  # per mille

PROGRAM = os.path.join(os.getcwd(), "tests", "chronik-faulty")


class Control:
    """The block of memory that says which faults happen, and counts them."""

    def __init__(self, path):
        self.path = path
        with open(path, "w+b") as file:
            file.truncate(PART_AT + PART_BYTES)
            self.memory = mmap.mmap(file.fileno(), PART_AT + PART_BYTES)

    def environment(self, seed):
        return {"CHRONIK": PROGRAM, "CHRONIK_FAULTY_CONTROL": self.path,
                "CHRONIK_FAULTY_SEED": str(seed)}

    def set(self, kind, per_mille, part=""):
        """From now on; harmful faults of files only where `part` is in the path."""
        self.memory[PART_AT:PART_AT + PART_BYTES] = part.encode().ljust(PART_BYTES, b"\0")
        struct.pack_into("=I", self.memory, KINDS.index(kind) * 4, per_mille)

    def harmless(self, per_mille):
        for kind in HARMLESS:
            self.set(kind, per_mille)

    def mend(self):
        for kind in KINDS:
            self.set(kind, 0)

    def happened(self, kind):
        return struct.unpack_from("=Q", self.memory, HAPPENED_AT + KINDS.index(kind) * 8)[0]
