"""What the log of segments writes: few pages of the flash, never beyond its bound, always fit for a kill."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.box import micropython
from edge.node.report.outbox import segment_files, segments
from edge.node.report.outbox.segment_files import PAGE, page_end
from edge.node.report.outbox.segments import SegmentLog
from tests.box.outbox_tools import EVENT, SAMPLE, disk_bytes, event, held, sample
from tests.parts import missing_part

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


@pytest.mark.parametrize("log", [4_000_000], indirect=True)
@pytest.mark.parametrize("signals", [1, 12, 40, 110])
def test_samples_that_come_fast_are_committed_by_two_whole_pages(log, signals):
    ends = []
    for seq in range(1, 2500):
        commits = log.box.stats["commits"]
        log.add(sample(seq, signals), 10)
        if log.box.stats["commits"] != commits:
            ends.append(sum(path.stat().st_size for path in log.folder.glob("s0*")))
    assert ends == list(range(2 * PAGE, 2 * PAGE * len(ends) + 1, 2 * PAGE))
    assert len(ends) >= 8


@pytest.mark.parametrize("log", [4_000_000], indirect=True)
def test_after_an_event_the_next_samples_end_with_a_page_again(log):
    log.samples(10)
    log.add(event(11, True))
    (path,) = log.folder.glob("s0*")
    assert path.stat().st_size % PAGE
    log.samples(29)
    assert path.stat().st_size == 2 * PAGE


@pytest.mark.parametrize("log", [262_144], indirect=True)
def test_a_full_log_commits_and_thins_with_one_state(log):
    log.samples(3000)
    states = []
    log.on_write = lambda path: states.append(path) if "state" in path else None
    before = log.box.stats
    log.samples(29 * 30)
    after = log.box.stats
    assert after["thinned"] > before["thinned"]
    assert len(states) == after["commits"] - before["commits"] <= 31


@pytest.mark.parametrize("log", [65_536, 131_072], indirect=True)
def test_the_bound_holds_at_each_moment(log):
    most = []
    log.on_write = lambda path: most.append(disk_bytes(log.folder))
    bytes_max = log.box.bytes_max
    log.until_deepest()
    for turn in range(20):
        # The memory runs full behind a disk that fails, events come, many values are to be kept.
        log.box.on_disk = failing
        log.samples(60)
        log.add(event(turn, turn % 2 == 0, text="x" * 900))
        for number in range(12):
            log.box.keep(f"value{number}", bytes([turn]) * (bytes_max // 64 if turn % 2 else 1))
        log.box.on_disk = None
        log.now_ms += 20_000
        log.box.step(log.now_ms)
    assert log.box.stats["waiting"] == 0
    assert max(most) <= bytes_max


def failing(_what):
    raise OSError(28, "no space left on the device (injected)")


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
    for turn in range(20):
        log.samples(29)
        if disturbed:
            log.box.keep("value", bytes([turn]) * 100)
            log.samples(5)
    assert len(found) > 75
    assert set(found) == {(True, 0, 0)}


@pytest.mark.parametrize("log", [65_536], indirect=True)
def test_a_kill_before_what_was_given_up_is_deleted_brings_nothing_back(log, monkeypatch, tmp_path):
    """Events that are no alarms have gone from between alarms, and are counted as lost."""
    log.until_deepest()
    looks = []

    def look(path):
        """As it is when the state has been written, and nothing deleted yet."""
        copy = tmp_path / "copy"
        shutil.copytree(log.folder, copy)
        with pytest.MonkeyPatch.context() as unseen:
            unseen.setattr(log, "on_write", lambda path: None)
            unseen.setattr(segments, "replace", segment_files.replace)
            box = SegmentLog(str(copy), log.box.bytes_max)
            box.attach(["a"])
            left = len(held(box, "a", SAMPLE)) + len(held(box, "a", EVENT))
            seq = box.stored()[1]
            looks.append(seq - left - box.stats["thinned"] - box.stats["lost_full"])
            box.close()
        shutil.rmtree(copy)

    def replaced(path, parts):
        segment_files.replace(path, parts)
        if path.endswith("state"):
            look(path)

    # From here on every second event is an alarm, and those take the place of the samples.
    for turn in range(750):
        if turn == 700:
            monkeypatch.setattr(segments, "replace", replaced)
        log.seq += 1
        log.add(event(log.seq, turn % 2 == 0, text="x" * 100))
    assert len(looks) > 25
    assert set(looks) == {0}


@pytest.mark.parametrize("log", [4_000_000], indirect=True)
def test_a_restart_appends_to_a_segment_that_ends_with_an_empty_rest(log):
    log.samples(29)
    (path,) = log.folder.glob("s0*")
    assert path.stat().st_size == 2 * PAGE
    again = SegmentLog(str(log.folder), 4_000_000)
    again.attach(["a"])
    again.append(sample(30, SIGNALS), 0)
    again.commit(0)
    assert list(log.folder.glob("s0*")) == [path]
    assert len(held(again, "a", SAMPLE)) == 30
    again.close()


def test_a_day_of_a_full_log_erases_less_than_200_mb_of_a_flash_with_littlefs(tmp_path):
    environment = {**micropython.environment(), "PYTHONPATH": str(micropython.root())}
    command = [*runtime_command("8m"), str(Path(__file__).with_name("littlefs_script.py")), "8000", "1800"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    erased_mb, errors, thinned = done.stdout.split()
    assert float(erased_mb) < 200
    assert int(errors) == 0 and int(thinned) > 5000


def runtime_command(heap):
    try:
        return [micropython.executable(), "-X", f"heapsize={heap}"]
    except FileNotFoundError as error:
        return missing_part(str(error))


def test_pages_of_a_file_on_littlefs_begin_with_pointers():
    """Block n holds as many pointers of 4 bytes as n can be halved, and one (littlefs DESIGN.md, CTZ)."""
    ends = [page_end(1 + PAGE * number, True) for number in range(8)]
    assert ends == [4096, 8188, 12276, 16368, 20452, 24544, 28632, 32724]
    assert [page_end(end, True) for end in ends] == ends
    assert [page_end(at, False) for at in (0, 1, 4096, 4097, 8193)] == [4096, 4096, 4096, 8192, 12288]
