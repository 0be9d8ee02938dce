"""Recorded telemetry: the messages of a node, bare or after their topic, as ``mosquitto_sub -v`` does."""

import json
import math

from edge.tune.reading.errors import RecordError, refuse


def message_of(line: str):
    """Return the message of a line of telemetry, or None if it is none."""
    brace = line.find("{")
    # A topic before it has no comma; a heading of CSV has no brace.
    if brace < 0 or "," in line[:brace]:
        return None
    try:
        message = json.loads(line[brace:])
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def rows(path: str, lines: list, loop: str | None) -> tuple:
    """Return ([(line, [time in s, output, process value])], notes); RecordError names what is wrong."""
    found, problems, bad = [], [], 0
    names = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        message = message_of(line)
        if message is None:
            # The states "online" and "offline" of the node stand between the messages of mosquitto_sub -v.
            if line.split()[-1] not in ("online", "offline"):
                problems.append((number, "is no JSON object, expected a telemetry message"))
            continue
        if "loops" not in message or "t" not in message:
            continue
        names = names or _loop_names(path, number, message, loop)
        pv, output = (_value_of(message, name) for name in names)
        if output is None:
            problems.append((number, f"has no value of the output {names[1]}, expected a number"))
        bad += pv is None
        found.append((number, [message["t"] / 1000.0, output, math.nan if pv is None else pv]))
    for (_, before), (number, row) in zip(found, found[1:], strict=False):
        if row[0] <= before[0]:
            problems.append(
                (number, f"its time {row[0]:.10g} does not come after {before[0]:.10g} of the row before")
            )
    refuse(path, problems)
    return found, [f"{bad} of {len(found)} messages with a bad process value left out"] if bad else []


def _loop_names(path: str, number: int, message: dict, loop: str | None) -> tuple:
    """Return the names of process value and output of one loop."""
    loops = message["loops"]
    known = ", ".join(sorted(loops)) or "none"
    if loop is None:
        if len(loops) != 1:
            raise RecordError(f"{path}:{number}: several loops; say one with --loop: {known}")
        (loop,) = loops
    if loop not in loops:
        raise RecordError(f"{path}:{number}: no loop is named {loop}; there are: {known}")
    # Before version 2 a loop had no mode.
    pv, output = loops[loop][1:3]
    if not output:
        raise RecordError(f"{path}:{number}: loop {loop} moves several outputs; tune it from a CSV of its demand")
    return pv, "output." + output


def _value_of(message: dict, name: str):
    kind, _, output = name.partition(".")
    table, key = (message["outputs"], output) if kind == "output" else (message["signals"], name)
    value = table.get(key, [None])[0]
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None
