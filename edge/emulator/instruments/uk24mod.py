"""Belimo UK24MOD with damper actuators on its MP-Bus. Registers: edge.node.devices.uk24mod.

Source: T9-UK24MOD v1.7, p. 13-15 (read): functions 3 and 6 for what is used here; an actuator that the
gateway does not hear for 10 s is discarded, its type reads 0. Own choice: the actuators run 90 s from end
to end; a jammed one stays where it is and sets bit 1 of register 6, whose bits the description doesn't
give here.
"""

from edge.emulator.instruments.instrument import FaultError, Instrument, unit_and_delay
from edge.node.bus import modbus
from edge.node.devices import uk24mod as registers

EACH = registers.REGISTERS_EACH
# Per actuator, registers 1..17.
WORDS = 17
DISCARDED_AFTER_US = 10000000
AIR_ACTUATOR = 1
JAMMED = 0x0002
NO_FLOW = 0xFFFF
OVERRIDES = range(7)


class Uk24Mod(Instrument):
    """``drives``: actuator mp1..mp8 -> the model's input in percent; ``run_s``: from end to end, 1..300 s."""

    TYPE = "uk24mod"
    FUNCTIONS = frozenset((modbus.READ_HOLDING_REGISTERS, modbus.WRITE_SINGLE_REGISTER))
    FAULTS = dict(Instrument.FAULTS, lost=True, jammed=True)
    ARGUMENTS = frozenset(("lost", "jammed"))

    def __init__(self, name, unit, delay_ms, drives, run_s=90.0):
        names = registers.INPUTS
        self._count = max(i + 1 for i, key in enumerate(names) if key in drives)
        blocks = [(i * EACH, WORDS) for i in range(self._count)]
        Instrument.__init__(self, name, unit, delay_ms, holding=blocks)
        self.drives = [(drives[key], i) for i, key in enumerate(names) if key in drives]
        self.percent = [0.0] * self._count
        self._pct_per_s = 100.0 / run_s
        # Since when an actuator is away from the MP-Bus, and which ones don't move.
        self._away_us = [None] * self._count
        self._jammed = set()
        for i in range(self._count):
            first = i * EACH
            connected = AIR_ACTUATOR if names[i] in drives else registers.NOT_CONNECTED
            self.holding.put(first + registers.ACTUATOR_TYPE, connected)
            self.holding.put(first + registers.FLOW, NO_FLOW)
            self.holding.put(first + registers.MAX_SETTING, registers.FULL_COUNT)
            self.holding_values[first + registers.SETPOINT] = range(registers.FULL_COUNT + 1)
            self.holding_values[first + registers.OVERRIDE] = OVERRIDES
            self.holding_values[first + registers.COMMAND] = range(5)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        drives = {}
        for actuator in registers.INPUTS:
            wiring = keys.table(actuator)
            if wiring is not None:
                drives[actuator] = wiring.model_input("drives")
                wiring.finish()
        if not drives:
            raise keys.error("mp1", "is missing; expected the table of at least one actuator")
        return cls(name, unit, delay_ms, drives, keys.number("run_s", 1.0, 300.0, 90.0))

    def connect(self, model, rng):
        """The dampers stand where the model has them."""
        for attribute, i in self.drives:
            self.percent[i] = getattr(model, attribute)
            self.holding.put(i * EACH + registers.SETPOINT, registers.counts(self.percent[i]))
            self._show(i)

    def _show(self, i: int):
        if not self.frozen:
            self.holding.put(i * EACH + registers.POSITION, registers.counts(self.percent[i]))

    def _target(self, i: int) -> float:
        """Where an actuator goes: the override, 1 open, 2 closed, or else the set-point."""
        override = self.holding.get(i * EACH + registers.OVERRIDE)
        if override == 1:
            return 100.0
        if override == 2:
            return 0.0
        return self.holding.get(i * EACH + registers.SETPOINT) * 100.0 / registers.FULL_COUNT

    def step(self, now_us: int):
        most = self._pct_per_s * (now_us - self._stepped_us) * 1e-6
        self._stepped_us = now_us
        for _, i in self.drives:
            away_us = self._away_us[i]
            if away_us is not None:
                # It stands still, and after 10 s the gateway knows.
                if now_us - away_us >= DISCARDED_AFTER_US:
                    self.holding.put(i * EACH + registers.ACTUATOR_TYPE, registers.NOT_CONNECTED)
                continue
            if i not in self._jammed:
                way = self._target(i) - self.percent[i]
                self.percent[i] += most if way > most else -most if way < -most else way
            self._show(i)

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "lost":
            self._away_us[self._actuator(arg)] = now_us
        elif kind == "jammed":
            i = self._actuator(arg)
            self._jammed.add(i)
            self.holding.put(i * EACH + registers.MALFUNCTIONS, JAMMED)
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        if kind == "lost":
            i = self._actuator(arg)
            self._away_us[i] = None
            self.holding.put(i * EACH + registers.ACTUATOR_TYPE, AIR_ACTUATOR)
        elif kind == "jammed":
            i = self._actuator(arg)
            self._jammed.discard(i)
            self.holding.put(i * EACH + registers.MALFUNCTIONS, 0)
        else:
            Instrument.end_fault(self, kind, arg, now_us)

    def _actuator(self, name) -> int:
        """The number of an actuator by its name, the first one's by default."""
        for _, i in self.drives:
            if name is None or name == registers.INPUTS[i]:
                return i
        known = ", ".join(registers.INPUTS[i] for _, i in self.drives)
        raise FaultError(f"{self.name} has no actuator {name!r}: it has {known}")

    def reset(self, now_us: int):
        """A power cycle of the gateway: set-points are forgotten, the actuators stand."""
        Instrument.reset(self, now_us)
        for _, i in self.drives:
            self.holding.put(i * EACH + registers.SETPOINT, self.holding.get(i * EACH + registers.POSITION))
            self.holding.put(i * EACH + registers.OVERRIDE, 0)
