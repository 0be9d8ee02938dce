"""The communication watchdog of ADAM output modules, as Modbus shows it.

Source: ADAM-4000 user's manual, 7-20 and appendix G (read): safe values are forced when nothing was heard
for the time that was set; 40215 tells that it is armed, 40216 that it has acted; both can't be written.
Assumed: any request to the module counts, the flag stays set, and the next output command moves the
outputs again.
"""

from edge.emulator.instruments.instrument import NEVER_US, Instrument


class AdamOutputs(Instrument):
    """``armed_s``: the time that it was armed with, by its tool; None: it is not."""

    FAULTS = dict(Instrument.FAULTS, watchdog=False)

    def arm(self, registers, armed_s):
        """Its registers, of a family's module ``registers``."""
        self._enable = registers.COMM_SAFETY_ENABLE
        self._flag = registers.COMM_SAFETY_FLAG
        self.lease_us = NEVER_US if armed_s is None else int(armed_s * 1000000)
        self.holding.put(self._enable, 0 if armed_s is None else 1)
        self.holding.put(self._flag, 0)

    def start(self, now_us: int):
        Instrument.start(self, now_us)
        if self.lease_us != NEVER_US:
            self.expires_us = now_us + self.lease_us

    def lease_state(self) -> dict:
        return {"armed": self.lease_us != NEVER_US, "expired": bool(self.holding.get(self._flag))}

    def expire(self, at_us: int):
        Instrument.expire(self, at_us)
        self.holding.put(self._flag, 1)
        self.fall_to_safe()

    def fall_to_safe(self):
        """Bring the outputs to their safe values."""

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "watchdog":
            self.expire(now_us)
        else:
            Instrument.begin_fault(self, kind, arg, now_us)
