"""Rules of interlocks, trips and alarms: a limit that could never act is an error."""

from edge.box.config import values
from edge.box.config.problems import number


def check(document):
    """Add what is wrong with the guard."""
    for interlock in document.of("interlock"):
        _interlock(document, interlock)
        _holding(document, interlock)
    for trip in document.of("trip"):
        _limit(document, trip)
        _holding(document, trip)
    for alarm in document.of("alarm"):
        _limit(document, alarm)


def _interlock(document, interlock):
    on, off = interlock.get("on_at_least"), interlock.get("off_below")
    if on is not None and off is not None and off > on:
        text = f"has off_below = {number(off)} above on_at_least = {number(on)}"
        document.problem(interlock, "off_below", f"{text}, expected the contrary; exchange or correct them")
    low, high = values.span(document, interlock.get("signal") or "")
    if on is not None and not low <= on <= high:
        _useless(document, interlock, "on_at_least", on, "always permit" if on < low else "never permit")
    if off is not None and not low < off <= high:
        _useless(document, interlock, "off_below", off, "never act" if off <= low else "always act")


def _limit(document, limit):
    given = [key for key in ("above", "below") if key in limit.raw]
    if not given:
        document.problem(limit, "", "has neither above nor below, expected exactly one of them; add one")
        return
    if len(given) == 2:
        document.problem(limit, "below", "has both above and below, expected exactly one of them; remove one")
        return
    key = given[0]
    value = limit.get(key)
    if value is None:
        return
    low, high = values.span(document, limit.get("signal") or "")
    if (key == "above" and value >= high) or (key == "below" and value <= low):
        _useless(document, limit, key, value, "never act")
    elif not low <= value <= high:
        _useless(document, limit, key, value, "always act")


def _useless(document, entry, key: str, value: float, effect: str):
    signal = entry.get("signal")
    low, high = values.span(document, signal)
    text = f"has {key} = {number(value)}, but '{signal}' is good only from {number(low)} to {number(high)}"
    document.problem(entry, key, f"{text}, so that it would {effect}; choose a value inside")


def _holding(document, entry):
    for i, name in enumerate(entry.get("outputs") or []):
        output = document.entry("output", name)
        if output is not None and output.get("safe") == "hold":
            text = f'acts on output {name}, whose safe value is "hold", so that it will stand where it is'
            document.warn(entry, ("outputs", i), f"{text}; give it a safe value if that is not meant")
