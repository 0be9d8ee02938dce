"""kill -9 of the process that writes an outbox, at random moments, on both runtimes.

After each kill: every record that was said to be stored is there unless all had done it, each is what was
appended, no id is given twice, and what was done and is open again is known by its id.
"""

import bisect
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.box import micropython
from edge.node.report import records
from tests.box.outbox_tools import ALL, disk_bytes
from tests.node.report.outbox import outbox_writer
from tests.parts import missing_part

ROOT = Path(__file__).resolve().parents[2]
WRITER = str(ROOT / "tests" / "node" / "report" / "outbox" / "outbox_writer.py")
LANES = (1, 2)
OPEN_S = 120
BOOT = 77


class Killed:
    """One life of the writer: what it said before it was killed."""

    def __init__(self, runtime, kind, path, bytes_max, seq, seed, life_s):
        command = [sys.executable, WRITER]
        if runtime == "micropython":
            try:
                command = [micropython.executable(), "-X", "heapsize=512k", WRITER]
            except FileNotFoundError as error:
                missing_part(str(error))
        environment = {**micropython.environment(), "PYTHONPATH": str(ROOT)}
        command += [kind, str(path), *(str(number) for number in (bytes_max, seq, seed, BOOT))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
                                   env=environment)
        said = b""
        end = time.monotonic() + OPEN_S
        try:
            while time.monotonic() < end:
                if select.select([process.stdout], [], [], 0.02)[0]:
                    part = os.read(process.stdout.fileno(), 65536)
                    if not part:
                        break
                    if not said:
                        end = time.monotonic() + life_s
                    said += part
        finally:
            process.send_signal(signal.SIGKILL)
            rest, errors = process.communicate()
        said += rest
        assert b"\n" in said, errors.decode()
        assert process.returncode == -signal.SIGKILL, (said[-2000:] + errors).decode()
        self.given = {lane: {} for lane in LANES}
        self.done = {lane: [] for lane in LANES}  # (first, last)
        self.stored = 0
        self.opened = None
        self.seq = seq
        for line in said[:said.rindex(b"\n")].decode().split("\n"):
            what, *numbers = line.split(" ")
            numbers = [int(number) for number in numbers]
            if what == "open":
                self.opened = dict(zip(LANES, numbers, strict=True))
            elif what == "given":
                self.given[numbers[0]][numbers[1]] = numbers[2]
                self.seq = numbers[2]
            elif what == "done":
                self.done[numbers[0]].append((numbers[1], numbers[2]))
            else:
                self.stored = numbers[0]
        # A line may be missing that was about to be written.
        self.seq += 8


def torment(runtime, kind, folder, kills, seed, bytes_max=8_000_000, full=False):
    """Kill it that often, look each time. Returns (records, kills, found open again though done)."""
    chance = random.Random(seed)
    path = folder / ("outbox.db" if kind == "sqlite" else "log")
    appended = {lane: {} for lane in LANES}  # id: seq of all that were said to be given
    stored = set()
    done = {lane: set() for lane in LANES}
    seq = fill(kind, path, bytes_max, appended, stored) if full else 0
    again = 0
    for turn in range(kills):
        life = Killed(runtime, kind, path, bytes_max, seq, seed * 1000 + turn, chance.uniform(0.0, 0.25))
        for lane in LANES:
            assert life.opened[lane] >= max(appended[lane], default=0), "ids would be given again"
            appended[lane].update(life.given[lane])
            # A range spans jumps of a million ids: only those that were given are noted.
            given = sorted(appended[lane])
            for first, last in life.done[lane]:
                done[lane].update(given[bisect.bisect_left(given, first):bisect.bisect_right(given, last)])
            stored |= {each for each in life.given[lane].values() if each <= life.stored}
        seq = life.seq
        box = outbox_writer.make(kind, str(path), bytes_max)
        box.attach(["a"])
        assert disk_bytes(folder) <= bytes_max
        assert box.stats["lost_damage"] == 0
        for each in stored:
            assert box.has(BOOT, each)
        for lane in LANES:
            found = box.fetch("a", lane, 0, ALL)
            for number, record in found:
                boot, of = records.peek(record)[1:3]
                assert boot == BOOT and appended[lane].get(number, of) == of
                if not full:
                    assert record == outbox_writer.record(BOOT, of)
                appended[lane].setdefault(number, of)
            numbers = {number for number, _ in found}
            again += len(numbers & done[lane])
            missing = {number for number, of in appended[lane].items() if of in stored} - numbers - done[lane]
            if full:  # samples and events that are no alarms may have gone
                missing = {number for number in missing if appended[lane][number] % 21 == 0}
            assert not missing
            # What was done and is gone stays gone; what is open again may be acknowledged again.
            done[lane] -= numbers
        assert full or box.stats["thinned"] == 0
        if turn % 10 == 9 and not full:
            for lane in LANES:
                box.done("a", lane, 1, box.last_id(lane))
                done[lane].update(appended[lane])
            assert box.commit(0) and box.commit(1)
        box.close() if chance.random() < 0.2 else os.close(_abandoned(box))
    return sum(map(len, appended.values())), kills, again


def fill(kind, path, bytes_max, appended, stored) -> int:
    """Up to the bound and beyond; the last seq."""
    box = outbox_writer.make(kind, str(path), bytes_max)
    box.attach(["a"])
    seq = 0
    while box.stats["thinned"] < 200:
        seq += 1
        appended[1 + (seq % 7 == 0)][box.append(outbox_writer.record(BOOT, seq), 100 * seq)] = seq
        if seq % 50 == 0:
            box.step(100 * seq)
    box.commit(100 * seq)
    stored.update(range(1, seq + 1))
    box.close()
    return seq


def _abandoned(box) -> int:
    """Let go of an outbox without closing it, as far as that goes in one process."""
    if getattr(box, "_db", None) is not None:
        box._db.close()
        return box._lock
    return os.open(os.devnull, os.O_RDONLY)


CASES = [("cpython", "sqlite"), ("cpython", "segments"), ("micropython", "segments")]


@pytest.mark.parametrize(("runtime", "kind"), CASES)
def test_ten_kills(runtime, kind, tmp_path):
    total, _, _ = torment(runtime, kind, tmp_path, 10, 1)
    assert total > 20


@pytest.mark.parametrize(("runtime", "kind", "bytes_max"), [("cpython", "sqlite", 524_288),
                                                            ("micropython", "segments", 131_072)])
def test_kills_of_a_full_outbox(runtime, kind, bytes_max, tmp_path):
    torment(runtime, kind, tmp_path, 5, 2, bytes_max, full=True)


@pytest.mark.long
@pytest.mark.parametrize(("runtime", "kind"), CASES)
def test_a_hundred_kills(runtime, kind, tmp_path):
    total, kills, again = torment(runtime, kind, tmp_path, 120, 3)
    print(f"{runtime} {kind}: {kills} kills, {total} records, 0 lost, {again} open again though done")


@pytest.mark.long
@pytest.mark.parametrize(("runtime", "kind", "bytes_max"), [("cpython", "sqlite", 524_288),
                                                            ("cpython", "segments", 131_072),
                                                            ("micropython", "segments", 131_072)])
def test_a_hundred_kills_of_a_full_outbox(runtime, kind, bytes_max, tmp_path):
    torment(runtime, kind, tmp_path, 100, 4, bytes_max, full=True)
