"""Fuel and air of one burner zone in step: air leads a rise, fuel leads a fall. The arithmetic is cext.ratio."""

from cext import ratio
from edge.node.control.demand import BOTH, DOWN, NONE, UP, Demand
from edge.node.signals import BAD, GOOD, UNCERTAIN

_NAN = float("nan")
_FUEL_KEPT = 2  # the bit of cext.ratio.CrossLimit.state that holds the fuel up
_AIR_AT_MINIMUM = 256


class CrossLimit:
    """Takes a master's demand for fuel and a trim; asks a fuel loop and an air loop.

    ``fuel`` and ``air`` are the measured flows. ``lambda_from``: the source of lambda by load; a bad one, or
    one that the guarantee forbids, leaves the last.
    """

    def __init__(self, name: str, spec: dict, lookup):
        self.kind = "cross_limit"
        self.name = name
        self.reference = "cross_limit." + name
        self.fuel = lookup(spec["fuel"])
        self.air = lookup(spec["air"])
        self._lambda_from = lookup(spec["lambda_from"]) if "lambda_from" in spec else None
        self._air_per_fuel = spec["air_per_fuel"]
        bands = spec.get("bands")
        self._core = ratio.CrossLimit(
            spec["air_per_fuel"],
            spec["lambda"],
            spec["lambda_min"],
            (spec["trim_low"], spec["trim_high"]),
            tuple(bands) if bands else None,
            spec["air_min"],
        )
        self.fuel_demand = Demand(self.reference + ".fuel", self.fuel.unit)
        self.air_demand = Demand(self.reference + ".air", self.air.unit)
        self.fuel_to = spec["fuel_to"]
        self.air_to = spec["air_to"]
        self.master = None
        self.factor = None
        self.mode = "waiting"
        self.state = 0

    def forward(self, dt_s: float, now_ms: int):
        """Limit the two demands by each other's flow."""
        core = self._core
        if self._lambda_from is not None and self._lambda_from.quality != BAD:
            try:
                core.configure(self._air_per_fuel, self._lambda_from.value)
            except ValueError:
                # The guarantee would not hold with it.
                self.mode = "lambda refused"
        master = self.master
        wanted = master.value if master.quality != BAD else _NAN
        trim = 1.0 if self.factor is None else self.factor.value
        fuel = core.step(
            wanted,
            self.fuel.value,
            self.fuel.quality != BAD,
            self.air.value,
            self.air.quality != BAD,
            trim,
        )
        self.state = core.state
        why = self._why()
        quality = UNCERTAIN if why else GOOD
        self.mode = self.fuel_demand.away or self.air_demand.away or ("limits" if self.state else "auto")
        self.fuel_demand.ask(fuel, quality, why)
        self.air_demand.ask(core.air_demand, quality, why)

    def backward(self, dt_s: float):
        """The master learns of the limited fuel, the trim whether it may move."""
        fuel, air = self.fuel_demand, self.air_demand
        # Air at its minimum limits no fuel.
        limits = self.state & ~_AIR_AT_MINIMUM
        room = fuel.room
        if limits & _FUEL_KEPT:
            room &= ~DOWN
        if limits & ~_FUEL_KEPT:
            room &= ~UP
        self.master.answer(fuel.realised, room, fuel.away)
        if self.factor is not None:
            free = not limits and fuel.room == BOTH and air.room == BOTH
            self.factor.answer(self._core.trim, BOTH if free else NONE, fuel.away or air.away)

    def _why(self) -> str:
        for given in (self.master, self.fuel, self.air):
            if given.quality == BAD:
                return given.name + ": " + given.why
        return ""
