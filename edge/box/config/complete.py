"""What a node file may leave out of control because it follows from the rest: units, ranges, lists."""

from edge.box.config import values
from edge.box.config.rules import blocks, chain


def complete_blocks(document, description: dict):
    """Fill in, so that the node has nothing left to find out."""
    for name, spec in description["loop"].items():
        loop = document.entry("loop", name)
        spec["unit"] = chain.unit(document, loop)
        if "pv" in spec:
            spec["set_point_low"], spec["set_point_high"] = chain.set_point_range(document, loop)
            # A programme is no source: it leads the loop.
            if spec.get("set_point_from", "").startswith("programme."):
                led_by = spec.pop("set_point_from").partition(".")[2]
                description["programme"][led_by]["loop"] = name
                description["programme"][led_by]["unit"] = values.unit(document, spec["pv"])
        if loop.kind != "trim":
            spec["low"], spec["high"] = chain.demand_range(document, loop)
        if loop.kind == "pid":
            count = len(spec.get("at", [0.0]))
            for key in ("gain", "ti_s", "td_s"):
                if not isinstance(spec[key], list):
                    spec[key] = [spec[key]] * count
    for name, spec in description["select"].items():
        spec["unit"] = chain.takes_unit(document, document.entry("select", name))
    for name, spec in description["cross_limit"].items():
        cross = document.entry("cross_limit", name)
        spec.setdefault("lambda", _highest_lambda(document, cross))
        spec["trim_low"], spec["trim_high"] = blocks.trim_of(document, cross)
    for spec in description.get("remote", {}).get("allow", {}).values():
        if spec["action"] == "value":
            value = description["level2"][spec["level2"]]
            spec["low"], spec["high"] = value["low"], value["high"]
    for name, spec in description["split"].items():
        split = document.entry("split", name)
        spec["unit"] = chain.takes_unit(document, split)
        ranges = [chain.range_of(document, part) for part in spec["parts"]]
        spec["lows"] = [low for low, _ in ranges]
        spec["highs"] = [high for _, high in ranges]


def _highest_lambda(document, cross) -> float:
    """To begin with, before the load is known: the most air."""
    return values.span(document, cross.get("lambda_from"))[1]
