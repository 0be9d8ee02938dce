"""Advantech ADAM-4024: four 4-20 mA outputs. Registers: edge.node.devices.adam4024.

Its watchdog is that of edge.emulator.instruments.adam_outputs. Assumed: counts beyond 4095 are refused
with exception 3; when the watchdog acts, the outputs take their emergency-stop values, which were set with
its tool.
"""

from edge.emulator.instruments.adam4018 import ADAM_FUNCTIONS, VERSION
from edge.emulator.instruments.adam_outputs import AdamOutputs
from edge.emulator.instruments.instrument import Instrument, unit_and_delay
from edge.node.devices import adam4024 as registers

CHANNELS = registers.CHANNELS


class Adam4024(AdamOutputs):
    """``drives``: output ao0..ao3 -> the model's input; ``safe_pct``, ``power_on_pct``: output -> percent."""

    TYPE = "adam4024"
    FUNCTIONS = ADAM_FUNCTIONS

    def __init__(self, name, unit, delay_ms, drives, armed_s=None, safe_pct=None, power_on_pct=None):
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=[(registers.EMERGENCY_DI, CHANNELS)],
            holding=[
                (registers.AO_VALUE, CHANNELS),
                (registers.AO_TYPE_CODE, CHANNELS),
                (registers.MODULE_NAME, 2),
                (registers.VERSION, 2),
                (registers.COMM_SAFETY_ENABLE, 1),
                (registers.COMM_SAFETY_FLAG, 1),
                (registers.CHANNEL_ENABLE, 1),
            ],
        )
        self.drives = [(drives[key], i) for i, key in enumerate(registers.OUTPUTS) if key in drives]
        self.percent = [0.0] * CHANNELS
        self._safe = [(safe_pct or {}).get(key, 0.0) for key in registers.OUTPUTS]
        self._power_on = [(power_on_pct or {}).get(key, 0.0) for key in registers.OUTPUTS]
        self.holding.put(registers.MODULE_NAME, registers.NAME)
        self.holding.put(registers.VERSION, VERSION)
        self.holding.put(registers.CHANNEL_ENABLE, (1 << CHANNELS) - 1)
        self.holding_values[registers.CHANNEL_ENABLE] = range(256)
        for i in range(CHANNELS):
            self.holding.put(registers.AO_TYPE_CODE + i, registers.TYPE_4_20_MA)
            self.holding_values[registers.AO_TYPE_CODE + i] = registers.TYPES
            self.holding_values[registers.AO_VALUE + i] = range(registers.FULL_COUNT + 1)
        self.arm(registers, armed_s)
        self._load(self._power_on)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        armed_s = keys.number("armed_s", 0.0, 1000.0, None)
        drives, safe_pct, power_on_pct = {}, {}, {}
        for output in registers.OUTPUTS:
            wiring = keys.table(output)
            if wiring is not None:
                drives[output] = wiring.model_input("drives")
                safe_pct[output] = wiring.number("safe_pct", 0.0, 100.0, 0.0)
                power_on_pct[output] = wiring.number("power_on_pct", 0.0, 100.0, 0.0)
                wiring.finish()
        return cls(name, unit, delay_ms, drives, armed_s, safe_pct, power_on_pct)

    def connect(self, model, rng):
        """Outputs start where the model has its inputs."""
        for attribute, i in self.drives:
            self.holding.put(registers.AO_VALUE + i, registers.counts(getattr(model, attribute)))
        self._take()

    def _load(self, percent: list):
        for i in range(CHANNELS):
            self.holding.put(registers.AO_VALUE + i, registers.counts(percent[i]))
        self._take()

    def _take(self):
        for i in range(CHANNELS):
            self.percent[i] = registers.percent(self.holding.get(registers.AO_VALUE + i))

    def registers_written(self, address: int, count: int, at_us: int):
        self._take()

    def fall_to_safe(self):
        self._load(self._safe)

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self._load(self._power_on)
