"""Whether what was kept of a programme before a power cut can be gone on with: nothing of it is taken on trust."""


def check(position: dict, segments: list, low: float, high: float):
    """ValueError unless ``position`` is one that a programme of these segments and this range could have had.

    "segment": its index, a ramp or a soak; "set_point": within low..high; "elapsed_ms" in the segment;
    "from", "to": both ends of a ramp, absent in a soak; "repeated": [index of a repeat, times done] pairs;
    "held": whether it waited for a person.
    """
    if not isinstance(position, dict):
        raise ValueError("its position is no object")
    segment = position.get("segment")
    if not _is_count(segment) or segment >= len(segments):
        raise ValueError("there is no segment %s to go on with" % segment)
    form = segments[segment]
    if "at_per_min" not in form and "stay_min" not in form:
        raise ValueError("segment %d is no ramp and no soak" % (segment + 1))
    if not _is_count(position.get("elapsed_ms")):
        raise ValueError("elapsed_ms is %s, expected 0 or more" % position.get("elapsed_ms"))
    if type(position.get("held")) is not bool:
        raise ValueError("held is %s, expected true or false" % position.get("held"))
    names = ["set_point"]
    # A soak has a ramp while it is ramped back to.
    if "from" in position or "to" in position or "at_per_min" in form:
        names += ["from", "to"]
    for name in names:
        value = position.get(name)
        if type(value) not in (int, float) or not low <= value <= high:
            raise ValueError("%s is %s, expected %s..%s" % (name, value, low, high))
    if "at_per_min" in form and position["to"] != form["to"]:
        raise ValueError("segment %d goes to %s, not to %s" % (segment + 1, form["to"], position["to"]))
    _check_repeated(position.get("repeated"), segments)


def _check_repeated(repeated, segments: list):
    if not isinstance(repeated, list) or len(repeated) > len(segments):
        raise ValueError("repeated is no list of at most %d pairs" % len(segments))
    for pair in repeated:
        if not isinstance(pair, list) or len(pair) != 2 or not _is_count(pair[0]) or not _is_count(pair[1]):
            raise ValueError("repeated has %s, expected [segment, times]" % pair)
        number, times = pair
        if number >= len(segments) or times > segments[number].get("repeat", -1):
            raise ValueError("segment %d was not to be repeated %d times" % (number + 1, times))


def _is_count(value) -> bool:
    return type(value) is int and 0 <= value < 1 << 53
