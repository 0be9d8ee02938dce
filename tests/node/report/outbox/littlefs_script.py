"""A log of segments on LittleFS, as a board has it, on a flash in memory: littlefs_script.py FILL SECONDS

Samples of 40 signals at 4 Hz, nobody takes them: FILL that are not looked at, then SECONDS. Prints the MB a
day that are erased, errors, samples thinned.
"""

import math
import random
import sys

import vfs

from edge.node.report import records
from edge.node.report.outbox.segments import SegmentLog

BLOCK = 4096
BLOCKS = 512
PERIOD_MS = 250


class Flash:
    """A flash that counts how many of its blocks are erased."""

    def __init__(self):
        self.data = bytearray(BLOCK * BLOCKS)
        self.erased = 0

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK + offset
        buffer[:] = self.data[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * BLOCK + offset
        self.data[at : at + len(buffer)] = buffer

    def ioctl(self, what, argument):
        if what == 4:
            return BLOCKS
        if what == 5:
            return BLOCK
        if what == 6:
            self.erased += 1
        return 0


class Feed:
    def __init__(self, box):
        self.box = box
        self.seq = 0

    def samples(self, count: int):
        for _ in range(count):
            self.seq += 1
            now_ms = self.seq * PERIOD_MS
            values = [(i, 0, 800 + 100 * math.sin(self.seq / 900 + i) + random.random()) for i in range(40)]
            self.box.append(records.encode_sample(7, self.seq, now_ms, now_ms, True, 5, values), now_ms)
            self.box.step(now_ms)


def main(fill: int, seconds: int):
    random.seed(1)
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    SegmentLog.LITTLEFS = True  # it does not know that it is not on Linux
    box = SegmentLog("/flash/log", 1048576)
    box.attach(["a"])
    feed = Feed(box)
    feed.samples(fill)
    before = flash.erased
    feed.samples(seconds * 1000 // PERIOD_MS)
    print((flash.erased - before) * BLOCK * 86400 / seconds / 1e6, box.stats["errors"], box.stats["thinned"])


main(int(sys.argv[1]), int(sys.argv[2]))
