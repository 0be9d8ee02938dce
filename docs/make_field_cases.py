"""docs/field-cases.md, made again by: python docs/make_field_cases.py

What failed in the field, and what the product does with it now. Each group of cases is a function that
returns rows (case, what failed before, what the product does now); the last column is measured here
(docs/field_runs.py, on virtual time), or names the test that proves it (docs/field_tests.py), which must exist. To
add a group: write such a function, and name it in GROUPS.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs import field_runs as runs  # noqa: E402
from docs import field_tests as proved  # noqa: E402
from edge.tune import command  # noqa: E402

PAGE = ROOT / "docs" / "field-cases.md"
RECORDS = ROOT / "tests" / "tune" / "data"

HEAD = """# Cases from the field

<!-- Written by: python docs/make_field_cases.py -->

What this product failed on when it was tried on what people really have: inputs, devices, moments. The last
column is measured whenever this page is made, on virtual time, or names the test that proves it.
"""

TUNE = """The recordings are those of [tests/tune/data](../tests/tune/data). All but `lab_*` hold one process,
2.00 K/%, a lag of 60.2 s and a dead time of 19.7 s, for which SIMC gives a PI with gain 0.762 and ti_s 60.2;
`thousands` has ten times its process value. The `lab_*` are public step tests of small heaters."""

# Name of the file, arguments, what became of it before.
TUNED = [
    ("time_min_paren", (), "`Time (min)` taken as s: lag 1.0 s, exit 0"),
    ("time_h", (), "`t [h]` taken as s: lag 0.0167 s, exit 0"),
    ("time_ms_bracket", (), "`time [ms]` taken as s: lag 60,211 s, exit 0"),
    ("time_ms_suffix", (), "refused: no column for time"),
    ("output_0_1", (), "gain 0.0076 per percent, exit 0"),
    ("output_0_1", ("--output-range", "0,1"), "no such option"),
    ("output_255", (), "gain 1.98 per percent, exit 0"),
    ("pv_fahrenheit", (), "gain per °F, exit 0"),
    ("comma_unquoted", (), "surplus cells dropped: 800,02 became 800"),
    ("thousand_semicolon", (), "8,000 became 8: gain 76, exit 0"),
    ("thousands", (), "refused"),
    ("gap", (), "gain 1.70, exit 0"),
    ("dst_spring", (), "model off by 8 %, exit 0"),
    ("dst_autumn", (), "refused without the reason"),
    ("ntp_jump", (), "a clock that was set, unnoticed"),
    ("clock_hms", (), "refused"),
    ("date_us", (), "refused"),
    ("date_german", (), "refused"),
    ("date_space", (), "read"),
    ("cp1252", (), "refused"),
    ("utf16", (), "refused"),
    ("sep_line", (), "refused"),
    ("units_row", (), "refused"),
    ("artisan", (), "refused"),
    ("empty_pv", (), "one empty cell refused the file"),
    ("nan_pv", (), "one `NaN` refused the file"),
    ("date_1s_twice", (), "refused by its first line only"),
    ("lab_step_q1_t1", (), "refused; with `--columns` a gain of 352"),
    ("lab_step_pwm_kelvin", (), "PWM of 0 to 255 taken as percent: gain 51, Ms up to 365, exit 0"),
    ("lab_step_pwm_kelvin", ("--output-range", "0,255"), "no such option"),
    ("lab_step_blanks", (), "refused: not at rest before the step"),
]


def tuned() -> list:
    """Recordings, given to ``furnace-edge tune``."""
    rows = []
    for name, arguments, before in TUNED:
        case = " ".join([f"`{name}.csv`", *(f"`{one}`" for one in [" ".join(arguments)] if one)])
        rows.append((case, before, _tune(RECORDS / f"{name}.csv", arguments)))
    return rows


def _tune(path: Path, arguments: tuple) -> str:
    """Return what the command says of a file: settings and margins, or its exit code and reason."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command.main([str(path), *arguments, "--json"])
    if code:
        lines = [line for line in err.getvalue().splitlines() if not line.endswith(": no proposal")]
        return f"exit {code}: {lines[0].replace(str(path.parent) + '/', '')}"
    answer = json.loads(out.getvalue())
    model, proposal = answer["model"], answer["proposal"]
    lags = " and ".join(f"{lag:.1f}" for lag in model["lags_s"])
    said = (
        f"{model['gain']:.2f} K/%, {lags} s, dead time {model['delay_s']:.1f} s; {proposal['rule']} gain "
        f"{proposal['gain']:.3g}, ti_s {proposal['ti_s']:.1f}, Ms up to {answer['proposal_ms_95']:.2f}"
    )
    return "; ".join([said, *(line for line in answer["warnings"] if "line " in line)])


def proven(cases: list) -> list:
    """Rows of docs/field_tests.py, whose tests exist."""
    return [proved.row(*case) for case in cases]


def outputs() -> list:
    """Outputs, truth and control."""
    return [
        ("a trip's write is refused once", "the heater stays at 100 % for a third of the lease", runs.refused_write()),
        ("a write that is refused again and again", "telemetry says 0.0", runs.lasting_refusal()),
        ("a damper that takes another value", "\"wrong address\", then link lost", runs.clamped_write()),
        ("of three blocks one is never answered", "those behind it are never asked", runs.starved_block()),
        *proven(proved.OUTPUTS[:5]),
        ("a start into saturation, ti_s 300, 600, 1800", "overshoot 101, 155, 263 K", runs.start_into_saturation()),
        ("a set-point lowered below the value, b 0.7, 0.3, 0", "100 % for 113, 521, 682 s", runs.lowered_set_point()),
        ("noise of 1 °F at K 10, Ti 800, Td 22", "offset 7.7 °F", runs.noise_at_a_limit()),
        *proven(proved.OUTPUTS[5:8]),
    ]


def checked() -> list:
    """Node files that can't be meant so, given to ``furnace-edge check``."""
    return [
        *runs.checked(),
        ("no `schema`", "hides all other problems", runs.missing_schema()),
        *proven(proved.OUTPUTS[8:]),
    ]


def tuning() -> list:
    return proven(proved.TUNING)


def generic() -> list:
    """The generic Modbus device."""
    return [*proven(proved.GENERIC), ("an address written as 40001", "taken as it is", runs.address_40001())]


def console() -> list:
    """On the bench and at the console."""
    case = "a thermocouple breaks, then a trip"
    return [(case, "the console is mute", runs.console()), *proven(proved.CONSOLE)]


def line() -> list:
    """Values that are somebody else's."""
    return [
        ("DCON: one of five modules late in a third of its replies", "8 to 16 wrong readings a run", runs.late_module()),
        ("an own echo that is cut short, then the reply", "25 wrong records a run", runs.own_request_cut_short()),
        ("three bytes of noise, then the reply", "2 to 23 wrong records", runs.noise_then_reply()),
        ("a gateway's exception 0x0B, then the reply", "2 to 23 wrong records", runs.gateway_then_reply()),
        ("characters 15 ms apart", "never read", runs.slow_characters()),
        *proven(proved.LINE),
    ]


def bench() -> list:
    return proven(proved.BENCH)


def afar() -> list:
    return proven(proved.AFAR)


SUITE = """On a busy machine some tests in real time failed: they waited for durations. Now they wait for causes; `make soak` runs
the suite again and again beside four busy processes."""
RECORDINGS = "Recordings for tuning"

# Title of a section, what stands above its table, and the function that returns its rows.
GROUPS = [
    ("Outputs and truth", "", outputs),
    ("What `check` says", "Word for word, of a node file that is right but for this.", checked),
    ("Proposals", "", tuning),
    (RECORDINGS, TUNE, tuned),
    ("The generic Modbus device", "", generic),
    ("On the bench and at the console", "", console),
    ("The bus: values that are somebody else's", "", line),
    ("The emulator as a bench for other controllers", "", bench),
    ("From afar", "", afar),
]


def section(title: str, text: str, rows: list) -> str:
    table = [("case", "before", "now"), ("---", "---", "---"), *rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    return "\n".join([f"## {title}", "", *([text, ""] if text else []), *lines, ""])


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, *(section(title, text, rows()) for title, text, rows in GROUPS)]
    return "\n".join([*parts, f"## The tests themselves\n\n{SUITE}\n"])


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
