"""Rules of the chain: each demand has one taker, each taker its one demand, and no unit changes on the way."""

from edge.box.config import values
from edge.box.config.problems import number
from edge.box.config.rules import chain


def check(document):
    """Add what is wrong with how blocks are joined."""
    for entry in document.of("output") + chain.blocks(document):
        _takes(document, entry)
    for block in chain.blocks(document):
        _ring(document, block)
        _units(document, block)
    for select in document.of("select"):
        _select(document, select)
    for cross in document.of("cross_limit"):
        _cross_limit(document, cross)
    for split in document.of("split"):
        _split(document, split)
    _slaves(document)
    for loop in document.of("loop"):
        _reads_itself(document, loop)


def _takes(document, entry):
    """How many demands point to an entry, and how many it can take."""
    givers = chain.givers(document, entry)
    trims = [giver for giver in givers if giver.kind == "trim"]
    masters = [giver for giver in givers if giver.kind != "trim"]
    key = "to" if entry.table != "cross_limit" else ""
    if entry.table == "select":
        if len(givers) < 2:
            text = (
                f"has {len(givers)} demands that point to it, expected two or more; point loops to it with "
            )
            document.problem(entry, "", f'{text}to = "select.{entry.name}"')
        return
    takes_trim = entry.table == "cross_limit" or entry.kind == "ratio"
    for trim in trims if not takes_trim else trims[1:]:
        text = f"gives its factor to {entry}, which "
        text += (
            f"{trims[0]} corrects already; a demand has one trim" if takes_trim else "is no ratio; name one"
        )
        document.problem(trim, "to", text)
    for giver in masters[1:]:
        text = f"gives its demand to {entry}, which {masters[0]} gives one to already"
        document.problem(giver, "to", f"{text}; a taker has one giver: put a select between")
    if entry.table == "output":
        if not givers and entry.get("drive") != "switch" and not _lost_demand(document):
            text = f'is driven by no demand; point one to it with to = "output.{entry.name}", or remove it'
            document.problem(entry, "", text)
    elif entry.table == "loop" and masters:
        if entry.kind not in ("pid", "ratio"):
            text = f"gives its demand to {entry}, a {entry.kind}, which takes none"
            document.problem(masters[0], "to", f"{text}; name a pid, a ratio or a block")
        elif "set_point_from" in entry.raw or (entry.kind == "ratio" and "of" in entry.raw):
            second = "set_point_from" if entry.kind == "pid" else "of"
            text = f"has {second}, but {masters[0]} gives it a demand already; remove one of them"
            document.problem(entry, second, text)
    elif entry.kind == "ratio" and "of" not in entry.raw:
        text = "follows nothing, expected of, or a demand that points to it; add one"
        document.problem(entry, "", text)
    elif entry.table in ("cross_limit", "split") and not masters:
        text = f'has no demand; point one to it with to = "{entry.table}.{entry.name}"'
        document.problem(entry, key, text)


def _lost_demand(document) -> bool:
    """Whether some demand points to what is not there: that is told, and which output lacks it is not known."""
    return any(
        chain.taker(document, to) is None for block in chain.blocks(document) for _, to in chain.gives(block)
    )


def _ring(document, block):
    seen = [block]
    at = block
    while at is not None:
        following = [chain.taker(document, to) for _, to in chain.gives(at)]
        at = following[0] if following else None
        if at is block:
            names = " -> ".join(f"{entry.table}.{entry.name}" for entry in [*seen, block])
            document.problem(block, chain.gives(block)[0][0], f"gives to itself: {names}; break the ring")
            return
        if at in seen:
            return
        seen.append(at)


def _reads_itself(document, loop):
    """A loop is worked after those that it reads: none may read itself, also not by way of others."""
    ways = [[(key, reference)] for key, reference in _of_loops(loop)]
    seen = set()
    while ways:
        way = ways.pop(0)
        name = way[-1][1].split(".")[1]
        if name == loop.name:
            names = " -> ".join(reference for _, reference in way)
            text = f"reads itself: {names}; read what gives that value instead"
            document.problem(loop, way[0][0], text)
            return
        other = document.entry("loop", name)
        if other is not None and name not in seen:
            seen.add(name)
            ways += [[*way, (key, reference)] for key, reference in _of_loops(other)]


def _of_loops(loop) -> list:
    """(key, reference) of what a loop reads of loops."""
    keys = ("set_point_from", "low_from", "schedule", "pv", "of", "hold_unless_leading")
    found = [(key, loop.get(key)) for key in keys]
    found += [("forward", pair[0]) for pair in loop.get("forward") or []]
    return [(key, reference) for key, reference in found if str(reference).startswith("loop.")]


def _units(document, block):
    for key, to in chain.gives(block):
        taker = chain.taker(document, to)
        if taker is None or block.kind == "trim":
            continue
        taken = chain.takes_unit(document, taker)
        if block.table == "cross_limit":
            given = document.unit(block.get(key.partition("_")[0]) or "")
        elif block.table == "split":
            given = chain.takes_unit(document, block)
        else:
            given = chain.unit(document, block)
        if None not in (given, taken) and given != taken:
            text = f'asks in "{given}", but {taker} takes "{taken}"'
            where = "unit" if "unit" in block.raw else key
            document.problem(block, where, f"{text}; a demand keeps its unit: correct unit or taker")
        if block.table == "loop" and given is None and _asks_a_ratio(document, taker):
            text = f"has no unit, and {taker} does not say in what it takes its demand; add unit"
            document.problem(block, "", text)


def _asks_a_ratio(document, taker) -> bool:
    """Whether a demand comes to a ratio, the one taker that takes any unit."""
    while taker is not None and taker.table == "select":
        taker = chain.taker(document, taker.get("to"))
    return taker is not None and taker.kind == "ratio"


def _select(document, select):
    givers = {giver.name: giver for giver in chain.givers(document, select)}
    policies = select.get("if_bad")
    if policies is None:
        return
    for name in givers:
        if name not in policies:
            text = f"says nothing of its input {name} (if_bad), expected what it counts as when it is refused"
            document.problem(select, "if_bad", f'{text}; add {name} = "refuse", "leave_out" or a number')
    for name in policies:
        if name not in givers:
            text = (
                f"names the input {name} (if_bad), which does not point to it; remove it, or correct the name"
            )
            document.problem(select, ("if_bad", name), text)
    if select.get("take") == "highest" and not select.get("highest_to_fuel"):
        for output in chain.ends(document, select):
            if is_fuel(document, output):
                text = f'has take = "highest" on the way to output {output.name}, which lets fuel in'
                document.problem(select, "take", f"{text}; take the lowest, or say highest_to_fuel = true")


def is_fuel(document, output) -> bool:
    """Whether an output lets fuel in: it says so, a cross-limit does, or a burner loop drives it."""
    if output.get("fuel"):
        return True
    for block in chain.blocks(document):
        reached = []
        if block.table == "cross_limit":
            reached = chain.ends(document, chain.taker(document, block.get("fuel_to")))
        elif block.kind == "burner":
            reached = chain.ends(document, block)
        if output in reached:
            return True
    return False


def trim_of(document, cross) -> tuple:
    """(low, high) of the trim that corrects a cross-limit, 1 without one."""
    for giver in chain.givers(document, cross):
        if giver.kind == "trim" and None not in (giver.get("low"), giver.get("high")):
            return giver.get("low"), giver.get("high")
    return 1.0, 1.0


def lowest_lambda(document, cross):
    """The lowest air ratio at trim 1, or None where it is not known."""
    found = [cross.get("lambda")] if cross.get("lambda") is not None else []
    if cross.get("lambda_from"):
        low, _ = values.span(document, cross.get("lambda_from"))
        found.append(low)
    return min(found) if found else None


def _cross_limit(document, cross):
    low_lambda, least = lowest_lambda(document, cross), cross.get("lambda_min")
    if low_lambda is None:
        text = "has neither lambda nor lambda_from, expected the air ratio at trim 1; add one"
        document.problem(cross, "", text)
        return
    bands = cross.get("bands")
    if bands is not None and (len(bands) != 4 or not all(0.0 <= band <= 1.0 for band in bands)):
        document.problem(cross, "bands", "has bands that are not four numbers from 0 to 1; correct them")
        return
    if bands and not (bands[0] + bands[3] > 0.0 and bands[1] + bands[2] > 0.0):
        document.problem(cross, "bands", "has bands with which the load could not change; widen them")
        return
    k1 = bands[0] if bands else 0.0
    trim_low, _ = trim_of(document, cross)
    if least is not None and low_lambda * trim_low < least * (1.0 + k1):
        text = f"has lambda x lowest trim = {low_lambda:.4g} x {number(trim_low)} below"
        text += f" lambda_min (1 + k1) = {least * (1.0 + k1):.4g}: fuel would be let in that the guarantee forbids"
        document.problem(cross, "lambda_min", f"{text}; raise lambda or the trim's low, or lower k1")


def _split(document, split):
    parts, shares = split.get("parts"), split.get("shares")
    if parts is None or shares is None:
        return
    if len(parts) != len(shares) or not all(share >= 0.0 for share in shares) or not sum(shares) > 0.0:
        text = f"has {len(shares)} shares for {len(parts)} parts, expected one of 0 or more for each"
        document.problem(split, "shares", f"{text}; correct them")
    units = {chain.takes_unit(document, chain.taker(document, part)) for part in parts}
    if len(units - {None}) > 1:
        document.problem(split, "parts", f"has parts in {sorted(units - {None})}, expected one unit for all")


def _slaves(document):
    """A slave must be faster than its master, else both swing."""
    for slave in document.of("loop"):
        for master in chain.givers(document, slave):
            if slave.kind != "pid" or master.kind != "pid":
                continue
            times = [_slowest(entry.get("ti_s")) for entry in (master, slave)]
            if None not in times and times[0] > 0.0 and times[1] >= times[0]:
                text = f"has ti_s = {number(times[1])}, which is no faster than its master {master.name} with"
                text += f" ti_s = {number(times[0])}"
                document.problem(slave, "ti_s", f"{text}; a slave is several times faster than its master")


def _slowest(ti_s):
    return max(ti_s) if isinstance(ti_s, list) else ti_s
