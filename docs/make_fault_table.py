"""docs/fault-table.md, made again by: python docs/make_fault_table.py

The node's column is measured on virtual time and is the same on every run; the peers' columns are measured
on a pseudo-terminal in real time and take some minutes. Needs the extra test, gcc and libmodbus-dev.
    --own     make the node's column only, in seconds, and keep the others'
"""

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from docs import fault_table_own as own  # noqa: E402

PAGE = HERE / "fault-table.md"

HEAD = """# What a fault of the line does, here and elsewhere

Made by `python docs/make_fault_table.py`. The faults are those of [the emulator](bench-testing.md#faults).

**furnace-edge**: the Bishkek line on virtual time, bytes included. The fault begins after {before:.0f} s
on the roof module (thermocouples, polled every 250 ms, time-out 60 ms, one retry, `late_ms` 1000) and lasts
{during:.0f} s. The cell says what the signal of its first thermocouple shows, and how long after. A value
further than {wrong:.0f} °C from the furnace's true temperature that is not marked bad would be called wrong.
In the rows of the watchdog and of clamping it is the output module's, and the cell says what becomes of
the output.

**The others**: on a pseudo-terminal paced at 38400 bit/s, with a time-out of {timeout:.0f} ms and else with
their defaults. Two groups of four registers are read in turn: ten times during the fault, six times after
it. *Right*: the registers that were asked for. *Error*: the library says that it has failed. **Wrong**:
other registers, or fewer, are handed over as what was asked for. In the row of the watchdog they write an
output ten times instead, which a module with a tripped watchdog ignores; in that of clamping they write by
function 6 what the module does not take. These columns come from real time:
counts differ a little from run to run, with the time at which a late reply meets the next request.
"""

TAIL = """
What the node can not see: an instrument that answers its last reading for ever (frozen), and the temperature
of its terminals that a shorted thermocouple shows: both come like a sound reading. A vote of several sensors
sees the second.

What lies beyond `late_ms`: Modbus RTU numbers no transactions. A reply that comes later than that, in the
very transaction in which the same unit is asked with the same function for as many registers, is taken for
its reply.
"""


def own_column() -> dict:
    """Kind -> cell of the node."""
    return {kind: own.measure(kind, unit, arg).told() for kind, unit, arg in own.FAULTS}


def label(kind: str, arg) -> str:
    return f"`{kind}`" if arg is None else f"`{kind} {arg}`"


def rows(ours: dict, theirs: dict):
    for kind, _, arg in own.FAULTS:
        yield "| " + " | ".join([label(kind, arg), ours[kind], *theirs[kind]]) + " |"


def page(ours: dict, theirs: dict, names: list, timeout_s: float) -> str:
    head = HEAD.format(
        before=own.BEFORE_S, during=own.DURING_S, wrong=own.WRONG_C, timeout=timeout_s * 1000
    )
    columns = ["fault", "furnace-edge", *names]
    table = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns), *rows(ours, theirs)]
    return head + "\n" + "\n".join(table) + "\n" + TAIL


def renewed(text: str, ours: dict) -> str:
    """The page with another column of the node; a fault that the others have not met needs the whole page."""
    cells = {label(kind, arg): ours[kind] for kind, _, arg in own.FAULTS}
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if line.startswith("| `"):
            _, fault, _, *others = line.split("|")
            lines[i] = "|".join(["", fault, f" {cells.pop(fault.strip())} ", *others])
    if cells:
        raise SystemExit(f"the others have not met {', '.join(cells)}: make the whole page, without --own")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python docs/make_fault_table.py")
    parser.add_argument("--own", action="store_true", help="make the node's column only, and keep the others'")
    args = parser.parse_args()
    ours = own_column()
    if args.own:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), ours), encoding="utf-8")
        print(f"wrote the node's column of {PAGE}")
        return 0
    from docs import fault_table_peers as peers

    with tempfile.TemporaryDirectory() as folder:
        theirs = peers.table(Path(folder))
    names = [peer.name for peer in peers.PEERS]
    PAGE.write_text(page(ours, theirs, names, peers.TIMEOUT_S), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
