"""What the node says, and under which topics. The one place that knows both.

Topics: <base>/state, <base>/telemetry, <base>/event, <base>/reporter, <base>/alive with base
furnace/<site>/<node>.
Payloads are JSON; ``v`` is the version of their form.
"""

import json

from edge.node.announcer import active_alarms, unacknowledged
from edge.node.signals import BAD, QUALITIES

VERSION = 2  # of telemetry
EVENT_VERSION = 2
STATE = "state"
TELEMETRY = "telemetry"
EVENT = "event"
REPORTER = "reporter"
ALIVE = "alive"
ONLINE = b"online"
OFFLINE = b"offline"


def base_topic(site: str, name: str) -> str:
    """The topic below which one node speaks."""
    return "furnace/" + site + "/" + name


def reading(source) -> list:
    """[value, quality] of a signal, with the reason where it isn't good; no value where it is bad."""
    quality = source.quality
    if quality == BAD:
        return [None, QUALITIES[quality], source.why]
    value = round(source.value, 3)
    if source.why:
        return [value, QUALITIES[quality], source.why]
    return [value, QUALITIES[quality]]


def telemetry(node, now_ms: int, utc_ms: int) -> bytes:
    """The whole state of a node as one message."""
    guard = node.guard
    outputs = {}
    for output in guard.outputs:
        value = None if output.value is None else round(output.value, 3)
        why = output.shown_why
        outputs[output.name] = [value, output.shown, why] if why else [value, output.shown]
    loops = {}
    for loop in node.loops:
        if loop.set_point is not None:
            pv = getattr(loop.pv, "reference", loop.pv.name)
            set_point = loop.set_point.value
            value = None if set_point is None else round(set_point, 3)
            loops[loop.name] = [value, pv, loop.end, loop.mode]
    first_out = None
    if guard.first_out is not None:
        name, value, at_ms = guard.first_out
        first_out = {"trip": name, "value": round(value, 3), "ago_s": (now_ms - at_ms) // 1000}
    up_ms = now_ms - node.started_us // 1000
    message = {
        "v": VERSION,
        "seq": node.published + 1,
        "t": utc_ms,
        "up_s": up_ms // 1000,
        "signals": {source.name: reading(source) for source in node.sources},
        "outputs": outputs,
        "loops": loops,
        "alarms": active_alarms(node),
        "unacknowledged": unacknowledged(node),
        "first_out": first_out,
        "bus": {bus.name: line(bus, up_ms) for bus in node.buses},
        "tick": node.statistics.summary(),
        "report": node.reporter.stats,
    }
    return json.dumps(message).encode()


def line(bus, up_ms: int) -> dict:
    """Counters of one serial line; ``busy_pct`` since the start."""
    requests = 0
    errors = 0
    late = 0
    faulty = {}
    for station in bus.stations:
        requests += station.requests
        errors += station.errors
        late += station.late
        device = station.device
        why = device.link_fault or device.fault or device.not_following or device.trouble()
        if why:
            faulty[device.name] = why
    busy_pct = round(bus.busy_us / (10.0 * up_ms), 1) if up_ms > 0 else 0.0
    return {
        "requests": requests,
        "errors": errors,
        "late": late,
        "stray_bytes": bus.stray_bytes,
        "busy_pct": busy_pct,
        "faulty": faulty,
    }


def event(event) -> bytes:
    """Something that happened once, as decoded from its record: an alarm that came or went, a command."""
    return json.dumps(
        {
            "v": EVENT_VERSION,
            "boot": event.boot,
            "seq": event.seq,
            "t": event.t_ms,
            "up": event.up_ms,
            "sync": event.synced,
            "kind": event.kind,
            "name": event.name,
            "text": event.text,
            "alarm": event.alarm,
        }
    ).encode()
