"""What a log of segments finds in its folder when it starts."""

import os

from edge.node.report import records
from edge.node.report.outbox import blocks
from edge.node.report.outbox.blocks import EVENT, HEAD_SIZE, LEVEL, SAMPLE
from edge.node.report.outbox.books import JUMP_DAMAGED
from edge.node.report.outbox.segment_files import OFFSETS, Segment, is_segment, next_magic, size_of
from edge.node.report.outbox.store import Store


class SegmentStart(Store):
    """The part of ``segments.SegmentLog`` that takes up what was left there."""

    def _load_folder(self):
        try:
            os.mkdir(self._folder)
        except OSError:
            os.listdir(self._folder)  # raises what is wrong with it
        names = sorted(os.listdir(self._folder))
        self._gone = []
        totals = self._take_totals(names)
        trimmed = []
        # What was thinned is laid over what it came of, and so counted: it may be in an older segment.
        for _, name in sorted([(self._first_level(name), name) for name in names if is_segment(name)]):
            path = self._folder + "/" + name
            segment = Segment(int(name[1:]), SAMPLE if name[0] == "s" else EVENT, size_of(path))
            self._segments[segment.number] = segment
            self._next_number = max(self._next_number, segment.number + 1)
            if segment.number in self._gone:
                continue  # given up with the state that is there, and not yet deleted
            level = self._scan(path, segment, totals, trimmed)
            if level is not None:
                self._writers[(segment.lane, level)] = segment
        for name in names:
            path = self._folder + "/" + name
            if name == "state" or name[:2] == "k-" and name[-4:] != ".new":
                self._other_bytes["state" if name == "state" else path] = size_of(path)
        for number, (next_id, _, total) in totals.items():
            lane = self._lanes[number]
            for i in range(len(lane.first)):
                if lane.place[i] in trimmed:
                    loaded = self._load(number, i) or ((), ())
                    lane.total += len(loaded[0]) - lane.count[i]
                    lane.count[i] = len(loaded[0])
            self._compare(number, next_id, total)
            # Only what ends with the newest block may be appended to: the order of a segment is that of ids.
            for key in [key for key in self._writers if key[0] == number]:
                if not lane.place or self._writers[key].number != lane.place[-1] // OFFSETS:
                    del self._writers[key]
        self._undo()  # counts what there is in each segment

    def _take_added(self, state: dict):
        self._gone = state.get("gone", [])

    def _first_level(self, name: str) -> int:
        """The level of a segment: that of its first block."""
        with open(self._folder + "/" + name, "rb") as file:
            block = blocks.read_head(file.read(HEAD_SIZE))
        return block.flags & LEVEL if block is not None else 0

    def _take_totals(self, names: list) -> dict:
        """{lane: (next id, first id, records)} as the state has it; without one, what is found counts."""
        state = self._read_whole(self._folder + "/state")
        if state is not None and state[0].lane == blocks.STATE:
            try:
                lanes = self._take_state(state[0], state[1])
                return {number: (lane[0], lane[2], lane[3]) for number, lane in zip((SAMPLE, EVENT), lanes)}
            except ValueError as error:
                self._last_error = "outbox: %s" % error
        if "state" in names or [name for name in names if is_segment(name)]:
            self._serial = 0
            self._adopt = True
            self._jump = JUMP_DAMAGED
            self._note_loss("damage", SAMPLE, 0, 0, 0)  # nobody knows how many there were
        return {SAMPLE: (0, 0, 0), EVENT: (0, 0, 0)}

    def _scan(self, path: str, segment, totals: dict, trimmed: list):
        """Lay the sound blocks of a segment; their level, None when nothing may be appended to it."""
        level = None
        at = 0
        with open(path, "rb") as file:
            while at < segment.size:
                file.seek(at)
                head = file.read(HEAD_SIZE)
                block = blocks.read_head(head)
                body = file.read(block.size) if block is not None and block.size <= segment.size else b""
                if block is None or blocks.sound(head, body) is None:
                    if head.strip(b"\0"):  # else it is the rest of a page, left empty
                        level = None
                    at = next_magic(file, at + 1)
                    if at < 0:
                        return level
                    continue
                if self._serial == 0 and self._adopt:
                    self._serial = 1
                    self._epoch = block.epoch
                if self._counts(block, segment.lane, totals[segment.lane][1]):
                    trimmed.extend(self._lanes[block.lane].lay(block, segment.number * OFFSETS + at))
                level = block.flags & LEVEL
                at += HEAD_SIZE + block.size
        return level

    def _counts(self, block, lane: int, first: int) -> bool:
        if block.lane != lane or block.epoch != self._epoch or block.last < first:
            return False
        marks = [each[lane] for each in self._speakers.values()]
        return self._adopt or not self._all_cover(marks, block.first, block.last)

    def _compare(self, number: int, next_id: int, total: int):
        """What the state has and the segments have not is lost; what only they have came after the state."""
        lane = self._lanes[number]
        k = lane.find(next_id)
        held = sum(lane.count[:k])
        # Thinned before the kill, and the state did not come to it.
        thinned = max(min(total - held, lane.replaced), 0)
        if thinned:
            self._note_loss("thinned", number, thinned, lane.oldest(), next_id - 1)
        if total - thinned > held:
            self._note_loss("damage", number, total - thinned - held, lane.oldest(), next_id - 1)
        for i in range(k, len(lane.first)):
            loaded = self._load(number, i)
            for record in loaded[1] if loaded else ():
                _, boot, seq, _ = records.peek(record)
                self._note_boot(boot, seq)

    def _read_whole(self, path: str):
        """(Block, body) of a file that is one block, None where it is missing or damaged."""
        for name in (path, path + ".new"):
            try:
                with open(name, "rb") as file:
                    head = file.read(HEAD_SIZE)
                    body = file.read()
            except OSError:
                continue
            block = blocks.sound(head, body)
            if block is not None:
                return block, body
        return None
