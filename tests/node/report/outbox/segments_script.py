"""The log of segments against a model in memory: segments_script.py FOLDER SEED STEPS BYTES_MAX

At random: samples, events, acknowledgements by two speakers, time, restarts. With a bound that is reached the
account is looked at instead of every record. Prints "ok", records, records left, bytes at most.
"""

import os
import random
import sys

from edge.node.report import records
from edge.node.report.outbox.segments import SegmentLog

SPEAKERS = ("a", "b")
LANES = (records.SAMPLE, records.EVENT)


def sample(seq: int, count: int) -> bytes:
    values = [(i, 0, (seq * 7919 + i * 104729) % 99991 / 7.0) for i in range(count)]
    return records.encode_sample(9, seq, seq, seq, True, 5, values)


def disk_bytes(folder: str) -> int:
    return sum([os.stat(folder + "/" + name)[6] for name in os.listdir(folder)])


class Run:
    def __init__(self, folder: str, bytes_max: int, full: bool):
        self.folder = folder
        self.bytes_max = bytes_max
        self.full = full
        self.records = {lane: {} for lane in LANES}
        self.done = {name: {lane: {} for lane in LANES} for name in SPEAKERS}
        self.seq = 0
        self.now_ms = 0
        self.most = 0
        self.box = None
        self.open()

    def open(self):
        self.box = SegmentLog(self.folder, self.bytes_max, 1000)
        self.box.attach(list(SPEAKERS))

    def append(self):
        self.seq += 1
        count = 1 + random.getrandbits(5)
        if self.seq % 9 == 0:
            text = "x" * (8 * count)
            record = records.encode_event(9, self.seq, 1, 1, True, "kind", "name", text, self.seq % 36 == 0)
        else:
            record = sample(self.seq, count)
        number = self.box.append(record, self.now_ms)
        lane = LANES[0] if self.seq % 9 else LANES[1]
        assert number == len(self.records[lane]) + 1
        self.records[lane][number] = record

    def mark(self):
        name = SPEAKERS[random.getrandbits(1)]
        lane = LANES[random.getrandbits(1)]
        last_id = self.box.last_id(lane)
        if not last_id:
            return
        found = self.box.fetch(name, lane, random.getrandbits(16) % last_id, 1 + random.getrandbits(6))
        if found:
            self.box.done(name, lane, found[0][0], found[-1][0])
            for number in range(found[0][0], found[-1][0] + 1):
                self.done[name][lane][number] = True

    def compare(self):
        left = 0
        for name in SPEAKERS:
            for lane in LANES:
                done = self.done[name][lane]
                found = self.box.fetch(name, lane, 0, 1000000)
                assert len(found) == self.box.open_count(name, lane)
                assert self.box.first_open(name, lane) == (found[0][0] if found else 0)
                left += len(found)
                before = 0
                for number, record in found:
                    assert number > before and number not in done
                    assert self.full or record == self.records[lane][number]
                    before = number
                assert self.full or len(found) == len(self.records[lane]) - len(done)
        stats = self.box.stats
        assert stats["lost_damage"] == stats["errors"] == 0, stats
        assert self.full or stats["thinned"] == stats["lost_full"] == 0, stats
        return left

    def step(self):
        choice = random.getrandbits(4)
        if choice < 9:
            for _ in range(random.getrandbits(4)):
                self.append()
        elif choice < 11 and not self.full:
            self.mark()
        elif choice == 11:
            assert self.box.commit(self.now_ms)
            assert self.seq == 0 or self.box.stored() == (9, self.seq), (self.box.stored(), self.seq)
        elif choice == 12:
            self.box.close()
            self.open()
            told = [loss for loss in self.box.losses() if loss["why"] not in ("thinned", "full")]
            assert told == [], told
        self.now_ms += random.getrandbits(9)
        self.box.step(self.now_ms)
        self.most = max(self.most, disk_bytes(self.folder))


def main(folder: str, seed: int, steps: int, bytes_max: int):
    random.seed(seed)
    run = Run(folder, bytes_max, bytes_max < 1000000)
    for turn in range(steps):
        run.step()
        if turn % 20 == 0:
            run.compare()
    left = run.compare()
    if run.full:
        stats = run.box.stats
        given = sum([len(held) for held in run.records.values()])
        assert left == 2 * (given - stats["thinned"] - stats["lost_full"]), (left, given, stats)
        assert stats["thinned"] > 0
        alarms = [number for number, record in run.records[2].items() if records.peek(record)[3]]
        found = [number for number, record in run.box.fetch("a", 2, 0, 1000000) if records.peek(record)[3]]
        assert found == sorted(alarms)
    assert run.most <= bytes_max
    run.box.close()
    print("ok", run.seq, left, run.most)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
