"""What an outbox promises, of SQLite and of segments alike."""

import itertools

import pytest

from edge.node.report import records
from tests.box.outbox_tools import EVENT, KINDS, SAMPLE, copied, event, held, make, sample, seqs


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def box(kind, tmp_path):
    outbox = make(kind, tmp_path)
    outbox.attach(["a"])
    yield outbox
    outbox.close()


def fill(outbox, count: int, now_ms: int = 0, first: int = 1):
    """Samples at 4 Hz; the time afterwards."""
    for seq in range(first, first + count):
        now_ms += 250
        outbox.append(sample(seq), now_ms)
        outbox.step(now_ms)
    return now_ms


def test_ids_count_from_one_in_each_lane(box):
    assert [box.append(sample(seq), 0) for seq in (1, 2, 3)] == [1, 2, 3]
    assert [box.append(event(seq), 0) for seq in (4, 5)] == [1, 2]
    assert (box.last_id(SAMPLE), box.last_id(EVENT)) == (3, 2)


def test_what_is_appended_is_fetched_unchanged(box):
    fill(box, 100)
    found = held(box, "a", SAMPLE)
    assert found == [(seq, sample(seq)) for seq in range(1, 101)]


def test_fetch_takes_a_range_and_a_count(box):
    fill(box, 100)
    assert [number for number, _ in box.fetch("a", SAMPLE, 37, 5)] == [38, 39, 40, 41, 42]
    assert [number for number, _ in box.fetch("a", SAMPLE, 37, 50, 40)] == [38, 39, 40]
    assert [number for number, _ in box.fetch("a", SAMPLE, 97, 50)] == [98, 99, 100]
    assert box.fetch("a", SAMPLE, 100, 50) == []


def test_done_in_any_order(box):
    fill(box, 100)
    box.done("a", SAMPLE, 31, 40)
    box.done("a", SAMPLE, 90, 100)
    box.done("a", SAMPLE, 1, 10)
    left = [*range(11, 31), *range(41, 90)]
    assert [number for number, _ in held(box, "a", SAMPLE)] == left
    assert box.open_count("a", SAMPLE) == len(left)
    assert box.first_open("a", SAMPLE) == 11
    box.done("a", SAMPLE, 11, 89)
    assert box.open_count("a", SAMPLE) == 0
    assert box.first_open("a", SAMPLE) == 0


def test_done_beyond_the_end_marks_nothing_that_comes(box):
    box.append(sample(1), 0)
    box.done("a", SAMPLE, 1, 50)
    box.append(sample(2), 0)
    assert held(box, "a", SAMPLE) == [(2, sample(2))]


def test_speakers_do_not_disturb_each_other(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    now_ms = fill(box, 100)
    box.done("a", SAMPLE, 1, 100)
    box.commit(now_ms)
    assert box.open_count("a", SAMPLE) == 0
    assert seqs(box, "b", SAMPLE) == list(range(1, 101))
    box.done("b", SAMPLE, 1, 60)
    box.commit(now_ms)
    assert seqs(box, "b", SAMPLE) == list(range(61, 101))
    box.close()


def test_a_new_speaker_begins_at_the_present_end(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a"])
    now_ms = fill(box, 50)
    box.attach(["a", "b"])
    fill(box, 10, now_ms, 51)
    assert seqs(box, "b", SAMPLE) == list(range(51, 61))
    assert seqs(box, "a", SAMPLE) == list(range(1, 61))
    box.close()
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    assert seqs(box, "b", SAMPLE) == list(range(51, 61))
    box.close()


def test_a_speaker_that_is_gone_holds_nothing_back(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    now_ms = fill(box, 100)
    box.commit(now_ms)
    box.done("a", SAMPLE, 1, 100)
    box.attach(["a"])
    box.commit(now_ms)
    assert box.stats["records"] == 0
    box.close()


def test_nothing_is_kept_for_nobody(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach([])
    now_ms = fill(box, 100)
    assert box.stats["waiting"] == 0
    assert box.stored() == (0x1234, 100)
    box.commit(now_ms)
    assert box.stats["records"] == 0
    box.close()


def test_events_are_committed_at_once(box):
    box.step(0)
    commits = box.stats["commits"]
    box.append(event(1), 1000)
    box.step(1000)
    assert box.stats["commits"] == commits + 1
    assert box.stored() == (0x1234, 1)


def test_many_events_share_a_commit(box):
    commits = box.stats["commits"]
    for now_ms in range(1000, 2000):
        box.append(event(now_ms), now_ms)
        box.step(now_ms)
    assert box.stats["commits"] - commits <= 21
    assert box.step(2000) >= 2000


def test_samples_wait_for_their_commit(box):
    box.step(0)
    commits = box.stats["commits"]
    box.append(sample(1), 100)
    assert box.step(200) == 10100
    assert box.stored() == (0x1234, 0)
    box.step(10099)
    assert box.stats["commits"] == commits
    box.step(10100)
    assert box.stats["commits"] == commits + 1
    assert box.stored() == (0x1234, 1)


def test_what_is_done_at_once_never_reaches_the_disk(box):
    now_ms = 0
    box.step(now_ms)
    commits = box.stats["commits"]
    for seq in range(1, 501):
        now_ms += 250
        number = box.append(sample(seq), now_ms)
        box.step(now_ms)
        if number > 4:
            box.done("a", SAMPLE, number - 4, number - 4)
    assert box.stats["commits"] == commits
    assert box.stored() == (0x1234, 496)


def test_rows_that_are_done_are_deleted(box):
    now_ms = fill(box, 400)
    box.commit(now_ms)
    assert box.stats["records"] == 400
    box.done("a", SAMPLE, 1, 400)
    box.step(now_ms + 1)
    box.step(now_ms + 11_000)
    assert box.stats["records"] == 0
    assert box.stats["rows"] == 0


def test_stored_is_what_needs_no_sending_again(box):
    box.append(sample(1), 0)
    box.append(sample(2), 0)
    box.append(sample(5), 0)  # 3 and 4 were lost on the way, and counted there
    assert box.stored() == (0x1234, 0)
    box.done("a", SAMPLE, 2, 3)
    assert box.stored() == (0x1234, 0)
    box.done("a", SAMPLE, 1, 1)
    assert box.stored() == (0x1234, 5)
    box.append(sample(6), 0)
    assert box.stored() == (0x1234, 5)
    box.commit(0)
    assert box.stored() == (0x1234, 6)


def test_the_reporting_ends_own_records_do_not_count_as_the_nodes(box):
    box.append(sample(9), 0)
    box.append(event(1, boot=0), 0)
    box.commit(0)
    assert box.stored() == (0x1234, 9)
    assert box.stored(0x1234) == (0x1234, 9)
    assert box.stored(0x9999) == (0x9999, 0)
    assert not box.has(0, 1)


def test_has_tells_what_came_before(box):
    for seq in (1, 2, 5):
        box.append(sample(seq), 0)
    assert [box.has(0x1234, seq) for seq in (1, 5, 6)] == [True, True, False]
    assert not box.has(0x4321, 1)


def test_a_restart_finds_everything(kind, tmp_path):
    box = make(kind, tmp_path)
    box.attach(["a", "b"])
    epoch = box.epoch
    now_ms = fill(box, 100)
    box.append(event(101, True), now_ms)
    box.done("a", SAMPLE, 20, 30)
    box.done("b", SAMPLE, 1, 50)
    box.keep("bdSeq", b"7")
    box.keep_catalogue(77, b"{}")
    before = [held(box, name, lane) for name in ("a", "b") for lane in (SAMPLE, EVENT)]
    stored = box.stored()
    box.close()
    box = make(kind, tmp_path)
    assert box.epoch == epoch
    box.attach(["a", "b"])
    assert [held(box, name, lane) for name in ("a", "b") for lane in (SAMPLE, EVENT)] == before
    assert stored <= box.stored() == (0x1234, 101)
    assert box.has(0x1234, 101) and not box.has(0x1234, 102)
    assert box.recall("bdSeq") == b"7"
    assert box.catalogue(77) == b"{}"
    assert box.append(sample(102), now_ms) == 101
    assert box.losses() == []
    box.close()


def test_after_a_kill_ids_jump_and_stored_holds(kind, tmp_path):
    (tmp_path / "live").mkdir()
    box = make(kind, tmp_path / "live")
    box.attach(["a"])
    now_ms = fill(box, 100)
    stored = box.stored()
    given = box.last_id(SAMPLE)
    after = make(kind, copied(tmp_path / "live", tmp_path / "after"))
    box.close()
    after.attach(["a"])
    assert after.stored() == stored
    assert seqs(after, "a", SAMPLE) == list(range(1, stored[1] + 1))
    assert after.has(*stored) and not after.has(0x1234, stored[1] + 1)
    assert given < after.append(sample(200), now_ms) < given + 10_000
    told = after.losses()
    assert {loss["why"] for loss in told} == {"restart"}
    assert all(loss["count"] == 0 and loss["first_id"] <= given + 1 for loss in told)
    after.close()


def test_an_event_takes_the_samples_before_it_along(kind, tmp_path):
    """So that after a kill what is stored is all up to one record, not all but some."""
    (tmp_path / "live").mkdir()
    box = make(kind, tmp_path / "live")
    box.attach(["a"])
    for seq in (1, 2, 3):
        box.append(sample(seq), 0)
    box.append(event(4), 0)
    box.step(0)
    assert box.stored() == (0x1234, 4)
    after = make(kind, copied(tmp_path / "live", tmp_path / "after"))
    box.close()
    assert seqs(after, "a", SAMPLE) == [1, 2, 3] and seqs(after, "a", EVENT) == [4]
    assert after.stored() == (0x1234, 4)
    after.close()


def test_values_are_durable_on_return(kind, tmp_path):
    (tmp_path / "live").mkdir()
    box = make(kind, tmp_path / "live")
    assert box.keep("bdSeq", b"1") and box.keep("bdSeq", b"2") and box.keep("nonce", b"")
    after = make(kind, copied(tmp_path / "live", tmp_path / "after"))
    box.close()
    assert (after.recall("bdSeq"), after.recall("nonce"), after.recall("none")) == (b"2", b"", None)
    after.close()


def test_the_same_value_again_costs_no_commit(box):
    box.keep("bdSeq", b"1")
    commits = box.stats["commits"]
    assert box.keep("bdSeq", b"1")
    assert box.stats["commits"] == commits


def test_catalogues_are_kept_as_long_as_they_are_needed(box):
    box.keep_catalogue(1, b"one")
    box.append(sample(1), 0)
    box.keep_catalogue(2, b"two")
    box.append(sample(2), 0)
    box.commit(0)
    assert (box.catalogue(1), box.catalogue(2)) == (b"one", b"two")
    box.done("a", SAMPLE, 1, 1)
    box.commit(20_000)
    box.commit(40_000)
    box.done("a", SAMPLE, 2, 2)
    box.commit(60_000)
    box.commit(80_000)
    assert (box.catalogue(1), box.catalogue(2)) == (None, b"two")


def test_too_many_catalogues_are_a_loss_that_is_told(box):
    for number in range(1, 20):
        box.keep_catalogue(number, b"c%d" % number)
        box.append(sample(number), 0)
        box.commit(0)
    told = [loss for loss in box.losses() if loss["why"] == "catalogue"]
    assert told[0]["count"] + box.open_count("a", SAMPLE) == 19
    assert box.catalogue(19) == b"c19" and box.catalogue(1) is None
    for _, record in held(box, "a", SAMPLE):
        assert box.catalogue(records.peek(record)[2]) is not None


def test_what_is_no_record_is_refused(box):
    with pytest.raises(ValueError, match="record"):
        box.append(b"rubbish", 0)
    assert box.last_id(SAMPLE) == 0


def test_a_record_that_is_too_large_is_counted(kind, tmp_path):
    box = make(kind, tmp_path, 524288)
    box.attach(["a"])
    large = records.encode_sample(5, 1, 0, 0, True, 1, [(i, 0, "x" * 250) for i in range(200)])
    assert box.append(large, 0) == 0
    assert box.append(sample(2), 0) == 1
    assert [(loss["why"], loss["count"]) for loss in box.losses()] == [("full", 1)]
    assert box.stats["lost_full"] == 1
    box.close()


def test_bounds_that_are_too_small_are_refused(kind, tmp_path):
    with pytest.raises(ValueError, match="expected"):
        make(kind, tmp_path, 10_000)


def test_marks_have_a_bound(kind, tmp_path):
    """Every second one of 2,000 done: what is forgotten is sent again, and nothing is lost."""
    box = make(kind, tmp_path)
    box.attach(["a"])
    now_ms = fill(box, 2000)
    for number in range(1, 2001, 2):
        box.done("a", SAMPLE, number, number)
    box.commit(now_ms)
    open_now = {number for number, _ in held(box, "a", SAMPLE)}
    assert set(range(2, 2001, 2)) <= open_now
    for first, last in itertools.pairwise(range(0, 2001, 100)):
        box.done("a", SAMPLE, first + 1, last)
    assert box.open_count("a", SAMPLE) == 0
    box.close()
