"""Whether a device holds what an output has given it, by the device's own word."""

# A value that moves at every tick counts as unconfirmed when none has been confirmed for so long.
# After one lost reply a unit rests for late_ms, mostly 1 s: that alone is not worth an event.
CONFIRM_WITHIN_MS = 2000


class Confirmation:
    """Of one channel of a device.

    ``why``: why the device is not known to hold the value, empty where it has confirmed it. ``overdue``: it
    has confirmed nothing for CONFIRM_WITHIN_MS.
    """

    def __init__(self, device, channel):
        self.why = ""
        self.overdue = False
        self._device = device
        self._channel = channel

    def clear(self):
        """Nothing has been given to the device that it could confirm."""
        self.why = ""
        self.overdue = False

    def update(self, percent: float, moves: bool, now_ms: int):
        """Once a tick, after ``percent`` was given to the device; ``moves``: with every tick another."""
        self.clear()
        device = self._device
        if device.confirmed(self._channel) == percent:
            return
        since_ms = device.pending_since_ms(self._channel)
        self.overdue = since_ms >= 0 and now_ms - since_ms >= CONFIRM_WITHIN_MS
        if self.overdue or not moves:
            self.why = device.unconfirmed(self._channel)
