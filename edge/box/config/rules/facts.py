"""What rules of plausibility ask of a node file: who reads what, who drives what, what cuts it.

All that these rules know of the grammar of loops, calcs and limits stands here.
"""

from edge.box.config import values
from edge.box.config.families import FAMILIES
from edge.box.config.rules import chain

# Calcs whose result is one of their sources, so that a limit of the one is a limit of the other.
CHOICES = ("vote", "filter")
# Loops that hold a process value at a set-point.
CONTROLLERS = ("pid", "trim", "burner")


def signals(document, reference, choices_only: bool = False, above: tuple = ()) -> list:
    """The signals behind a signal or calc, each once; with ``choices_only`` only those that it may be."""
    if not reference or reference in above:
        return []
    signal, calc = document.entry("signal", reference), document.entry("calc", reference)
    if signal is not None:
        return [signal]
    if calc is None or (choices_only and calc.kind not in CHOICES):
        return []
    found = []
    for name in values.sources(calc):
        for each in signals(document, name, choices_only, (*above, reference)):
            if each not in found:
                found.append(each)
    return found


def least(value):
    """The smallest of a gain schedule, or the number itself; None where there is none."""
    return min(value) if isinstance(value, list) else value


def led(document, programme):
    """The loop that a programme leads, or None."""
    return values.led(document, programme.name)


def targets(programme) -> list:
    """(number of the segment, its target, its rate per minute or None) of all that have a target."""
    segments = programme.get("segments") or ()
    return [(i, one["to"], one.get("at_per_min")) for i, one in enumerate(segments) if "to" in one]


def place(signal) -> tuple:
    """(device, input) that a signal reads: two signals of one place have one sensor."""
    return signal.get("device"), signal.get("input")


def votes(document) -> list:
    """The calcs whose sources have a say each."""
    return [calc for calc in document.of("calc") if calc.kind in CHOICES]


def controllers(document) -> list:
    """The loops that hold a process value at a set-point."""
    return [loop for loop in document.of("loop") if loop.kind in CONTROLLERS]


def outputs(document, entry) -> list:
    """The outputs that a loop moves, itself or through what stands between; by name."""
    return [output.name for output in chain.ends(document, entry)]


def heaters(document, entry, above: tuple = ()) -> list:
    """The outputs through which a loop heats: behind a cross-limit those of its fuel."""
    if entry is None or entry in above:
        return []
    if entry.table == "output":
        return [entry]
    gives = chain.gives(entry)
    if entry.table == "cross_limit":
        gives = gives[:1]
    found = []
    for _, to in gives:
        found += heaters(document, chain.taker(document, to), (*above, entry))
    return found


def limits(document, table: str = "trip") -> list:
    """(entry, signal, key, value) of each limit that the signal can reach."""
    found = []
    for entry in document.of(table):
        signal = entry.get("signal")
        low, high = values.span(document, signal or "")
        for key in ("above", "below"):
            value = entry.get(key)
            if signal and value is not None and low <= value <= high:
                found.append((entry, signal, key, value))
    return found


def cut(document) -> set:
    """The outputs that some trip takes to their safe values."""
    return {name for trip in document.of("trip") for name in trip.get("outputs") or ()}


def period_ms(document, reference):
    """How old the newest value of a signal or calc may be by its polls alone; None where nothing is known."""
    periods = []
    for signal in signals(document, reference):
        device = document.entry("device", signal.get("device") or "")
        if device is not None and device.get("period_ms"):
            periods.append(device.get("period_ms"))
    return max(periods, default=None)


def switches(document, output) -> bool:
    """Whether the channel of an output is on or off, and nothing between."""
    device = document.entry("device", output.get("device") or "")
    family = FAMILIES.get(device.kind) if device is not None else None
    if family is None:
        return False
    register = device.nested.get("register", {}).get(output.get("channel"))
    return family.digital or (register is not None and "bit" in (register.get("type"), register.get("table")))


def span(document, reference):
    """Width of the range in which a value can be good; None where it is not known."""
    low, high = values.span(document, reference or "")
    return high - low if high - low < 1e9 else None
