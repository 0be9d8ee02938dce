"""What can be read of a damaged outbox file, without SQLite's help.

Every block in the file has its own head and check sum, so that none of SQLite's structures is needed: all
pages, those of the write-ahead log in front of those of the file, are searched for heads. A body that does
not fit beside its head goes on in a chain of overflow pages. (https://www.sqlite.org/fileformat2.html)
"""

import os
import sqlite3
import struct
import sys

from edge.node.report.outbox import blocks

PAGE_SIZE = 512
WAL_HEAD = 32
WAL_MAGIC = 0x377F0682  # or with the lowest bit set: check sums of big-endian words
FRAME_HEAD = 24
FRAME = FRAME_HEAD + PAGE_SIZE
# The most of a row that lies in its leaf page, and the least when it does not fit there.
LOCAL_MAX = PAGE_SIZE - 35
LOCAL_MIN = (PAGE_SIZE - 12) * 32 // 255 - 23
LEAF_BYTES = PAGE_SIZE - 8
# Of a slot (outbox_slots), the part in its leaf page.
SLOT_LOCAL = 44


class Damaged(sqlite3.DatabaseError):
    """Something in the file is not what was written."""


def file_size(path: str) -> int:
    """Bytes of a file, 0 when there is none."""
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


def slot_pages(size: int) -> int:
    """Overflow pages of a slot for a body of ``size`` bytes."""
    return max(-(-(_before(size) + blocks.HEAD_SIZE + size - SLOT_LOCAL) // (PAGE_SIZE - 4)), 0)


def slot_size(pages: int) -> int:
    """Bytes of the body in a slot of so many overflow pages."""
    left = SLOT_LOCAL + pages * (PAGE_SIZE - 4) - blocks.HEAD_SIZE
    size = left - _before(left)
    # A byte less in its length may be a byte more in the body.
    return size + 1 if size + 1 + _before(size + 1) <= left else size


def local_size(payload: int) -> int:
    """Bytes of a row of so many that lie in its leaf page."""
    if payload <= LOCAL_MAX:
        return payload
    local = LOCAL_MIN + (payload - LOCAL_MIN) % (PAGE_SIZE - 4)
    return local if local <= LOCAL_MAX else LOCAL_MIN


def row_size(size: int, key: int, local: int = 0) -> tuple:
    """(bytes in a leaf page, overflow pages) of a row with a body of ``size`` bytes.

    ``local``: bytes of it in the leaf page, where that is known.
    """
    payload = _before(size) + blocks.HEAD_SIZE + size
    local = local or local_size(payload)
    overflow = -(-(payload - local) // (PAGE_SIZE - 4))
    # Beside that: its size, its key, where it begins and where it goes on.
    return local + _varint_size(payload) + _varint_size(key) + 2 + 4 * (overflow > 0), overflow


def _before(size: int) -> int:
    """Bytes of a row before the head: the size of this part, the types of key and head, that of the body."""
    return 3 + _varint_size(12 + 2 * size)


def wal_frames(path: str) -> list:
    """(page number, offset of the page, ends a commit, in line) of each sound frame of a write-ahead log.

    A frame is sound when it is of the present generation and its check sum agrees with itself and the frame
    before; it is in line when all before it are sound as well. SQLite reads what is in line, and no more.
    """
    frames = []
    if file_size(path) < WAL_HEAD + FRAME:
        return frames
    with open(path, "rb") as file:
        head = file.read(WAL_HEAD)
        magic, _, page_size, _, salt, one, two = struct.unpack(">IIIIQII", head)
        line = False
        order = "<" if sys.byteorder == "little" else ">"
        if magic & ~1 == WAL_MAGIC:
            order = ">" if magic & 1 else "<"
            line = page_size == PAGE_SIZE and _checksum(order, head[:24], 0, 0) == (one, two)
        at = WAL_HEAD
        while len(frame := file.read(FRAME)) == FRAME:
            number, commit, frame_salt, a, b = struct.unpack_from(">IIQII", frame)
            if at == WAL_HEAD and not line:
                salt = frame_salt  # the generation of the first frame is the newest
            sound = frame_salt == salt and number > 0 and \
                _checksum(order, frame[:8] + frame[FRAME_HEAD:], one, two) == (a, b)
            line = line and sound
            if sound:
                frames.append((number, at + FRAME_HEAD, commit != 0, line))
            one, two = a, b
            at += FRAME
    return frames


def _checksum(order: str, data: bytes, one: int, two: int) -> tuple:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for i in range(0, len(words), 2):
        one = (one + words[i] + two) & 0xFFFFFFFF
        two = (two + words[i + 1] + one) & 0xFFFFFFFF
    return one, two


def wal_damaged(path: str) -> bool:
    """Whether the log of an outbox file holds commits that SQLite would leave out without a word."""
    return any(commit and not line for _, _, commit, line in wal_frames(path + "-wal"))


class Salvage:
    """The blocks in an outbox file and its write-ahead log that are what was once written.

    ``found``: (Block, place) of each; ``read(place)`` gives (head, body) again. What SQLite has deleted but
    not overwritten is among them. ``close()`` it.
    """

    def __init__(self, path: str):
        self._files = []
        self._pages = {}  # number: (file, offset) of those in the log
        self._file = self._open(path)
        self._count = file_size(path) // PAGE_SIZE
        wal = self._open(path + "-wal")
        if wal is not None:
            for number, offset, _, _ in wal_frames(path + "-wal"):
                self._pages[number] = (wal, offset)
        self.found = []
        for number in sorted({*range(1, self._count + 1), *self._pages}):
            self._search(number)

    def _open(self, path: str):
        if not file_size(path):
            return None
        file = open(path, "rb")
        self._files.append(file)
        return file

    def close(self):
        for file in self._files:
            file.close()
        self._files = []

    def read(self, place: tuple) -> tuple:
        """(head, body) of the block that begins at (page, offset of the head)."""
        number, start = place
        page = self._page(number)
        block = blocks.read_head(page[start:start + blocks.HEAD_SIZE])
        if block is None:
            return b"", b""
        data = self._block(page, start, block)
        return data[:blocks.HEAD_SIZE], data[blocks.HEAD_SIZE:]

    def _page(self, number: int) -> bytes:
        file, offset = self._pages.get(number, (self._file, (number - 1) * PAGE_SIZE))
        if file is None:
            return b""
        try:
            file.seek(offset)
            return file.read(PAGE_SIZE)
        except OSError:
            return b""  # a sector that can't be read any more

    def _search(self, number: int):
        page = self._page(number)
        start = page.find(blocks.MAGIC)
        while start >= 0:
            head, body = self.read((number, start))
            block = blocks.sound(head, body) if head else None
            if block is not None:
                self.found.append((block, (number, start)))
            start = page.find(blocks.MAGIC, start + 1)

    def _block(self, page: bytes, start: int, block) -> bytes:
        """Head and body. The least that lies in the leaf page ends behind the size in the head."""
        before = _before(block.size)
        payload = before + blocks.HEAD_SIZE + block.size
        if block.lane == blocks.SAMPLE:
            local = SLOT_LOCAL
            # The slot may be longer than this body, and its size be written in a byte more.
            before += page[start - before] != before
        else:
            local = local_size(payload)
        end = start - before + local
        parts = [page[start:end]]
        left = before + blocks.HEAD_SIZE + block.size - local
        following = page[end:end + 4]
        while left > 0 and len(following) == 4:
            page = self._page(int.from_bytes(following, "big"))
            parts.append(page[4:4 + min(left, PAGE_SIZE - 4)])
            left -= PAGE_SIZE - 4
            following = page[:4]
        return b"".join(parts)[:blocks.HEAD_SIZE + block.size]


def _varint_size(number: int) -> int:
    size = 1
    while number > 0x7F:
        number >>= 7
        size += 1
    return size
