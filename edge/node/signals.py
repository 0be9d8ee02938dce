"""A signal is a value with its quality and its age. There is no silent last value.

good: read recently and plausible. uncertain: plausible, but the last reading is overdue.
bad: too old, out of range, or the instrument says so; ``why`` tells which.
"""

from cext import air

GOOD = 0
UNCERTAIN = 1
BAD = 2
QUALITIES = ("good", "uncertain", "bad")


class Signal:
    """One process value of a device.

    ``scale``: None, or (at_4ma, at_20ma) for a current. ``low``/``high``: outside is bad. ``period_ms``: how
    often it is read, where its device reads it at another rate than the rest.
    ``stale_ms``: older is bad, also where the line was too busy to ask; older than ``overdue_ms`` is
    uncertain. As soon as the bus has counted the device as down it is bad, whatever its age.
    """

    def __init__(
        self, name: str, unit: str, device, place: int, low, high, stale_ms: int, scale=None, period_ms=None
    ):
        self.name = name
        self.unit = unit
        self.value = 0.0
        self.quality = BAD
        self.why = "not read yet"
        self.age_ms = -1
        self.told_bad = None
        self.low = low
        self.high = high
        self.stale_ms = stale_ms
        self.overdue_ms = 2 * (period_ms or device.period_ms)
        self._device = device
        self._place = place
        self._scale = scale

    def update(self, now_ms: int):
        """Judge what the process image holds now."""
        device = self._device
        place = self._place
        fault = device.faults[place]
        stamp_ms = device.stamps_ms[place]
        if stamp_ms < 0:
            self.quality = BAD
            self.why = fault
            return
        age_ms = self.age_ms = now_ms - stamp_ms
        if age_ms > self.stale_ms:
            self.quality = BAD
            self.why = "stale: " + (device.link_fault or fault or "no reply")
            return
        if device.station is not None and device.station.down:
            self.quality = BAD
            self.why = "no reply: " + device.station.down
            return
        if fault:
            self.quality = BAD
            self.why = fault
            return
        value = device.values[place]
        scale = self._scale
        if scale is not None:
            value = scale[0] + (value - 4.0) * (scale[1] - scale[0]) / 16.0
        self.value = value
        # not (low <= value) also catches what is not a number.
        if not (self.low <= value <= self.high):
            self.quality = BAD
            self.why = "out of range"
        elif age_ms > self.overdue_ms:
            self.quality = UNCERTAIN
            self.why = device.link_fault or "overdue"
        else:
            self.quality = GOOD
            self.why = ""


class Calc:
    """A signal calculated from others: bad without enough valid ones, uncertain when some are missing."""

    def __init__(self, name: str, unit: str, sources: list):
        self.name = name
        self.unit = unit
        self.sources = sources
        self.value = 0.0
        self.quality = BAD
        self.why = "not calculated yet"
        self.age_ms = -1
        self.told_bad = None

    def _judge(self, missing: list, usable: bool):
        if not usable:
            self.quality = BAD
            self.why = "without " + ", ".join(missing)
        elif missing:
            self.quality = UNCERTAIN
            self.why = "without " + ", ".join(missing)
        else:
            self.quality = GOOD
            self.why = ""
            for source in self.sources:
                if source.quality == UNCERTAIN:
                    self.quality = UNCERTAIN
                    self.why = source.name + ": " + source.why
                    break

    def _need_all(self) -> bool:
        missing = [source.name for source in self.sources if source.quality == BAD]
        self._judge(missing, not missing)
        return not missing


def median(values: list) -> float:
    """Median of a non-empty list; of an even number the mean of the middle two."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) & 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2.0


class SectionMinimum(Calc):
    """The 850 degC rule: per section the median of its valid points, then the lowest section.

    A section without one valid point makes the result bad: it can't be shown to be hot enough.
    """

    def __init__(self, name: str, unit: str, sections: list):
        Calc.__init__(self, name, unit, [point for section in sections for point in section])
        self.sections = sections

    def update(self, now_ms: int):
        missing = []
        usable = True
        lowest = None
        for section in self.sections:
            valid = []
            for point in section:
                if point.quality == BAD:
                    missing.append(point.name)
                else:
                    valid.append(point.value)
            if valid:
                value = median(valid)
                if lowest is None or value < lowest:
                    lowest = value
            else:
                usable = False
        if usable:
            self.value = lowest
        self._judge(missing, usable)


class OfValid(Calc):
    """``pick`` (max, min, median) of the valid sources."""

    def __init__(self, name: str, unit: str, sources: list, pick):
        Calc.__init__(self, name, unit, sources)
        self._pick = pick

    def update(self, now_ms: int):
        missing = []
        valid = []
        for source in self.sources:
            if source.quality == BAD:
                missing.append(source.name)
            else:
                valid.append(source.value)
        if valid:
            self.value = self._pick(valid)
        self._judge(missing, bool(valid))


class LambdaWet(Calc):
    """Air ratio from wet O2 in percent: 1 + w0 O2/(20.95 - O2) (facts: cext.air)."""

    def __init__(self, name: str, unit: str, sources: list, gas_ratio: float):
        Calc.__init__(self, name, unit, sources)
        self.gas_ratio = gas_ratio

    def update(self, now_ms: int):
        if not self._need_all():
            return
        value = air.lambda_from_o2(self.sources[0].value, self.gas_ratio)
        if value != value or value > 100.0:
            self.quality = BAD
            self.why = "no combustion gas: O2 is that of air"
        else:
            self.value = value


class WeightedSum(Calc):
    """Sum of sources times weights; bad as soon as one source is bad."""

    def __init__(self, name: str, unit: str, sources: list, weights: list):
        Calc.__init__(self, name, unit, sources)
        self.weights = weights

    def update(self, now_ms: int):
        if self._need_all():
            total = 0.0
            for i in range(len(self.sources)):
                total += self.weights[i] * self.sources[i].value
            self.value = total


def build_calc(name: str, spec: dict, lookup):
    """A calculated signal from its table; ``lookup(name)`` gives a signal."""
    kind = spec["kind"]
    unit = spec["unit"]
    if kind == "section_minimum":
        return SectionMinimum(
            name, unit, [[lookup(point) for point in section] for section in spec["sections"]]
        )
    sources = [lookup(source) for source in spec["of"]]
    if kind == "maximum":
        return OfValid(name, unit, sources, max)
    if kind == "minimum":
        return OfValid(name, unit, sources, min)
    if kind == "median":
        return OfValid(name, unit, sources, median)
    if kind == "lambda_wet":
        return LambdaWet(name, unit, sources, spec["gas_ratio"])
    if kind == "weighted_sum":
        return WeightedSum(name, unit, sources, spec["weights"])
    raise ValueError("calc %s: unknown kind %s" % (name, kind))
