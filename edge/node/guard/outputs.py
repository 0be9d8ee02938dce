"""An output: the only way from a demand to a device, and the place where safe is said."""

from edge.node.control.demand import BOTH, DOWN, NONE, UP
from edge.node.control.hand import Hand
from edge.node.guard.confirmation import Confirmation
from edge.node.signals import BAD, GOOD, UNCERTAIN

AUTO = "auto"
MANUAL = "manual"
SAFE = "safe"
INTERLOCK = "interlock"
TRIP = "trip"
STOPPED = "stopped"
UNKNOWN = "unknown"
UNCONFIRMED = "unconfirmed"


class Output:
    """``low``/``high`` limits and ``rate_per_s`` of the demand in percent; ``safe`` a value, or None to hold.

    ``value`` is what was last given to the device, None until the device has told where it stands: the node
    takes over from there. Others may read an output like a signal (``value``, ``quality``, ``why``): bad
    while its position is not known, uncertain while it is held at its safe value. ``drive``: from the value
    to the device (edge.node.guard.drive). ``demand``: the demand that it takes, or None for a switch that is
    closed while nothing holds it. ``hand``: a person's value in place of the demand.

    ``confirmation``: whether the device holds ``value``. ``shown`` and ``shown_why``: the state as it is
    reported, "unconfirmed" while no device has confirmed the value, and its reason.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        device,
        channel: int,
        low: float,
        high: float,
        rate_per_s: float,
        safe,
        drive,
    ):
        self.name = name
        # What loops and messages call it where a signal might stand.
        self.reference = "output." + name
        self.unit = unit
        self.device = device
        self.channel = channel
        self.low = low
        self.high = high
        self.rate_per_s = rate_per_s
        self.safe = safe
        self.value = None
        self.state = UNKNOWN
        self.quality = BAD
        self.why = "not known yet"
        self.age_ms = 0
        self.at_end = 0
        self.demand = None
        self.hand = Hand()
        self.confirmation = Confirmation(device, channel)
        # Set by the guard each tick, before apply().
        self.forced = None
        self.forced_why = ""
        self._drive = drive

    def look(self) -> bool:
        """Learn where the device stands without driving it; True when that is known."""
        device = self.device
        self.confirmation.clear()
        if not device.ready:
            self.value = None
            self._say(UNKNOWN, BAD, device.fault)
            return False
        if self.value is None:
            if not self._take_over():
                self._say(UNKNOWN, BAD, "position not read yet")
                return False
            # A trip that was latched before the start holds it from the first moment on.
            self._say(self.forced or UNKNOWN, UNCERTAIN, "taken over this moment")
        return True

    def apply(self, dt_s: float, now_ms: int):
        """Decide this tick's value and hand it to the device."""
        known = self.value is not None
        # In the tick in which the device's position becomes known no demand was made for it.
        if not self.look() or (not known and self.forced is None):
            return
        device = self.device
        if device.not_following:
            # The real position is the truth; the safe value waits for the moment it follows again.
            self._take_over()
            self._say(UNKNOWN, BAD, device.not_following)
            device.drive(self.channel, self._drive.position(self._safe_value(), dt_s), now_ms)
            return
        demand = self.demand
        if self.forced is not None:
            value = self._safe_value()
            self._say(self.forced, UNCERTAIN, self.forced_why)
        elif self.hand.on:
            value = self._limited(self.hand.step(int(dt_s * 1000.0 + 0.5), False), dt_s)
            self._say(MANUAL, GOOD, "")
        elif demand is None:
            value = self._limited(self.high, dt_s)
            self._say(AUTO, GOOD, "")
        elif demand.quality == BAD:
            value = self._safe_value()
            self._say(SAFE, UNCERTAIN, demand.why)
        else:
            value = self._limited(demand.value, dt_s)
            self._say(AUTO, demand.quality, demand.why)
        self.value = value
        if self.hand.on and self.state != MANUAL:
            # Overruled, it starts again from where the output then stands: nothing jumps back by itself.
            self.hand.take(value)
        position = self._drive.position(value, dt_s)
        device.drive(self.channel, position, now_ms)
        self.confirmation.update(position, self.state in (AUTO, MANUAL), now_ms)
        if self.state in (AUTO, MANUAL) and self.unconfirmed:
            self._say(self.state, UNCERTAIN, self.unconfirmed)

    def answer(self):
        """Say what became of the demand."""
        demand = self.demand
        if demand is None:
            return
        value = self.value
        if self.state != AUTO:
            demand.answer(value, BOTH, "hand" if self.state == MANUAL else self.state)
            return
        room = NONE
        if value < self.high and not demand.value > value:
            room |= UP
        if value > self.low and not demand.value < value:
            room |= DOWN
        demand.answer(value, room)

    def set_manual(self, manual: bool):
        """Give the output to a hand or back; ValueError while it is not known where it stands."""
        if manual == self.hand.on:
            return
        if self.value is None:
            raise ValueError("where output %s stands is not known yet" % self.name)
        if manual:
            self.hand.take(self.value)
        else:
            self.hand.give_back()

    def change_output(self, value: float, rate_per_min: float = 0.0):
        """Move the hand, at once or with ``rate_per_min``; ValueError in automatic or outside the limits."""
        if not self.hand.on:
            raise ValueError("output %s is not in manual" % self.name)
        if not (self.low <= value <= self.high):
            raise ValueError("%s is outside %s..%s of output %s" % (value, self.low, self.high, self.name))
        self.hand.change(value, rate_per_min)

    def hold(self):
        """The hand stays where it is, wherever it was going."""
        self.hand.hold()

    def blind(self) -> str:
        """A hand on an output depends on no signal."""
        return ""

    @property
    def unconfirmed(self) -> str:
        """Why the device is not known to hold the value, empty where it has confirmed it."""
        return self.confirmation.why

    @property
    def shown(self) -> str:
        """The state as it is reported."""
        return UNCONFIRMED if self.unconfirmed else self.state

    @property
    def shown_why(self) -> str:
        """The reason of ``shown``."""
        if not self.unconfirmed:
            return self.why
        if self.why in ("", self.unconfirmed):
            return self.state + ": " + self.unconfirmed
        return self.state + ": " + self.why + "; " + self.unconfirmed

    def _take_over(self) -> bool:
        """Start from where the device stands, as far as a demand can be there: 0..100 %."""
        value = self.device.actual(self.channel)
        if value is not None:
            value = self._drive.value(0.0 if value < 0.0 else 100.0 if value > 100.0 else value)
        self.value = value
        return value is not None

    def _say(self, state: str, quality: int, why: str):
        self.state = state
        self.quality = quality
        self.why = why

    def _safe_value(self) -> float:
        return self.value if self.safe is None else self.safe

    def _limited(self, demand: float, dt_s: float) -> float:
        value = self.value
        step = self.rate_per_s * dt_s
        if demand < self.low:
            demand = self.low
        elif demand > self.high:
            demand = self.high
        if step > 0.0:
            if demand > value + step:
                return value + step
            if demand < value - step:
                return value - step
        return demand
