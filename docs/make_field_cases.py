"""docs/field-cases.md, made again by: python docs/make_field_cases.py

What failed in the field, and what the product does with it now. Each group of cases is a function that
returns rows (case, what failed before, what the product does now); the last column is measured here, not
written down. To add a group: write such a function, and name it in GROUPS.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from edge.tune import command  # noqa: E402

PAGE = ROOT / "docs" / "field-cases.md"
RECORDS = ROOT / "tests" / "tune" / "data"

HEAD = """# Cases from the field

<!-- Written by: python docs/make_field_cases.py -->

What this product failed on when it was tried on what people really have: inputs, devices, moments. The last
column is measured whenever this page is made.
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


# Title of a section, what stands above its table, and the function that returns its rows.
GROUPS = [
    ("Recordings for tuning", TUNE, tuned),
]


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for title, text, rows in GROUPS:
        table = [("case", "before", "now"), ("---", "---", "---"), *rows()]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
        parts.append("\n".join([f"## {title}", "", text, "", *lines, ""]))
    return "\n".join(parts)


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
