"""The ring of unconfirmed records: what it drops when, and that it counts all of it."""

from hypothesis import given
from hypothesis import strategies as st

from edge.node.report import records
from edge.node.report.ring import Ring

BOOT = 77


def record(seq: int, alarm: bool = False, size: int = 0) -> bytes:
    return records.encode_event(BOOT, seq, 0, 0, True, "k", "n", "x" * size, alarm)


def seqs(queue: list) -> list:
    return [records.peek(each)[2] for each in queue]


def ring_of(count: int) -> Ring:
    return Ring(count * (len(record(1)) + 64))


def test_a_full_ring_drops_the_oldest_sample_and_counts_it():
    ring = ring_of(5)
    for seq in range(1, 9):
        assert ring.put(record(seq))
    assert seqs(ring.unsent) == [4, 5, 6, 7, 8]
    assert ring.take_losses() == (3, 0)
    assert ring.take_losses() == (0, 0)


def test_alarms_go_last():
    ring = ring_of(4)
    for seq in range(1, 9):
        ring.put(record(seq, alarm=seq <= 3))
    assert seqs(ring.unsent) == [1, 2, 3, 8]
    ring.put(record(9, alarm=True))
    assert seqs(ring.unsent) == [1, 2, 3, 9]
    ring.put(record(10, alarm=True))
    assert seqs(ring.unsent) == [2, 3, 9, 10]
    assert ring.take_losses() == (6, 1)


def test_what_was_handed_over_is_only_lost_with_its_reporter():
    ring = ring_of(4)
    for seq in range(1, 5):
        ring.put(record(seq))
    ring.handed_over(4)
    for seq in (5, 6):
        ring.put(record(seq))
    assert (seqs(ring.sent), seqs(ring.unsent)) == ([3, 4], [5, 6])
    assert ring.lost == 0
    ring.confirm(BOOT, 1)
    ring.again()
    assert ring.take_losses() == (1, 0)
    assert seqs(ring.unsent) == [3, 4, 5, 6]


def test_what_waits_to_go_out_again_may_be_stored_already():
    ring = ring_of(5)
    for seq in range(1, 6):
        ring.put(record(seq))
    ring.handed_over(4)
    ring.again()
    ring.confirm(BOOT, 3)
    assert seqs(ring.unsent) == [4, 5]
    assert ring.bytes == 2 * (len(record(1)) + 64)


def test_what_the_reporter_confirms_late_is_not_lost():
    ring = ring_of(2)
    for seq in range(1, 7):
        ring.put(record(seq))
        ring.handed_over(1)
    ring.confirm(BOOT, 6)
    ring.again()
    assert ring.take_losses() == (0, 0) and ring.unsent == [] and ring.bytes == 0


def test_days_without_a_confirmation_take_no_memory():
    ring = ring_of(2)
    for seq in range(1, 3001):
        ring.put(record(seq))
        ring.handed_over(1)
    assert len(ring._doubtful) <= 127
    ring.again()
    assert ring.take_losses() == (2998, 0)


def test_a_record_larger_than_the_ring_is_lost_by_count():
    ring = ring_of(1)
    assert not ring.put(record(1, alarm=True, size=500))
    assert ring.take_losses() == (1, 1)


@given(st.lists(st.one_of(
    st.tuples(st.just("put"), st.booleans()),
    st.tuples(st.just("send"), st.integers(0, 5)),
    st.tuples(st.just("store"), st.integers(0, 6)),
    st.tuples(st.just("die"), st.just(0)),
), max_size=120), st.integers(1, 8))  # fmt: skip
def test_every_record_is_stored_kept_or_counted(actions, places):
    """Whatever happens: no record is lost without being counted, none comes twice or out of order."""
    ring = ring_of(places)
    seq = lost = stored = 0
    at_reporter = []  # handed over and not stored: what the reporter holds in its memory
    for action, argument in actions:
        if action == "put":
            seq += 1
            ring.put(record(seq, alarm=argument))
        elif action == "send":
            count = min(argument, len(ring.unsent))
            at_reporter += seqs(ring.unsent[:count])
            ring.handed_over(count)
        elif action == "store" and at_reporter:
            done = at_reporter[:argument]
            del at_reporter[:argument]
            stored += len(done)
            if done:
                ring.confirm(BOOT, done[-1])
        elif action == "die":
            at_reporter = []
            ring.again()
        lost += ring.take_losses()[0]
        held = seqs(ring.sent + ring.unsent)
        assert held == sorted(set(held))
        assert ring.bytes == sum(len(each) + 64 for each in ring.sent + ring.unsent) <= ring.bytes_max
        assert set(seqs(ring.sent)) <= set(at_reporter)
    ring.again()
    lost += ring.take_losses()[0]
    assert stored + len(ring.unsent) + lost == seq
