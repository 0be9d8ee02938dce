"""A disk that is full, fails or is slow: records wait in a bounded memory and go to the disk afterwards."""

import contextlib
import errno
import os
import resource
import subprocess

import pytest

from tests.box.outbox_tools import EVENT, KINDS, SAMPLE, copied, event, held, make, sample, seqs

BOOT = 0x1234


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@contextlib.contextmanager
def no_file_larger_than(size: int):
    """The kernel lets no file of this process grow beyond it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class FullDisk:
    """Refuses while ``full``."""

    def __init__(self, box):
        self.full = True
        self.asked = 0
        box.on_disk = self

    def __call__(self, what):
        self.asked += 1
        if self.full and what == "commit":
            raise OSError(errno.ENOSPC, "no space left on the device (injected)")


def feed(box, first: int, count: int, now_ms: int) -> int:
    for seq in range(first, first + count):
        now_ms += 250
        box.append(event(seq, True) if seq % 50 == 0 else sample(seq, 10), now_ms)
        box.step(now_ms)
    return now_ms


def test_a_full_disk_is_ridden_out_in_memory(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a"])
    now_ms = feed(box, 1, 100, 0)
    box.commit(now_ms)
    stored = box.stored()
    disk = FullDisk(box)
    now_ms = feed(box, 101, 100, now_ms)
    assert box.stored() == stored
    assert box.stats["errors"] > 0 and "no space left" in box.stats["last_error"]
    # Speakers go on with what is in memory.
    assert len(held(box, "a", SAMPLE)) + len(held(box, "a", EVENT)) == 200
    disk.full = False
    now_ms += 20_000
    box.step(now_ms)
    assert box.stored() == (BOOT, 200)
    assert box.stats["thinned"] == box.stats["lost_full"] == 0
    box.close()
    box = make(kind, tmp_path)
    assert seqs(box, "a", SAMPLE) == [seq for seq in range(1, 201) if seq % 50]
    assert seqs(box, "a", EVENT) == [50, 100, 150, 200]
    box.close()


def test_a_disk_that_is_full_for_long_thins_what_waits(kind, tmp_path):
    box = make(kind, tmp_path, 524_288)
    box.attach(["a"])
    disk = FullDisk(box)
    now_ms = feed(box, 1, 3000, 0)
    assert box._pending_bytes <= box._memory_max
    assert seqs(box, "a", EVENT) == list(range(50, 3001, 50))
    left = seqs(box, "a", SAMPLE)
    stats = box.stats
    assert len(left) + 60 + stats["thinned"] + stats["lost_full"] == 3000
    assert stats["thinned"] > 0 and left[-1] == 2999
    disk.full = False
    box.commit(now_ms + 20_000)
    assert box.stored() == (BOOT, 3000)
    assert seqs(box, "a", SAMPLE) == left
    assert sum(loss["count"] for loss in box.losses()) == stats["thinned"] + stats["lost_full"]
    box.close()


def test_it_asks_a_full_disk_less_and_less(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a"])
    disk = FullDisk(box)
    now_ms = 0
    for _ in range(6000):
        now_ms += 10
        box.append(event(now_ms, True), now_ms)
        box.step(now_ms)
    assert disk.asked < 12
    disk.full = False
    box.step(now_ms + 10_000)
    assert box.stats["waiting"] == 0
    box.close()


def test_values_kept_while_the_disk_is_full_are_not_lost(kind, tmp_path):
    box = make(kind, tmp_path)
    disk = FullDisk(box)
    assert not box.keep("bdSeq", b"5")
    assert box.recall("bdSeq") == b"5"
    disk.full = False
    box.step(60_000)
    box.close()
    box = make(kind, tmp_path)
    assert box.recall("bdSeq") == b"5"
    box.close()


def test_ids_are_unique_although_the_disk_was_full_from_the_start(kind, tmp_path):
    """It could not even be said on the disk that it is open."""
    box = make(kind, tmp_path)
    box.attach(["a"])
    box.append(sample(1), 0)
    box.close()
    box = make(kind, tmp_path)
    box.close()
    opened = type(box)._commit
    try:
        type(box)._commit = lambda self, flush: False
        box = make(kind, tmp_path)
    finally:
        type(box)._commit = opened
    box.attach(["a"])
    given = box.epoch, box.append(sample(2), 0)
    assert box.commit(60_000)
    box.close()
    box = make(kind, tmp_path)
    box.attach(["a"])
    assert (box.epoch, box.append(sample(3), 0)) != given and box.epoch != given[0]
    box.close()


def test_names_are_unique_although_the_disk_takes_nothing_for_longer_than_ids_are_reserved(kind, tmp_path):
    """And the power fails before it does: the next start can't know how many were given."""
    (tmp_path / "live").mkdir()
    box = make(kind, tmp_path / "live")
    box.attach(["a"])
    named = set()

    def give(outbox, first, count):
        for seq in range(first, first + count):
            number = outbox.append(sample(seq, 1), seq)
            assert (outbox.epoch, number) not in named
            named.add((outbox.epoch, number))

    give(box, 1, 10)
    assert box.commit(20_000)
    epoch = box.epoch
    disk = FullDisk(box)
    give(box, 11, 3000)
    assert box.epoch != epoch
    after = make(kind, copied(tmp_path / "live", tmp_path / "after"))
    after.attach(["a"])
    assert after.epoch == epoch
    give(after, 4001, 8000)
    after.close()
    # Where the disk comes back, the epoch does, and the ids that it has not are told.
    disk.full = False
    assert box.commit(100_000) and box.epoch == epoch
    (told,) = [loss for loss in box.losses() if loss["why"] == "restart" and loss["lane"] == SAMPLE]
    assert told["count"] == 0 and told["first_id"] <= 1100 and told["last_id"] == box.last_id(SAMPLE)
    box.close()


def test_a_limit_of_the_kernel(kind, tmp_path):
    """Writes fail in the middle, as on a full disk."""
    box = make(kind, tmp_path, 2_000_000, 1000)
    box.attach(["a"])
    now_ms = feed(box, 1, 100, 0)
    box.commit(now_ms)
    with no_file_larger_than(24_000 if kind == "sqlite" else 2_000):
        now_ms = feed(box, 101, 400, now_ms)
        assert box.stats["errors"] > 0
    now_ms += 20_000
    box.step(now_ms)
    assert box.commit(now_ms), box.stats
    expected = [seq for seq in range(1, 501) if seq % 50]
    assert seqs(box, "a", SAMPLE) == expected
    assert box.stats["lost_full"] == box.stats["lost_damage"] == 0
    box.close()
    box = make(kind, tmp_path, 2_000_000, 1000)
    box.attach(["a"])
    assert seqs(box, "a", SAMPLE) == expected
    assert seqs(box, "a", EVENT) == list(range(50, 501, 50))
    assert box.stats["lost_damage"] == 0
    box.close()


def test_a_read_that_fails_is_tried_again(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a"])
    now_ms = feed(box, 1, 99, 0)
    box.commit(now_ms)
    box._cache = {}

    def broken(what):
        if what == "read":
            raise OSError(errno.EIO, "input/output error (injected)")

    box.on_disk = broken
    assert held(box, "a", SAMPLE) == []
    box.on_disk = None
    assert len(held(box, "a", SAMPLE)) == 98
    assert box.stats["lost_damage"] == 0 and box.stats["errors"] == 1
    box.close()


def test_a_slow_disk_is_asked_in_step_and_commit_only(kind, tmp_path):
    """So that whoever feeds it knows where the time goes."""
    box = make(kind, tmp_path)
    box.attach(["a"])
    asked = []
    box.on_disk = asked.append
    for seq in range(1, 30):
        box.append(sample(seq), 0)
        box.fetch("a", SAMPLE, 0, 10)
        box.done("a", SAMPLE, seq, seq)
        box.stored()
    assert asked == []
    box.append(event(30), 0)
    box.step(1)
    assert asked == ["commit"]
    box.close()


@pytest.mark.long
def test_a_file_system_that_is_full(kind, tmp_path):
    """A small tmpfs, filled by somebody else, and emptied again."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(place)],
                             capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"may not mount a tmpfs: {mounted.stderr.decode().strip()}")
    try:
        box = make(kind, place, 1_200_000, 1000)
        box.attach(["a"])
        now_ms = feed(box, 1, 500, 0)
        somebody = place / "somebody_else"
        with open(somebody, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        last = 1000 if kind == "sqlite" else 600  # what fits into the memory of a board
        now_ms = feed(box, 501, last - 500, now_ms)
        assert box.stats["errors"] > 0
        os.remove(somebody)
        now_ms += 20_000
        box.step(now_ms)
        assert box.commit(now_ms), box.stats
        assert seqs(box, "a", SAMPLE) == [seq for seq in range(1, last + 1) if seq % 50]
        assert box.stats["lost_full"] == box.stats["thinned"] == 0
        box.close()
        box = make(kind, place, 1_200_000, 1000)
        box.attach(["a"])
        assert seqs(box, "a", EVENT) == list(range(50, last + 1, 50))
        assert box.stats["lost_damage"] == 0
        box.close()
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
