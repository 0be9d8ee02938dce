"""ICP DAS M-7024: four 4-20 mA outputs with a watchdog over the host. Registers: edge.node.devices.m7024.

The host watchdog is that of edge.emulator.instruments.icpdas. Commands: edge.node.devices.m7024_dcon;
$AA4N and ~AA5N make what is put out now the power-on or the safe value.

Assumed: counts outside 4000..20000 are refused with exception 3.
"""

from struct import Struct

from edge.emulator.instruments import icpdas
from edge.emulator.instruments.dcon_module import commands
from edge.emulator.instruments.icpdas import ONLY_1, IcpDasModule
from edge.emulator.instruments.instrument import Instrument, unit_and_delay
from edge.node.devices import m7024 as registers

CHANNELS = registers.CHANNELS

_COUNTS = Struct(f">{CHANNELS}H")
_RANGE = range(registers.COUNTS_0, registers.COUNTS_100 + 1)
# Range 4-20 mA, outputs change at once.
_TYPE_4_20_MA = 0x32


class M7024(IcpDasModule):
    """``drives``: output name ao0..ao3 -> the model's input, in percent.

    ``power_on_pct``, ``safe_pct``: output name -> value at power-on, and the safe one that it was set to
    (0 %). ``slew_pct_per_s``: how fast outputs move; 0: at once.
    """

    TYPE = "m7024"
    NAME = "7024"
    COMMANDS = commands(
        write_output=r"#([0-3])([+-][0-9]{2}\.[0-9]{3})",
        read_configuration=r"\$2",
        set_power_on=r"\$4([0-3])",
        read_commanded=r"\$6([0-3])",
        read_back=r"\$8([0-3])",
        read_safe=r"~4([0-3])",
        set_safe=r"~5([0-3])",
        **icpdas.COMMON,
    )

    def __init__(self, name, unit, delay_ms, drives, power_on_pct=None, slew_pct_per_s=0.0, safe_pct=None):
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=self.COILS + [(registers.COIL_DATA_FORMAT, 1)],
            holding=self.HOLDING
            + [
                (registers.AO_VALUE, CHANNELS),
                (registers.AO_SAFE_VALUE, CHANNELS),
                (registers.AO_POWER_ON_VALUE, CHANNELS),
            ],
            inputs=[(registers.AO_READ_BACK, CHANNELS)],
        )
        self.drives = [(drives[key], i) for i, key in enumerate(registers.OUTPUTS) if key in drives]
        self.percent = [0.0] * CHANNELS
        self.slew_pct_per_s = slew_pct_per_s
        self._reached = None
        self._place = self.inputs.place(registers.AO_READ_BACK)
        self._values = self.holding.place(registers.AO_VALUE)
        self.arrange()
        for i, key in enumerate(registers.OUTPUTS):
            power_on = registers.counts((power_on_pct or {}).get(key, 0.0))
            self.holding.put(registers.AO_POWER_ON_VALUE + i, power_on)
            safe = registers.counts((safe_pct or {}).get(key, 0.0))
            self.holding.put(registers.AO_SAFE_VALUE + i, safe)
            self.holding.put(registers.AO_VALUE + i, power_on)
            for first in (registers.AO_VALUE, registers.AO_SAFE_VALUE, registers.AO_POWER_ON_VALUE):
                self.holding_values[first + i] = _RANGE
        self.coils.put(registers.COIL_DATA_FORMAT, 1)
        self.coil_values[registers.COIL_DATA_FORMAT] = ONLY_1
        self._jump()

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        slew_pct_per_s = keys.number("slew_pct_per_s", 0.0, 1000.0, 0.0)
        drives = {}
        power_on_pct, safe_pct = {}, {}
        for output in registers.OUTPUTS:
            wiring = keys.table(output)
            if wiring is not None:
                drives[output] = wiring.model_input("drives")
                power_on_pct[output] = wiring.number("power_on_pct", 0.0, 100.0, 0.0)
                safe_pct[output] = wiring.number("safe_pct", 0.0, 100.0, 0.0)
                wiring.finish()
        module = cls(name, unit, delay_ms, drives, power_on_pct, slew_pct_per_s, safe_pct)
        module.speak(keys)
        return module

    def connect(self, model, rng):
        """Outputs start where the model has its inputs."""
        for attribute, i in self.drives:
            self.holding.put(registers.AO_VALUE + i, registers.counts(getattr(model, attribute)))
        self._jump()

    def _jump(self):
        """Outputs at what is commanded, without a slew."""
        for i, count in enumerate(_COUNTS.unpack_from(self.holding.data, self._values)):
            self.percent[i] = registers.percent(count)
        self._move(0.0)

    def step(self, now_us: int):
        dt_s = (now_us - self._stepped_us) * 1e-6
        self._stepped_us = now_us
        self._move(dt_s)

    def _move(self, dt_s: float):
        """Bring the currents closer to the commanded ones, and read them back."""
        commanded = self.holding.data[self._values : self._values + 2 * CHANNELS]
        if commanded == self._reached:
            return
        wanted = _COUNTS.unpack(commanded)
        percent = self.percent
        most = self.slew_pct_per_s * dt_s
        arrived = True
        for i in range(CHANNELS):
            target = registers.percent(wanted[i])
            if self.slew_pct_per_s > 0.0 and abs(target - percent[i]) > most:
                target = percent[i] + most if target > percent[i] else percent[i] - most
                arrived = False
            percent[i] = target
        if not self.frozen:
            _COUNTS.pack_into(self.inputs.data, self._place, *[registers.counts(value) for value in percent])
            if arrived:
                self._reached = commanded

    def write_registers(self, address: int, values, at_us: int) -> int:
        if self.tripped and registers.AO_VALUE <= address < registers.AO_VALUE + CHANNELS:
            code = self.refusal(self.holding_values, address, values)
            if code or not self.coils.get(registers.COIL_WATCHDOG_MODE):
                # Without an exception it is acknowledged, and of no effect.
                return code
            self.latch(False)
        return Instrument.write_registers(self, address, values, at_us)

    def registers_written(self, address: int, count: int, at_us: int):
        IcpDasModule.registers_written(self, address, count, at_us)
        if self.slew_pct_per_s <= 0.0:
            self._move(0.0)

    def fall_to_safe(self):
        self._load(registers.AO_SAFE_VALUE)

    def _load(self, source: int):
        for i in range(CHANNELS):
            self.holding.put(registers.AO_VALUE + i, self.holding.get(source + i))
        if self.slew_pct_per_s <= 0.0:
            self._move(0.0)

    def end_fault(self, kind: str, arg, now_us: int):
        Instrument.end_fault(self, kind, arg, now_us)
        self._reached = None

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self.coils.put(registers.COIL_RESET_STATUS, 1)
        self._load(registers.AO_SAFE_VALUE if self.tripped else registers.AO_POWER_ON_VALUE)

    # DCON ---------------------------------------------------------------------------------------

    def write_output(self, channel: str, milliamperes: str, at_us: int) -> str:
        """#AAN(data): "?" alone for a value out of range, "!" while the watchdog has tripped."""
        count = int(float(milliamperes) * 1000.0 + 0.5)
        if count not in _RANGE:
            return "?"
        if self.tripped:
            return "!"
        self.holding.put(registers.AO_VALUE + int(channel), count)
        if self.slew_pct_per_s <= 0.0:
            self._move(0.0)
        return ">"

    def _answer(self, table, first: int, channel: str) -> str:
        return f"!{self.address}{table.get(first + int(channel)) / 1000.0:06.3f}"

    def read_commanded(self, channel: str, at_us: int) -> str:
        """$AA6N"""
        return self._answer(self.holding, registers.AO_VALUE, channel)

    def read_back(self, channel: str, at_us: int) -> str:
        """$AA8N"""
        return self._answer(self.inputs, registers.AO_READ_BACK, channel)

    def read_safe(self, channel: str, at_us: int) -> str:
        """~AA4N"""
        return self._answer(self.holding, registers.AO_SAFE_VALUE, channel)

    def _keep(self, first: int, channel: str) -> str:
        now = self.holding.get(registers.AO_VALUE + int(channel))
        self.holding.put(first + int(channel), now)
        return "!" + self.address

    def set_safe(self, channel: str, at_us: int) -> str:
        """~AA5N"""
        return self._keep(registers.AO_SAFE_VALUE, channel)

    def set_power_on(self, channel: str, at_us: int) -> str:
        """$AA4N"""
        return self._keep(registers.AO_POWER_ON_VALUE, channel)

    def read_configuration(self, at_us: int) -> str:
        """$AA2"""
        return self.configuration(_TYPE_4_20_MA)
