"""Rules of signals and calcs: input, sensor, unit and range must belong together."""

from edge.box.config.families import FAMILIES, LIVE_ZERO, THERMOCOUPLES
from edge.box.config.problems import did_you_mean, listed, number, shown
from edge.node.bus import diagnostics

SCALE = {"at_4ma": "4 mA", "at_20ma": "20 mA"}


def check(document):
    """Add what is wrong with signals and calcs."""
    for signal in document.of("signal"):
        _range(document, signal)
        if signal.get("unit") == "K":
            document.problem(signal, "unit", 'has unit = "K"; temperatures are in "degC", a calc adds 273.15')
        device = document.entry("device", signal.get("device"))
        if device is not None and device.kind is not None:
            _reading(document, signal, device, FAMILIES[device.kind])
    _sensors_agree(document)

def _range(document, signal):
    low, high = signal.get("low"), signal.get("high")
    if low is not None and high is not None and low >= high:
        text = f"has low = {number(low)} and high = {number(high)}, expected low below high"
        document.problem(signal, "low", f"{text}; exchange or correct them")


def _reading(document, signal, device, family):
    name = signal.get("input")
    register = device.nested.get("register", {}).get(name)
    owner = device if register is None or register.get("period_ms") is None else register
    stale_ms, period_ms = signal.get("stale_ms"), owner.get("period_ms")
    if stale_ms is not None and period_ms is not None and stale_ms <= 2 * period_ms:
        text = f"has stale_ms = {stale_ms}, expected more than two periods of {owner}"
        document.problem(signal, "stale_ms", f"{text}; write more than {2 * period_ms}")
    names = family.inputs(device) + diagnostics.INPUTS
    units = {**family.units(device), **diagnostics.INPUT_UNITS}
    if name is not None and name not in names:
        hint = did_you_mean(name, names, f"its inputs are {listed(names)}")
        text = f"has input = {shown(name)}, which device {device.name} ({device.kind}) does not have"
        document.problem(signal, "input", f"{text}; {hint}")
    if name == "cold_junction" and name in units and not device.get("cold_junction"):
        text = f"reads the cold junction of device {device.name}, which does not ask for it"
        document.problem(signal, "input", f"{text}; write cold_junction = true in the device")
    if family.sensors and name not in units:
        _wired(document, signal, device, family)
        return
    for key in ("sensor", *SCALE):
        if key in signal.raw:
            text = f"has {key}, but device {device.name} ({device.kind}) knows what it measures"
            document.problem(signal, key, f"{text}; remove it")
    if name in units:
        _unit(document, signal, units[name], f"input {name} of device {device.name} ({device.kind})")


def _wired(document, signal, device, family):
    """What is wired to an input that can read several sensors."""
    sensor = signal.get("sensor")
    sensors = listed(map(shown, family.sensors))
    if sensor is None:
        if "sensor" not in signal.raw:
            text = f"has no sensor, but device {device.name} ({device.kind}) reads what is wired to it"
            document.problem(signal, "", f"{text}; add sensor = {sensors}")
        return
    if sensor not in family.sensors:
        hint = did_you_mean(sensor, family.sensors, "write one of them")
        document.problem(signal, "sensor", f"has sensor = {shown(sensor)}, expected {sensors}; {hint}")
        return
    low, high, unit = family.sensors[sensor]
    if sensor == LIVE_ZERO:
        _scaled(document, signal, low, high)
        return
    for key in SCALE:
        if key in signal.raw:
            document.problem(signal, key, f'has {key}, which only sensor = "{LIVE_ZERO}" reads; remove it')
    what = f"thermocouple {sensor}" if sensor in THERMOCOUPLES else f"sensor {sensor}"
    _unit(document, signal, unit, what)
    _within(document, signal, low, high, what)


def _scaled(document, signal, low_ma: float, high_ma: float):
    for key, current in SCALE.items():
        if key not in signal.raw:
            document.problem(signal, "", f"has no {key}, expected the value at {current}; add it")
    at_4ma, at_20ma = signal.get("at_4ma"), signal.get("at_20ma")
    if at_4ma is None or at_20ma is None:
        return
    if at_4ma == at_20ma:
        text = f"has {number(at_4ma)} at 4 mA and at 20 mA, expected two ends of a range"
        document.problem(signal, "at_20ma", f"{text}; write those of the transmitter")
        return
    per_ma = (at_20ma - at_4ma) / 16.0
    ends = sorted((at_4ma + (low_ma - 4.0) * per_ma, at_4ma + (high_ma - 4.0) * per_ma))
    _within(document, signal, *ends, f"the transmitter from {number(low_ma)} to {number(high_ma)} mA")


def _unit(document, signal, unit: str, what: str):
    found = signal.get("unit")
    if found is not None and found != unit:
        text = f'has unit = "{found}", but {what} gives "{unit}"'
        document.problem(signal, "unit", f'{text}; write unit = "{unit}"')


def _within(document, signal, low: float, high: float, what: str):
    """A limit that the sensor can't reach would never be seen exceeded."""
    for key in ("low", "high"):
        value = signal.get(key)
        if value is not None and not low <= value <= high:
            text = f"has {key} = {number(value)}, but {what} reaches from {low:.10g} to {high:.10g}"
            document.problem(signal, key, f"{text}; choose a value in that range")


def _sensors_agree(document):
    _one_type_for_all(document)
    wired = {}
    for signal in document.of("signal"):
        place = device, name = signal.get("device"), signal.get("input")
        sensor = signal.get("sensor")
        if None in place or sensor is None:
            continue
        first = wired.setdefault(place, signal)
        if first.get("sensor") != sensor:
            text = f"has sensor = {shown(sensor)}, but signal {first.name} says {shown(first.get('sensor'))}"
            text += f" of the same input {name} of device {device}"
            document.problem(signal, "sensor", f"{text}; only one can be wired there")


def _one_type_for_all(document):
    """An M-7018 has one type code for all its inputs."""
    first = {}
    for signal in document.of("signal"):
        device = document.entry("device", signal.get("device"))
        sensor = signal.get("sensor")
        if device is None or device.kind != "m7018" or sensor is None:
            continue
        other = first.setdefault(device.name, signal)
        if other.get("sensor") != sensor and other.get("input") != signal.get("input"):
            text = f"has sensor = {shown(sensor)}, but signal {other.name} says {shown(other.get('sensor'))}"
            text += f", and all inputs of device {device.name} (m7018) are of one type"
            document.problem(signal, "sensor", f"{text}; wire all alike, or take another module")
