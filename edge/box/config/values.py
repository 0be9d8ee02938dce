"""What is known of a value before anything runs: its unit and the range in which it can be good."""

import math

ANYWHERE = (-math.inf, math.inf)


def unit(document, reference: str):
    """The unit of a signal, calc or output, or None where it is not known."""
    entry = _entry(document, reference)
    return entry.get("unit") if entry else None


def span(document, reference: str, above: tuple = ()) -> tuple:
    """(low, high) of the good values of a signal, calc or output; infinite where nothing is known.

    A calc has the range that follows from what it reads; ``above``: the calcs that led here.
    """
    entry = _entry(document, reference)
    if entry is None or reference in above:
        return ANYWHERE
    if entry.table == "calc":
        return _span_of_calc(document, entry, above + (reference,))
    low, high = entry.get("low"), entry.get("high")
    if low is None or high is None or low >= high:
        return ANYWHERE
    safe = entry.get("safe")
    if isinstance(safe, float):
        low = min(low, safe)
    return low, high


def sources(calc) -> list:
    """The names that a calc reads; an output is none of them."""
    return [name for _, _, name, _ in calc.references() if not name.startswith("output.")]


def _entry(document, reference: str):
    if reference.startswith("output."):
        return document.entry("output", reference[len("output.") :])
    return document.entry("signal", reference) or document.entry("calc", reference)


def _span_of_calc(document, calc, above) -> tuple:
    spans = [span(document, name, above) for name in sources(calc)]
    if not spans:
        return ANYWHERE
    if len({unit(document, name) for name in sources(calc)}) > 1 and calc.kind != "weighted_sum":
        return ANYWHERE
    # Bad sources are left out of a choice, so that any one of them can be the result.
    hull = (min(low for low, _ in spans), max(high for _, high in spans))
    if calc.kind in ("maximum", "minimum", "median"):
        return hull
    if calc.kind == "section_minimum":
        # Every section has its say: the result is no higher than the lowest section can be.
        tops = [max(span(document, name, above)[1] for name in section) for section in calc.get("sections")]
        return hull[0], min(tops)
    if calc.kind == "lambda_wet":
        return 0.0, math.inf
    weights = calc.get("weights")
    if calc.kind == "weighted_sum" and weights and len(weights) == len(spans):
        ends = [(low * w, high * w) for (low, high), w in zip(spans, weights, strict=True) if w]
        return sum(min(pair) for pair in ends), sum(max(pair) for pair in ends)
    return ANYWHERE
