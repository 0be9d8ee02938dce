"""``furnace-edge scenario``: a plant and its node on virtual time, with events and a report.

A scenario file names plant, node file, hours and seed, and lists events by time. The same seed gives
the same bytes on the wire and the same messages: ``digest`` is the SHA-256 of all of them.
"""

import hashlib
import json
import math
import sys
import time
from pathlib import Path

from edge.box.config import NodeFileError, describe, find, toml_text
from edge.box.config.lines import nearest_line
from edge.box.config.problems import nearest
from edge.emulator import models
from edge.emulator.bench import PlantFailed
from edge.emulator.faults import narrow
from edge.emulator.plant_file import PlantFileError
from edge.emulator.virtual import VirtualRun
from edge.node.commands import Commands

EXAMPLE = "example: furnace-edge scenario bishkek_day --hours 1"
FOLDER = Path(__file__).with_name("scenarios")
KEYS = {
    "plant": str,
    "node": str,
    "hours": (int, float),
    "seed": int,
    "event": list,
    "about": str,
    "below": dict,
}
# What an event may do, with the keys it needs.
EVENTS = {
    "fault": {"unit", "kind"},
    "clear": set(),
    "set": {"name", "value"},
    "command": {"text"},
}
OPTIONAL = {
    "fault": {"argument", "for_s", "replies", *narrow.KEYS},
    "clear": set(),
    "set": set(),
    "command": set(),
}
_EXPECTED = f"expected keys are {', '.join(KEYS)}"


class ScenarioError(Exception):
    """A scenario file that can't be run: says which key and what was expected."""


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("file", help="scenario file, or the name of a packaged one (bishkek_day)")
    parser.add_argument("--hours", type=float, help="instead of the file's")
    parser.add_argument("--seed", type=int, help="instead of the file's")
    parser.add_argument("--json", action="store_true")


def load(name: str) -> dict:
    """The scenario of a path or a packaged name."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise ScenarioError(f"{path.name}: there is no such scenario file; packaged are: {known}")
    try:
        scenario, lines = toml_text.read(path.read_bytes())
    except toml_text.TomlError as error:
        raise ScenarioError(f"{path.name}:{error.line}: {error}") from None
    for key, value in scenario.items():
        where = f"{path.name}:{lines[(key,)]}"
        if key not in KEYS:
            hint = f"; did you mean '{nearest(key, KEYS)}'?" if nearest(key, KEYS) else ""
            raise ScenarioError(f"{where}: {key} = {value!r}: {_EXPECTED}{hint}")
        if not isinstance(value, KEYS[key]) or isinstance(value, bool):
            raise ScenarioError(f"{where}: {key} = {value!r}: {_EXPECTED}")
    for key in ("plant", "node", "hours", "seed"):
        if key not in scenario:
            raise ScenarioError(f"{path.name}:1: {key} is missing; {_EXPECTED}")
    for place, event in enumerate(scenario.setdefault("event", [])):
        _check_event(f"{path.name}:{nearest_line(lines, ('event', place))}", place + 1, event)
    scenario["event"].sort(key=lambda event: event["at_s"])
    return scenario


def _check_event(where: str, place: int, event: dict):
    if not isinstance(event, dict):
        raise ScenarioError(f"{where}: event {place} is {event!r}: expected a table [[event]]")
    kind = event.get("do")
    if kind not in EVENTS or not _is_number(event.get("at_s")):
        raise ScenarioError(f"{where}: event {place}: expected at_s and do, one of {', '.join(EVENTS)}")
    keys = set(event) - {"do", "at_s"}
    missing = EVENTS[kind] - keys
    unknown = keys - EVENTS[kind] - OPTIONAL[kind]
    for key in ("text", "kind", "name"):
        if key in event and not isinstance(event[key], str):
            raise ScenarioError(f"{where}: event {place} ({kind}): {key} = {event[key]!r}, expected a text")
    if missing or unknown:
        raise ScenarioError(
            f"{where}: event {place} ({kind}): missing {sorted(missing)}, unknown {sorted(unknown)}"
        )


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class Summary:
    """Minimum, mean and maximum of signals, and what alarms and trips there were."""

    def __init__(self):
        self._values = {}
        self._bad = {}
        self.messages = 0
        self.events = []

    def receive(self, topic: str, payload: bytes, retain: bool):
        message = json.loads(payload)
        if not topic.endswith("/telemetry"):
            self.events.append(message)
            return
        self.messages += 1
        for name, reading in message["signals"].items():
            if reading[0] is None:
                self._bad[name] = self._bad.get(name, 0) + 1
            else:
                self._values.setdefault(name, []).append(reading[0])
        self.last = message

    def signals(self) -> dict:
        found = {}
        for name, values in self._values.items():
            if values:
                mean = sum(values) / len(values)
                found[name] = {
                    "min": min(values),
                    "mean": round(mean, 3),
                    "max": max(values),
                    "bad_readings": self._bad.get(name, 0),
                }
        return found

    def share_below(self, name: str, limit: float) -> float:
        values = self._values.get(name, [])
        return round(sum(value < limit for value in values) / len(values), 5) if values else 0.0

    def count(self, kind: str) -> dict:
        """How often which thing of a kind was told."""
        counts = {}
        for event in self.events:
            if event["kind"] == kind and event["text"] != "went":
                counts[event["name"]] = counts.get(event["name"], 0) + 1
        return counts


def play(scenario: dict, progress=None) -> dict:
    """Run a scenario; its report. ``progress(hours)`` is called now and then."""
    hours = scenario["hours"]
    if not _is_number(hours) or not 0.01 <= hours <= 10000:
        raise ScenarioError(f"hours = {hours}: expected 0.01 to 10000")
    description, _ = describe(find(scenario["node"]))
    summary = Summary()
    digest = hashlib.sha256()
    pieces = []

    def receive(topic, payload, retain):
        pieces.append(payload)
        digest.update(b"".join(pieces))
        pieces.clear()
        summary.receive(topic, payload, retain)

    try:
        run = VirtualRun(scenario["plant"], description, scenario["seed"], receive)
    except PlantFileError:
        raise
    except ValueError as error:
        raise ScenarioError(f"{scenario['plant']} and {scenario['node']}: {error}") from None
    commands = []
    for wire in run.wires.values():
        wire.tap = lambda at_us, direction, data: pieces.append(data)
    started = time.perf_counter()
    end_us = int(scenario["hours"] * 3600e6)
    for event in scenario["event"]:
        if event["at_s"] * 1e6 < end_us:
            _run_with_progress(run, int(event["at_s"] * 1e6), progress)
            try:
                answer = _do(run, event)
            except ValueError as error:
                raise ScenarioError(f"event at {event['at_s']} s: {error}") from None
            if answer:
                commands.append({"at_s": event["at_s"], "text": event["text"], "answer": answer})
    _run_with_progress(run, end_us, progress)
    seconds = time.perf_counter() - started
    digest.update(b"".join(pieces))
    return {**_report(scenario, run, summary, digest.hexdigest(), seconds), "commands": commands}


def _run_with_progress(run: VirtualRun, until_us: int, progress):
    hour_us = 3600 * 1000000
    while run.clock.now_us() < until_us:
        now_us = run.clock.now_us()
        run.run_until(min(until_us, (now_us // hour_us + 1) * hour_us))
        if progress is not None:
            progress(run.clock.now_us() / hour_us)


def _do(run: VirtualRun, event: dict) -> str:
    """Let an event happen; a command's answer."""
    if event["do"] == "fault":
        where = {key: event[key] for key in narrow.KEYS if key in event}
        replies = event.get("replies", -1)
        run.bench.fault(
            event["unit"], event["kind"], event.get("argument"), event.get("for_s"), replies, **where
        )
    elif event["do"] == "clear":
        run.bench.clear_faults()
    elif event["do"] == "set":
        run.bench.set(event["name"], event["value"])
    else:
        return Commands(run.node).execute(event["text"])
    return ""


def _report(scenario: dict, run: VirtualRun, summary: Summary, digest: str, seconds: float) -> dict:
    lines = summary.last["bus"].values()
    below = scenario.get("below", {})
    return {
        "plant": scenario["plant"],
        "seed": scenario["seed"],
        "hours": scenario["hours"],
        "digest": digest,
        "seconds": round(seconds, 2),
        "times_real": round(scenario["hours"] * 3600.0 / seconds, 1),
        "ticks": run.node.statistics.ticks,
        "transactions": sum(line["requests"] for line in lines),
        "errors": sum(line["errors"] for line in lines),
        "bus_busy_pct": max(line["busy_pct"] for line in lines),
        "signals": summary.signals(),
        "share_below": {name: summary.share_below(name, limit) for name, limit in below.items()},
        "totals": models.totals(run.bench.model),
        "alarms": summary.count("alarm"),
        "trips": summary.count("trip"),
        "messages": summary.messages,
    }


def run(args) -> int:
    """0 after a complete run, 1 where the plant was destroyed, 2 for a file that can't be run."""
    try:
        scenario = load(args.file)
        if args.hours is not None:
            scenario["hours"] = args.hours
        if args.seed is not None:
            scenario["seed"] = args.seed
        progress = None
        if not args.json and sys.stderr.isatty():
            progress = lambda hours: print(f"\r{hours:5.1f} h", end="", file=sys.stderr, flush=True)  # noqa: E731
        report = play(scenario, progress)
    except (ScenarioError, PlantFileError, NodeFileError) as error:
        print(error, file=sys.stderr)
        return 2
    except PlantFailed as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(report, indent=1))
        return 0
    print(
        f"\n{report['plant']}, seed {report['seed']}: {report['hours']} h in {report['seconds']} s, "
        f"{report['times_real']} times real time"
    )
    print(
        f"{report['ticks']} ticks, {report['transactions']} transactions, {report['errors']} errors, "
        f"line {report['bus_busy_pct']} % busy"
    )
    for name, found in report["signals"].items():
        print(f"  {name:16} {found['min']:9.2f} {found['mean']:9.2f} {found['max']:9.2f}   (min mean max)")
    for name, share in report["share_below"].items():
        print(f"{name} was below its limit for {100 * share:.2f} % of the time")
    if report["totals"]:
        print(", ".join(f"{name} {value}" for name, value in report["totals"].items()))
    print(f"alarms {report['alarms'] or 'none'}, trips {report['trips'] or 'none'}")
    for command in report["commands"]:
        print(f"at {command['at_s']} s {command['text']}: {command['answer']}")
    print(f"digest {report['digest']}")
    return 0
