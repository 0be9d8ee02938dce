"""An outbox whose writer dies between two writes: what is found again, and which ids are told."""

import pytest

from edge.node.report.outbox import segments
from tests.box.outbox_tools import BOOT, EVENT, KINDS, SAMPLE, copied, event, make, sample, seqs


@pytest.fixture
def live(tmp_path):
    folder = tmp_path / "live"
    folder.mkdir()
    return folder


def restarts(outbox) -> list:
    """What it tells of the samples' ids after a kill."""
    return [loss for loss in outbox.losses() if loss["why"] == "restart" and loss["lane"] == SAMPLE]


@pytest.mark.parametrize("kind", KINDS)
def test_what_died_in_memory_is_among_the_ids_told(kind, live, tmp_path):
    """A state that is written while samples wait must not say that their ids are accounted for."""
    box = make(kind, live)
    box.attach(["a"])
    box.append(sample(1), 0)
    box.commit(0)
    box.append(sample(2), 0)
    box.keep("bdSeq", b"1")
    box.append(sample(3), 0)
    after = make(kind, copied(live, tmp_path / "after"))
    box.close()
    after.attach(["a"])
    (told,) = restarts(after)
    assert seqs(after, "a", SAMPLE) == [1]
    assert (told["count"], told["first_id"]) == (0, 2)
    assert after.append(sample(4), 0) == told["last_id"] + 1 > 3
    after.close()


def test_samples_that_came_to_the_disk_before_the_state_are_found(live, tmp_path, monkeypatch):
    box = make("segments", live)
    box.attach(["a"])
    box.append(sample(1), 0)
    box.append(sample(2), 0)
    box.keep("bdSeq", b"1")  # a state without them
    replaced = segments.replace

    def replace(path, parts):
        copied(live, tmp_path / "after")
        replaced(path, parts)

    with monkeypatch.context() as patch:
        patch.setattr(segments, "replace", replace)
        box.commit(0)
    box.close()
    after = make("segments", tmp_path / "after")
    after.attach(["a"])
    assert seqs(after, "a", SAMPLE) == [1, 2]
    assert after.stored() == (BOOT, 2)
    assert after.append(sample(3), 0) > 2
    after.close()


def test_an_event_that_came_to_the_disk_without_the_samples_before_it_stays(live, tmp_path, monkeypatch):
    """Killed between the segments of one commit; the ids of what was still in memory are told."""
    box = make("segments", live)
    box.attach(["a"])
    box.append(event(1), 0)
    box.commit(0)
    for seq in (2, 3):
        box.append(sample(seq), 0)
    box.append(event(4), 0)
    written = segments.write

    def write(path, parts, mode, synced=True):
        written(path, parts, mode, synced)
        if not (tmp_path / "after").exists():
            copied(live, tmp_path / "after")

    with monkeypatch.context() as patch:
        patch.setattr(segments, "write", write)
        box.commit(100)
    box.close()
    after = make("segments", tmp_path / "after")
    after.attach(["a"])
    assert (seqs(after, "a", SAMPLE), seqs(after, "a", EVENT)) == ([], [1, 4])
    (told,) = restarts(after)
    assert (told["count"], told["first_id"]) == (0, 1) and told["last_id"] >= 2
    after.close()


def test_an_end_that_was_cut_short_is_no_orderly_end(live, tmp_path, monkeypatch):
    """Closing may make room in several transactions: only the last one says that nothing is open."""
    bound = 65536
    box = make("segments", live, bound)
    box.attach(["a"])
    while not box.stats["thinned"]:
        box.append(sample(box.last_id(SAMPLE) + 1, 20), 0)
    while box.stats["waiting"] < 40:
        box.append(sample(box.last_id(SAMPLE) + 1, 20), 0)
    given = box.last_id(SAMPLE)
    waits = given - box.stats["waiting"] + 1
    replaced = segments.replace
    cuts = []

    def replace(path, parts):
        replaced(path, parts)
        cuts.append(copied(live, tmp_path / f"after{len(cuts)}"))

    with monkeypatch.context() as patch:
        patch.setattr(segments, "replace", replace)
        patch.setattr(segments.SegmentLog, "_ends_turn", lambda *_: True)  # as where there is hardly any room
        box.close()
    assert len(cuts) > 1
    for cut in cuts[:-1]:
        after = make("segments", cut, bound)
        after.attach(["a"])
        assert [loss["first_id"] for loss in restarts(after)] == [waits]
        assert after.append(sample(1), 0) > given
        after.close()
    after = make("segments", cuts[-1], bound)
    after.attach(["a"])
    assert restarts(after) == []
    assert after.append(sample(1), 0) == given + 1
    after.close()
