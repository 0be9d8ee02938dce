"""Honeywell 7800 series burner control behind an S7800A. Registers: edge.node.devices.s7800.

Source: S7800A2142 submittal 32-00110-05, p. 56-60 (read): commands of 40128 hold for 120 s, at most one bit
of the low byte, bits 5-7 are 0; state bits; sequence states 19 to 35; p. 20: fault 17 is the main flame lost
in RUN, fault 19 in main ignition; a lockout needs a reset. Assumed: standby is sequence state 6. Own choice:
the burner is called for whenever it is not commanded off; purge 30 s, pilot 10 s, main 10 s, postpurge 15 s;
flame 3.5 V; low fire drives 20 % and autonomous operation 60 %; a command within a second of the last is
refused with exception 6.
"""

from edge.emulator.instruments.instrument import ILLEGAL_VALUE, NEVER_US, Instrument, unit_and_delay
from edge.node.bus import modbus
from edge.node.devices import s7800 as registers

BUSY = 6
# sequence state, its state bits, how long it lasts in s (None: until called otherwise)
STANDBY = (6, registers.STATE_STANDBY, None)
PURGE = (19, registers.STATE_PURGE, 30.0)
PILOT = (25, registers.STATE_PILOT_IGNITION, 10.0)
MAIN = (28, registers.STATE_MAIN_IGNITION, 10.0)
RUN = (30, registers.STATE_RUN, None)
POSTPURGE = (35, registers.STATE_POSTPURGE, 15.0)
SEQUENCE = {PURGE: PILOT, PILOT: MAIN, MAIN: RUN, POSTPURGE: STANDBY}
FLAME_V = {PILOT: 2.5, MAIN: 3.5, RUN: 3.5}
FIRING_PCT = {registers.LOW_FIRE: 20.0, registers.HIGH_FIRE: 100.0, registers.AUTONOMOUS: 60.0}
LOCKOUT_BITS = registers.STATE_LOCKOUT | registers.STATE_ALARM
MAIN_FLAME_FAIL = 17
MAIN_FLAME_IGNITION = 19
COMMANDS = (
    registers.AUTONOMOUS,
    registers.REMAIN_OFF,
    registers.HIGH_FIRE,
    registers.LOW_FIRE,
    registers.REMOTE_RESET,
)
SOONEST_US = registers.SOONEST_MS * 1000


class S7800(Instrument):
    """``drives``: the model's input that gets its firing rate in percent, or None; ``proves``: the input that
    gets 100 while the main flame burns, else 0: another device modulates it.
    """

    TYPE = "s7800"
    FUNCTIONS = frozenset(
        (modbus.READ_HOLDING_REGISTERS, modbus.WRITE_SINGLE_REGISTER, modbus.WRITE_MULTIPLE_REGISTERS)
    )
    FAULTS = dict(Instrument.FAULTS, lockout=False, no_flame=True)
    ARGUMENTS = frozenset(("lockout",))

    def __init__(self, name, unit, delay_ms, drives=None, proves=None):
        blocks = [(registers.FAULT_CODE, registers.WORDS)]
        blocks += [(registers.COMMAND_STATUS, 1), (registers.COMMAND, 1)]
        Instrument.__init__(self, name, unit, delay_ms, holding=blocks)
        self.drives = [(drives, 0)] if drives else []
        if proves:
            self.drives.append((proves, 1))
        self.percent = [0.0, 0.0]
        self.state = STANDBY
        self.fault = 0
        self._entered_us = 0
        self._no_flame = False
        self._command = registers.AUTONOMOUS
        self._commanded_us = -SOONEST_US
        self.holding_values[registers.COMMAND] = range(0x10000)
        self._show(0)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        drives = keys.model_input("drives") if keys.has("drives") else None
        return cls(name, unit, delay_ms, drives, keys.model_input("proves") if keys.has("proves") else None)

    def connect(self, model, rng):
        """It runs when the model's burner does."""
        for attribute, _ in self.drives:
            if getattr(model, attribute) > 0.0:
                self.state = RUN
            else:
                self._command = registers.REMAIN_OFF
        self._show(0)

    def lease_state(self) -> dict:
        return {"armed": self.expires_us != NEVER_US, "expired": self.lost}

    def step(self, now_us: int):
        self._stepped_us = now_us
        if now_us - self._commanded_us >= registers.HOLDS_MS * 1000 and self._commanded_us >= 0:
            # Nobody has refreshed the command.
            self._command = registers.AUTONOMOUS
            self.lost = True
            self._commanded_us = -SOONEST_US
        if not self.fault:
            self._advance(now_us)
        running = self.state is RUN and not self.fault
        self.percent[0] = FIRING_PCT.get(self._command, 0.0) if running else 0.0
        burns = self.state in (MAIN, RUN) and not self.fault and not self._no_flame
        self.percent[1] = 100.0 if burns else 0.0
        if not self.frozen:
            self._show(now_us)

    def _advance(self, now_us: int):
        wanted = self._command != registers.REMAIN_OFF
        state = self.state
        if state is STANDBY:
            if wanted:
                self._enter(PURGE, now_us)
        elif not wanted and state is not POSTPURGE:
            self._enter(POSTPURGE, now_us)
        elif self._no_flame and state in (MAIN, RUN):
            self.fault = MAIN_FLAME_FAIL if state is RUN else MAIN_FLAME_IGNITION
        elif state[2] is not None and now_us - self._entered_us >= state[2] * 1000000:
            self._enter(SEQUENCE[state], now_us)

    def _enter(self, state: tuple, now_us: int):
        self.state = state
        self._entered_us = now_us

    def _show(self, now_us: int):
        code, bits, _ = self.state
        flame_v = 0.0 if self._no_flame or self.fault else FLAME_V.get(self.state, 0.0)
        put = self.holding.put
        put(registers.FAULT_CODE, self.fault)
        put(registers.SEQUENCE_STATE, code)
        put(registers.SEQUENCE_TIME, min((now_us - self._entered_us) // 1000000, 4095))
        put(registers.FLAME_1, int(flame_v * 10.0 + 0.5))
        put(registers.STATE_BITS, LOCKOUT_BITS if self.fault else bits)
        put(registers.COMMAND_STATUS, self._command)

    def write_registers(self, address: int, values, at_us: int) -> int:
        code = self.refusal(self.holding_values, address, values)
        if code:
            return code
        command = values[0] & 0x00FF
        if command not in COMMANDS:
            return ILLEGAL_VALUE
        if at_us - self._commanded_us < SOONEST_US:
            return BUSY
        if command == registers.REMOTE_RESET:
            if self.fault:
                self.fault = 0
                self._enter(STANDBY, at_us)
            return 0
        self.holding.put(registers.COMMAND, values[0])
        self._command = command
        self._commanded_us = at_us
        self.lost = False
        self.holding.put(registers.COMMAND_STATUS, command)
        return 0

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "lockout":
            self.fault = MAIN_FLAME_FAIL if arg is None else int(arg)
        elif kind == "no_flame":
            self._no_flame = True
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        if kind == "no_flame":
            self._no_flame = False
        else:
            Instrument.end_fault(self, kind, arg, now_us)

    def reset(self, now_us: int):
        """A power cycle: a lockout stays, everything else begins anew."""
        Instrument.reset(self, now_us)
        self._command = registers.AUTONOMOUS
        self._commanded_us = -SOONEST_US
        self._enter(STANDBY, now_us)
        self._show(now_us)
