"""A signal is a value with its quality and its age. There is no silent last value.

good: read recently and plausible. uncertain: plausible, but the last reading is overdue, or the transmitter
is at the end of its range. bad: too old, out of range, stuck, or the instrument says so; ``why`` tells which.
"""

GOOD = 0
UNCERTAIN = 1
BAD = 2
QUALITIES = ("good", "uncertain", "bad")

# Live zero after NAMUR NE 43, in mA: between the outer two pairs a transmitter has reached the end of its
# range, beyond them it reports a failure. The hundredths are the resolution of the modules.
FAILED_LOW_MA = 3.6
END_LOW_MA = 3.81
END_HIGH_MA = 20.49
FAILED_HIGH_MA = 21.0


class Signal:
    """One process value of a device.

    ``scale``: None, or (at_4ma, at_20ma) for a current. ``low``/``high``: outside is bad; where they are the
    ends of the scale, the value may go on to 3.8 and 20.5 mA. A current at the end of its range gives the
    value there, uncertain, and ``at_end`` -1 or 1 for the side. ``stale_ms``: older is bad, also where the
    line was too busy to ask; older than ``overdue_ms`` is uncertain. As soon as the bus has counted the
    device as down it is bad, whatever its age. ``repeats``: so many equal readings in a row are a stuck
    instrument, 0 for any number. ``period_ms``: how often it is read, where its device reads it at another rate
    than the rest.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        device,
        place: int,
        low: float,
        high: float,
        stale_ms: int,
        scale=None,
        repeats: int = 0,
        period_ms=None,
    ):
        self.name = name
        self.unit = unit
        self.value = 0.0
        self.quality = BAD
        self.why = "not read yet"
        self.age_ms = -1
        self.at_end = 0
        self.stale_ms = stale_ms
        self.overdue_ms = 2 * (period_ms or device.period_ms)
        self._device = device
        self._place = place
        self._scale = scale
        self._repeats = repeats
        self._count = 0
        self._last = None
        self._stamp_ms = -1
        if scale is not None:
            ends = sorted(scale)
            reach = sorted((_scaled(scale, END_LOW_MA - 0.01), _scaled(scale, END_HIGH_MA + 0.01)))
            low = reach[0] if low == ends[0] else low
            high = reach[1] if high == ends[1] else high
        self.low = low
        self.high = high

    def update(self, now_ms: int):
        """Judge what the process image holds now."""
        device = self._device
        place = self._place
        fault = device.faults[place]
        stamp_ms = device.stamps_ms[place]
        self.at_end = 0
        if stamp_ms < 0:
            self._bad(fault)
            return
        age_ms = self.age_ms = now_ms - stamp_ms
        if age_ms > self.stale_ms:
            self._bad("stale: " + (device.link_fault or fault or "no reply"))
            return
        if device.station is not None and device.station.down:
            self._bad("no reply: " + device.station.down)
            return
        if fault:
            self._bad(fault)
            return
        value = device.values[place]
        stuck = self._repeats and self._is_stuck(value, stamp_ms)
        if self._scale is not None:
            value = self._of_current(value)
            if value is None:
                return
        self.value = value
        # not (low <= value) also catches what is not a number.
        if not (self.low <= value <= self.high):
            self._bad("out of range")
        elif self.at_end:
            # There it stands still, and that it is there must not get lost.
            self.quality = UNCERTAIN
            self.why = "at the end of its range"
        elif stuck:
            self._bad("stuck: the same reading %d times" % self._count)
        elif age_ms > self.overdue_ms:
            self.quality = UNCERTAIN
            self.why = device.link_fault or "overdue"
        else:
            self.quality = GOOD
            self.why = ""

    def _of_current(self, current_ma: float):
        """The value of a current; None, and bad, where the transmitter reports a failure."""
        if not (FAILED_LOW_MA <= current_ma <= FAILED_HIGH_MA):
            self._bad("%.2f mA: failure of the transmitter or its wiring" % current_ma)
            return None
        scale = self._scale
        if current_ma < END_LOW_MA:
            current_ma = END_LOW_MA - 0.01
            self.at_end = -1 if scale[1] > scale[0] else 1
        elif current_ma > END_HIGH_MA:
            current_ma = END_HIGH_MA + 0.01
            self.at_end = 1 if scale[1] > scale[0] else -1
        value = _scaled(scale, current_ma)
        if self.at_end:
            # Rounding must not carry the end out of the range that ends there.
            value = self.low if value < self.low else self.high if value > self.high else value
        return value

    def _is_stuck(self, value: float, stamp_ms: int) -> bool:
        if stamp_ms != self._stamp_ms:
            self._stamp_ms = stamp_ms
            self._count = self._count + 1 if value == self._last else 1
            self._last = value
        return self._count >= self._repeats

    def _bad(self, why: str):
        self.quality = BAD
        self.why = why


def _scaled(scale: tuple, current_ma: float) -> float:
    return scale[0] + (current_ma - 4.0) * (scale[1] - scale[0]) / 16.0
