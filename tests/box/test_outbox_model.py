"""Both outboxes against a model in memory, with restarts and kills at any step."""

import pathlib
import shutil
import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.node.report import records
from tests.box.outbox_tools import ALL, BOOT, EVENT, SAMPLE, event, make, sample

SPEAKERS = ("a", "b")
LANES = (SAMPLE, EVENT)


class Model(RuleBasedStateMachine):
    """The model: every record by (lane, id), and per speaker what is done."""

    kind = ""

    def __init__(self):
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="outbox-"))
        self.run = 0
        self.now_ms = 0
        self.seq = 0
        self.records = {lane: {} for lane in LANES}
        self.done = {}
        self.values = {}
        self.given = {lane: 0 for lane in LANES}
        self.appended = False
        self.box = None

    def open(self):
        self.box = make(self.kind, self.folder, 2_000_000)

    @initialize()
    def begin(self):
        self.open()
        self.attached(["a"])

    def attached(self, names):
        self.box.attach(list(names))
        for name in names:
            if name not in self.done:
                self.done[name] = {lane: set(self.records[lane]) for lane in LANES}
        self.done = {name: self.done[name] for name in names}

    @rule(count=st.integers(1, 60), size=st.integers(1, 12))
    def samples(self, count, size):
        for _ in range(count):
            self.seq += 1
            self.add(SAMPLE, sample(self.seq, size))

    @rule(alarm=st.booleans())
    def events(self, alarm):
        self.seq += 1
        self.add(EVENT, event(self.seq, alarm))

    def add(self, lane, record):
        number = self.box.append(record, self.now_ms)
        self.appended = True
        assert number > self.given[lane]
        self.given[lane] = number
        self.records[lane][number] = record

    @rule(ms=st.sampled_from((10, 60, 1000, 12_000)))
    def time(self, ms):
        self.now_ms += ms
        due_ms = self.box.step(self.now_ms)
        assert due_ms >= self.now_ms

    @rule()
    def commit(self):
        assert self.box.commit(self.now_ms)
        if self.appended:
            assert self.box.stored() == (BOOT, self.seq)

    @rule(name=st.sampled_from(SPEAKERS), lane=st.sampled_from(LANES), begin=st.floats(0, 1),
          share=st.floats(0, 1))
    def mark(self, name, lane, begin, share):
        if name not in self.done or not self.records[lane]:
            return
        numbers = sorted(self.records[lane])
        first = numbers[int(begin * (len(numbers) - 1))]
        last = first + int(share * (numbers[-1] - first))
        self.box.done(name, lane, first, last)
        self.done[name][lane] |= {number for number in numbers if first <= number <= last}

    @rule(names=st.sets(st.sampled_from(SPEAKERS), min_size=1))
    def attach(self, names):
        self.attached(sorted(names))

    @rule(key=st.sampled_from(("bdSeq", "nonce")), value=st.binary(max_size=40))
    def keep(self, key, value):
        assert self.box.keep(key, value)
        self.values[key] = value

    @rule(name=st.sampled_from(SPEAKERS), lane=st.sampled_from(LANES), after=st.integers(0, 300),
          count=st.integers(1, 40))
    def fetch(self, name, lane, after, count):
        if name in self.done:
            wanted = [pair for pair in self.open_pairs(name, lane) if pair[0] > after][:count]
            assert self.box.fetch(name, lane, after, count) == wanted

    def open_pairs(self, name, lane):
        return [(number, record) for number, record in sorted(self.records[lane].items())
                if number not in self.done[name][lane]]

    @rule()
    def restart(self):
        self.box.close()
        self.open()
        assert {loss["why"] for loss in self.box.losses()} <= {"restart"}  # from a kill, not told in an event
        self.attached(list(self.done))
        for lane in LANES:
            assert self.box.last_id(lane) == self.given[lane]

    @rule()
    def kill(self):
        """What was claimed to be stored is there; what was done later than that may be open again."""
        self.appended = False
        claimed = self.box.stored()[1]
        self.run += 1
        after = self.folder.with_name(f"{self.folder.name}-{self.run}")
        shutil.copytree(self.folder, after)
        self.box.close()
        shutil.rmtree(self.folder)
        self.folder = after
        self.open()
        self.box.attach(list(self.done))
        for lane in LANES:
            found = {}
            for name in self.done:
                for number, record in self.box.fetch(name, lane, 0, ALL):
                    assert self.records[lane][number] == record
                    found[number] = record
                for number, record in self.open_pairs(name, lane):
                    assert number in found or records.peek(record)[2] > claimed
            self.records[lane] = found
            for name in self.done:
                still = {number for number, _ in self.box.fetch(name, lane, 0, ALL)}
                self.done[name][lane] = set(found) - still
            assert self.box.last_id(lane) >= self.given[lane]
            self.given[lane] = self.box.last_id(lane)
        for seq in {records.peek(record)[2] for lane in LANES for record in self.records[lane].values()}:
            assert self.box.has(BOOT, seq)
        assert {loss["why"] for loss in self.box.losses()} <= {"restart"}

    @invariant()
    def agrees(self):
        if self.box is None:
            return
        for name in self.done:
            for lane in LANES:
                wanted = self.open_pairs(name, lane)
                assert self.box.open_count(name, lane) == len(wanted)
                assert self.box.first_open(name, lane) == (wanted[0][0] if wanted else 0)
                assert self.box.fetch(name, lane, 0, ALL) == wanted
        for key, value in self.values.items():
            assert self.box.recall(key) == value
        assert self.box.stats["lost_damage"] == self.box.stats["errors"] == 0

    def teardown(self):
        if self.box is not None:
            self.box.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class SqliteModel(Model):
    kind = "sqlite"


class SegmentsModel(Model):
    kind = "segments"


TestSqlite = SqliteModel.TestCase
TestSegments = SegmentsModel.TestCase
TestSqlite.settings = TestSegments.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None)
