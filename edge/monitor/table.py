"""A node's state as a table in the terminal: what is wrong first, then one line for each loop.

Nothing is said by colour alone, and no colour is used that a light terminal swallows.
"""

import textwrap
import time

from rich.text import Text

# Telemetry older than this is said to be old.
OLD_S = 5
EVENTS_SHOWN = 12
ALARM = "bold red"
UNSURE = "magenta"
LABEL = "dim"
# Widths of the columns that don't grow.
NAME = 16
NUMBER = 8
# Of a terminal's lines at most so many are alarms while something else would have to go for them.
ALARMS_SHARE = 3


class View:
    """``Listener.latest()`` as lines; a renderable of rich, of ``height`` lines at most."""

    def __init__(self, latest: dict, title: str, extra: str, height):
        self._latest = latest
        self._title = title
        self._extra = extra
        self._height = height

    def __rich_console__(self, console, options):
        for line in self.lines(options.max_width, self._height):
            line.no_wrap = True
            line.overflow = "crop"
            yield line

    def lines(self, width: int, height=None) -> list:
        """The lines as rich's Text, each at most ``width`` cells; ``height`` None: all of them.

        Where there is no room for everything, the oldest events go first, then what is beyond a third of the
        lines of alarms, then signals and counters; what is left out is counted.
        """
        latest = self._latest
        telemetry = latest["telemetry"]
        head = fit(f"{self._title}  node {latest['state']}  {self._extra}", width, "reverse")
        if telemetry is None:
            why = "".join(f"; {why}" for why in [latest.get("trouble")] if why)
            return [head, fit(f"waiting for the first telemetry{why}", width)][:height]
        alarms = _alarms(latest, width)
        loops = _loops(telemetry, width)
        counters = _counters(telemetry, width)
        signals = _signals(telemetry, width)
        events = _events(latest["events"], width)
        if height is None:
            return [head, *alarms, *loops, *signals, *counters, *events]
        left = height - 1
        share = min(left, max(1, height // ALARMS_SHARE))
        first = min(len(alarms), share)
        left -= first
        room = {}
        for name, part in (("loops", loops), ("counters", counters), ("signals", signals)):
            room[name] = min(len(part), left)
            left -= room[name]
        more = min(len(alarms) - first, left)
        left -= more
        return [
            head,
            *_cut(alarms, first + more, width),
            *_cut(loops, room["loops"], width),
            *_cut(signals, room["signals"], width),
            *_cut(counters, room["counters"], width),
            *events[len(events) - min(len(events), left) :],
        ]


def view(latest: dict, title: str, extra: str = "", height=None) -> View:
    """Everything worth seeing of ``Listener.latest()``, in at most ``height`` lines where that is given."""
    return View(latest, title, extra, height)


def fit(text: str, width: int, style: str = "") -> Text:
    """A cell of a table, filled up to ``width``; what is cut off is marked by ~."""
    # Text, not str: what comes from a broker is no mark-up.
    cell = Text(text, style=style)
    if cell.cell_len > width:
        cell.truncate(max(width - 1, 0), overflow="crop")
        if width > 0:
            cell.append("~")
    cell.pad_right(max(width - cell.cell_len, 0))
    return cell


def _cut(lines: list, room: int, width: int) -> list:
    """The first of some lines; the last of them says how many are missing."""
    if len(lines) <= room or room == 0:
        return lines[:room]
    return [*lines[: room - 1], fit(f"+ {len(lines) - room + 1} lines more: the window is too small", width)]


def _row(width: int, *cells) -> Text:
    """Cells of (text, width, style) or (text, width, style, "right"), one blank between."""
    row = Text()
    for text, room, style, *right in cells:
        cell = fit(text.rjust(room) if right else text, room, style)
        row.append_text(cell).append(" ")
    row.truncate(width, overflow="crop")
    return row


def _number(value) -> str:
    return "-" if value is None else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _alarms(latest: dict, width: int) -> list:
    """What is wrong, the gravest first: the way to the node, trips, alarms, bad signals."""
    telemetry = latest["telemetry"]
    signals = telemetry["signals"]
    wrong = []
    bad = {}  # reason -> signals
    if not latest["connected"]:
        wrong.append("BROKER AWAY" + (f": {latest['trouble']}" if latest.get("trouble") else ""))
    if latest["age_s"] is not None and latest["age_s"] > OLD_S:
        wrong.append(f"OLD VALUES: the last came {latest['age_s']:.0f} s ago")
    first = telemetry.get("first_out")
    waiting = telemetry.get("unacknowledged")
    waiting = [str(name) for name in waiting] if isinstance(waiting, list) else []
    names = [str(name) for name in telemetry["alarms"]]
    for name in sorted(names, key=lambda name: (not name.startswith("trip "), name.startswith("bad "))):
        kind, _, rest = name.partition(" ")
        if kind == "trip":
            text = f"TRIP {rest}"
            if first and first["trip"] == rest:
                text += f" at {first['value']}, {first['ago_s']} s ago, the first"
        elif kind == "bad" and rest in signals:
            bad.setdefault("".join(signals[rest][2:3]) or "no reason given", []).append(rest)
            continue
        else:
            text = f"ALARM {name}"
        wrong.append(text + (", not acknowledged" if name in waiting else ""))
    for why, sources in bad.items():
        wrong += textwrap.wrap(f"BAD ({why}) " + ", ".join(sources), width, subsequent_indent="    ")
    outbox = telemetry["report"].get("outbox")
    if isinstance(outbox, dict) and outbox.get("memory_only"):
        wrong.append(f"OUTBOX in memory only: {outbox.get('last_error')}")
    if latest["unreadable"]:
        wrong.append(f"{latest['unreadable']} unreadable messages")
    return [fit(text, width, ALARM) for text in wrong] or [fit("no alarms", width)]


def _loops(telemetry: dict, width: int) -> list:
    """A heading, one line for each loop, and one for each output that no loop moves."""
    signals, outputs, loops = telemetry["signals"], telemetry["outputs"], telemetry["loops"]
    name_room, output_room = _longest(["loop", *loops]), _longest(["output", *outputs])
    state_room = max(width - name_room - output_room - 3 * NUMBER - 5, NUMBER)

    def row(name, set_point, value, style, output, percent, state, state_style):
        return _row(
            width,
            (name, name_room, LABEL if name == "loop" else ""),
            (set_point, NUMBER + 1, LABEL if name == "loop" else "", "right"),
            (value, NUMBER, style, "right"),
            (output, output_room, LABEL if name == "loop" else ""),
            (percent, NUMBER - 1, LABEL if name == "loop" else "", "right"),
            (state, state_room, state_style),
        )

    rows = [row("loop", "set-point", "value ", LABEL, "output", "%", "state", LABEL)]
    shown = set()
    for name, (set_point, pv, output, mode) in loops.items():
        value = _value(signals.get(pv) or [outputs.get(pv.removeprefix("output."), [None])[0], "good"])
        shown.add(output)
        moved = _output(outputs[output]) if output else ("-", mode, "")
        rows.append(row(name, _number(set_point), *value, output, *moved))
    for output, told in outputs.items():
        if output not in shown:
            rows.append(row("", "", "", "", output, *_output(told)))
    return rows


def _longest(names) -> int:
    return min(max(map(len, names)), NAME)


def _value(reading: list) -> tuple:
    """(text, style) of a signal: its value and a blank, or a ? where it is uncertain; or the word bad."""
    if reading[1] == "good":
        return _number(reading[0]) + " ", ""
    if reading[1] == "uncertain":
        return _number(reading[0]) + "?", UNSURE
    return reading[1] + " ", ALARM


def _output(told: list) -> tuple:
    """(percent, state with its reason, style) of an output."""
    style = {"auto": "", "interlock": UNSURE, "unknown": UNSURE}.get(told[1], ALARM)
    return _number(told[0]), " ".join(told[1:3]), style


def _signals(telemetry: dict, width: int) -> list:
    """Signals side by side, as many as fit."""
    columns = max(1, (width + 1) // (NAME + NUMBER + 2))
    cells = []
    for name, reading in telemetry["signals"].items():
        value, style = _value(reading)
        cells.append(((name, NAME, LABEL), (value, NUMBER, style, "right")))
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
    return [_row(width, *[part for cell in row for part in cell]) for row in rows]


def _counters(telemetry: dict, width: int) -> list:
    rows = [
        f"bus {name}: {line['requests']} requests, {line['errors']} errors, {line['late']} late, "
        f"{line['stray_bytes']} stray bytes, {line['busy_pct']} % busy"
        for name, line in telemetry["bus"].items()
    ]
    tick = telemetry["tick"]
    report = telemetry["report"]
    rows += [
        f"ticks: {tick['ticks']} done, {tick['missed']} missed, late p99 {tick['late_p99_ms']} ms, "
        f"max {tick['late_max_ms']} ms",
        f"messages: {report.get('sent', 0)} sent, {report.get('acked', 0)} acknowledged, "
        f"{report.get('queued', 0)} waiting, {report.get('dropped', 0)} dropped",
    ]
    return [fit(row, width) for row in rows]


def _events(events: list, width: int) -> list:
    rows = []
    for event in events[-EVENTS_SHOWN:]:
        at = time.strftime("%H:%M:%S", time.gmtime(event.get("t", 0) / 1000))
        rows.append(fit(f"{at}Z {event['kind']} {event['name']}: {event['text']}", width, LABEL))
    return rows
