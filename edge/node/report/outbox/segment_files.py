"""The files of a log of segments: writing that is on the disk afterwards, and finding one's way in them."""

import os
import sys

from edge.node.report.outbox import blocks

EEXIST = 17
ENOSPC = 28
SEGMENT_MAX = 32768
OFFSETS = SEGMENT_MAX  # place = number of the segment * OFFSETS + offset in it
PAGE = 4096  # of the flash: what is changed in one costs a write of all of it
LITTLEFS = sys.platform not in ("linux", "darwin", "win32")  # as boards have it


def write(path: str, parts: list, mode: str, synced: bool = True):
    """Write to a file; ``synced``: it is on the disk on return, as far as the system lets us know."""
    with open(path, mode) as file:
        for part in parts:
            if file.write(part) != len(part):
                raise OSError(ENOSPC, "the disk is full: " + path)
        if synced:
            file.flush()  # is an fsync on MicroPython
            if hasattr(os, "fsync"):
                os.fsync(file.fileno())


def replace(path: str, parts: list):
    """Replace a file as a whole."""
    write(path + ".new", parts, "wb")
    try:
        os.rename(path + ".new", path)
    except OSError as error:
        if error.args[0] != EEXIST:
            raise
        os.remove(path)  # FAT renames onto nothing that exists; the new one is read when the old one is gone
        os.rename(path + ".new", path)


def size_of(path: str) -> int:
    """Bytes of a file, 0 when there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def page_end(at: int, littlefs: bool) -> int:
    """The first end of a page at or behind ``at`` in a file.

    On LittleFS the pages of a file but the first begin with pointers of 4 bytes: one, and one more for each
    time that the number of the page can be halved.
    """
    end = PAGE
    number = 1
    while end < at:
        end += PAGE
        if littlefs:
            halved = number
            end -= 4
            while not halved & 1:
                end -= 4
                halved >>= 1
        number += 1
    return end


class Segment:
    """A file: its lane, bytes, how many of its blocks count, what is yet to be appended, and how many bytes a
    further record would take."""

    def __init__(self, number: int, lane: int, size: int):
        self.number = number
        self.lane = lane
        self.size = size
        self.count = 0
        self.waiting = []
        self.waiting_bytes = 0
        self.changed = False
        self.record_bytes = 0


def is_segment(name: str) -> bool:
    return name[0] in "se" and name[1:].isdigit()


def next_magic(file, at: int) -> int:
    """Where the next head may begin, or -1."""
    file.seek(at)
    before = b""
    while True:
        part = file.read(256)
        if not part:
            return -1
        found = (before + part).find(blocks.MAGIC)
        if found >= 0:
            return at - len(before) + found
        before = part[-1:]
        at += len(part)
