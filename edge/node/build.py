"""From a node description to a node: every part is made here, once. An industrial box has validated it."""

import os

from edge.node.bus import diagnostics
from edge.node.bus.schedule import Bus
from edge.node.calc import kinds as calcs
from edge.node.control import table as blocks
from edge.node.devices import table as device_table
from edge.node.guard import condition, drive
from edge.node.guard.conditions import Alarm, Interlock, Trip
from edge.node.guard.guard import Guard
from edge.node.guard.outputs import Output
from edge.node.node import Node
from edge.node.report import messages
from edge.node.report.sampling import build_sampler
from edge.node.signals import Signal


def build(description: dict, uarts: dict, clock, reporter, entropy=os.urandom, keeper=None) -> Node:
    """A node from its description; ``uarts``: bus name -> open UART; ``entropy(n)``: n random bytes.

    ``keeper``: what keeps programmes and latched trips over a power cut (edge.node.kept); None: nothing does.
    """
    order = description["order"]
    buses = {}
    for name in order["bus"]:
        spec = description["bus"][name]
        echo = spec.get("echo", False)
        times = spec["timeout_ms"], spec["late_ms"]
        bits = char_bits(spec["framing"])
        buses[name] = Bus(name, uarts[name], spec["baud"], *times, bits, echo=echo, clock=clock)
    devices = _devices(description, buses)

    # First all that can be read is made, then all is connected: a calc may read the set-point of a loop.
    known = {}
    signals = [_signal(name, description["signal"][name], devices) for name in order["signal"]]
    calculated = [calcs.build(name, description["calc"][name]) for name in order["calc"]]
    for source in signals + calculated:
        known[source.name] = source
    states = {name: condition.State(name) for name in order["state"]}
    for name in order["state"]:
        known["state." + name] = states[name]
    above = _made("edge.node.calc.above", "Above", description, "level2")
    for value in above:
        known[value.name] = value
    outputs = {name: _output(name, description, devices) for name in order["output"]}
    for name in order["output"]:
        known["output." + name] = outputs[name]
    programmes = _made("edge.node.control.programme", "Programme", description, "programme")
    for programme in programmes:
        known["programme." + programme.name] = programme.level
        for reading in programme.readings():
            known[reading.name] = reading
    chain = blocks.build(description, known, outputs)
    loops = {block.name: block for block in chain if block.reference.startswith("loop.")}

    for calc in calculated:
        calc.connect([known[name] for name in calcs.reads(description["calc"][calc.name])])
    for name in order["state"]:
        states[name].connect(*condition.build(description["state"][name], known.__getitem__, states))
    for programme in programmes:
        programme.loop = loops[description["programme"][programme.name]["loop"]]
    autotunes = _made("edge.node.control.autotune", "Autotune", description, "autotune")
    for autotune in autotunes:
        autotune.loop = loops[description["autotune"][autotune.name]["loop"]]

    settings = description["node"]
    node = Node(
        messages.base_topic(settings["site"], settings["name"]),
        settings["tick_ms"],
        description["report"]["period_ms"],
        clock,
        [buses[name] for name in order["bus"]],
        [devices[name] for name in order["device"]],
        signals,
        calculated,
        chain,
        [loops[name] for name in order["loop"]],
        _guard(description, known, outputs, states),
        reporter,
        entropy,
    )
    node.above = above
    node.states = [states[name] for name in order["state"]]
    node.programmes = programmes
    node.autotunes = autotunes
    remote = description.get("remote")
    if remote and remote["enabled"]:
        from edge.node.remote import Door

        node.remote = Door(node, remote)
    node.sampler = build_sampler(description, node)
    reporter.begin(node.sampler.catalogue)
    node.event("node", "start", "boot %08x" % node.boot)
    if keeper is not None:
        from edge.node.kept import Kept

        node.kept = Kept(node, keeper)
        node.kept.restore()
    return node


def _made(module: str, made: str, description: dict, table: str) -> list:
    """The things of a table that few nodes have: a board loads their module only where there are some."""
    names = description["order"][table]
    if not names:
        return []
    make = getattr(__import__(module, None, None, [made]), made)
    return [make(name, description[table][name]) for name in names]


def char_bits(framing: str) -> int:
    """Bits of a character: 11 as in the standard, also where fewer are sent; 12 with 8E2 and 8O2."""
    return 12 if framing in ("8E2", "8O2") else 11


def bad_within_ms(device, period_ms=None) -> int:
    """A device's reading is bad when it is older than this, ms: its poll period and time-out budget.

    ``period_ms``: of that reading, by default the device's.
    """
    return (period_ms or device.period_ms) + (device.station.budget_us() + 999) // 1000


def _signal(name: str, spec: dict, devices: dict) -> Signal:
    device = devices[spec["device"]]
    stale_ms = spec["stale_ms"]
    period_ms = None
    if spec["input"] in diagnostics.INPUTS:
        device = device.station.status()
    else:
        period_ms = device.period_of(spec["input"])
        stale_ms = min(stale_ms, bad_within_ms(device, period_ms))
    scale = (spec["at_4ma"], spec["at_20ma"]) if "at_4ma" in spec else None
    place = device.inputs[spec["input"]]
    limits = spec["low"], spec["high"], stale_ms
    return Signal(
        name, spec["unit"], device, place, *limits, scale=scale, repeats=spec["repeats"], period_ms=period_ms
    )


def _output(name: str, description: dict, devices: dict) -> Output:
    spec = description["output"][name]
    safe = None if spec["safe"] == "hold" else spec["safe"]
    channel = device_table.channel(description["device"][spec["device"]]["type"], spec["channel"])
    return Output(
        name,
        spec["unit"],
        devices[spec["device"]],
        channel,
        spec["low"],
        spec["high"],
        spec["rate_per_s"],
        safe,
        drive.build(spec),
    )


def _devices(description: dict, buses: dict) -> dict:
    sensors = {}
    for spec in description["signal"].values():
        if "sensor" in spec:
            sensors.setdefault(spec["device"], {})[spec["input"]] = spec["sensor"]
    safe = {}
    for name in description["order"]["output"]:
        spec = description["output"][name]
        value = None if spec["safe"] == "hold" else drive.build(spec).position(spec["safe"], 0.001)
        safe.setdefault(spec["device"], {})[spec["channel"]] = value
    devices = {}
    for name in description["order"]["device"]:
        spec = description["device"][name]
        devices[name] = device_table.build(name, spec, sensors.get(name, {}), safe.get(name, {}))
        times = spec.get("timeout_ms"), spec.get("retries"), spec.get("pause_ms", 0)
        buses[spec["bus"]].add(devices[name], *times)
    return devices


def _guard(description: dict, known: dict, outputs: dict, states: dict) -> Guard:
    order = description["order"]
    made = []
    for table, make in (("interlock", Interlock), ("trip", Trip)):
        entries = []
        for name in order[table]:
            spec = description[table][name]
            watched = condition.Condition(*condition.build(spec, known.__getitem__, states))
            driven = [outputs[output] for output in spec["outputs"]]
            entries.append(make(name, watched, spec["if_bad"] == "acts", driven))
        made.append(entries)
    alarms = []
    for name in order["alarm"]:
        spec = description["alarm"][name]
        watched = condition.Condition(*condition.build(spec, known.__getitem__, states))
        alarms.append(Alarm(name, watched, spec["if_bad"] == "acts"))
    return Guard([outputs[name] for name in order["output"]], *made, alarms)
