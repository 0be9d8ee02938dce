"""Any recording of a known process, written as any logger might: read right, or refused with a sentence.

What a file does not say can't be read from it: a record in minutes without a unit and with rows a minute
apart looks like one in seconds, an output of 0 to 255 that stays below 100 like percent, and °F without
headings like °C. Such dialects say their unit here; all others may leave it out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.tune.advice import advise
from edge.tune.experiment import Unidentifiable
from edge.tune.recording import RecordError, read
from tests.tune.oracles import experiment, output_of

GAIN, LAG_INTERVALS, DELAY_INTERVALS = 2.0, 30, 10
ROWS = 300
# Local times: an ordinary day, one that ends, and the nights in which the clocks of Central Europe are
# changed.
STARTS = [datetime(2026, 3, 4, 12), datetime(2026, 7, 12, 23, 57), datetime(2026, 3, 29, 1, 57, 2),
          datetime(2026, 10, 25, 2, 55)]  # fmt: skip
CHANGES = {datetime(2026, 3, 29, 2): 1, datetime(2026, 10, 25, 3): -1}
# How a time is written: (heading, function of (seconds, local time)).
TIMES = {
    "s": ("time", lambda s, at: f"{s:g}"), "s said": ("Time (s)", lambda s, at: f"{s:.2f}"),
    "ms": ("time_ms", lambda s, at: f"{1000 * s:.0f}"),
    "ms unsaid": ("time", lambda s, at: f"{1000 * s:.0f}"),
    "min": ("Time [min]", lambda s, at: f"{s / 60:.6f}"), "min unsaid": ("t", lambda s, at: f"{s / 60:.6f}"),
    "h": ("t / h", lambda s, at: f"{s / 3600:.9f}"), "h unsaid": ("time", lambda s, at: f"{s / 3600:.9f}"),
    "epoch": ("timestamp", lambda s, at: f"{1_790_000_000 + s:.1f}"),
    "epoch ms": ("timestamp", lambda s, at: f"{1000 * (1_790_000_000 + s):.0f}"),
    "epoch ns": ("time", lambda s, at: f"{int(1e9) * int(1_790_000_000 + s)}"),
    "sheet": ("Time", lambda s, at: f"{46_100.25 + s / 86_400:.10f}"),
    "iso": ("Timestamp", lambda s, at: at.isoformat()), "iso blank": ("Date Time", lambda s, at: str(at)),
    "german": ("Zeit", lambda s, at: f"{at:%d.%m.%Y %H:%M:%S}"),
    "american": ("Time", lambda s, at: f"{at:%m/%d/%Y %I:%M:%S %p}"),
    "british": ("Time", lambda s, at: f"{at:%d/%m/%Y %H:%M:%S}"),
    "clock": ("time", lambda s, at: f"{at:%H:%M:%S}"),
    "mm:ss": ("Time (mm:ss)", lambda s, at: f"{int(s) // 60:02d}:{int(s) % 60:02d}"),
    "mm:ss unsaid": ("time", lambda s, at: f"{int(s) // 60:02d}:{int(s) % 60:02d}"),
}  # fmt: skip
OUTPUTS = {
    "percent": ("output", 1.0, 2), "said": ("Output [%]", 1.0, 1), "fraction": ("output", 0.01, 4),
    "fraction said": ("Output (0..1)", 0.01, 4), "byte": ("op", 2.55, 0),
    "byte said": ("PWM [0-255]", 2.55, 0),
    "thousands": ("Stellwert", 50.0, 0), "permille": ("u (permille)", 10.0, 1),
}  # fmt: skip
VALUES = {
    "none": ("pv", lambda c: c), "celsius": ("Temperature (°C)", lambda c: c),
    "fahrenheit": ("Temperatur in °F", lambda c: 1.8 * c + 32.0), "kelvin": ("PV [K]", lambda c: c + 273.15),
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """What a logger does; `holes` are rows that are lost, `doubled` rows that are written twice."""

    time: str
    output: str
    value: str
    start: datetime
    separator: str
    decimal: str
    thousands: bool
    encoding: str
    interval_s: int
    digits: int
    preamble: tuple
    headings: bool
    said_separator: bool
    trailing: bool
    newest_first: bool
    empty: frozenset
    lost: tuple
    doubled: frozenset
    set_clock: tuple | None


DIALECTS = st.builds(
    Dialect,
    time=st.sampled_from(list(TIMES)),
    output=st.sampled_from([*OUTPUTS, "percent", "said", "percent", "said"]),
    value=st.sampled_from(list(VALUES)),
    start=st.sampled_from(STARTS),
    separator=st.sampled_from([";", ";", "\t", "\t", ",", "|", " "]),
    decimal=st.sampled_from("..,"),
    thousands=st.sampled_from([False, False, True]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    interval_s=st.sampled_from([1, 2, 10]),
    digits=st.integers(1, 3),
    preamble=st.sampled_from(
        [(), ("Logger 7 of 9",), ("Device: X4,5", "Rate;1", ""), ("# written by hand",)]
    ),
    headings=st.sampled_from([True, True, True, False]),
    said_separator=st.booleans(),
    trailing=st.booleans(),
    newest_first=st.sampled_from([False, False, True]),
    empty=st.frozensets(st.integers(0, ROWS - 1), max_size=5),
    lost=st.tuples(st.integers(0, ROWS - 1), st.sampled_from([0, 0, 1, 3, 60])),
    doubled=st.frozensets(st.integers(0, ROWS - 1), max_size=3),
    set_clock=st.none() | st.tuples(st.integers(1, ROWS - 1), st.sampled_from([-40, 40, 3600])),
).filter(lambda one: one.headings or one.value in ("none", "celsius"))


@cache
def known(interval_s):
    """Return the record of 2 e^(-10 rows s)/(30 rows s + 1): up 30 %, down 45 %."""
    time_s = float(interval_s) * np.arange(ROWS)
    output = output_of(time_s, (40.0 * interval_s, 70.0), (160.0 * interval_s, 25.0))
    lag_s, delay_s = float(LAG_INTERVALS * interval_s), float(DELAY_INTERVALS * interval_s)
    return experiment(GAIN, (lag_s,), delay_s, time_s, output, noise=0.3)


def spell(value: float, digits: int, dialect: Dialect) -> str:
    group = "," if dialect.decimal == "." else "."
    text = f"{value:{',' if dialect.thousands else ''}.{digits}f}"
    return text.replace(",", "G").replace(".", dialect.decimal).replace("G", group)


def local(dialect: Dialect, at_s: float) -> datetime:
    """Return what the wall clock shows, daylight saving of Central Europe included."""
    shown = dialect.start + timedelta(seconds=at_s)
    for change, hours in CHANGES.items():
        if dialect.start < change <= shown and change.date() == dialect.start.date():
            shown += timedelta(hours=hours)
    return shown


def written(dialect: Dialect) -> bytes:
    record = known(dialect.interval_s)
    time_heading, time_of = TIMES[dialect.time]
    output_heading, scale, output_digits = OUTPUTS[dialect.output]
    value_heading, convert = VALUES[dialect.value]
    rows = []
    first, count = dialect.lost
    for at in range(ROWS):
        if first <= at < first + count and at:
            continue
        at_s = record.time_s[at]
        if dialect.set_clock and at >= dialect.set_clock[0]:
            at_s += dialect.set_clock[1]
        value = spell(convert(record.process_value[at]), dialect.digits, dialect)
        time = time_of(at_s, local(dialect, at_s)).replace(".", dialect.decimal if "iso" not in dialect.time
                                                           and dialect.time != "german" else ".")  # fmt: skip
        row = [
            time,
            spell(scale * record.output[at], output_digits, dialect),
            "" if at in dialect.empty else value,
        ]
        rows += [row] * (2 if at in dialect.doubled else 1)
    if dialect.newest_first:
        rows.reverse()
    if dialect.separator == " ":
        rows = [[cell.replace(" ", "T") if "iso" in dialect.time else cell for cell in row] for row in rows]
    if dialect.headings:
        rows.insert(0, [time_heading, output_heading, value_heading])
    end = dialect.separator if dialect.trailing and dialect.separator != " " else ""
    lines = [dialect.separator.join(row) + end for row in rows]
    if dialect.said_separator and dialect.separator in ",;|":
        lines.insert(0, f"sep={dialect.separator}")
    return "\n".join([*dialect.preamble, *lines, ""]).encode(dialect.encoding)


def taken(path, dialect):
    """Return the record, None where the file is refused with a sentence that names it."""
    path.write_bytes(written(dialect))
    try:
        return read(str(path))
    except RecordError as error:
        assert str(error).startswith(str(path)) and len(str(error)) > len(str(path)) + 20
        return None


@settings(max_examples=150)
@given(dialect=DIALECTS)
def test_a_record_is_read_right_or_refused(tmp_path_factory, dialect):
    """Every row that is read has the true output and process value, and stands at its true time.

    Where the clock was set the times behind it are off as the file has them, and so is a time of day without
    a date in the night of daylight saving; identification deals with that.
    """
    record = taken(tmp_path_factory.getbasetemp() / "any.csv", dialect)
    if record is None:
        return
    true = known(dialect.interval_s)
    assert len(record.time_s) >= 0.7 * ROWS
    good = np.isfinite(record.process_value)
    if dialect.set_clock is None and not (dialect.time == "clock" and dialect.start.day in (25, 29)):
        at = np.clip(np.round(record.time_s / dialect.interval_s).astype(int), 0, ROWS - 1)
        assert record.time_s == pytest.approx(true.time_s[at], abs=0.05)
        assert record.output == pytest.approx(true.output[at], abs=0.25)
        assert record.process_value[good] == pytest.approx(true.process_value[at][good], abs=0.06)
    else:
        assert record.output.min() == pytest.approx(25.0, abs=0.25)
        assert record.output.max() == pytest.approx(70.0, abs=0.25)
        values = record.process_value[good]
        assert values.min() >= true.process_value.min() - 0.06
        assert values.max() <= true.process_value.max() + 0.06
        assert np.ptp(values) >= 0.7 * np.ptp(true.process_value)


@settings(max_examples=8)
@given(
    dialect=DIALECTS.filter(
        lambda one: one.headings and one.time not in ("ms unsaid", "h unsaid", "min unsaid")
    )
)
def test_the_model_is_right_within_5_percent_or_refused(tmp_path_factory, dialect):
    record = taken(tmp_path_factory.getbasetemp() / "model.csv", dialect)
    if record is None:
        return
    try:
        process = advise(record).estimate.process
    except (Unidentifiable, ValueError):
        return
    assert process.gain == pytest.approx(GAIN, rel=0.05)
    assert process.residence_s == pytest.approx(
        (LAG_INTERVALS + DELAY_INTERVALS) * dialect.interval_s, rel=0.05
    )


PLAIN = Dialect(
    time="s", output="percent", value="none", start=STARTS[0], separator=",", decimal=".", thousands=False,
    encoding="utf-8", interval_s=2, digits=2, preamble=(), headings=True, said_separator=False,
    trailing=False, newest_first=False, empty=frozenset(), lost=(0, 0), doubled=frozenset(), set_clock=None,
)  # fmt: skip
# What must be read, so that refusing everything is no way out.
MUST = [
    {}, {"separator": ";", "decimal": ","}, {"separator": "\t"}, {"separator": " "}, {"encoding": "utf-16"},
    {"preamble": ("Logger 7 of 9",)}, {"preamble": ("# written by hand",)}, {"trailing": True}, {"headings":
    False}, {"newest_first": True}, {"empty": frozenset((5, 50))}, {"doubled": frozenset((7,))}, {"lost":
    (200, 60)}, {"separator": ";", "said_separator": True}, {"thousands": True, "digits": 2, "output":
    "thousands",
                                                 "separator": ";"},
    *({"time": time} for time in TIMES if "unsaid" not in time),
    *({"time": time, "start": start} for time in ("iso", "german", "american") for start in STARTS[1:]),
    *({"output": one} for one in ("said", "fraction said", "byte said", "permille")),
    *({"value": one, "encoding": "cp1252"} for one in VALUES),
]  # fmt: skip


@pytest.mark.parametrize("change", MUST, ids=str)
def test_ordinary_dialects_are_read(tmp_path, change):
    dialect = Dialect(**{**vars(PLAIN), **change})
    if dialect.output == "thousands":
        with pytest.raises(RecordError, match="leaves 0 to 100 %"):
            (tmp_path / "log.csv").write_bytes(written(dialect))
            read(str(tmp_path / "log.csv"))
        return
    record = taken(tmp_path / "log.csv", dialect)
    assert record is not None
    assert record.time_s[-1] == pytest.approx(2.0 * (ROWS - 1), abs=0.1)


@pytest.mark.parametrize("at", [20, 60, 150, 170, 200, 280])
@pytest.mark.parametrize("seconds", [30, 60, 3600])
def test_a_clock_that_was_set_does_not_bend_the_model(tmp_path, at, seconds):
    dialect = Dialect(**{**vars(PLAIN), "set_clock": (at, seconds)})
    try:
        process = advise(taken(tmp_path / "log.csv", dialect)).estimate.process
    except Unidentifiable as refused:
        assert "the clock" in str(refused)
        return
    assert process.gain == pytest.approx(GAIN, rel=0.05)
    assert process.residence_s == pytest.approx(80.0, rel=0.05)
