"""From a node description to a node. The description was validated on an industrial box."""

import os

from edge.node.bus import diagnostics
from edge.node.bus.schedule import Bus
from edge.node.commands import equip
from edge.node.control import table as loop_table
from edge.node.devices import table as device_table
from edge.node.guard.conditions import Alarm, Interlock, Limit, Trip
from edge.node.guard.guard import Guard
from edge.node.guard.outputs import Output
from edge.node.node import Node
from edge.node.report import messages
from edge.node.report.sampling import build_sampler
from edge.node.signals import Signal, build_calc


def build(description: dict, uarts: dict, clock, reporter, entropy=os.urandom) -> Node:
    """A node from its description; ``uarts``: bus name -> open UART; ``entropy(n)``: n random bytes."""
    order = description["order"]
    buses = {}
    for name in order["bus"]:
        spec = description["bus"][name]
        echo = spec.get("echo", False)
        times = spec["timeout_ms"], spec["late_ms"]
        buses[name] = Bus(name, uarts[name], spec["baud"], *times, echo=echo, clock=clock)
    devices = _devices(description, buses)

    known = {}
    signals = []
    for name in order["signal"]:
        spec = description["signal"][name]
        device = devices[spec["device"]]
        stale_ms = spec["stale_ms"]
        if spec["input"] in diagnostics.INPUTS:
            device = device.station.status()
        else:
            stale_ms = min(stale_ms, bad_within_ms(device))
        scale = (spec["at_4ma"], spec["at_20ma"]) if "at_4ma" in spec else None
        place = device.inputs[spec["input"]]
        known[name] = Signal(
            name, spec["unit"], device, place, spec["low"], spec["high"], stale_ms, scale
        )
        signals.append(known[name])
    calcs = []
    for name in order["calc"]:
        known[name] = build_calc(name, description["calc"][name], known.__getitem__)
        calcs.append(known[name])

    outputs = {}
    for name in order["output"]:
        spec = description["output"][name]
        device = devices[spec["device"]]
        safe = None if spec["safe"] == "hold" else spec["safe"]
        channel = device_table.channel(description["device"][spec["device"]]["type"], spec["channel"])
        outputs[name] = Output(
            name, spec["unit"], device, channel, spec["low"], spec["high"], spec["rate_per_s"], safe
        )
        known["output." + name] = outputs[name]

    loops = []
    for name in order["loop"]:
        spec = description["loop"][name]
        loops.append(loop_table.build(name, spec, outputs[spec["output"]], known.__getitem__))

    guard = _guard(description, known, outputs)
    settings = description["node"]
    node = Node(
        messages.base_topic(settings["site"], settings["name"]),
        settings["tick_ms"],
        description["report"]["period_ms"],
        clock,
        [buses[name] for name in order["bus"]],
        [devices[name] for name in order["device"]],
        signals,
        calcs,
        loops,
        guard,
        reporter,
        entropy,
    )
    equip(node, description)
    node.sampler = build_sampler(description, node)
    reporter.begin(node.sampler.catalogue)
    node.event("node", "start", "boot %08x" % node.boot)
    return node


def bad_within_ms(device) -> int:
    """A device's reading is bad when it is older than this, ms: its poll period and time-out budget."""
    return device.period_ms + (device.station.budget_us() + 999) // 1000


def _devices(description: dict, buses: dict) -> dict:
    sensors = {}
    for spec in description["signal"].values():
        if "sensor" in spec:
            sensors.setdefault(spec["device"], {})[spec["input"]] = spec["sensor"]
    safe = {}
    for spec in description["output"].values():
        value = None if spec["safe"] == "hold" else spec["safe"]
        safe.setdefault(spec["device"], {})[spec["channel"]] = value
    devices = {}
    for name in description["order"]["device"]:
        spec = description["device"][name]
        devices[name] = device_table.build(name, spec, sensors.get(name, {}), safe.get(name, {}))
        times = spec.get("timeout_ms"), spec.get("retries"), spec.get("pause_ms", 0)
        buses[spec["bus"]].add(devices[name], *times)
    return devices


def _guard(description: dict, known: dict, outputs: dict) -> Guard:
    order = description["order"]
    interlocks = []
    for name in order["interlock"]:
        spec = description["interlock"][name]
        driven = [outputs[output] for output in spec["outputs"]]
        interlocks.append(
            Interlock(
                name,
                known[spec["signal"]],
                spec["on_at_least"],
                _ms(spec["on_after_s"]),
                spec["off_below"],
                driven,
            )
        )
    trips = []
    for name in order["trip"]:
        spec = description["trip"][name]
        trips.append(Trip(name, _limit(spec, known), [outputs[output] for output in spec["outputs"]]))
    alarms = []
    for name in order["alarm"]:
        alarms.append(Alarm(name, _limit(description["alarm"][name], known)))
    return Guard([outputs[name] for name in order["output"]], interlocks, trips, alarms)


def _limit(spec: dict, known: dict) -> Limit:
    return Limit(known[spec["signal"]], spec.get("above"), spec.get("below"), _ms(spec["after_s"]))


def _ms(seconds: float) -> int:
    return int(seconds * 1000 + 0.5)
