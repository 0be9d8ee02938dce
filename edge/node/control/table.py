"""The kinds of loops that a node file may name."""

from edge.node.control.combustion import BurnerLoop, TrimLoop
from edge.node.control.loops import PidLoop, RatioLoop


def build(name: str, spec: dict, output, lookup):
    """A loop from its table of the node file; ``lookup(name)`` gives a signal, a calc or an output."""
    kind = spec["kind"]
    if kind == "pid":
        forward = spec.get("feed_forward")
        return PidLoop(name, spec, output, lookup(spec["pv"]), lookup(forward) if forward else None)
    if kind == "ratio":
        return RatioLoop(name, spec, output, lookup(spec["of"]))
    if kind == "trim":
        return TrimLoop(name, spec, output, lookup(spec["pv"]), lookup(spec["of"]))
    if kind == "burner":
        return BurnerLoop(name, spec, output, lookup(spec["pv"]))
    raise ValueError("loop %s: unknown kind %s" % (name, kind))
