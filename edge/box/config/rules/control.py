"""Rules of outputs and loops: every output has one device channel, one loop and one safe value."""

from edge.box.config import values
from edge.box.config.families import FAMILIES
from edge.box.config.problems import did_you_mean, listed, number, shown

BURNER_ORDER = ("start_below", "start_falling_below", "set_point", "stop_above")


def check(document):
    """Add what is wrong with outputs and loops."""
    channels = {}
    for output in document.of("output"):
        _safe(document, output)
        device = document.entry("device", output.get("device"))
        if device is not None and device.kind is not None:
            _channel(document, output, device, channels)
    _one_loop_each(document)
    for loop in document.of("loop"):
        _loop(document, loop)


def _safe(document, output):
    low, high, safe = output.get("low"), output.get("high"), output.get("safe")
    if low is None or high is None:
        return
    if low >= high:
        text = f"has low = {number(low)} and high = {number(high)}, expected low below high"
        document.problem(output, "low", f"{text}; exchange or correct them")
    elif isinstance(safe, float) and safe != 0.0 and not low <= safe <= high:
        text = f"has safe = {number(safe)}, but low = {number(low)} and high = {number(high)}"
        document.problem(output, "safe", f"{text}; choose a value between them, or 0")


def _channel(document, output, device, channels: dict):
    family = FAMILIES[device.kind]
    channel = output.get("channel")
    names = family.outputs(device)
    if not names:
        text = f"names device {device.name}, but an {device.kind} has no outputs"
        document.problem(output, "device", f"{text}; name the device that drives")
        return
    if family.digital and output.get("safe") not in (0.0, 100.0, None):
        text = f"has safe = {shown(output.get('safe'))}, but device {device.name} ({device.kind}) switches"
        document.problem(output, "safe", f"{text}; write 0 or 100")
    elif output.get("safe") == "hold" and not family.holds:
        text = (
            f'has safe = "hold", but device {device.name} ({device.kind}) takes a value when its lease ends'
        )
        document.problem(output, "safe", f"{text}; write that value")
    if channel is not None and channel not in names:
        hint = did_you_mean(channel, names, f"it has {listed(names)}")
        text = f"has channel = {shown(channel)}, which device {device.name} ({device.kind}) does not have"
        document.problem(output, "channel", f"{text}; {hint}")
    elif channel is not None:
        first = channels.setdefault((device.name, channel), output)
        if first is not output:
            text = f"drives {channel} of device {device.name}, which output {first.name} drives already"
            document.problem(output, "channel", f"{text}; a channel has only one output")


def _one_loop_each(document):
    drivers = {}
    for loop in document.of("loop"):
        name = loop.get("output")
        first = drivers.setdefault(name, loop)
        if first is not loop and document.entry("output", name):
            text = f"drives output {name}, which loop {first.name} drives already"
            document.problem(loop, "output", f"{text}; an output has exactly one loop")
    for output in document.of("output"):
        if output.name not in drivers:
            text = f'is driven by no loop; add a loop with output = "{output.name}", or remove the output'
            document.problem(output, "", text)


def _loop(document, loop):
    for key, table, name, _ in loop.references():
        if table == "value" and name == f"output.{loop.get('output')}":
            document.problem(loop, key, f"reads its own output '{name}' ({key}); name what it shall follow")
    if "set_point" in loop.fields and loop.kind:
        _set_point(document, loop)
    if loop.kind == "pid":
        _feed_forward(document, loop)
    elif loop.kind == "trim":
        low, high = loop.get("trim_low"), loop.get("trim_high")
        if low is not None and high is not None and not low < 1.0 < high:
            text = f"has trim_low = {number(low)} and trim_high = {number(high)}, expected 1 between them"
            document.problem(loop, "trim_low" if low >= 1.0 else "trim_high", f"{text}; correct them")
    elif loop.kind == "burner":
        _burner(document, loop)


def _set_point(document, loop):
    low, high, set_point = loop.get("set_point_low"), loop.get("set_point_high"), loop.get("set_point")
    if low is not None and high is not None:
        ends = f"set_point_low = {number(low)} and set_point_high = {number(high)}"
        if low >= high:
            text = f"has {ends}, expected low below high; exchange or correct them"
            document.problem(loop, "set_point_low", text)
        elif set_point is not None and not low <= set_point <= high:
            text = f"has set_point = {number(set_point)}, but {ends}; choose a value between them"
            document.problem(loop, "set_point", text)
    _within_pv(document, loop, ("set_point_low", "set_point_high"))


def _within_pv(document, loop, keys):
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


def _feed_forward(document, loop):
    has_value, has_gain = "feed_forward" in loop.raw, "feed_forward_gain" in loop.raw
    if has_value and not has_gain:
        text = "has feed_forward without feed_forward_gain, expected a number to multiply it with; add it"
        document.problem(loop, "feed_forward", text)
    elif has_gain and not has_value:
        text = "has feed_forward_gain without feed_forward, which it multiplies; add that, or remove this"
        document.problem(loop, "feed_forward_gain", text)


def _burner(document, loop):
    _within_pv(document, loop, ("start_below", "start_falling_below", "stop_above"))
    thresholds = [loop.get(key) for key in BURNER_ORDER]
    if None not in thresholds and (sorted(thresholds) != thresholds or thresholds[1] == thresholds[3]):
        found = ", ".join(f"{key} = {number(loop.get(key))}" for key in BURNER_ORDER)
        falls = [i for i in range(1, len(thresholds)) if thresholds[i] < thresholds[i - 1]]
        key = BURNER_ORDER[falls[0] - 1] if falls else "stop_above"
        text = f"has {found}, expected them in rising order; correct what is out of order"
        document.problem(loop, key, text)
    minimum = loop.get("minimum")
    low, high = values.span(document, f"output.{loop.get('output')}")
    if minimum is not None and not low <= minimum <= high:
        text = f"has minimum = {number(minimum)}, but output {loop.get('output')} goes"
        text += f" from {number(low)} to {number(high)}"
        document.problem(loop, "minimum", f"{text}; choose a value in that range")
