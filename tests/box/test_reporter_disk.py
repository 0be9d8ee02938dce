"""The reporter while its disk can't be used: a real mosquitto, a missing disk, one that is read-only."""

import contextlib
import errno
import json
import os
import sqlite3
import subprocess
import time

import pytest

from edge.box import reporter
from edge.box.outbox import Outbox
from edge.box.outbox_salvage import Salvage
from edge.node.report import link
from tests.box.test_reporter import (
    BASE,
    BOOT,
    CATALOGUE,
    arrive,
    event,
    now_ms,
    pair_with,
    run_by_hand,
    sample,
    stats_where,
    values,
)
from tests.faults.observer import Observer
from tests.node.report.brokers import Mosquitto, Subscriber, wait_for
from tests.parts import missing_part


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path, "max_inflight_messages 0", "max_queued_messages 0") as broker:
        yield broker


@pytest.fixture
def observer(mosquitto):
    observer = Observer(mosquitto.port)
    yield observer
    observer.close()


class MissingDisk:
    """A link to a folder that is not there: as with a disk that is not mounted."""

    def __init__(self, folder):
        self.path = folder / "disk" / "node.outbox"
        self.medium = folder / "medium"
        (folder / "disk").symlink_to(self.medium)

    def mend(self):
        self.medium.mkdir()


class ReadOnlyDisk:
    """A small file system, mounted read-only: as a card that the kernel has given up."""

    def __init__(self, folder):
        self.folder = folder / "disk"
        self.folder.mkdir()
        self.path = self.folder / "node.outbox"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(self.folder)],
                              capture_output=True, check=False)
        if done.returncode:
            missing_part("a small file system can't be mounted: only root may do that")

    def break_off(self):
        self._mount("ro")

    def mend(self):
        self._mount("rw")

    def _mount(self, how: str):
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)

    def close(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    with contextlib.closing(ReadOnlyDisk(tmp_path)) as disk:
        yield disk


class Reporter:
    """A reporter process and what it says on standard error."""

    def __init__(self, folder, port, to=None, **more):
        self._errors = open(folder / "stderr", "a+b")
        saved = os.dup(2)
        os.dup2(self._errors.fileno(), 2)  # the reporter inherits it
        try:
            self.process, self.end = reporter.start_reporter(values(folder, port, **more), to)
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        if to is None:
            self.end.begin(CATALOGUE)

    def said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode()

    def tell(self, first: int, last: int):
        for seq in range(first, last + 1):
            self.end.record(event(seq, seq % 20 == 0) if seq % 10 == 0 else sample(seq))
            self.end.step(now_ms())

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self.end.step(now_ms())

    def close(self) -> dict:
        stats = {}
        if not self.process.stdout.closed:
            stats = reporter.stop_reporter(self.process, self.end)
        self._errors.close()
        return stats


@pytest.fixture
def begin(tmp_path):
    started = []

    def make(port, path, **more):
        started.append(Reporter(tmp_path, port, path=str(path), **more))
        return started[-1]

    yield make
    for one in started:
        one.close()


def memory_only(stats) -> bool:
    return stats.get("outbox", {}).get("memory_only") is True


def on_disk(stats) -> bool:
    return stats["connected"] and stats.get("outbox", {}).get("memory_only") is False


def own_events(subscriber) -> list:
    events = [json.loads(payload) for payload in subscriber.payloads(f"{BASE}/event")]
    return [one for one in events if one["kind"] == "outbox"]


def test_without_its_disk_it_reports_from_memory_says_so_and_goes_over_when_the_disk_is_there(
        mosquitto, observer, begin, tmp_path):
    disk = MissingDisk(tmp_path)
    with Subscriber(mosquitto.port) as subscriber:
        node = begin(mosquitto.port, disk.path)
        node.tell(1, 50)
        assert arrive(observer, node.end, 50)
        stats = stats_where(node.end, lambda stats: memory_only(stats) and stats["connected"])
        assert str(disk.path) in stats["outbox"]["last_error"]
        assert str(disk.path) in stats["last_error"]
        gone = own_events(subscriber)[0]
        assert (gone["name"], gone["alarm"], gone["boot"]) == ("disk", True, 0)
        assert gone["text"].startswith("gone: ")
        stats_where(node.end, lambda _: subscriber.payloads(f"{BASE}/reporter"), 20)
        told = json.loads(subscriber.payloads(f"{BASE}/reporter")[-1])
        assert told["outbox"]["memory_only"]
        disk.mend()
        stats_where(node.end, on_disk, 60)
        node.tell(51, 100)
        assert arrive(observer, node.end, 100)
        assert wait_for(lambda: own_events(subscriber)[-1]["text"].startswith("is back: "))
        stats = stats_where(node.end, lambda stats: stats["unconfirmed"] == 0 and stats["queued"] == 0)
        assert (stats["reconnects"], stats["dropped"]) == (1, 0)
    assert disk.path.exists()
    lines = node.said().splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "reporter: the outbox is in memory only", "reporter: the outbox is on the disk again"]
    # Each record once, under one name; two boxes, one after the other.
    assert observer.twice() == observer.contradictions == []
    assert observer.duplicates == observer.lost == 0
    assert len({box for box, _, _ in observer.entries}) == 2
    assert observer.states == [b"online", b"offline", b"online"]


def test_what_a_read_only_disk_holds_from_before_follows_under_its_own_names(mosquitto, begin, disk):
    mosquitto.kill()
    node = begin(mosquitto.port, disk.path)
    node.tell(1, 60)
    stats_where(node.end, lambda stats: stats["unconfirmed"] == 0)
    epoch = epoch_of(disk.path)
    node.kill()
    disk.break_off()
    mosquitto.start()
    observer = Observer(mosquitto.port)
    try:
        node = begin(mosquitto.port, disk.path, to=node.end)
        node.tell(61, 120)
        assert wait_for(lambda: not set(range(61, 121)) - set(observer.read().seqs[BOOT]), 60,
                        lambda: node.end.step(now_ms()) and time.sleep(0.01))
        assert not set(range(1, 61)) & set(observer.seqs[BOOT])
        assert "Read-only file system" in stats_where(node.end, memory_only)["outbox"]["last_error"]
        memory = {box for box, _, _ in observer.entries}
        disk.mend()
        assert arrive(observer, node.end, 120, 60)
        node.tell(121, 130)
        assert arrive(observer, node.end, 130)
        stats_where(node.end, lambda stats: on_disk(stats) and stats["unconfirmed"] == 0)
        assert {box for box, _, _ in observer.entries} - memory == {epoch}
        assert {observer.contents[name] for name in observer.contents if name[0] == epoch} >= {
            (BOOT, seq) for seq in [*range(1, 61), *range(121, 131)]}
        assert observer.twice() == observer.contradictions == []
        assert observer.lost == 0
    finally:
        observer.close()


def epoch_of(path) -> str:
    """Of an outbox that a process has: from the blocks in its files."""
    salvage = Salvage(str(path))
    try:
        return f"{salvage.found[0][0].epoch:08x}"
    finally:
        salvage.close()


def test_without_disk_and_broker_the_node_keeps_what_is_nowhere_else(mosquitto, observer, begin, tmp_path):
    """Killed twice meanwhile: the second time the records have come to the disk."""
    disk = MissingDisk(tmp_path)
    mosquitto.kill()
    node = begin(mosquitto.port, disk.path)
    node.tell(1, 100)
    stats_where(node.end, lambda stats: memory_only(stats) and stats["queued"] >= 100)
    assert node.end.stats["unconfirmed"] == 100
    node.kill()
    node = begin(mosquitto.port, disk.path, to=node.end)
    node.tell(101, 150)
    stats_where(node.end, lambda stats: memory_only(stats) and stats["queued"] >= 150)
    disk.mend()
    stats = stats_where(node.end, lambda stats: stats["unconfirmed"] == 0, 60)
    assert stats["outbox"]["memory_only"] is False and stats["queued"] >= 150
    node.kill()
    mosquitto.start()
    observer.subscriber.wait_subscribed()  # first: the broker keeps nothing for it
    node = begin(mosquitto.port, disk.path, to=node.end)
    assert arrive(observer, node.end, 150, 60)
    assert observer.twice() == observer.contradictions == []
    assert observer.lost == 0


def test_a_broker_and_a_disk_that_come_back_during_a_stream_of_records(mosquitto, observer, begin, tmp_path):
    """All three languages; the change happens while records arrive."""
    disk = MissingDisk(tmp_path)
    node = begin(mosquitto.port, disk.path, speakers=("json", "sparkplug", "home_assistant"))
    seq, mend_at, end = 0, 150, 500
    pause = time.monotonic()
    while seq < end:
        seq += 1
        node.tell(seq, seq)
        if seq == mend_at:
            disk.mend()
        pause += 0.01
        time.sleep(max(pause - time.monotonic(), 0))
    assert arrive(observer, node.end, end, 60)
    stats = stats_where(node.end, lambda stats: on_disk(stats) and stats["queued"] == 0
                        and stats["unconfirmed"] == 0, 15)
    assert stats["dropped"] == 0 and stats["speakers"]["sparkplug"]["backlog"] == 0
    assert observer.twice() == observer.contradictions == [] and observer.lost == 0


def test_its_orderly_end_puts_into_a_disk_that_is_there_what_was_in_memory(mosquitto, begin, tmp_path):
    disk = MissingDisk(tmp_path)
    mosquitto.kill()
    node = begin(mosquitto.port, disk.path, flush_s=0.3)
    node.tell(1, 30)
    stats_where(node.end, lambda stats: memory_only(stats) and stats["queued"] >= 30)
    disk.mend()
    stats = node.close()
    assert stats["stored"] == [BOOT, 30]


def test_its_orderly_end_without_disk_and_broker_says_what_ends_with_it(mosquitto, begin, tmp_path):
    mosquitto.kill()
    node = begin(mosquitto.port, MissingDisk(tmp_path).path, flush_s=0.3)
    node.tell(1, 30)
    stats_where(node.end, lambda stats: memory_only(stats) and stats["queued"] >= 30)
    stats = reporter.stop_reporter(node.process, node.end)
    assert stats["stored"] == [BOOT, 0]
    assert "reporter: ends with 31 records that are on no disk: outbox: " in node.said()


def test_a_ring_that_can_not_be_stored_is_not_asked_about_without_end(mosquitto, begin, tmp_path):
    """The node asks for a commit when its ring is half full; there is none to be had."""
    mosquitto.kill()
    node = begin(mosquitto.port, MissingDisk(tmp_path).path)
    stats_where(node.end, memory_only)
    heard = []
    end = node.end
    hear = end._take_stats
    end._take_stats = lambda data, at_ms: heard.append(at_ms) or hear(data, at_ms)
    node.tell(1, 2500)
    assert 2 * end.ring.bytes > end.ring.bytes_max
    heard.clear()
    end_ms = now_ms() + 2500
    while now_ms() < end_ms:
        end.step(now_ms())
        time.sleep(0.002)
    assert 1 <= len(heard) <= 5


# What is not the disk's fault ----------------------------------------------------------------


def refused(tmp_path, path) -> str:
    with pair_with(link.CATALOGUE + CATALOGUE.to_json()) as reporter_end:
        config = values(tmp_path, 1883, path=str(path))
        done = run_by_hand(reporter_end.fileno(), config, pass_fds=[reporter_end.fileno()])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert f"report.outbox.path {path}: " in done.stderr
    return done.stderr


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "box").mkdir()
    assert "is a folder, expected a file" in refused(tmp_path, tmp_path / "box")


def test_an_outbox_that_another_process_has_is_refused(tmp_path):
    path = tmp_path / "box"
    outbox = Outbox(str(path))
    try:
        assert "in use by another process" in refused(tmp_path, path)
    finally:
        outbox.close()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert "File exists" in refused(tmp_path, tmp_path / "file" / "box")


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EIO, errno.EACCES, errno.ENOENT,
                                    errno.EDQUOT, errno.ENXIO])
@pytest.mark.parametrize("where", ["mkdir", "open"])
def test_errors_of_a_disk_are_no_reason_not_to_report(number, where, tmp_path, monkeypatch):
    settings = {"path": str(tmp_path / "deep" / "box"), "size_mb": 1, "commit_s": 1}

    def fails(path, *arguments, **options):
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, where, fails)
        outbox = reporter.begin_outbox(settings)
    assert outbox.memory_only and os.strerror(number) in outbox.stats["last_error"]
    assert outbox.stats["bytes_max"] == 62_500


def test_errors_of_sqlite_are_the_disks(tmp_path, monkeypatch):
    """A file that is there and can't be read: what it holds is not given up for a new one."""
    def broken(_):
        raise sqlite3.OperationalError("disk I/O error")

    settings = {"path": str(tmp_path / "box"), "size_mb": 1, "commit_s": 1}
    reporter.open_outbox(settings).close()
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_restore", broken)
        outbox = reporter.begin_outbox(settings)
    assert outbox.memory_only and "disk I/O" in outbox.stats["last_error"]
    again = reporter.open_outbox(settings)  # the lock was let go
    assert not again.memory_only
    again.close()
