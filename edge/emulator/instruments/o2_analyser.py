"""An in-situ zirconia O2 analyser with a Modbus RTU converter. Registers: edge.node.devices.o2_analyser."""

from struct import Struct

from edge.emulator.instruments.instrument import FaultError, Instrument, unit_and_delay
from edge.node.bus import modbus
from edge.node.devices import o2_analyser as registers

_WORDS = Struct(">fHh")
# The cell is kept at its working temperature.
CELL_TEMPERATURE_C = 700.0
LOWEST_PCT = 0.0
HIGHEST_PCT = 25.0


class O2Analyser(Instrument):
    """``reads``: the process value, % by volume wet; ``noise``: standard deviation in %."""

    TYPE = "o2_analyser"
    FUNCTIONS = frozenset((modbus.READ_INPUT_REGISTERS,))
    FAULTS = dict(Instrument.FAULTS, failed=True)
    ARGUMENTS = frozenset(("failed",))

    def __init__(self, name: str, unit: int, delay_ms: float, reads: str, noise: float = 0.0):
        Instrument.__init__(self, name, unit, delay_ms, inputs=[(registers.O2, registers.WORDS)])
        self.reads = [reads]
        self.noise = noise
        self._faults = 0
        self._process = None
        self._gauss = None

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        return cls(name, unit, delay_ms, keys.process_value("reads"), keys.number("noise", 0.0, 10.0, 0.0))

    def connect(self, model, rng):
        self._process = self.sense(model)
        self._gauss = rng.gauss

    def step(self, now_us: int):
        if self.frozen or self._process is None:
            return
        o2_pct = self._process()[0]
        if not self.sensing.still:
            o2_pct += self.noise * self._gauss(0.0, 1.0)
        if o2_pct < LOWEST_PCT:
            o2_pct = LOWEST_PCT
        elif o2_pct > HIGHEST_PCT:
            o2_pct = HIGHEST_PCT
        _WORDS.pack_into(self.inputs.data, 0, o2_pct, self._faults, int(CELL_TEMPERATURE_C * 10.0))

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "failed":
            self._faults |= self._mask(arg)
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        if kind == "failed":
            self._faults &= ~self._mask(arg)
        else:
            Instrument.end_fault(self, kind, arg, now_us)

    def _mask(self, arg) -> int:
        """The fault bits of an argument; by default the sensor error."""
        if arg is None:
            return registers.FAULT_BITS[0][0]
        if not isinstance(arg, int) or not 0 < arg < 0x10000:
            bits = ", ".join(f"{bit} {why}" for bit, why in registers.FAULT_BITS)
            raise FaultError(f"{self.name}: a fault mask is a sum of {bits}, but got {arg!r}")
        return arg
