"""The set-point of a block: from the node file, a person, a programme, a signal, or the block above."""

from edge.node.control.ramp import Ramp
from edge.node.signals import BAD, GOOD, UNCERTAIN


class SetPoint:
    """Where it comes from, in this order: the demand of a ``master``, a ``source``, the value set here.

    A master that refuses, or a source that is bad or older than ``old_ms``, leaves the value set here if the
    node file gives one, else the last one is held; ``why`` says so. ``lead``: the programme that moves it, or
    None. It reads like a signal.
    """

    def __init__(self, name: str, unit: str, spec: dict, source=None):
        self.name = name + ".set_point"
        self._owner = name.replace(".", " ")
        self.unit = unit
        self.own = spec.get("set_point")
        self.low = spec["set_point_low"]
        self.high = spec["set_point_high"]
        self.value = self.own
        self.quality = GOOD if self.own is not None else BAD
        self.why = "" if self.own is not None else "no set-point yet"
        self.age_ms = 0
        self.at_end = 0
        self.master = None
        self.lead = None
        self._source = source
        self._old_ms = int(spec.get("set_point_old_s", 0) * 1000)
        self._moving = None

    def step(self, dt_ms: int):
        """Once a tick, before it is used."""
        if self._moving is not None:
            self.own = self._moving.step(dt_ms)
            if self._moving.done:
                self._moving = None
        giver = self.master if self.master is not None else self._source
        if giver is None:
            self.value = self.own
            self.quality = BAD if self.own is None else GOOD
            self.why = "no set-point" if self.own is None else ""
            return
        why = ""
        if giver.quality == BAD:
            why = giver.name + ": " + giver.why
        elif self._old_ms and giver.age_ms > self._old_ms:
            why = "%s is %d s old" % (giver.name, giver.age_ms // 1000)
        if not why:
            self.quality = giver.quality
            self.value = self.low if giver.value < self.low else giver.value
            if self.value > self.high:
                self.value = self.high
            self.why = ""
            return
        self.why = why
        if self.own is not None:
            self.value = self.own
        self.quality = BAD if self.value is None else UNCERTAIN

    def moves(self) -> bool:
        """Whether a signal or another block gives it."""
        return self.master is not None or self._source is not None

    def change(self, value: float, rate_per_min: float = 0.0):
        """Move it, at once or with a rate.

        ValueError outside its limits, and while a programme or another block gives it.
        """
        if self.lead is not None:
            raise ValueError("programme %s leads %s: stop it first" % (self.lead.name, self._owner))
        giver = self.master if self.master is not None else self._source
        if giver is not None:
            raise ValueError("the set-point of %s comes from %s" % (self._owner, giver.name))
        if not (self.low <= value <= self.high):
            raise ValueError(
                "set-point %s of %s is outside %s..%s" % (value, self._owner, self.low, self.high)
            )
        self._moving = None
        if rate_per_min > 0.0:
            self._moving = Ramp(self.value, value, rate_per_min)
        else:
            self.own = self.value = value

    def hold(self):
        """Stay, wherever it was going."""
        self._moving = None
