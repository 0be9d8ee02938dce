"""Rules of conditions: one test each, with a way back, and a limit that could never act is an error."""

from edge.box.config import values
from edge.box.config.problems import number
from edge.box.config.rules.order import ordered

TABLES = ("state", "interlock", "trip", "alarm")
MOVES = ("rises_more_than", "falls_more_than", "rises_less_than", "falls_less_than")
JOINED = ("all", "any", "not")


def check(document):
    """Add what is wrong with the guard."""
    for table in TABLES:
        for entry in document.of(table):
            _test(document, entry)
            if table in ("interlock", "trip"):
                _holding(document, entry)
    _stuck_heat(document)


def order_of_states(document) -> list:
    """The names of the states, each after those that it names; a circle is a problem."""

    def below(state):
        named = [name for _, table, name, _ in state.references() if table == "state"]
        named += [name[len("state.") :] for _, _, name, _ in state.references() if name.startswith("state.")]
        return [document.entry("state", name) for name in named if document.entry("state", name)]

    def complain(state, circle):
        document.problem(state, "", f"is made of itself: {circle}; break the circle")

    return ordered(document.of("state"), below, complain)


def _test(document, entry):
    joined = [key for key in JOINED if key in entry.raw]
    if joined:
        _alone(document, entry, joined[0], ("on_after_s", "off_after_s", "outputs", "if_bad"))
        return
    if "signal" not in entry.raw:
        text = "watches nothing, expected signal, or all, any or not of states; add one"
        document.problem(entry, "", text)
        return
    tests = [key for key in ("above", "below", "repeats", *MOVES) if key in entry.raw]
    if len(tests) != 1:
        found = f"has {' and '.join(tests)}" if tests else "has neither above nor below"
        text = f"{found}, expected exactly one of above, below, repeats and {', '.join(MOVES)}"
        document.problem(entry, tests[1] if tests else "", f"{text}; {'remove' if tests else 'add'} one")
        return
    if tests[0] in MOVES:
        _moves(document, entry, tests[0])
    elif tests[0] != "repeats":
        _limit(document, entry, tests[0])


def _alone(document, entry, key: str, allowed):
    for other in entry.raw:
        if other != key and other not in allowed:
            text = f"has {key} and {other}, expected states alone; name a state for the other"
            document.problem(entry, other, text)


def _moves(document, entry, key: str):
    if "in_s" not in entry.raw:
        document.problem(entry, key, f"has {key} without in_s, expected the time for it; add in_s")
    if "less" in key and "when" not in entry.raw:
        document.problem(entry, key, f"has {key} without when, the state that demands it; add when")
    if "dead_band" in entry.raw:
        document.problem(entry, "dead_band", f"has dead_band, which {key} does not use; remove it")


def _limit(document, entry, key: str):
    reset = "reset_below" if key == "above" else "reset_above"
    other = "reset_above" if key == "above" else "reset_below"
    if other in entry.raw:
        document.problem(entry, other, f"has {other} with {key}, expected {reset}; rename it")
        return
    ways = [name for name in ("dead_band", reset) if name in entry.raw]
    if len(ways) != 1:
        text = f"has {key} with {'both' if ways else 'neither'} dead_band {'and' if ways else 'nor'} {reset}"
        text += ", expected exactly one: at the edge of the noise it would come and go all the time"
        document.problem(entry, ways[1] if ways else key, f"{text}; {'remove one' if ways else 'add one'}")
        return
    for name in ("in_s", "when"):
        if name in entry.raw:
            document.problem(entry, name, f"has {name}, which {key} does not use; remove it")
    value, back = entry.get(key), entry.get(reset)
    if value is not None and back is not None and (back >= value if key == "above" else back <= value):
        text = f"has {key} = {number(value)} and {reset} = {number(back)}, expected a way back"
        document.problem(entry, reset, f"{text}; exchange or correct them")
    signal = entry.get("signal")
    if value is None or signal is None:
        return
    low, high = values.span(document, signal)
    if (key == "above" and value >= high) or (key == "below" and value <= low):
        _useless(document, entry, key, value, "never be on")
    elif not low <= value <= high:
        _useless(document, entry, key, value, "always be on")
    if back is None and entry.get("dead_band") is not None:
        back = value - entry.get("dead_band") if key == "above" else value + entry.get("dead_band")
    if back is not None and low <= value <= high and not low <= back <= high:
        key = reset if reset in entry.raw else "dead_band"
        text = f"is left only at {number(back)}, but '{signal}' is good only from {number(low)} to {number(high)}"
        document.problem(entry, key, f"{text}, so that it would never go; choose a value inside")


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


def _stuck_heat(document):
    """A switch that sticks keeps heating: only another one can take the power away."""
    for output in document.of("output"):
        if output.get("drive") != "time_proportioned":
            continue
        guarded = False
        for trip in document.of("trip"):
            others = [document.entry("output", name) for name in trip.get("outputs") or []]
            apart = [other for other in others if other is not None and other is not output]
            rises = "rises_more_than" in trip.raw and "when" in trip.raw
            guarded = guarded or (rises and any(other.get("drive") == "switch" for other in apart))
        if not guarded:
            text = (
                "heats through a switch that can stick, and no trip of rises_more_than, when no heat is asked"
            )
            text += ' for, opens a contactor of its own (drive = "switch")'
            document.warn(output, "drive", f"{text}; add one, and a limiter that is no part of this node")
