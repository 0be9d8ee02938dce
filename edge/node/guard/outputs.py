"""An output: the only way from a demand to a device, and the place where safe is said."""

from edge.node.guard.confirmation import Confirmation
from edge.node.signals import BAD, GOOD, UNCERTAIN

AUTO = "auto"
SAFE = "safe"
INTERLOCK = "interlock"
TRIP = "trip"
STOPPED = "stopped"
UNKNOWN = "unknown"
UNCONFIRMED = "unconfirmed"


class Output:
    """``low``/``high`` limits and ``rate_per_s`` of the demand in percent; ``safe`` a value, or None to hold.

    ``value`` is what was last given to the device, None until the device has told where it
    stands: the node takes over from there. Others may read an output like a signal
    (``value``, ``quality``, ``why``): bad while it is at its safe value, uncertain while an
    interlock holds it.

    ``confirmation``: whether the device holds ``value``. ``shown`` and ``shown_why``: the state as it is
    reported, "unconfirmed" while no device has confirmed the value, and its reason.
    """

    def __init__(
        self, name: str, unit: str, device, channel: int, low: float, high: float, rate_per_s: float, safe
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
        self.told = UNKNOWN
        self.quality = BAD
        self.why = "not known yet"
        self.age_ms = 0
        self.demand = None
        self.refusal = "no demand yet"
        self.confirmation = Confirmation(device, channel)
        # Set by the guard each tick, before apply().
        self.forced = None
        self.forced_why = ""

    def request(self, demand: float):
        """A loop's demand in percent for this tick."""
        self.demand = demand
        self.refusal = ""

    def refuse(self, why: str):
        """The loop has no demand it can stand for; ``why`` names the signal that is bad."""
        self.demand = None
        self.refusal = why

    def look(self) -> bool:
        """Learn where the device stands without driving it; True when that is known."""
        device = self.device
        self.confirmation.clear()
        if not device.ready:
            self.value = None
            self.demand = None
            self.refusal = "taken over this moment"
            self._say(UNKNOWN, BAD, device.fault)
            return False
        if self.value is None:
            if not self._take_over():
                self._say(UNKNOWN, BAD, "position not read yet")
                return False
            self._say(UNKNOWN, UNCERTAIN, "taken over this moment")
        return True

    def apply(self, dt_s: float, now_ms: int):
        """Decide this tick's value and hand it to the device."""
        known = self.value is not None
        # In the tick in which the device's position becomes known the loop has no demand yet.
        if not self.look() or (not known and self.forced is None):
            return
        device = self.device
        if device.not_following:
            # The real position is the truth; the safe value waits for the moment it follows again.
            self._take_over()
            self._say(UNKNOWN, BAD, device.not_following)
            device.drive(self.channel, self._safe_value(), now_ms)
            return
        if self.forced == INTERLOCK and self.demand is None:
            # Nobody may read a value whose own signal is bad, permit or not.
            value = self._safe_value()
            self._say(INTERLOCK, BAD, self.forced_why + "; " + self.refusal)
        elif self.forced is not None:
            value = self._safe_value()
            self._say(self.forced, UNCERTAIN if self.forced == INTERLOCK else BAD, self.forced_why)
        elif self.demand is None:
            value = self._safe_value()
            self._say(SAFE, BAD, self.refusal)
        else:
            value = self._limited(self.demand, dt_s)
            self._say(AUTO, GOOD, "")
        self.value = value
        device.drive(self.channel, value, now_ms)
        self.confirmation.update(value, self.state == AUTO, now_ms)
        if self.state == AUTO and self.unconfirmed:
            self._say(AUTO, UNCERTAIN, self.unconfirmed)

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
            value = 0.0 if value < 0.0 else 100.0 if value > 100.0 else value
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
