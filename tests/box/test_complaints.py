"""What people read of an outage on standard error."""

from edge.box.complaints import AGAIN_MS, PATIENCE_MS, Complaints

REFUSED = "127.0.0.1:1883: refused: bad user name or password"


def told(*steps):
    lines = []
    complaints = Complaints(lines.append)
    for step in steps:
        complaints.step(*step)
    return lines


def test_a_reason_that_lasts_is_said_once_and_its_end_too():
    lines = told((0, False, REFUSED), (PATIENCE_MS, False, REFUSED), (PATIENCE_MS + 5000, False, REFUSED),
                 (25000, True, REFUSED), (26000, True, ""))
    assert lines == [f"reporter: not connected, what is reported is stored: {REFUSED}",
                     "reporter: connected again after 25 s"]


def test_a_short_outage_is_not_worth_a_line():
    assert told((0, False, REFUSED), (PATIENCE_MS - 1, False, REFUSED), (PATIENCE_MS, True, "")) == []


def test_a_second_reason_is_said_after_a_minute_at_the_earliest():
    lines = told((0, False, "a"), (PATIENCE_MS, False, "a"), (PATIENCE_MS + 1, False, "b"),
                 (PATIENCE_MS + AGAIN_MS, False, "b"), (PATIENCE_MS + AGAIN_MS + 1, False, "a"))
    assert [line[-1] for line in lines] == ["a", "b"]


def test_each_outage_is_said_anew():
    lines = told((0, False, "a"), (PATIENCE_MS, False, "a"), (20000, True, ""), (30000, False, "a"),
                 (30000 + PATIENCE_MS, False, ""))
    assert len(lines) == 3 and lines[2].endswith("no answer")


def test_a_disk_that_is_gone_is_said_once_and_its_return_too():
    lines = []
    complaints = Complaints(lines.append)
    for fault in ("", "read-only", "read-only", "missing", "", ""):
        complaints.disk(fault)
    assert lines == ["reporter: the outbox is in memory only, what is not delivered is lost when the power "
                     "fails: read-only", "reporter: the outbox is on the disk again"]


def test_nothing_is_called_stored_that_is_in_memory_only():
    lines = told((0, False, REFUSED, True), (PATIENCE_MS, False, REFUSED, True))
    assert lines == [f"reporter: not connected, what is reported is in memory only: {REFUSED}"]
