"""What follows for a block from the one that takes its demand: unit, range, order."""

from edge.box.config import values

TABLES = ("loop", "select", "cross_limit", "split")


def gives(entry) -> list:
    """(key, reference of the taker) of everything that a block asks for."""
    if entry.table == "cross_limit":
        return [(key, entry.get(key)) for key in ("fuel_to", "air_to") if entry.get(key)]
    if entry.table == "split":
        return [("parts", part) for part in entry.get("parts") or []]
    if entry.kind == "burner":
        return [(key, entry.get(key)) for key in ("to", "release") if entry.get(key)]
    return [("to", entry.get("to"))] if entry.get("to") else []


def blocks(document) -> list:
    """All entries that give demands."""
    return [entry for table in TABLES for entry in document.of(table)]


def taker(document, reference: str):
    """The entry that takes a demand, or None."""
    table, _, name = (reference or "").partition(".")
    return document.entry(table, name) if table in document.entries else None


def givers(document, entry) -> list:
    """The entries whose demands an entry takes, in the order of the file."""
    reference = f"{entry.table}.{entry.name}"
    found = []
    for block in blocks(document):
        found += [block for _, to in gives(block) if to == reference]
    return found


def takes_unit(document, entry, above=()):
    """The unit of the demand that an entry takes (a trim's aside), or None where it is not known."""
    if entry is None or entry in above:
        return None
    above = (*above, entry)
    if entry.table == "output":
        return entry.get("unit")
    if entry.table == "loop":
        if entry.kind == "pid":
            return values.unit(document, entry.get("pv") or "")
        return None
    if entry.table == "cross_limit":
        return values.unit(document, entry.get("fuel") or "")
    if entry.table == "split":
        for part in entry.get("parts") or []:
            return takes_unit(document, taker(document, part), above)
        return None
    return takes_unit(document, taker(document, entry.get("to")), above)


def unit(document, entry):
    """The unit of a block's demand, or None where it is not known."""
    if entry.kind == "trim":
        return ""
    return entry.get("unit") or takes_unit(document, taker(document, entry.get("to")))


def range_of(document, reference: str, above=()) -> tuple:
    """(low, high) of the demand that ``reference`` takes; infinite where it is not known."""
    entry = taker(document, reference)
    if entry is None or entry in above:
        return values.ANYWHERE
    above = (*above, entry)
    if entry.table == "output":
        low, high = entry.get("low"), entry.get("high")
        return (low, high) if None not in (low, high) else values.ANYWHERE
    if entry.table == "loop" and entry.kind == "pid":
        return set_point_range(document, entry)
    if entry.table == "split":
        ranges = [range_of(document, part, above) for part in entry.get("parts") or []]
        return sum(low for low, _ in ranges), sum(high for _, high in ranges)
    if entry.table == "select":
        return range_of(document, entry.get("to"), above)
    return values.ANYWHERE


def set_point_range(document, loop) -> tuple:
    """(low, high) of a loop's set-point: as it says, else where its process value can be good."""
    low, high = values.span(document, loop.get("pv") or "")
    own_low, own_high = loop.get("set_point_low"), loop.get("set_point_high")
    return (low if own_low is None else own_low, high if own_high is None else own_high)


def demand_range(document, loop) -> tuple:
    """(low, high) of a loop's demand: as it says, else what its taker takes."""
    low, high = range_of(document, loop.get("to"))
    own_low, own_high = loop.get("low"), loop.get("high")
    return (low if own_low is None else own_low, high if own_high is None else own_high)


def ends(document, entry, above=()) -> list:
    """The outputs that a block's demands come to."""
    if entry is None or entry in above:
        return []
    if entry.table == "output":
        return [entry]
    found = []
    for _, to in gives(entry):
        found += ends(document, taker(document, to), (*above, entry))
    return found
