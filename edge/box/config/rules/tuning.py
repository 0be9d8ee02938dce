"""Rules of tuning: numbers that a controller can take, and that no furnace was ever tuned with."""

from edge.box.config.problems import number
from edge.box.config.rules import facts

DAY_S = 86400.0
MONTH_MIN = 43200.0
# Of the output in percent for the whole range of the process value.
GAIN_PCT = (0.5, 20_000.0)
# Of the trim, which is about 1, for the whole range of the process value.
GAIN_TRIM = (0.005, 100.0)
SLOWEST_PCT_PER_S = 100.0 / DAY_S
LONGEST_TRIP_S = 3600.0
FINEST_SHARE = 1e-4  # of the range of the process value


def check(document):
    """Add what is out of a sensible range."""
    node = document.entry("node")
    tick_s = (node.get("tick_ms") or 0) / 1000.0 if node else 0.0
    for loop in facts.controllers(document):
        _times(document, loop, tick_s)
        _gain(document, loop)
    for output in document.of("output"):
        rate = output.get("rate_per_s")
        # 0 is no limit.
        if rate and rate < SLOWEST_PCT_PER_S:
            text = f"has rate_per_s = {number(rate)}: from one end to the other it takes more than a day"
            document.warn(output, "rate_per_s", f"{text}; it is in % per second")
    for trip in document.of("trip"):
        after_s = trip.get("on_after_s")
        if after_s is not None and after_s > LONGEST_TRIP_S:
            text = f"has on_after_s = {number(after_s)}: it watches for more than an hour before it acts"
            document.warn(trip, "on_after_s", f"{text}; it is in seconds")
    for programme in document.of("programme"):
        _programme(document, programme)


def _times(document, loop, tick_s: float):
    ti_s, td_s = facts.least(loop.get("ti_s")), facts.least(loop.get("td_s"))
    if ti_s and ti_s < tick_s:
        text = f"has ti_s = {number(ti_s)}, which is shorter than a tick of {number(tick_s)} s"
        document.problem(loop, "ti_s", f"{text}: it would switch, and not control; it is in seconds")
    elif ti_s and ti_s > DAY_S:
        text = f"has ti_s = {number(ti_s)}, more than a day"
        document.warn(loop, "ti_s", f"{text}; it is in seconds")
    if td_s and td_s < tick_s:
        text = f"has td_s = {number(td_s)}, which is shorter than a tick of {number(tick_s)} s"
        document.warn(loop, "td_s", f"{text}: it does nothing but noise; it is in seconds")
    elif td_s and ti_s and td_s > ti_s:
        text = f"has td_s = {number(td_s)} above ti_s = {number(ti_s)}, expected a quarter of it or so"
        document.warn(loop, "td_s", f"{text}; exchange or correct them")


def _gain(document, loop):
    gain, span = facts.least(loop.get("gain")), facts.span(document, loop.get("pv"))
    # In percent of an output; a master's demand is in its slave's unit, whose range is not that of percent.
    ends = [f"output.{name}" for name in facts.outputs(document, loop)]
    if gain is None or span is None or (loop.kind != "trim" and loop.get("to") not in ends):
        return
    low, high = GAIN_TRIM if loop.kind == "trim" else GAIN_PCT
    unit = "of trim" if loop.kind == "trim" else "% of output"
    if not low <= gain * span <= high:
        much = "hardly anything" if gain * span < low else "all or nothing"
        text = f"has gain = {number(gain)}: the whole range of '{loop.get('pv')}', {number(span)}, moves"
        text += f" {gain * span:.3g} {unit}, which is {much}"
        document.warn(loop, "gain", f"{text}; it is in % of output per unit of the process value")


def _programme(document, programme):
    loop = facts.led(document, programme)
    span = facts.span(document, loop.get("pv")) if loop is not None else None
    within = programme.get("wait_within")
    if within is not None and span is not None:
        if within < FINEST_SHARE * span:
            text = f"has wait_within = {number(within)}, under a ten-thousandth of the range of its value"
            document.problem(programme, "wait_within", f"{text}: noise would hold it for ever; widen it")
        elif within > span:
            text = f"has wait_within = {number(within)}, wider than the range of its value"
            document.warn(programme, "wait_within", f"{text}: it never waits; narrow it, or leave it out")
    before = None
    for i, target, rate_per_min in facts.targets(programme):
        ramp_min = abs(target - before) / rate_per_min if before is not None and rate_per_min else 0.0
        if ramp_min > MONTH_MIN:
            text = f"ramps for {number(round(ramp_min / 1440.0))} days in segment {i + 1}"
            document.warn(programme, ("segments", i), f"{text}; the rate is per minute")
        before = target
