"""The types of devices that a node file may name."""

from edge.node.devices import ach550, m7019r, m7024, o2_analyser


def build(name: str, spec: dict, sensors: dict, safe: dict):
    """A driver for one [device] table of the node file.

    ``sensors``: input -> sensor of the signals that read it. ``safe``: output channel -> safe value
    in percent or None for hold, of the outputs that it drives.
    """
    kind = spec["type"]
    unit = spec["unit"]
    period_ms = spec["period_ms"]
    if kind == "m7019r":
        return m7019r.M7019R(name, unit, period_ms, sensors)
    if kind == "o2_analyser":
        return o2_analyser.O2Analyser(name, unit, period_ms)
    if kind == "m7024":
        return m7024.M7024(name, unit, period_ms, spec["lease_ms"], safe)
    if kind == "ach550":
        return ach550.Ach550(name, unit, period_ms, spec["lease_ms"], safe["speed"])
    raise ValueError("device %s: no driver for type %s" % (name, kind))


FAMILIES = {"m7019r": m7019r, "o2_analyser": o2_analyser, "m7024": m7024, "ach550": ach550}


def channel(kind: str, name: str) -> int:
    """The number of an output channel by its name in the node file."""
    return FAMILIES[kind].OUTPUTS.index(name)
