"""Outboxes of both kinds, and records for them."""

import shutil

from edge.box.outbox import Outbox
from edge.node.report import records
from edge.node.report.outbox.segments import SegmentLog

SAMPLE, EVENT = records.SAMPLE, records.EVENT
KINDS = ("sqlite", "segments")
BOOT = 0x1234
CATALOGUE = 77
T0_MS = 1_700_000_000_000
ALL = 10**9


def make(kind: str, folder, bytes_max: int = 4_000_000, commit_ms: int = 10_000):
    """An outbox of a kind in a folder."""
    if kind == "sqlite":
        return Outbox(str(folder / "outbox.db"), bytes_max, commit_ms)
    return SegmentLog(str(folder / "log"), bytes_max, commit_ms)


def sample(seq: int, count: int = 4, boot: int = BOOT, first: int = 0) -> bytes:
    """A sample with floats that hardly compress."""
    values = [(first + i, 0, (seq * 2654435761 + i * 40503) % 1000003 / 997.0) for i in range(count)]
    return records.encode_sample(boot, seq, T0_MS + 250 * seq, 250 * seq, True, CATALOGUE, values)


def event(seq: int, alarm: bool = False, boot: int = BOOT, text: str = "something happened") -> bytes:
    return records.encode_event(boot, seq, T0_MS + 250 * seq, 250 * seq, True, "alarm", f"a{seq}", text,
                                alarm)


def held(outbox, speaker: str, lane: int) -> list:
    """All (id, record) that are open."""
    return outbox.fetch(speaker, lane, 0, ALL)


def seqs(outbox, speaker: str, lane: int) -> list:
    return [records.peek(record)[2] for _, record in held(outbox, speaker, lane)]


def disk_bytes(folder) -> int:
    """What the files in a folder take of the disk."""
    return bytes_of(folder.rglob("*"))


def bytes_of(paths) -> int:
    """What those of the files take that are still there: a log removes its segments while we look."""
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def copied(folder, target):
    """The files as they are now: what a kill -9 at this moment would leave."""
    shutil.copytree(folder, target)
    return target
