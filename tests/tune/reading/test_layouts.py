"""Layouts of tables: what stands above, behind and between the columns, and which column is which."""

import numpy as np
import pytest

from edge.tune.recording import RecordError, read

ROWS = 30


def rows(form: str, **more) -> str:
    """Return 30 rows of `form`: {i} the row, {u} an output that steps, {y} a process value."""
    return "".join(
        form.format(i=i, u=40 if i < 15 else 50, y=800 + i % 3, **{key: of(i) for key, of in more.items()})
        + "\n"
        for i in range(ROWS)
    )


@pytest.fixture
def file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "log.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


HEADINGS = "time,output,pv\n"
PLAIN = rows("{i},{u},{y}.5")
BY_DATE = rows("2026-03-01,12:00:{i:02d},{u},{y}.5")
WITH_ZONE = rows("2026-03-01T12:00:{i:02d}Z,800,{u},{y}.5")
REMARKS = rows("{i}\t{u}\t{y}.5\t{e}", e=lambda i: "go" * (i == 3))
PAST_MIDNIGHT = rows("{t},{u},{y}.5", t=lambda i: f"23:59:{50 + i}" if i < 10 else f"0:00:{i - 10:02d}")
BOARD = rows(
    "{m},{w},{k}", m=lambda i: 1000 * i, w=lambda i: 80 if i < 15 else 100, k=lambda i: 1073.65 + i % 3
)
READ = {
    "a column of dates beside one of times": "Date,Time,Output,PV\n" + BY_DATE,
    "German": "Datum;Uhrzeit;Stellwert [%];Temperatur [°C]\n" + rows("01.03.2026;12:00:{i:02d};{u};{y},5"),
    "a set point besides, and a zone": "Time (UTC),SP,Output,PV\n" + WITH_ZONE,
    "remarks of the operator": "Time\tOutput\tPV\tEvent\n" + REMARKS,
    "units behind the numbers": HEADINGS + rows("{i} s,{u} %,{y}.5 °C"),
    "t and T": "t,u,T\n" + PLAIN,
    "headings in a remark": "# time output pv\n" + rows("{i} {u} {y}.5"),
    "dates between blanks": "time output pv\n" + rows("2026-03-01 12:00:{i:02d} {u} {y}.5"),
    "dates and times between blanks": "Date Time CO PV\n" + rows("01.03.2026 12:00:{i:02d} {u} {y}.5"),
    "no headings": PLAIN,
    "no headings, the output last": rows("{i},{y}.5,{u}"),
    "quoted decimal commas": HEADINGS + rows('{i},{u},"{y},5"'),
    "two heading rows": "Zone 1;;\ntime;output;pv\n" + rows("{i};{u};{y},5"),
    "a row of types": HEADINGS + "REAL,REAL,REAL\n" + PLAIN,
    "bars at both ends": "| time | output | pv |\n" + rows("| {i} | {u} | {y}.5 |"),
    "milliseconds of a board": "millis,pwm (0-200),temp (K)\n" + BOARD,
    "a day that passes": HEADINGS + PAST_MIDNIGHT,
    "mm:ss that comes to an hour": HEADINGS
    + rows("{t},{u},{y}.5", t=lambda i: f"59:{40 + i}" if i < 20 else f"1:00:{i - 20:02d}"),
    "newest first": HEADINGS + "".join(reversed(PLAIN.splitlines(keepends=True))),
}


@pytest.mark.parametrize("name", READ)
def test_layouts_that_are_read(file, name):
    record = read(file(READ[name]))
    assert record.time_s == pytest.approx(np.arange(ROWS))
    assert record.output.tolist() == [40.0] * 15 + [50.0] * 15
    assert record.process_value == pytest.approx(800.5 + np.arange(ROWS) % 3)


REFUSED = {
    "no output": ("time,pv\n" + rows("{i},{y}"), "csv:1: no column for output: expected one of output, out"),
    "no headings": (rows("{i},1,{y}.5,{u}"), "no headings and 4 columns: .*--columns 1,3,2"),
    "hh:mm or mm:ss": (HEADINGS + rows("12:{i:02d},{u},{y}"), "csv:2: .*may be mm:ss or hh:mm"),
    "hours of a kiln": (HEADINGS + rows("{h}:00,{u},{y}", h=lambda i: 20 + i), "may be mm:ss or hh:mm"),
    "milliamperes": (
        "time,Output (mA),pv\n" + rows("{i},12,{y}"),
        "in 'mA': say what stands for 0 and 100 %",
    ),
    "a negative output": (HEADINGS + rows("{i},-5,{y}"), "which leaves 0 to 100 %"),
    "a letter": ("Dear all,\nhere is the log\n", "csv:1: found no table"),
    "a statistic below": (HEADINGS + PLAIN + "mean\nof,40,800\n", "csv:32: has 1 cells"),
    "a second heading": (HEADINGS + PLAIN + HEADINGS + "31,40,800\n", "csv:32: has time = 'time'"),
    "no unit of time": ("time [parsec],output,pv\n" + PLAIN, "which is no unit of time"),
    "two units": (HEADINGS + rows("{i},{u},{y} °C") + "31,40,800 K\n", "'pv' is in °C and in K"),
    "no record": ('"time","output"\n' + '"' * 99, "log.csv:1: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_layouts_that_are_refused_with_the_reason(file, name):
    text, reason = REFUSED[name]
    with pytest.raises(RecordError, match=reason):
        read(file(text))


def test_what_the_user_says_counts(file):
    four = file(rows("{i},1,{y}.5,{u}"))
    assert read(four, ["1", "4", "3"]).output.max() == 50.0
    wide = file("Time (s) Burner output Furnace temperature\n" + rows("{i} {u} {y}.5"))
    with pytest.raises(RecordError, match="csv:1: has 6 headings over 3 columns.*--columns 1,2,3"):
        read(wide)
    assert read(wide, ["1", "2", "3"]).output.max() == 50.0
    minutes = file("time,output,pv\n" + rows("12:{i:02d},{u},{y}"))
    assert read(minutes, time_unit="hh:mm").time_s[-1] == 60.0 * (ROWS - 1)
    assert read(minutes, time_unit="mm:ss").time_s[-1] == ROWS - 1
    current = file("time,Output (mA),pv\n" + rows("{i},{w},{y}", w=lambda i: 4 + 8 * (i > 9)))
    record = read(current, output_range=(4.0, 20.0))
    assert (record.output.min(), record.output.max()) == (0.0, 50.0)
    assert "4 to 20 taken as 0 to 100 %" in record.taken[2]
    raw = read(current, output_range=(0.0, 100.0))
    assert raw.output.max() == 12.0


def test_an_output_that_leaves_its_range_is_warned_of(file):
    record = read(file("time,Output (%),pv\n" + rows("{i},105,{y}")))
    assert record.notes == ("the output leaves 0 to 100 %: it is 105 to 105 %; is --output-range right?",)


def test_a_last_row_that_is_cut_short_is_left_out_and_said(file):
    record = read(file("time,output,pv\n" + rows("{i},{u},{y}") + "30,50"))
    assert len(record.time_s) == ROWS
    assert record.notes == ("line 32, the last one, is cut short and left out",)


def test_the_output_before_the_first_row(file):
    record = read(file("time,output,pv\n" + rows("{i},60,{y}"))).after(20.0)
    assert record.time_s.tolist() == list(range(ROWS + 1))
    assert record.output.tolist() == [20.0] + [60.0] * ROWS
    assert np.isnan(record.process_value[0]) and record.process_value[1] == 800.0
    assert record.taken[-1] == "the output before the first row: 20 %"
