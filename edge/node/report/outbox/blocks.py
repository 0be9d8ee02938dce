"""The form in which records lie in an outbox: blocks, each with its own check sum, on a disk or in a flash.

A block is a head of 36 bytes and a body. All numbers are big endian.

    magic "fB"  lane (8 bits)  flags (8)  epoch (32)  first (64)  last (64)  count (32)  size (32)  crc32 (32)

flags: bits 0..3 the level of thinning, bit 4 an alarm, bit 5 the body is compressed (zlib), bit 6 the records
in it are turned (the first bytes of all, the second bytes of all …). ``first`` and ``last`` are the range of
ids that the block stands for: ids in it that the block does not hold were left out. ``size`` is of the body;
the check sum is of the head before it and of the body as it is stored. The body:

    count x (id - first) (32)   count x length (16)   the records

Lane 3 is the state of the outbox (``first`` counts its versions; the body is JSON), lane 4 a named value
(length of the name (8), name, value), lane 0 nothing.
"""

import binascii
import struct

from edge.node.report import records

SAMPLE = records.SAMPLE
EVENT = records.EVENT
STATE = 3
NAMED = 4

HEAD = ">2sBBIQQIII"
HEAD_SIZE = 36
MAGIC = b"fB"
LEVEL = 0x0F
ALARM = 0x10
PACKED = 0x20
TURNED = 0x40
BODY_MAX = 1 << 24


class Block:
    """A head, taken apart. ``level``: 0 as it came, 2 every fourth record is left, 4 every 16th …"""

    def __init__(self, lane, flags, epoch, first, last, count, size, crc):
        self.lane = lane
        self.flags = flags
        self.epoch = epoch
        self.first = first
        self.last = last
        self.count = count
        self.size = size
        self.crc = crc


def make(lane: int, flags: int, epoch: int, first: int, last: int, count: int, body: bytes) -> bytes:
    """The head of a body."""
    head = struct.pack(">2sBBIQQII", MAGIC, lane, flags, epoch, first, last, count, len(body))
    return head + struct.pack(">I", binascii.crc32(body, binascii.crc32(head)) & 0xFFFFFFFF)


def read_head(data: bytes):
    """The Block of a head, or None where there is none. Its check sum is not looked at."""
    if len(data) < HEAD_SIZE:
        return None
    magic, lane, flags, epoch, first, last, count, size, crc = struct.unpack_from(HEAD, data)
    if magic != MAGIC or lane < SAMPLE or lane > NAMED or size > BODY_MAX or last < first:
        return None
    return Block(lane, flags, epoch, first, last, count, size, crc)


def sound(head: bytes, body: bytes):
    """The Block when head and body are what was once written, else None."""
    block = read_head(head)
    if block is None or block.size != len(body):
        return None
    crc = binascii.crc32(bytes(head[: HEAD_SIZE - 4]))
    return block if binascii.crc32(body, crc) & 0xFFFFFFFF == block.crc else None


def pack(entries: list, first: int) -> bytes:
    """The body of (id, record) pairs, ids rising from ``first`` on."""
    count = len(entries)
    ids = []
    sizes = []
    parts = [b""]
    for number, record in entries:
        ids.append(number - first)
        sizes.append(len(record))
        parts.append(record)
    parts[0] = struct.pack(">%dI" % count, *ids) + struct.pack(">%dH" % count, *sizes)
    return b"".join(parts)


def unpack(body: bytes, first: int, count: int) -> tuple:
    """(ids, records) of a body; ValueError where it is none of ``pack``."""
    at = 6 * count
    if count < 0 or at > len(body):
        raise ValueError("block: %d records in %d bytes" % (count, len(body)))
    ids = [first + offset for offset in struct.unpack_from(">%dI" % count, body)]
    found = []
    for size in struct.unpack_from(">%dH" % count, body, 4 * count):
        found.append(body[at : at + size])
        at += size
    if at != len(body):
        raise ValueError("block: records of %d bytes in %d" % (at, len(body)))
    return ids, found


def pack_named(name: str, value: bytes) -> bytes:
    data = name.encode()
    return bytes([len(data)]) + data + value


def unpack_named(body: bytes) -> tuple:
    """(name, value) of a named value's body."""
    end = 1 + body[0]
    return bytes(body[1:end]).decode(), bytes(body[end:])


def thinned(entries: list) -> list:
    """Every second of the (id, record) pairs, the newer of each two.

    Samples tell what has changed: what the older one says and the newer one doesn't is taken over into the
    newer one, so that the values at its time stay right.
    """
    kept = []
    for i in range(1, len(entries), 2):
        number, newer = entries[i]
        kept.append((number, merged(entries[i - 1][1], newer)))
    if len(entries) & 1:
        kept.append(entries[-1])
    return kept


def merged(older: bytes, newer: bytes) -> bytes:
    """The newer sample with the values that only the older one has; as it is when they do not go together."""
    try:
        a = records.decode(older)
        b = records.decode(newer)
        if a.boot != b.boot or a.catalogue_number != b.catalogue_number:
            return newer
        values = {}
        for value in a.values:
            values[value[0]] = value
        for value in b.values:
            values[value[0]] = value
        if len(values) == len(b.values):
            return newer
        return records.encode_sample(b.boot, b.seq, b.t_ms, b.up_ms, b.synced, b.catalogue_number,
                                     [values[index] for index in sorted(values)])
    except (ValueError, AttributeError):
        return newer  # not a sample of ours, or too large together


def time_of(record: bytes) -> int:
    """When a record was taken, UTC in ms; 0 where it can't be told."""
    try:
        return records.decode(record).t_ms
    except ValueError:
        return 0
