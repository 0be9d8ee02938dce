"""Rules of single loops, programmes and autotunes."""

from edge.box.config import values
from edge.box.config.problems import number
from edge.box.config.rules import chain

BURNER_ORDER = ("start_below", "start_falling_below", "set_point", "stop_above")


def check(document):
    """Add what is wrong with loops."""
    for loop in document.of("loop"):
        _own_end(document, loop)
        if "set_point" in loop.fields and loop.kind:
            _set_point(document, loop)
        if loop.kind == "pid":
            _pid(document, loop)
        elif loop.kind == "burner":
            _burner(document, loop)
        if loop.kind in ("pid", "ratio", "burner"):
            _range(document, loop)
    for programme in document.of("programme"):
        _programme(document, programme)
    for autotune in document.of("autotune"):
        _autotune(document, autotune)


def _own_end(document, loop):
    ends = {f"output.{output.name}" for output in chain.ends(document, loop)}
    direct = {to for _, to in chain.gives(loop)}
    for key, table, name, _ in loop.references():
        if table == "value" and name in ends & direct:
            document.problem(loop, key, f"reads its own output '{name}' ({key}); name what it shall follow")


def _set_point(document, loop):
    low, high = chain.set_point_range(document, loop)
    set_point = loop.get("set_point")
    if loop.get("pv") and not (abs(low) <= 1e9 and abs(high) <= 1e9):
        missing = "set_point_low" if not abs(low) <= 1e9 else "set_point_high"
        text = f"has no {missing}, and the range of '{loop.get('pv')}' does not tell it; add it"
        document.problem(loop, "", text)
        return
    ends = f"set_point_low = {number(low)} and set_point_high = {number(high)}"
    if low >= high:
        key = "set_point_low" if "set_point_low" in loop.raw else "set_point_high"
        document.problem(loop, key, f"has {ends}, expected low below high; exchange or correct them")
    elif set_point is not None and not low <= set_point <= high:
        text = f"has set_point = {number(set_point)}, but {ends}; choose a value between them"
        document.problem(loop, "set_point", text)
    within_pv(document, loop, ("set_point_low", "set_point_high"))
    if loop.kind in ("pid", "trim"):
        _given(document, loop)


def _given(document, loop):
    """Where the set-point comes from."""
    source = loop.get("set_point_from")
    master = [giver for giver in chain.givers(document, loop) if giver.kind != "trim"]
    if source is None and not master and "set_point" not in loop.raw:
        text = "has no set-point: no set_point, no set_point_from, and no demand points to it; add one"
        document.problem(loop, "", text)
    if source and not source.startswith("programme."):
        given, needed = values.unit(document, source), values.unit(document, loop.get("pv") or "")
        if None not in (given, needed) and given != needed:
            text = f"takes its set-point from '{source}' in \"{given}\", but '{loop.get('pv')}' is in \"{needed}\""
            document.problem(loop, "set_point_from", f"{text}; compare like with like")
    elif source and source.count(".") > 1:
        text = f'has set_point_from = "{source}"; a programme leads with set_point_from = "programme.NAME"'
        document.problem(loop, "set_point_from", text)


def within_pv(document, loop, keys):
    """A process value that can't come near a limit would never be seen there."""
    pv = loop.get("pv")
    if pv is None:
        return
    low, high = values.span(document, pv)
    for key in keys:
        value = loop.get(key)
        if value is not None and not low <= value <= high:
            text = f"has {key} = {number(value)}, but '{pv}' is good only"
            text += f" from {number(low)} to {number(high)}"
            document.problem(loop, key, f"{text}; choose a value in that range")


def _range(document, loop):
    low, high = chain.demand_range(document, loop)
    own = {"low", "high"} & set(loop.raw)
    ends = chain.ends(document, loop)
    if any(None in (end.get("low"), end.get("high")) or end.get("low") >= end.get("high") for end in ends):
        # What is wrong with an output is told there.
        return
    if not (abs(low) <= 1e9 and abs(high) <= 1e9):
        if chain.taker(document, loop.get("to")) is not None:
            text = f"has no low and high, and '{loop.get('to')}' does not tell them; add them"
            document.problem(loop, "", text)
    elif low >= high and own:
        key = "low" if "low" in own else "high"
        text = f"has a demand from {number(low)} to {number(high)}, expected low below high"
        document.problem(loop, key, f"{text}; correct it")


def _pid(document, loop):
    at = loop.get("at")
    lists = [key for key in ("gain", "ti_s", "td_s") if isinstance(loop.get(key), list)]
    if "schedule" in loop.raw and at is None and "at" not in loop.raw:
        document.problem(loop, "schedule", "has schedule without at, expected the values; add at")
    if "at" in loop.raw and "schedule" not in loop.raw:
        document.problem(loop, "at", "has at without schedule, the value that it is about; add schedule")
    if at is not None and (len(at) < 2 or sorted(set(at)) != at):
        document.problem(loop, "at", "has at with values that do not rise; sort them")
    for key in lists:
        if at is None or len(loop.get(key)) != len(at):
            text = f"has {len(loop.get(key))} numbers in {key}, expected one for each value of at"
            document.problem(loop, key, f"{text}; correct them")
    if at is not None and not lists:
        document.problem(loop, "at", "has at, but gain, ti_s and td_s are single numbers; write lists")
    if lists and 0.0 in _all(loop.get("ti_s")):
        document.problem(
            loop, "ti_s", "has ti_s = 0 in a gain schedule, which needs integral action; raise it"
        )
    for output in chain.ends(document, loop):
        if output.get("drive") == "switch":
            text = f"drives output {output.name}, a switch, which an analogue demand would wear out in a day"
            document.problem(loop, "to", f'{text}; write drive = "time_proportioned" there, or use a state')


def _all(value) -> list:
    return value if isinstance(value, list) else [value]


def _burner(document, loop):
    within_pv(document, loop, ("start_below", "start_falling_below", "stop_above"))
    thresholds = [loop.get(key) for key in BURNER_ORDER]
    if None not in thresholds and (sorted(thresholds) != thresholds or thresholds[1] == thresholds[3]):
        found = ", ".join(f"{key} = {number(loop.get(key))}" for key in BURNER_ORDER)
        falls = [i for i in range(1, len(thresholds)) if thresholds[i] < thresholds[i - 1]]
        key = BURNER_ORDER[falls[0] - 1] if falls else "stop_above"
        text = f"has {found}, expected them in rising order; correct what is out of order"
        document.problem(loop, key, text)
    minimum = loop.get("minimum")
    low, high = chain.demand_range(document, loop)
    if minimum is not None and low < high and not low <= minimum <= high:
        text = f"has minimum = {number(minimum)}, but '{loop.get('to')}' goes"
        text += f" from {number(low)} to {number(high)}"
        document.problem(loop, "minimum", f"{text}; choose a value in that range")


def _programme(document, programme):
    loop = values.led(document, programme.name)
    if loop is None:
        text = f'leads no loop; write set_point_from = "programme.{programme.name}" in one, or remove it'
        document.problem(programme, "", text)
        return
    led = [
        other for other in document.of("loop") if other.get("set_point_from") == f"programme.{programme.name}"
    ]
    for other in led[1:]:
        text = f"is led by programme {programme.name}, which leads loop {loop.name} already"
        document.problem(other, "set_point_from", f"{text}; give it a programme of its own")
    low, high = chain.set_point_range(document, loop)
    for i, segment in enumerate(programme.get("segments") or [], 1):
        target = segment.get("to")
        if target is not None and not low <= target <= high:
            text = f"has the target {number(target)} in segment {i}, but the set-point of loop {loop.name}"
            text += f" goes from {number(low)} to {number(high)}"
            document.problem(programme, "segments", f"{text}; choose a target in that range")


def _autotune(document, autotune):
    loop = document.entry("loop", autotune.get("loop") or "")
    if loop is None:
        return
    if loop.kind != "pid":
        document.problem(autotune, "loop", f"names loop {loop.name}, a {loop.kind}; only a pid can be tuned")
    hysteresis, furthest = autotune.get("hysteresis"), autotune.get("furthest")
    if None not in (hysteresis, furthest) and hysteresis >= furthest:
        text = f"has hysteresis = {number(hysteresis)} and furthest = {number(furthest)}"
        document.problem(autotune, "furthest", f"{text}, expected it far above; raise it")
