# SPDX-License-Identifier: Apache-2.0
"""What a power loss may leave of the files that a log of calls made.

The model is the weakest that POSIX allows a file system, as the ALICE paper puts it (Pillai et al.,
"All File Systems Are Not Created Equal", OSDI 2014), with the sector as the atom of a device:

- A file is what fsync() or fdatasync() made of it, and then what came after the last one of these:
  every sector of 512 bytes is as it was after some number of the later writes and truncations,
  each sector for itself, and so is the size. So writes are lost, kept, torn and reordered; a size
  may grow without its bytes, which then read as zeros.
- fsync() of a file says nothing of the file's name. A folder is what its own fsync() made of it;
  each later change of an entry (a file or folder made, renamed, removed) is kept or lost for
  itself, but changes of one name keep their order, and a rename is kept or lost as a whole.
- A sync covers the calls that ended before it began, and only once it has ended.
- A process that is killed loses nothing: what it wrote is in the page cache, for the next one.
"""

import os
import re

import calls

SECTOR_BYTES = 512
O_CREAT = os.O_CREAT


class File:
    def __init__(self):
        self.visible = bytearray()
        self.durable = bytearray()
        self.changes = []  # (entry of the log, offset, bytes), or None for the bytes: a size

    def change(self, at, offset, data):
        file_apply(self.visible, offset, data)
        self.changes.append((at, offset, data))

    def sync(self, begun):
        while self.changes and self.changes[0][0] < begun:
            _, offset, data = self.changes.pop(0)
            file_apply(self.durable, offset, data)

    def image(self, fate):
        """The bytes after a power loss."""
        changes = self.changes
        if not changes or fate.loses():
            return self.durable
        if fate.keeps():
            return self.visible
        counts = {sector: fate.count(len(changes)) for sector in touched(self.durable, changes)}
        size_count = fate.count(len(changes))
        sectors = {}
        for sector, count in counts.items():
            sectors.setdefault(count, []).append(sector)
        state = bytearray(self.durable)
        result = bytearray(self.durable)
        size = len(state)
        for done in range(len(changes) + 1):
            if done > 0:
                file_apply(state, *changes[done - 1][1:])
            if done == size_count:
                size = len(state)
            for sector in sectors.get(done, ()):
                begin = sector * SECTOR_BYTES
                bytes_then = bytes(state[begin:begin + SECTOR_BYTES]).ljust(SECTOR_BYTES, b"\0")
                file_apply(result, begin, bytes_then)
        file_apply(result, size, None)
        return result


def file_apply(content, offset, data):
    """A write, or, without data, a new size."""
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset:offset + len(data)] = data


def touched(durable, changes):
    """The sectors that some change has changed, in order."""
    size = len(durable)
    found = set()
    for _, offset, data in changes:
        first, end = (offset, offset + len(data)) if data is not None else sorted((offset, size))
        size = max(size, end) if data is not None else offset
        found.update(range(first // SECTOR_BYTES, (end + SECTOR_BYTES - 1) // SECTOR_BYTES))
    return sorted(found)


class Folder:
    def __init__(self):
        self.visible = {}
        self.durable = {}
        self.changes = []  # (entry of the log, ((name, node or None), ...))
        self.made = []     # (name, node) of everything that ever began here

    def change(self, at, *entries):
        folder_apply(self.visible, entries)
        self.changes.append((at, entries))

    def sync(self, begun):
        while self.changes and self.changes[0][0] < begun:
            folder_apply(self.durable, self.changes.pop(0)[1])

    def image(self, fate):
        """The entries after a power loss."""
        if not self.changes or fate.loses():
            return self.durable
        if fate.keeps():
            return self.visible
        entries = dict(self.durable)
        lost = set()
        for _, change in self.changes:
            if fate.flips() or any(name in lost for name, _ in change):
                lost.update(name for name, _ in change)
            else:
                folder_apply(entries, change)
        return entries


def folder_apply(content, entries):
    for name, node in entries:
        if node is None:
            content.pop(name, None)
        else:
            content[name] = node


class Fate:
    """What becomes of the unsynced changes of one file or folder, drawn by a generator. `hard`:
    nothing that was not synced is left, anywhere; `soft`: all of it."""

    def __init__(self, rng):
        self.rng = rng
        drawn = rng.random()
        self.hard = drawn < 0.25
        self.soft = drawn > 0.95
        self.own = 0

    def next(self):
        """For the next file or folder."""
        self.own = self.rng.random()
        return self

    def loses(self):
        return self.hard or (self.own < 0.3 and not self.soft)

    def keeps(self):
        return self.soft or self.own > 0.7

    def flips(self):
        return self.rng.random() < 0.5

    def count(self, most):
        """How many of the changes came through: often none or all."""
        drawn = self.rng.random()
        return 0 if drawn < 0.25 else most if drawn < 0.5 else self.rng.randint(0, most)


class Disk:
    """The files below one folder, which itself is there from the beginning, after the calls that
    apply() was given."""

    def __init__(self):
        self.root = Folder()
        self.descriptors = {}
        self.syncs = {}

    def find(self, path):
        node = self.root
        for name in path.split("/") if path else ():
            node = node.visible.get(name) if isinstance(node, Folder) else None
        return node

    def parent(self, path):
        above, _, name = path.rpartition("/")
        return self.find(above), name

    def make(self, at, path, node):
        folder, name = self.parent(path)
        folder.change(at, (name, node))
        folder.made.append((name, node))
        return node

    def rename(self, at, path, path_to):
        folder, name = self.parent(path)
        folder_to, name_to = self.parent(path_to)
        if folder is not folder_to:
            raise ValueError("a rename from one folder to another: %s" % path)
        folder.change(at, (name, None), (name_to, folder.visible[name]))

    def apply(self, at, call):
        """Entry number `at` of the log."""
        kind = call.kind
        if kind == calls.WRITE:
            self.descriptors[call.fd].change(at, call.value, call.data)
        elif kind == calls.SYNC_BEGIN:
            self.syncs[at] = self.descriptors[call.fd]
        elif kind == calls.SYNC_END:
            self.syncs.pop(call.value).sync(call.value)
        elif kind == calls.OPEN:
            path = call.data.decode()
            node = self.find(path)
            if node is None and call.value & O_CREAT:
                node = self.make(at, path, File())
            self.descriptors[call.fd] = node
        elif kind == calls.TRUNCATE:
            self.descriptors[call.fd].change(at, call.value, None)
        elif kind == calls.MAKE:
            self.make(at, call.data.decode(), Folder())
        elif kind == calls.RENAME:
            self.rename(at, *call.data.decode().split("\0"))
        elif kind == calls.REMOVE:
            folder, name = self.parent(call.data.decode())
            folder.change(at, (name, None))
        elif kind == calls.CLOSE:
            self.descriptors.pop(call.fd, None)
        elif kind == calls.START:
            self.descriptors = {}
            self.syncs = {}

    def store(self, path, rng):
        """Makes what a power loss now may leave, in a new folder."""
        store_folder(self.root, path, Fate(rng))

    def differences(self, path):
        """Where the folder at `path` is not what the calls have made of it: nowhere."""
        return folder_differences(self.root, path)


def store_folder(folder, path, fate):
    os.mkdir(path)
    for name, node in folder.image(fate.next()).items():
        below = path + "/" + name
        if isinstance(node, Folder):
            store_folder(node, below, fate)
            continue
        fd = os.open(below, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        data = node.image(fate.next())
        if data:
            os.write(fd, data)
        os.close(fd)


def folder_differences(folder, path):
    names = set(os.listdir(path))
    found = ["%s/%s" % (path, name) for name in names.symmetric_difference(folder.visible)]
    for name in names.intersection(folder.visible):
        node = folder.visible[name]
        below = os.path.join(path, name)
        if isinstance(node, Folder):
            found += folder_differences(node, below)
            continue
        with open(below, "rb") as file:
            if file.read() != node.visible:
                found.append(below)
    return found


def partition_of(name):
    """The topic and the partition that a folder's name says, or None."""
    found = re.fullmatch(r"(.+)-(\d+)", name)
    return (found.group(1), int(found.group(2))) if found else None
