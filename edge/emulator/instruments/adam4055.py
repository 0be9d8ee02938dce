"""Advantech ADAM-4055 and ADAM-4056: digital inputs and outputs. Registers: edge.node.devices.adam4055.

Its watchdog is that of edge.emulator.instruments.adam_outputs. Assumed: outputs are off at power-on; an
output that is on drives its input of the model with 100 %.
"""

from edge.emulator.instruments.adam4018 import ADAM_FUNCTIONS, VERSION
from edge.emulator.instruments.adam_outputs import AdamOutputs
from edge.emulator.instruments.digital import Switching, digital_wiring
from edge.emulator.instruments.instrument import Instrument, unit_and_delay
from edge.node.devices import adam4055 as registers

_BIT = frozenset((0, 1))
OVER_CURRENT_FLAGS = 3


class Adam4055(Switching, AdamOutputs):
    """``drives``: output -> the model's input; ``contacts``: its inputs; ``safe``: outputs on when safe."""

    TYPE = "adam4055"
    FUNCTIONS = ADAM_FUNCTIONS
    MORE_COILS = []
    NAME_2 = 0x0000
    registers = registers

    def __init__(self, name, unit, delay_ms, drives=(), contacts=None, safe=(), armed_s=None):
        self._outputs, inputs = registers.CHANNELS[self.TYPE]
        coils = [(registers.DO_VALUE, self._outputs)] + self.MORE_COILS
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=coils + ([(registers.DI_VALUE, inputs)] if inputs else []),
            holding=[
                (registers.MODULE_NAME, 2),
                (registers.VERSION, 2),
                (registers.COMM_SAFETY_ENABLE, 1),
                (registers.COMM_SAFETY_FLAG, 1),
            ],
        )
        self.wire(drives, contacts)
        self._safe = [1 if key in safe else 0 for key in registers.outputs(self.TYPE)]
        self.holding.put(registers.MODULE_NAME, registers.NAMES[self.TYPE])
        self.holding.put(registers.MODULE_NAME + 1, self.NAME_2)
        self.holding.put(registers.VERSION, VERSION)
        for i in range(self._outputs):
            self.coil_values[registers.DO_VALUE + i] = _BIT
        self.arm(registers, armed_s)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        armed_s = keys.number("armed_s", 0.0, 6553.5, None)
        wiring = digital_wiring(keys, registers.outputs(cls.TYPE), registers.CHANNELS[cls.TYPE][1])
        return cls(name, unit, delay_ms, *wiring, armed_s)

    def coils_written(self, address: int, count: int, at_us: int):
        self.switch()

    def _load(self, bits: list):
        self.coils.put_all(registers.DO_VALUE, bits)
        self.switch()

    def fall_to_safe(self):
        self._load(self._safe)

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self._load([0] * self._outputs)


class Adam4056(Adam4055):
    """Twelve outputs with their over-current flags, no inputs."""

    TYPE = "adam4056"
    # "SO"
    NAME_2 = 0x534F
    MORE_COILS = [(registers.OVER_CURRENT, OVER_CURRENT_FLAGS)]
