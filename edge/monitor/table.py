"""A node's state as a table in the terminal."""

import time

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

# Telemetry older than this is said to be old.
OLD_S = 5
COLOURS = {"good": "green", "uncertain": "yellow", "bad": "red"}
STATES = {"auto": "green", "interlock": "yellow", "unknown": "yellow"}


def view(latest: dict, title: str, extra: str = "") -> Panel:
    """Everything worth seeing of ``Listener.latest()``."""
    telemetry = latest["telemetry"]
    link = "connected" if latest["connected"] else "broker away"
    if latest["age_s"] is not None and latest["age_s"] > OLD_S:
        link += f", values {latest['age_s']:.0f} s old"
    if latest["unreadable"]:
        link += f", {latest['unreadable']} unreadable messages"
    # Text, not str: what comes from a broker is no mark-up.
    head = Text(f"{title}   node {latest['state']}   {link}   {extra}")
    if telemetry is None:
        why = latest.get("trouble")
        return Panel(Text("waiting for the first telemetry" + (f"; {why}" if why else "")), title=head)
    parts = [_loops(telemetry), _signals(telemetry), _state(telemetry), _events(latest["events"])]
    return Panel(Group(*parts), title=head)


def _add(table: Table, *cells):
    table.add_row(*[Text(cell) if isinstance(cell, str) else cell for cell in cells])


def _number(value) -> str:
    return "-" if value is None else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _quality(reading: list) -> Text:
    text = reading[1] + (f" ({reading[2]})" if len(reading) > 2 else "")
    return Text(text, style=COLOURS.get(reading[1], ""))


def _loops(telemetry: dict) -> Table:
    table = Table(expand=True, box=None, pad_edge=False)
    for name, justify in (
        ("loop", "left"),
        ("set-point", "right"),
        ("value", "right"),
        ("quality", "left"),
        ("output", "left"),
        ("%", "right"),
        ("state", "left"),
    ):
        table.add_column(name, justify=justify, ratio=3 if name == "state" else 2 if justify == "left" else 1)
    shown = set()
    signals, outputs = telemetry["signals"], telemetry["outputs"]
    for name, (set_point, pv, output, mode) in telemetry["loops"].items():
        reading = signals.get(pv) or outputs.get(pv.removeprefix("output."), [None])[:1] + ["good"]
        shown.add(output)
        _add(
            table,
            name,
            _number(set_point),
            _number(reading[0]),
            _quality(reading),
            output,
            _number(outputs[output][0]) if output else "-",
            _output_state(outputs[output]) if output else mode,
        )
    for output, state in outputs.items():
        if output not in shown:
            _add(table, "", "", "", "", output, _number(state[0]), _output_state(state))
    return table


def _output_state(state: list) -> Text:
    text = state[1] + (f": {state[2]}" if len(state) > 2 else "")
    return Text(text, style=STATES.get(state[1], "red"))


def _signals(telemetry: dict) -> Table:
    table = Table(expand=True, box=None, pad_edge=False, show_header=False)
    cells = []
    for name, reading in telemetry["signals"].items():
        cells.append(Text.assemble((name + " ", "dim"), _number(reading[0]), " ", _quality(reading)))
    for at in range(0, len(cells), 4):
        _add(table, *cells[at : at + 4])
    return table


def _state(telemetry: dict) -> Table:
    table = Table(expand=True, box=None, pad_edge=False, show_header=False)
    alarms = ", ".join(str(alarm) for alarm in telemetry["alarms"]) or "none"
    first = telemetry.get("first_out")
    if first:
        alarms += f"   first out: {first['trip']} at {first['value']}, {first['ago_s']} s ago"
    _add(table, "alarms", Text(alarms, style="green" if alarms == "none" else "red"))
    for name, line in telemetry["bus"].items():
        _add(
            table,
            f"bus {name}",
            f"{line['requests']} requests, {line['errors']} errors, {line['late']} late, "
            f"{line['stray_bytes']} stray bytes, {line['busy_pct']} % busy",
        )
    tick = telemetry["tick"]
    _add(
        table,
        "tick",
        f"{tick['ticks']} done, {tick['missed']} missed, late p99 {tick['late_p99_ms']} ms, "
        f"max {tick['late_max_ms']} ms",
    )
    report = telemetry["report"]
    _add(
        table,
        "messages",
        f"{report.get('sent', 0)} sent, {report.get('acked', 0)} acknowledged, "
        f"{report.get('queued', 0)} waiting, {report.get('dropped', 0)} dropped",
    )
    outbox = report.get("outbox")
    if isinstance(outbox, dict) and outbox.get("memory_only"):
        _add(table, "outbox", Text(f"in memory only: {outbox.get('last_error')}", style="red"))
    return table


def _events(events: list) -> Table:
    table = Table(expand=True, box=None, pad_edge=False, show_header=False)
    for event in events[-5:]:
        at = time.strftime("%H:%M:%S", time.gmtime(event.get("t", 0) / 1000))
        _add(table, Text(f"{at}  {event['kind']} {event['name']}: {event['text']}", style="dim"))
    return table
