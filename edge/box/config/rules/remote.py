"""Rules of commands from afar: nothing is allowed that the node itself would not do."""

from edge.box.config.problems import number
from edge.box.config.rules import chain


def check(document):
    """Add what is wrong with what is allowed from afar."""
    allows = document.of("remote.allow")
    owners = {}
    for allow in allows:
        for target in _targets(allow):
            first = owners.setdefault((allow.kind, target), allow)
            if first is not allow:
                text = f"allows {allow.kind} of {target}, which allow {first.name} does already"
                document.problem(allow, "", f"{text}; name it once, with one range")
        if allow.kind == "set_point":
            _set_point(document, allow)
        elif allow.kind == "output":
            _output(document, allow)
        elif allow.kind == "acknowledge" and not {"alarms", "trips"} & set(allow.raw):
            text = "has neither alarms nor trips, expected at least one of them; add one"
            document.problem(allow, "", text)
    _door(document, allows)


def _targets(allow) -> list:
    """What an entry is about, by name, each table of names apart."""
    targets = [(key, allow.get(key)) for key in ("loop", "programme", "level2") if allow.get(key)]
    for key in ("alarms", "trips"):
        targets += [(key[:-1], name) for name in allow.get(key) or []]
    return [f"{table} {name}" for table, name in targets]


def _limits(document, entry) -> tuple:
    """(loop, low, high) of the set-point that an entry is about; None for what is not known."""
    loop = document.entry("loop", entry.get("loop") or "")
    if loop is None or loop.kind is None:
        return None, None, None
    if "set_point" not in loop.fields:
        text = f"names loop {loop.name} ({loop.kind}), which has no set-point; name a loop that has one"
        document.problem(entry, "loop", text)
        return None, None, None
    return (loop, *chain.set_point_range(document, loop))


def _set_point(document, allow):
    loop, low, high = _limits(document, allow)
    if loop is not None:
        _within(document, allow, low, high, f"the set-point of loop {loop.name}")


def _output(document, allow):
    loop = document.entry("loop", allow.get("loop") or "")
    if loop is not None and loop.kind is not None:
        low, high = chain.demand_range(document, loop)
        if abs(low) <= 1e9 and abs(high) <= 1e9:
            _within(document, allow, low, high, f"the demand of loop {loop.name}")


def _within(document, allow, low: float, high: float, what: str):
    ends = {key: allow.get(key) for key in ("low", "high")}
    for key, value in ends.items():
        if value is not None and not low <= value <= high:
            text = f"has {key} = {number(value)}, but {what} goes from {number(low)} to {number(high)}"
            document.problem(allow, key, f"{text}; choose a value in that range")
    if None not in ends.values() and ends["low"] > ends["high"]:
        text = f"has low = {number(ends['low'])} and high = {number(ends['high'])}, expected low up to high"
        document.problem(allow, "low", f"{text}; exchange or correct them")


def _door(document, allows: list):
    remote = document.entry("remote")
    enabled = remote is not None and remote.get("enabled")
    if allows and not enabled:
        text = "has no effect, because [remote] does not say enabled = true; say so, or remove it"
        document.warn(allows[0], "", text)
    if enabled and not allows:
        document.warn(remote, "enabled", "is true, but no [remote.allow.NAME] allows anything; add one")
    if enabled and document.entry("report.mqtt") is None:
        text = "is true, but there is no [report.mqtt], so that nobody can reach the node; add it"
        document.warn(remote, "enabled", text)
    elif enabled and not _listens(document):
        text = "is true, but neither [report.json] nor [report.sparkplug] is on; nothing else brings commands"
        document.warn(remote, "enabled", f"{text}; switch one on")


def _listens(document) -> bool:
    """Whether the node speaks a language in which it can be commanded."""
    json = document.entry("report.json")
    return json is None or json.get("enabled") is not False or document.entry("report.sparkplug") is not None
