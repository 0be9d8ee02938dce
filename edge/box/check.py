"""``furnace-edge check``: say what is wrong with a node file, or what it makes of a node."""

import json
import sys
from pathlib import Path

from edge.box.config.problems import NodeFileError, located, number
from edge.box.config.schema import find, read
from edge.box.serial_port import PortError, SerialPort
from edge.node.build import bad_within_ms, build
from edge.node.bus.master import Master
from edge.node.clock import VirtualClock
from edge.node.description import dump
from edge.node.report.local import LocalReporter

EXAMPLE = (
    "example: furnace-edge check line1.toml --write line1.json      (bishkek checks the packaged node file)"
)

# Above this share of a line the instruments' own delays and repetitions no longer fit in.
FULL_PCT = 80.0


def add_arguments(parser):
    """The arguments of the command for an argparse parser."""
    parser.epilog = EXAMPLE
    parser.add_argument("node", metavar="NODE.toml", help="a node file, or the name of a packaged one")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--elsewhere", action="store_true", help="the file is for another machine: don't look for its ports"
    )
    parser.add_argument("--write", metavar="NODE.json", help="write the board file, where nothing is wrong")


def run(args) -> int:
    """0: the file is right; 2: it has problems; 1: the board file can't be written."""
    path = find(args.node)
    try:
        node_file = read(path)
        summary = summarise(node_file.description)
        _refuse_overfull_lines(node_file, summary)
    except NodeFileError as error:
        _tell_problems(error, args.json)
        return 2
    warnings = node_file.warnings + _full_lines(node_file, summary)
    if not args.elsewhere and not args.write:
        warnings += _ports(node_file)
    warnings.sort()
    if args.write:
        try:
            Path(args.write).write_bytes(dump(node_file.description))
        except OSError as error:
            print(f"{args.write}: the board file can't be written: {error.strerror}", file=sys.stderr)
            return 1
    if args.json:
        _print_json(path, [], warnings, summary)
        return 0
    for line, text in warnings:
        print(located(path, line, "warning: " + text), file=sys.stderr)
    print(f"{path}: OK")
    print(as_text(summary))
    if args.write:
        print(f"written: {args.write}")
    return 0


def _ports(node_file) -> list:
    """Warnings of ports that are not there or in use: the node may run elsewhere, or run now."""
    warnings = []
    for name, spec in node_file.description["bus"].items():
        try:
            SerialPort(spec["port"], spec["baud"], spec["framing"]).close()
        except PortError as error:
            text = f"{error}; --elsewhere doesn't look for ports"
            warnings.append((node_file.lines["bus", name, "port"], text))
    return warnings


def _tell_problems(error: NodeFileError, as_json: bool):
    if as_json:
        _print_json(error.path, error.problems, [], None)
        return
    print(error, file=sys.stderr)
    count = len(error.problems)
    print(f"{count} problem{'s' if count > 1 else ''}: no node starts from this file", file=sys.stderr)


def _print_json(path, problems: list, warnings: list, summary):
    found = {"file": str(path), "ok": not problems, "problems": _as_dicts(problems)}
    found["warnings"] = _as_dicts(warnings)
    if summary:
        found["summary"] = summary
    print(json.dumps(found, indent=2))


def _as_dicts(told: list) -> list:
    return [{"line": line, "text": text} for line, text in told]


def _refuse_overfull_lines(node_file, summary: dict):
    """NodeFileError for a bus whose polls alone take more time than there is."""
    problems = []
    for name, bus in summary["buses"].items():
        if bus["reading_pct"] > 100.0:
            text = f"bus {name} is busy for {bus['reading_pct']:.0f} % of the time with reading alone"
            text += ", if every instrument answered at once: no poll would keep its period"
            text += "; raise baud or period_ms, or move devices to another bus"
            problems.append((node_file.lines["bus", name], text))
    if problems:
        raise NodeFileError(node_file.path, problems)


def _full_lines(node_file, summary: dict) -> list:
    warnings = []
    for name, bus in summary["buses"].items():
        load_pct = bus["reading_pct"] + bus["writing_pct"]
        if load_pct > FULL_PCT:
            text = f"bus {name} is busy for {load_pct:.0f} % of the time if every instrument answered at once"
            text += "; raise baud or period_ms, or move devices to another bus"
            warnings.append((node_file.lines["bus", name], text))
    for name, load_pct in summary["paused_pct"].items():
        if load_pct > 100.0:
            text = f"device {name} can't be read as often as it says: its requests and pauses take"
            text += f" {load_pct:.0f} % of the time; raise period_ms, shorten pause_ms, or merge requests"
            warnings.append((node_file.lines["device", name, "pause_ms"], text))
    return warnings


def summarise(description: dict) -> dict:
    """What a node file makes of a node, by building that node without its lines."""
    order = description["order"]
    uarts = {name: None for name in order["bus"]}
    node = build(description, uarts, VirtualClock(), LocalReporter())
    tick_ms = description["node"]["tick_ms"]
    buses = {}
    for bus in node.buses:
        spec = description["bus"][bus.name]
        buses[bus.name] = {
            "port": spec["port"],
            "baud": spec["baud"],
            "framing": spec["framing"],
            "devices": [station.device.name for station in bus.stations],
            "reading_pct": round(reading_pct(bus), 1),
            "writing_pct": round(writing_pct(bus, tick_ms), 1),
        }
    return {
        "node": description["node"]["site"] + "/" + description["node"]["name"],
        "tick_ms": tick_ms,
        "buses": buses,
        "devices": {name: description["device"][name]["type"] for name in order["device"]},
        "paused_pct": {
            station.device.name: round(polling_pct(station), 1)
            for bus in node.buses
            for station in bus.stations
            if station.pause_us
        },
        "bad_within_ms": {device.name: bad_within_ms(device, slowest_ms(device)) for device in node.devices},
        "signals": order["signal"],
        "calcs": order["calc"],
        "loops": chain(description),
        "outputs": {name: description["output"][name]["safe"] for name in order["output"]},
        "guard": {table: order[table] for table in ("state", "interlock", "trip", "alarm")},
        "programmes": order["programme"],
        "from_afar": from_afar(description),
        "report": _report(description["report"], len(node.sampler.catalogue.metrics)),
    }


def chain(description: dict) -> dict:
    """Where each demand goes: block -> the references of its takers."""
    goes = {name: spec["to"] for name, spec in description["loop"].items()}
    goes.update({f"select.{name}": spec["to"] for name, spec in description["select"].items()})
    for name, spec in description["cross_limit"].items():
        goes[f"cross_limit.{name}"] = f"{spec['fuel_to']} and {spec['air_to']}"
    for name, spec in description["split"].items():
        goes[f"split.{name}"] = " and ".join(spec["parts"])
    return goes


def slowest_ms(device) -> int:
    """The longest period of a device's inputs."""
    return max((device.period_of(name) for name in device.inputs), default=device.period_ms)


def _report(report: dict, values: int) -> dict:
    """How many values are reported, how, and to whom."""
    mqtt = report.get("mqtt")
    if mqtt is None:
        return {"values": values, "brokers": [], "speakers": []}
    brokers = [(f"[{host}]" if ":" in host else host, port) for host, port in mqtt["brokers"]]
    return {
        "values": values,
        "brokers": [f"{host}:{port}" for host, port in brokers],
        "tls": mqtt["tls"],
        "speakers": [name for name in ("json", "sparkplug", "home_assistant") if name in report],
        "outbox_mb": report["outbox"]["size_mb"],
    }


def from_afar(description: dict) -> list:
    """What may be commanded from afar, as texts; an empty list where nothing may."""
    remote = description.get("remote")
    if remote is None or not remote["enabled"]:
        return []
    texts = []
    for spec in remote["allow"].values():
        targets = [spec[key] for key in ("loop", "programme", "level2") if key in spec]
        targets += spec.get("alarms", []) + spec.get("trips", [])
        text = f"{spec['action']} {' '.join(targets)}"
        if "low" in spec:
            text += f" {number(spec['low'])}..{number(spec['high'])}"
        if "rate_per_min" in spec:
            text += f" at {number(spec['rate_per_min'])}/min"
        texts.append(text)
    return texts + [f"starts in {remote['start']} mode"]


def exchange_us(master: Master, request: bytes) -> int:
    """Time that a request and its reply take on the wire, with the silence after each; no answering time."""
    characters = len(request) + master.reply_length(request)
    return characters * master.char_us + 2 * master.silence_us


def reading_pct(bus) -> float:
    """Share of the line's time that the polls take, in percent."""
    return sum(polling_pct(station, pauses=False) for station in bus.stations)


def polling_pct(station, pauses: bool = True) -> float:
    """Share of a unit's time that its polls take in percent, with the pauses after replies or without."""
    total = 0.0
    for poll in station.polls:
        took_us = exchange_us(station.master, poll.request) + (station.pause_us if pauses else 0)
        total += 100.0 * took_us / poll.period_us
    return total


def writing_pct(bus, tick_ms: int) -> float:
    """Share of the line's time if every output changed in every tick, in percent."""
    total_us = 0
    for station in bus.stations:
        device = station.device
        if not device.outputs:
            continue
        # Bring the driver to where it writes: verified, read once, all outputs asked for.
        device.ready = True
        for poll in station.polls:
            device.received(poll.tag, bytes(poll.expected - 5), 0)
        for channel in range(device.outputs):
            device.drive(channel, 0.0, 0)
        device.work(device.lease_ms)
        total_us += sum(exchange_us(station.master, request) for _, request in station.queued)
    return 100.0 * total_us / (tick_ms * 1000)


def as_text(summary: dict) -> str:
    """The summary for people."""
    tick_ms = summary["tick_ms"]
    rows = [("node", f"{summary['node']}, tick {tick_ms} ms ({1000 / tick_ms:.3g} Hz)")]
    for name, bus in summary["buses"].items():
        port = f"{name}: {bus['port']} {bus['baud']} {bus['framing']}, {len(bus['devices'])} devices"
        load_pct = bus["reading_pct"] + bus["writing_pct"]
        load = f"busy {load_pct:.0f} % at most (reading {bus['reading_pct']:.0f} %, all outputs in every tick"
        rows.append(("bus", f"{port}, {load} {bus['writing_pct']:.0f} %)"))
    rows.append(("devices", ", ".join(f"{name} ({kind})" for name, kind in summary["devices"].items())))
    limits = [f"{name} {within / 1000:.1f} s" for name, within in summary["bad_within_ms"].items()]
    rows.append(("dead", "its signals are bad within: " + ", ".join(limits)))
    rows.append(("signals", ", ".join(summary["signals"])))
    rows.append(("calculated", ", ".join(summary["calcs"])))
    rows.append(("loops", ", ".join(f"{name} -> {output}" for name, output in summary["loops"].items())))
    safe = [f"{name} {_level(value)}" for name, value in summary["outputs"].items()]
    rows.append(("safe", ", ".join(safe)))
    for table, names in summary["guard"].items():
        rows.append((table + "s", ", ".join(names)))
    report = summary["report"]
    if report["brokers"]:
        how = f"{report['values']} values as {', '.join(report['speakers'])}"
        to = f"to {', '.join(report['brokers'])}{' with TLS' if report['tls'] else ''}"
        rows.append(("report", f"{how} {to}, outbox of {report['outbox_mb']} MB"))
    else:
        rows.append(("report", "to nobody: there is no [report.mqtt]"))
    rows.append(("programmes", ", ".join(summary["programmes"])))
    rows.append(("from afar", ", ".join(summary["from_afar"]) or "nothing may be commanded"))
    return "\n".join(f"  {head:<11} {text or 'none'}" for head, text in rows)


def _level(value) -> str:
    return "holds" if value == "hold" else f"{number(value)} %"
