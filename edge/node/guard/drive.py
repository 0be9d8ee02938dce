"""How an output's value reaches its device: as it is, through a characteristic, in pulses, or on and off."""


class Drive:
    """The value as it is; ``points`` [[value, position], ...] of a characteristic, strictly monotone, or None.

    position(): what the device gets; value(): what a position of the device is worth, for taking over.
    """

    def __init__(self, points=None):
        self._table = None
        if points:
            from cext.characterisers import Table

            self._table = Table([(point[0], point[1]) for point in points], True)

    def position(self, value: float, dt_s: float) -> float:
        """The position for a value, in percent."""
        return value if self._table is None else self._table.value(value)

    def value(self, position: float) -> float:
        """The value of a position, in percent."""
        return position if self._table is None else self._table.inverse(position)


class Pulses:
    """On for the share ``value`` of each ``cycle_s``, as for heaters behind an SSR or a contactor."""

    def __init__(self, cycle_s: float, min_on_s: float, min_off_s: float):
        from cext.time_proportioning import TimeProportioning

        self._pulses = TimeProportioning(cycle_s, min_on_s, min_off_s)

    def position(self, value: float, dt_s: float) -> float:
        """0 or 100 until the next tick."""
        return 100.0 if self._pulses.step(value, dt_s) else 0.0

    def value(self, position: float) -> float:
        """One look at a pulse says nothing of its share: the node starts from off."""
        return 0.0


class Switch:
    """On at 50 % and more, with ``dead_band`` percent between on and off."""

    def __init__(self, dead_band: float):
        self._half = 0.5 * dead_band
        self._on = False

    def position(self, value: float, dt_s: float) -> float:
        """0 or 100."""
        if self._on:
            self._on = value > 50.0 - self._half
        else:
            self._on = value >= 50.0 + self._half
        return 100.0 if self._on else 0.0

    def value(self, position: float) -> float:
        """0 or 100."""
        self._on = position >= 50.0
        return 100.0 if self._on else 0.0


def build(spec: dict):
    """The drive of an output's table."""
    kind = spec["drive"]
    if kind == "time_proportioned":
        return Pulses(spec["cycle_s"], spec["min_on_s"], spec["min_off_s"])
    if kind == "switch":
        return Switch(spec["dead_band"])
    return Drive(spec.get("characteristic"))
