# SPDX-License-Identifier: Apache-2.0
"""Reads the log of calls that tests/power/calls.c wrote; calls.h there tells what is in it."""

import collections
import struct

HEAD = struct.Struct("=IiqQQ")

(START, OPEN, MAKE, RENAME, REMOVE, WRITE, TRUNCATE, CLOSE, SYNC_BEGIN, SYNC_END, SEND,
 SEND_FILE) = range(1, 13)

Call = collections.namedtuple("Call", "kind fd value data at_ns")


def read(path):
    """All entries of a log, in order."""
    with open(path, "rb") as log:
        text = log.read()
    calls = []
    at = 0
    while at < len(text):
        kind, fd, value, length, at_ns = HEAD.unpack_from(text, at)
        at += HEAD.size
        if at + length > len(text):
            raise ValueError("%s ends within an entry" % path)
        calls.append(Call(kind, fd, value, text[at:at + length], at_ns))
        at += length
    return calls
