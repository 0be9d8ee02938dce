"""What is known of a value before anything runs: its unit and the range in which it can be good."""

import math

from edge.node.calc.kinds import READS
from edge.node.calc.product import power

ANYWHERE = (-math.inf, math.inf)


def readable(document) -> list:
    """The names of all that can be read."""
    names = document.names("signal") + document.names("calc")
    for table in ("level2", "output", "loop", "select", "state", "programme"):
        names += [f"{table}.{name}" for name in document.names(table)]
    names += [f"loop.{name}.set_point" for name in document.names("loop")]
    for name in document.names("programme"):
        names += [f"programme.{name}.set_point", f"programme.{name}.rate"]
        content = document.raw["programme"][name]
        segments = content.get("segments") if isinstance(content, dict) else None
        for segment in segments if isinstance(segments, list) else []:
            if isinstance(segment, dict) and isinstance(segment.get("event"), str):
                names.append(f"programme.{name}.{segment['event']}")
    return names


def unit(document, reference: str):
    """The unit of what is read, or None where it is not known."""
    table, name, rest = split(document, reference)
    if table == "state" or (table == "programme" and rest not in ("", "set_point", "rate")):
        return ""
    if table == "programme":
        loop = led(document, name)
        found = unit(document, loop.get("pv") or "") if loop else None
        return found + "/min" if found is not None and rest == "rate" else found
    entry = document.entry(table, name)
    if entry is None:
        return None
    if table == "loop" and rest == "set_point":
        return unit(document, entry.get("pv") or "")
    if table in ("loop", "select"):
        from edge.box.config.rules import chain

        return chain.unit(document, entry)
    # Kelvin in a signal is told where it stands, and nowhere else.
    return None if table == "signal" and entry.get("unit") == "K" else entry.get("unit")


def span(document, reference: str, above: tuple = ()) -> tuple:
    """(low, high) of the good values of what is read; infinite where nothing is known.

    A calc has the range that follows from what it reads; ``above``: the calcs that led here.
    """
    table, name, rest = split(document, reference)
    entry = document.entry(table, name)
    if table == "state":
        return 0.0, 1.0
    if entry is None or reference in above:
        return ANYWHERE
    if table == "calc":
        return _span_of_calc(document, entry, above + (reference,))
    if table == "loop" and rest == "set_point":
        low, high = entry.get("set_point_low"), entry.get("set_point_high")
        if low is None or high is None:
            inner = span(document, entry.get("pv") or "", above + (reference,))
            return (inner[0] if low is None else low, inner[1] if high is None else high)
        return low, high
    if table in ("loop", "select", "programme"):
        return ANYWHERE
    low, high = entry.get("low"), entry.get("high")
    if low is None or high is None or low >= high:
        return ANYWHERE
    safe = entry.get("safe")
    if isinstance(safe, float):
        low = min(low, safe)
    return low, high


def split(document, reference: str) -> tuple:
    """(table, name, rest) of a reference."""
    parts = reference.split(".")
    if len(parts) > 1:
        return parts[0] if parts[0] in document.entries else "signal", parts[1], ".".join(parts[2:])
    return "signal" if document.entry("signal", reference) else "calc", reference, ""


def led(document, programme: str):
    """The loop whose set-point a programme leads, or None."""
    for loop in document.of("loop"):
        if loop.get("set_point_from") == "programme." + programme:
            return loop
    return None


def sources(calc) -> list:
    """The names that a calc reads."""
    return [name for _, _, name, _ in calc.references()]


def _span_of_calc(document, calc, above) -> tuple:
    names = []
    for key in READS.get(calc.kind, ()):
        named = calc.get(key)
        names += named if isinstance(named, list) else [named] if named else []
    spans = [span(document, name, above) for name in names]
    if not spans:
        return ANYWHERE
    hull = (min(low for low, _ in spans), max(high for _, high in spans))
    if calc.kind == "vote":
        if len({unit(document, name) for name in names}) > 1:
            return ANYWHERE
        if calc.get("take") == "lowest" and calc.get("least") == len(names):
            # All of them have their say: the result is no higher than the lowest can be.
            return hull[0], min(high for _, high in spans)
        return hull
    if calc.kind == "lambda":
        return 0.0, math.inf
    if calc.kind == "sum":
        weights = calc.get("weights") or [1.0] * len(names)
        constant = calc.get("constant") or 0.0
        if len(weights) == len(spans):
            ends = [(low * w, high * w) for (low, high), w in zip(spans, weights, strict=True) if w]
            return constant + sum(min(pair) for pair in ends), constant + sum(max(pair) for pair in ends)
    if calc.kind == "product":
        return _span_of_product(calc, spans)
    if calc.kind == "table" and calc.get("points"):
        heights = [point[1] for point in calc.get("points")]
        return min(heights), max(heights)
    if calc.kind == "filter" and calc.get("does") in ("lag", "mean", "median", "delay"):
        return hull
    if calc.kind == "heating_value" and None not in (calc.get("low"), calc.get("high")):
        return calc.get("low"), calc.get("high")
    return ANYWHERE


def _span_of_product(calc, spans: list) -> tuple:
    powers = calc.get("powers") or [1.0] * len(spans)
    factor = calc.get("factor")
    if len(powers) != len(spans) or factor is None or any(low < 0.0 for low, _ in spans):
        return ANYWHERE
    low = high = abs(factor)
    for (least, most), exponent in zip(spans, powers, strict=True):
        if math.isinf(most) or (exponent < 0.0 and least <= 0.0):
            return ANYWHERE
        ends = sorted((power(least, exponent), power(most, exponent)))
        low, high = low * ends[0], high * ends[1]
    return (low, high) if factor >= 0.0 else (-high, -low)
