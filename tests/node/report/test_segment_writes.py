"""What the log of segments writes: always fit for a kill."""

import shutil

import pytest

from edge.node.report.outbox import segment_files, segments
from edge.node.report.outbox.segments import SegmentLog
from tests.box.outbox_tools import SAMPLE, held, sample

PERIOD_MS = 250
SIGNALS = 40


class Watched:
    """A log whose writes are seen: ``on_write`` is called with the path after each."""

    def __init__(self, folder, bytes_max, monkeypatch):
        self.folder = folder
        self.on_write = lambda path: None
        self.seq = 0
        self.now_ms = 0
        write = segment_files.write

        def seen(path, parts, mode, synced=True):
            write(path, parts, mode, synced)
            self.on_write(path)

        monkeypatch.setattr(segment_files, "write", seen)
        monkeypatch.setattr(segments, "write", seen)
        self.box = SegmentLog(str(folder), bytes_max)
        self.box.attach(["a"])

    def add(self, record, step_ms=PERIOD_MS):
        self.now_ms += step_ms
        self.box.append(record, self.now_ms)
        self.box.step(self.now_ms)

    def samples(self, count):
        for _ in range(count):
            self.seq += 1
            self.add(sample(self.seq, SIGNALS))

    def until_deepest(self):
        """Until every level is there and the oldest samples are dropped."""
        while not self.box.stats["lost_full"]:
            self.samples(100)
            assert self.seq < 60_000


@pytest.fixture
def log(tmp_path, monkeypatch, request):
    watched = Watched(tmp_path / "log", request.param, monkeypatch)
    yield watched
    watched.on_write = lambda path: None
    watched.box.close()


@pytest.mark.parametrize("log", [65_536], indirect=True)
@pytest.mark.parametrize("disturbed", [False, True], ids=["samples", "states_between"])
def test_a_kill_at_any_moment_of_a_commit_leaves_a_log_that_accounts_for_all(log, disturbed, tmp_path):
    """``disturbed``: the state is written while samples wait, which then have ids that it knows."""
    log.until_deepest()
    found = []

    def look(path):
        stored = log.box.stored()[1]
        copy = tmp_path / "copy"
        shutil.copytree(log.folder, copy)
        with pytest.MonkeyPatch.context() as unseen:
            unseen.setattr(log, "on_write", lambda path: None)
            box = SegmentLog(str(copy), log.box.bytes_max)
            box.attach(["a"])
            ids = [number for number, _ in held(box, "a", SAMPLE)]
            stats = box.stats
            found.append((ids[-1] >= stored, ids[-1] - len(ids) - stats["thinned"] - stats["lost_full"],
                          stats["lost_damage"]))
            box.close()
        shutil.rmtree(copy)

    log.on_write = look
    for turn in range(40):
        log.samples(29)
        if disturbed:
            log.box.keep("value", bytes([turn]) * 100)
            log.samples(5)
    assert len(found) > 150
    assert set(found) == {(True, 0, 0)}
