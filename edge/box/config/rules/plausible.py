"""Rules of plausibility: each key is right for itself, and together they can't be meant so.

What can't work is a problem; what may be meant, and would be found out on the plant, is a warning.
"""

from edge.box.config import values
from edge.box.config.problems import number, shown
from edge.box.config.rules import facts

# Where a thermocouple begins to say something, degC. Type B: IEC 60584-1 has a tolerance from 600 degC up,
# and below 42 degC two temperatures have one voltage. R and S: below 500 degC they give 10 uV/K and less, a
# quarter of type K, and the ranges of input modules begin there.
BLIND_BELOW_C = {"B": 600.0, "R": 500.0, "S": 500.0}


def check(document):
    """Add what is not plausible."""
    for calc in facts.votes(document):
        _votes(document, calc)
    _blind(document)
    for loop in facts.controllers(document):
        _beyond_trips(document, loop)
        _slow_data(document, loop)
        _channel(document, loop)
    for programme in document.of("programme"):
        _programme_beyond_trips(document, programme)
    _uncut(document)


def _votes(document, calc):
    """Two votes need two sensors; behind calcs one sensor may be meant to count twice."""
    key = "of"
    first = {}
    for name in values.sources(calc):
        for signal in facts.signals(document, name, choices_only=True):
            place = facts.place(signal)
            other = first.setdefault(place, name)
            if other == name or None in place:
                continue
            text = f"reads '{other}' and '{name}', and behind both is input {place[1]} of device {place[0]}"
            text += ": one sensor has two votes; name one of them, or another sensor"
            direct = document.entry("signal", other) and document.entry("signal", name)
            (document.problem if direct else document.warn)(calc, key, text)
            return


def _blind(document):
    trips = facts.limits(document)
    seeing = set()
    for trip, name, key, _ in trips:
        if key == "above" and not _blind_signals(document, name):
            seeing |= set(trip.get("outputs") or ())
    for trip, name, key, value in trips:
        for signal, blind_c in _blind_signals(document, name):
            if _limit_in_the_blind(document, trip, key, value, signal, blind_c):
                break
            if key == "above" and not set(trip.get("outputs") or ()) <= seeing:
                text = f"watches {_sensor(signal, blind_c)}: a heater that runs away from cold is seen late"
                document.warn(trip, "signal", f"{text}; cut its outputs by a trip on another sensor too")
                break
    for interlock in document.of("interlock"):
        for key in ("above", "below"):
            for signal, blind_c in _blind_signals(document, interlock.get("signal")):
                if interlock.get(key) is not None:
                    _limit_in_the_blind(document, interlock, key, interlock.get(key), signal, blind_c)
    for alarm, name, key, value in facts.limits(document, "alarm"):
        for signal, blind_c in _blind_signals(document, name):
            if value < blind_c:
                text = f"has {key} = {number(value)}, but watches {_sensor(signal, blind_c)}"
                document.warn(alarm, key, f"{text}; choose a value above, or another sensor")
                break


def _blind_signals(document, name) -> list:
    """(signal, blind below) of the thermocouples behind a value that say nothing when cold."""
    found = [(each, each.get("sensor")) for each in facts.signals(document, name, choices_only=True)]
    return [(signal, BLIND_BELOW_C[kind]) for signal, kind in found if kind in BLIND_BELOW_C]


def _limit_in_the_blind(document, entry, key, value, signal, blind_c) -> bool:
    if value >= blind_c:
        return False
    text = f"has {key} = {number(value)}, but watches {_sensor(signal, blind_c)}"
    document.problem(entry, key, f"{text}; choose a value above, or a sensor that measures there")
    return True


def _sensor(signal, blind_c) -> str:
    kind = signal.get("sensor")
    return f"signal {signal.name}, a thermocouple of type {kind}, which is blind below {number(blind_c)} degC"


def _limits_of(document, name) -> list:
    """(trip, key, value) of the trips that watch a sensor which the value may be."""
    own = set(map(facts.place, facts.signals(document, name, choices_only=True)))
    found = []
    for trip, watched, key, value in facts.limits(document):
        if own & set(map(facts.place, facts.signals(document, watched, choices_only=True))):
            found.append((trip, key, value))
    return found


def _passes(value, key: str, limit: float) -> bool:
    return value is not None and (value >= limit if key == "above" else value <= limit)


def _beyond_trips(document, loop):
    for trip, side, limit in _limits_of(document, loop.get("pv")):
        for key in ("set_point", "stop_above"):
            if _passes(loop.get(key), side, limit):
                text = f"has {key} = {number(loop.get(key))}, but trip {trip.name} acts {side}"
                text += f" {number(limit)} on the same sensor"
                document.problem(loop, key, f"{text}; keep a distance to it")
        end = "set_point_high" if side == "above" else "set_point_low"
        if _passes(loop.get(end), side, limit) and not _passes(loop.get("set_point"), side, limit):
            text = f"has {end} = {number(loop.get(end))}, but trip {trip.name} acts {side} {number(limit)}"
            document.warn(loop, end, f"{text} on the same sensor: a set-point that trips is accepted")


def _programme_beyond_trips(document, programme):
    loop = facts.led(document, programme)
    for trip, side, limit in _limits_of(document, loop.get("pv")) if loop is not None else ():
        for i, target, _ in facts.targets(programme):
            if _passes(target, side, limit):
                text = f"has the target {number(target)} in segment {i + 1}, but trip {trip.name} acts {side}"
                text += f" {number(limit)} on the same sensor"
                document.problem(programme, ("segments", i), f"{text}; keep a distance to it")


def _uncut(document):
    cut = facts.cut(document)
    told = set()
    for loop in facts.controllers(document):
        heats = loop.kind == "burner" or (loop.kind == "pid" and loop.get("action") == "reverse")
        if not heats or values.unit(document, loop.get("pv") or "") != "degC":
            continue
        for output in facts.heaters(document, loop):
            if output.name not in cut | told:
                told.add(output.name)
                text = f"heats what loop {loop.name} measures, and no trip cuts it"
                document.warn(output, "", f"{text}; name it in the outputs of a trip on high temperature")


def _slow_data(document, loop):
    period_ms = facts.period_ms(document, loop.get("pv"))
    ti_s, td_s = facts.least(loop.get("ti_s")), facts.least(loop.get("td_s"))
    if period_ms is None:
        return
    what = f"but '{loop.get('pv')}' is read every {number(period_ms / 1000.0)} s"
    if ti_s and period_ms >= 1000.0 * ti_s:
        text = f"has ti_s = {number(ti_s)}, {what}: the loop is faster than its data"
        document.problem(loop, "ti_s", f"{text}; shorten period_ms, or lengthen ti_s")
    elif ti_s and period_ms > 250.0 * ti_s:
        text = f"has ti_s = {number(ti_s)}, {what}, more than a quarter of that"
        document.warn(loop, "ti_s", f"{text}; shorten period_ms, or lengthen ti_s")
    if td_s and period_ms > 1000.0 * td_s:
        text = f"has td_s = {number(td_s)}, {what}: the derivative sees steps and no slope"
        document.warn(loop, "td_s", f"{text}; shorten period_ms, or leave the derivative out")


def _channel(document, loop):
    if loop.kind == "burner":
        return
    for name in facts.outputs(document, loop):
        output = document.entry("output", name)
        if output is not None and output.get("drive") == "analogue" and facts.switches(document, output):
            text = f"drives output {name}, whose channel {shown(output.get('channel'))} of device"
            text += f" {output.get('device')} is on or off, but a {loop.kind} asks for any percentage"
            text += '; drive an analogue channel, or write drive = "time_proportioned" there'
            document.problem(loop, "to", text)
