"""An outbox in memory hands over to one on a disk: that of the box and that of a board."""

import os

import pytest

from edge.node.report.outbox.memory import MemoryOutbox
from tests.box.outbox_tools import CATALOGUE, EVENT, KINDS, SAMPLE, event, held, make, sample, seqs

OTHER = 0x77


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def in_memory(memory_max: int = 200_000):
    memory = MemoryOutbox(4_000_000, memory_max, OSError(30, "read-only file system"))
    memory.attach(["a", "b"])
    memory.keep_catalogue(CATALOGUE, b"catalogue")
    return memory


def feed(memory, first: int, last: int, boot: int = OTHER):
    for seq in range(first, last + 1):
        record = event(seq, seq % 20 == 0, boot) if seq % 10 == 0 else sample(seq, boot=boot)
        memory.append(record, 250 * seq)
        memory.step(250 * seq)


def test_an_older_outbox_keeps_its_epoch_and_ids_and_the_records_from_memory_follow(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    for seq in (1, 2, 3):
        box.append(sample(seq), 0)
    box.close()
    epoch, before = box.epoch, [(1, sample(1)), (2, sample(2)), (3, sample(3))]
    memory = in_memory()
    feed(memory, 1, 100)
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    assert memory.move_to(box, 30_000) == 100
    assert box.epoch == epoch != memory.epoch
    assert held(box, "a", SAMPLE)[:3] == before
    assert box.stored(OTHER) == (OTHER, 0)
    assert box.commit(30_000)
    assert box.stored(OTHER) == (OTHER, 100)
    box.close()
    box = make(kind, tmp_path)
    assert seqs(box, "b", SAMPLE) == [1, 2, 3] + [seq for seq in range(1, 101) if seq % 10]
    assert seqs(box, "b", EVENT) == list(range(10, 101, 10))
    assert box.catalogue(CATALOGUE) == b"catalogue" and box.stats["lost_damage"] == 0
    ids = [number for number, _ in held(box, "b", SAMPLE)]
    assert ids == sorted(set(ids))
    box.close()


def test_more_than_waits_in_the_memory_of_the_one_on_the_disk(kind, tmp_path):
    """It commits on the way, and is killed before the end: what it says to be stored is."""
    memory = in_memory(900_000)
    feed(memory, 1, 6000)
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    appended = box.append
    given = []

    def killed(record, now_ms):
        if len(given) == 5500:
            raise KeyboardInterrupt
        given.append(appended(record, now_ms))

    box.append = killed
    with pytest.raises(KeyboardInterrupt):
        memory.move_to(box, 0)
    said = box.stored(OTHER)[1]
    assert said > 1000
    if kind == "sqlite":
        box._db.close()
        os.close(box._lock)
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    found = set(seqs(box, "a", SAMPLE)) | set(seqs(box, "a", EVENT))
    assert found >= set(range(1, said + 1))
    # The node sends the rest again.
    for seq in range(said + 1, 6001):
        assert not box.has(OTHER, seq) or seq in found
    box.close()


def test_what_one_speaker_has_done_it_need_not_do_again(kind, tmp_path):
    memory = in_memory()
    feed(memory, 1, 9)
    memory.done("a", SAMPLE, 1, 6)
    memory.done("b", SAMPLE, 3, 4)
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    assert memory.move_to(box, 0) == 7
    assert seqs(box, "a", SAMPLE) == [7, 8, 9]
    assert seqs(box, "b", SAMPLE) == [1, 2, 5, 6, 7, 8, 9]
    box.close()


def test_losses_in_memory_are_counted_on(kind, tmp_path):
    memory = in_memory(20_000)
    feed(memory, 1, 3000)
    thinned = memory.stats["thinned"] + memory.stats["lost_full"]
    assert thinned > 0 and memory.stats["bytes"] <= 20_000
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    moved = memory.move_to(box, 0)
    assert moved + thinned == 3000
    assert box.stats["thinned"] + box.stats["lost_full"] == thinned
    assert sum(loss["count"] for loss in box.losses()) == thinned
    box.close()


def test_a_speaker_that_is_far_behind_costs_the_other_no_marks():
    memory = in_memory(2_000_000)
    feed(memory, 1, 3000)
    for number in range(1, 2700, 2):
        memory.done("a", SAMPLE, number, number)
    memory.step(10**6)
    assert len(memory._speakers["a"][SAMPLE].spans) <= 512
    memory.done("a", SAMPLE, 1, 2700)
    memory.done("b", SAMPLE, 1, 2700)
    memory.step(10**6)
    assert memory.waiting == 300 and memory._speakers["b"][SAMPLE].floor == 2700
