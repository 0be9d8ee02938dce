"""Rules of outputs: every output has one device channel, a safe value, and a drive that can carry its demand."""

import math

from edge.box.config.families import FAMILIES
from edge.box.config.problems import did_you_mean, listed, number, shown
from edge.box.config.rules import chain

TICKS_PER_CYCLE = 10


def check(document):
    """Add what is wrong with outputs."""
    channels = {}
    for output in document.of("output"):
        _safe(document, output)
        _drive(document, output)
        device = document.entry("device", output.get("device"))
        if device is not None and device.kind is not None:
            _channel(document, output, device, channels)
    _balance(document)


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


def _drive(document, output):
    drive = output.get("drive")
    belong = {
        "characteristic": "analogue",
        "cycle_s": "time_proportioned",
        "min_on_s": "time_proportioned",
        "min_off_s": "time_proportioned",
        "dead_band": "switch",
    }
    for key, owner in belong.items():
        if key in output.raw and drive is not None and drive != owner:
            text = f'has {key}, which only drive = "{owner}" reads'
            document.problem(output, key, f"{text}; remove it")
    if drive in ("time_proportioned", "switch") and output.get("safe") not in (0.0, 100.0, None):
        text = f'has drive = "{drive}" and safe = {shown(output.get("safe"))}; write 0 or 100'
        document.problem(output, "safe", text)
    if drive == "time_proportioned":
        _pulses(document, output)


def _pulses(document, output):
    node = document.entry("node")
    tick_ms = node.get("tick_ms") if node else None
    cycle_s = output.get("cycle_s")
    if cycle_s is None:
        if "cycle_s" not in output.raw:
            text = 'has drive = "time_proportioned" without cycle_s, expected the length of a cycle'
            document.problem(output, "drive", f"{text}; add it")
        return
    if tick_ms and cycle_s * 1000.0 < TICKS_PER_CYCLE * tick_ms:
        text = f"has cycle_s = {number(cycle_s)}, less than ten ticks of {tick_ms} ms"
        document.problem(
            output, "cycle_s", f"{text}; write at least {number(TICKS_PER_CYCLE * tick_ms / 1000)}"
        )
    if output.get("min_on_s") + output.get("min_off_s") > cycle_s:
        text = f"has min_on_s + min_off_s above cycle_s = {number(cycle_s)}; shorten them"
        document.problem(output, "cycle_s", text)


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


def _balance(document):
    """The safe values of a plant must fit each other: with all of them the furnace must still draw."""
    balance = document.entry("pressure_balance")
    if balance is None:
        for loop in document.of("loop"):
            if loop.kind == "pid" and document.unit(loop.get("pv") or "") in ("Pa", "mbar"):
                for output in chain.ends(document, loop):
                    text = f"holds a furnace pressure by output {output.name}, and no [pressure_balance] says"
                    text += " whether the safe values of fan, air and burner fit each other; add one"
                    document.warn(loop, "pv", text)
        return
    fan = document.entry("output", balance.get("fan") or "")
    if fan is None:
        return
    need = balance.get("at_rest")
    said = []
    for reference, per in balance.get("needs") or []:
        output = document.entry("output", reference.partition(".")[2])
        if output is None or not reference.startswith("output."):
            text = f"names '{reference}' (needs), which is no output; write output.NAME"
            document.problem(balance, "needs", text)
            return
        value = _at_safe(output)
        if value is None:
            return
        need += per * value
        said.append(f"{output.name} {number(value)}")
    draws = _at_safe(fan, least=True)
    if draws is not None and need is not None and draws < need - 1e-9 and math.isfinite(need):
        text = f'has fan = "{fan.name}", whose safe value draws {number(draws)} %, but at the safe values'
        text += f" {', '.join(said)} it must draw {need:.3g} %"
        document.problem(balance, "fan", f"{text}; raise the one or lower the others")


def _at_safe(output, least=False):
    """The worst value at safe: one that holds may stand anywhere in its range."""
    safe = output.get("safe")
    if safe == "hold":
        return output.get("low") if least else output.get("high")
    return safe
