"""Times of day and dates in the spellings of loggers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tune.reading import moments

MOMENT = datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC)
SPELLED = [
    ("2026-03-01T14:05:09", "dmy"), ("2026-03-01 14:05:09.000", "dmy"), ("2026/03/01 14:05:09", "mdy"),
    ("01.03.2026 14:05:09", "dmy"), ("1.3.2026 14:05:09", "dmy"), ("01.03.26 14:05:09,000", "dmy"),
    ("03/01/2026 02:05:09 PM", "mdy"), ("3/1/2026 2:05:09 pm", "mdy"), ("3/1/26 14:05:09", "mdy"),
    ("01/03/2026 14:05:09", "dmy"), ("01-03-2026 14:05:09", "dmy"), ("01-Mar-2026 14:05:09", "dmy"),
    ("1 March 2026 14:05:09", "dmy"), ("Mar 1, 2026 2:05:09 PM", "dmy"), ("01. März 2026 14:05:09", "dmy"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "order"), SPELLED)
def test_dates(text, order):
    assert moments.date(text, order) == (MOMENT.timestamp(), False)


@given(st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)))
def test_any_date_in_any_spelling_is_read_back(moment):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    for form, order in (
        ("%Y-%m-%dT%H:%M:%S", "dmy"), ("%d.%m.%Y %H:%M:%S", "dmy"), ("%m/%d/%Y %I:%M:%S %p", "mdy"),
        ("%d/%m/%y %H:%M:%S", "dmy"), ("%Y/%m/%d %H:%M:%S", "mdy"), ("%d-%b-%Y %H:%M:%S", "mdy"),
    ):  # fmt: skip
        assert moments.date(moment.strftime(form), order) == (moment.timestamp(), False), form


def test_a_zone_is_told():
    assert moments.date("2026-03-01T17:05:09+03:00", "dmy") == (MOMENT.timestamp(), True)


@pytest.mark.parametrize(
    "text",
    ["", "noon", "32.01.2026 12:00:00", "01.13.2026", "01.03.2026 25:00:00", "13/13/2026",
    "03/01/2026 13:00:00 PM",
     "1 Foo 2026", "12:00:00", "2026-02-30 12:00:00"],
)  # fmt: skip
def test_what_is_no_date(text):
    assert moments.date(text, "dmy") is None


def test_times_of_day():
    assert moments.clock("12:00:02") == 43202.0
    assert moments.clock("12:00:02.5") == moments.clock("12:00:02,5") == 43202.5
    assert moments.clock("12:00:02 AM") == 2.0
    assert moments.clock("1:00:02 pm") == 46802.0
    assert moments.clock("125:00:00") == 450000.0
    assert moments.clock("12:00") is None
    assert moments.clock("12:60:00") is None
    assert moments.short("14:58", True) == 898.0
    assert moments.short("14:58.5", True) == 898.5
    assert moments.short("14:58", False) == 53880.0
    assert moments.short("14:61", True) is None
