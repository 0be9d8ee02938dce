"""Recordings as loggers write them, in tests/tune/data: read right within 5 %, or refused with the reason.

All but lab_* are docs/tuning-example.csv in another dress: 2.00 K/%, a lag of 60.2 s, a dead time of 19.7 s,
for which SIMC gives a PI with gain 0.762 and ti_s 60.2. The lab_* are public step tests of a heater of about
1 W.
"""

import contextlib
import io
import json
from functools import cache
from pathlib import Path

import pytest

from docs.make_field_cases import PAGE, tuned
from edge.tune import command

DATA = Path(__file__).parent / "data"
READ = [
    "artisan", "clock_hms", "cp1252", "date_german", "date_space", "date_us", "dst_autumn", "dst_spring",
    "empty_pv",
    "nan_pv", "output_255", "pv_fahrenheit", "sep_line", "time_h", "time_min_paren", "time_ms_bracket",
    "time_ms_suffix", "units_row", "utf16",
]  # fmt: skip
# Name: (exit code, what stands in the reason).
REFUSED = {
    "comma_unquoted": (2, "csv:2: has 4 cells under 3 headings: which one is left over? A decimal comma"),
    "date_1s_twice": (2, "csv:3: does not come after the row before but has the same time, and so have 225"),
    "gap": (1, "120 s without a row between lines 152 and 153, and the output changed in it"),
    "ntp_jump": (1, "39 s without a row between lines 201 and 202, and the output changed in it: when is not "
                    "recorded (or the clock was set there)"),
    "output_0_1": (2, "the output 'output' is 0.35 to 0.5: a fraction or percent? Say what stands"),
    "thousand_semicolon": (2, "csv:2: '8,000' may be 8 or 8000"),
    "lab_step_blanks": (1, "before the output changes the process value already moves"),
    "lab_step_pwm_kelvin": (2, "the output 'output' is 0 to 150, which leaves 0 to 100 %: say what stands"),
}  # fmt: skip


@cache
def tune(name, *arguments):
    """Return what the command says as JSON; each file is worked on once."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert command.main([str(DATA / f"{name}.csv"), *arguments, "--json"]) == 0
    return json.loads(said.getvalue())


def assert_right(answer, gain=2.0):
    model, proposal = answer["model"], answer["proposal"]
    assert model["kind"] == "fopdt"
    assert model["gain"] == pytest.approx(gain, rel=0.05)
    assert model["lags_s"] == pytest.approx([60.2], rel=0.05)
    assert model["delay_s"] == pytest.approx(19.7, rel=0.05)
    assert proposal["gain"] == pytest.approx(0.762 * 2.0 / gain, rel=0.05)
    assert proposal["ti_s"] == pytest.approx(60.2, rel=0.05)


@pytest.mark.parametrize("name", READ)
def test_what_loggers_write_is_read_right(name):
    assert_right(tune(name))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_known_is_refused_with_the_reason(capsys, name):
    code, reason = REFUSED[name]
    assert command.main([str(DATA / f"{name}.csv")]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert reason in captured.err


@pytest.mark.long
def test_the_page_of_cases_says_what_is_done_now():
    """docs/field-cases.md, made by docs/make_field_cases.py, is that of this source."""
    rows = [f"| {case} | {before} | {now} |" for case, before, now in tuned()]
    missing = [row for row in rows if row not in PAGE.read_text(encoding="utf-8")]
    assert not missing, "make it again: python docs/make_field_cases.py"


def test_no_case_is_forgotten():
    others = {"thousands", "lab_step_q1_t1"}
    assert {path.stem for path in DATA.glob("*.csv")} == {*READ, *REFUSED, *others}


def test_thousands_are_read_as_such():
    """Ten times the process value, so ten times the gain of the model."""
    assert_right(tune("thousands"), gain=20.0)


def test_a_word_of_the_user_settles_what_the_file_leaves_open():
    assert_right(tune("output_0_1", "--output-range", "0,1"))
    # The step is on from the first row of what is left.
    assert_right(tune("time_h", "--from", "100", "--before", "40"))
    # The rows before the hole tell the model as well.
    assert_right(tune("gap", "--to", "298"))


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("time_min_paren", "time 'Time (min)': in min"),
        ("pv_fahrenheit", "process value 'Temperature (°F)': in °F, converted to °C"),
        ("output_255", "output 'Output [PWM 0..255]': 0 to 255 taken as 0 to 100 %"),
        ("artisan", "time 'Time1': mm:ss"),
        ("cp1252", "Windows-1252, columns separated by commas, decimal points"),
        ("sep_line", "UTF-8, columns separated by semicolons, decimal commas"),
        ("units_row", "process value 'pv': in degC"),
    ],
)
def test_what_was_taken_for_what_is_said(name, taken):
    assert taken in tune(name)["taken_as"]


def test_the_terminal_says_it_too(capsys):
    assert command.main([str(DATA / "artisan.csv")]) == 0
    assert "\n           time 'Time1': mm:ss\n" in capsys.readouterr().out


def test_what_was_changed_or_left_out_is_warned_of():
    for name, warning in (
        ("dst_spring", "line 242: the clock is put forward by an hour (daylight saving): taken out"),
        ("dst_autumn", "line 242: the clock is put back by an hour (daylight saving): taken out"),
        ("empty_pv", "9 rows have no process value, the first is line 9: they are left out"),
    ):
        assert warning in tune(name)["warnings"]


@pytest.mark.parametrize(
    ("name", "arguments", "gain"),
    [("lab_step_q1_t1", (), 0.70), ("lab_step_pwm_kelvin", ("--output-range", "0,255"), 0.92)],
)
def test_lab_steps_give_a_proposal_that_their_coarse_sensor_bears(name, arguments, gain):
    answer = tune(name, *arguments)
    assert answer["model"]["gain"] == pytest.approx(gain, rel=0.05)
    assert 1.0 < answer["proposal"]["gain"] < 10.0
    assert answer["proposal_ms_95"] <= 2.0
