"""ICP DAS M-7055 and M-7065: digital inputs and outputs. Registers: edge.node.devices.m7065.

The host watchdog is that of edge.emulator.instruments.icpdas. Commands: edge.node.devices.m7065_dcon;
~AA5S and ~AA5P make what is put out now the safe or the power-on value.

Assumed: an output that is on drives its input of the model with 100 %.
"""

from edge.emulator.instruments import icpdas
from edge.emulator.instruments.dcon_module import commands
from edge.emulator.instruments.digital import Switching, digital_wiring
from edge.emulator.instruments.icpdas import BIT, IcpDasModule
from edge.emulator.instruments.instrument import Instrument, unit_and_delay
from edge.node.devices import m7065 as registers


class M7065(Switching, IcpDasModule):
    """``drives``: output -> the model's input; ``contacts``: its inputs; ``safe``: outputs on when safe."""

    TYPE = "m7065"
    NAME = "7065"
    registers = registers
    COMMANDS = commands(
        read_data="@",
        write_data=r"@([0-9A-F]{2})",
        read_configuration=r"\$2",
        read_kept=r"~4([PS])",
        keep=r"~5([PS])",
        **icpdas.COMMON,
    )

    def __init__(self, name, unit, delay_ms, drives=(), contacts=None, safe=()):
        self._outputs, self._inputs = registers.CHANNELS[self.TYPE]
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=self.COILS
            + [
                (registers.DO_VALUE, self._outputs),
                (registers.DI_VALUE, self._inputs),
                (registers.DO_SAFE_VALUE, self._outputs),
                (registers.DO_POWER_ON_VALUE, self._outputs),
            ],
            holding=self.HOLDING,
        )
        self.wire(drives, contacts)
        self.arrange()
        for i, key in enumerate(registers.outputs(self.TYPE)):
            self.coils.put(registers.DO_SAFE_VALUE + i, 1 if key in safe else 0)
            for first in (registers.DO_VALUE, registers.DO_SAFE_VALUE, registers.DO_POWER_ON_VALUE):
                self.coil_values[first + i] = BIT

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        inputs = registers.CHANNELS[cls.TYPE][1]
        module = cls(name, unit, delay_ms, *digital_wiring(keys, registers.outputs(cls.TYPE), inputs))
        module.speak(keys)
        return module

    def write_coils(self, address: int, bits, at_us: int) -> int:
        if self.tripped and address < registers.DO_VALUE + self._outputs:
            code = self.refusal(self.coil_values, address, bits)
            if code or not self.coils.get(registers.COIL_WATCHDOG_MODE):
                # Without an exception it is acknowledged, and of no effect.
                return code
            self.latch(False)
        return Instrument.write_coils(self, address, bits, at_us)

    def coils_written(self, address: int, count: int, at_us: int):
        IcpDasModule.coils_written(self, address, count, at_us)
        self.switch()

    def _load(self, source: int):
        for i in range(self._outputs):
            self.coils.put(registers.DO_VALUE + i, self.coils.get(source + i))
        self.switch()

    def fall_to_safe(self):
        self._load(registers.DO_SAFE_VALUE)

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self.coils.put(registers.COIL_RESET_STATUS, 1)
        self._load(registers.DO_SAFE_VALUE if self.tripped else registers.DO_POWER_ON_VALUE)

    # DCON ---------------------------------------------------------------------------------------

    def _bits(self, first: int, count: int) -> int:
        return sum(self.coils.get(first + i) << i for i in range(count))

    def read_data(self, at_us: int) -> str:
        """@AA"""
        outputs = self._bits(registers.DO_VALUE, self._outputs)
        return f">{outputs:02X}{self._bits(registers.DI_VALUE, self._inputs):02X}"

    def write_data(self, bits: str, at_us: int) -> str:
        """@AA(data): "?" alone for an output that it does not have, "!" while the watchdog has tripped."""
        number = int(bits, 16)
        if number >> self._outputs:
            return "?"
        if self.tripped:
            return "!"
        for i in range(self._outputs):
            self.coils.put(registers.DO_VALUE + i, number >> i & 1)
        self.switch()
        return ">"

    def read_kept(self, which: str, at_us: int) -> str:
        """~AA4V"""
        first = registers.DO_SAFE_VALUE if which == "S" else registers.DO_POWER_ON_VALUE
        return f"!{self.address}{self._bits(first, self._outputs):02X}00"

    def keep(self, which: str, at_us: int) -> str:
        """~AA5V"""
        first = registers.DO_SAFE_VALUE if which == "S" else registers.DO_POWER_ON_VALUE
        for i in range(self._outputs):
            self.coils.put(first + i, self.coils.get(registers.DO_VALUE + i))
        return "!" + self.address

    def read_configuration(self, at_us: int) -> str:
        """$AA2"""
        return self.configuration(0x40)


class M7055(M7065):
    """Eight of each."""

    TYPE = "m7055"
    NAME = "7055"
