"""ICP DAS M-7024: four 4-20 mA outputs with a watchdog over the host. Registers: edge.node.devices.m7024.

Source: I-7021/22/24, M-7022/24/28 user manual B2.3, A.2 and A.5 (read): when the host watchdog times out,
the safe values go to the outputs, and output commands have no effect until its status is cleared; the
status is stored, so that a module which is switched on with it starts with the safe values, and without it
with the power-on values. Coil 00260 lets an output command clear the status (CL-200 series manual, read).
The watchdog is disabled when it has timed out: the manuals' examples read the status as 04, without the
enable bit (I-7060, M-7084, read).

Assumed: every request addressed to the module restarts the watchdog; counts outside 4000..20000 are
refused with exception 3; watchdog setting, safe and power-on values are stored.
"""

from struct import Struct

from edge.emulator.instruments.instrument import NEVER_US, Instrument, unit_and_delay
from edge.node.devices import m7024 as registers

CHANNELS = registers.CHANNELS

_COUNTS = Struct(f">{CHANNELS}H")
_RANGE = range(registers.COUNTS_0, registers.COUNTS_100 + 1)
_BIT = frozenset((0, 1))


class M7024(Instrument):
    """``drives``: output name ao0..ao3 -> the model's input, in percent.

    ``power_on_pct``: output name -> value at power-on (0 %). ``slew_pct_per_s``: how fast outputs move;
    0: at once.
    """

    TYPE = "m7024"
    FAULTS = dict(Instrument.FAULTS, watchdog=False)

    def __init__(self, name, unit, delay_ms, drives, power_on_pct=None, slew_pct_per_s=0.0):
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=[
                (registers.COIL_WATCHDOG_MODE, 1),
                (registers.COIL_WATCHDOG_ENABLE, 1),
                (registers.COIL_DATA_FORMAT, 1),
                (registers.COIL_WATCHDOG_TRIPPED, 1),
                (registers.COIL_RESET_STATUS, 1),
            ],
            holding=[
                (registers.AO_VALUE, CHANNELS),
                (registers.AO_SAFE_VALUE, CHANNELS),
                (registers.AO_POWER_ON_VALUE, CHANNELS),
                (registers.HOST_WATCHDOG_TIMEOUT, 1),
                (registers.HOST_WATCHDOG_COUNT, 1),
            ],
            inputs=[(registers.AO_READ_BACK, CHANNELS)],
        )
        self.drives = [(drives[key], i) for i, key in enumerate(registers.OUTPUTS) if key in drives]
        self.percent = [0.0] * CHANNELS
        self.slew_pct_per_s = slew_pct_per_s
        # The host watchdog has timed out, and nobody has cleared it.
        self.tripped = False
        self._reached = None
        self._place = self.inputs.place(registers.AO_READ_BACK)
        self._values = self.holding.place(registers.AO_VALUE)
        for i, key in enumerate(registers.OUTPUTS):
            power_on = registers.counts((power_on_pct or {}).get(key, 0.0))
            self.holding.put(registers.AO_POWER_ON_VALUE + i, power_on)
            self.holding.put(registers.AO_SAFE_VALUE + i, registers.COUNTS_0)
            self.holding.put(registers.AO_VALUE + i, power_on)
            for first in (registers.AO_VALUE, registers.AO_SAFE_VALUE, registers.AO_POWER_ON_VALUE):
                self.holding_values[first + i] = _RANGE
        self.holding_values[registers.HOST_WATCHDOG_TIMEOUT] = range(256)
        self.holding_values[registers.HOST_WATCHDOG_COUNT] = frozenset((0,))
        self.coils.put(registers.COIL_DATA_FORMAT, 1)
        self.coils.put(registers.COIL_RESET_STATUS, 1)
        self.coil_values[registers.COIL_WATCHDOG_MODE] = _BIT
        self.coil_values[registers.COIL_WATCHDOG_ENABLE] = _BIT
        self.coil_values[registers.COIL_DATA_FORMAT] = frozenset((1,))
        self.coil_values[registers.COIL_WATCHDOG_TRIPPED] = _BIT
        self.coils_read_once = frozenset((registers.COIL_RESET_STATUS,))
        self._jump()

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        slew_pct_per_s = keys.number("slew_pct_per_s", 0.0, 1000.0, 0.0)
        drives = {}
        power_on_pct = {}
        for output in registers.OUTPUTS:
            wiring = keys.table(output)
            if wiring is not None:
                drives[output] = wiring.model_input("drives")
                power_on_pct[output] = wiring.number("power_on_pct", 0.0, 100.0, 0.0)
                wiring.finish()
        return cls(name, unit, delay_ms, drives, power_on_pct, slew_pct_per_s)

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

    def lease_state(self) -> dict:
        return {"armed": self.lease_us != NEVER_US, "expired": self.tripped}

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
            self._latch(False)
        return Instrument.write_registers(self, address, values, at_us)

    def registers_written(self, address: int, count: int, at_us: int):
        self._arm()
        if self.slew_pct_per_s <= 0.0:
            self._move(0.0)

    def coils_written(self, address: int, count: int, at_us: int):
        # Writing 1 clears the status; writing 0 leaves it.
        if address <= registers.COIL_WATCHDOG_TRIPPED < address + count:
            self._latch(self.tripped and not self.coils.get(registers.COIL_WATCHDOG_TRIPPED))
        self._arm()

    def coils_were_read(self, address: int, count: int):
        self.coils.put(registers.COIL_RESET_STATUS, 0)

    def _arm(self):
        tenths = self.holding.get(registers.HOST_WATCHDOG_TIMEOUT)
        armed = self.coils.get(registers.COIL_WATCHDOG_ENABLE) and tenths
        self.lease_us = tenths * 100000 if armed else NEVER_US

    def expire(self, at_us: int):
        """The host watchdog times out: safe values, latched until cleared."""
        Instrument.expire(self, at_us)
        self._latch(True)
        self.coils.put(registers.COIL_WATCHDOG_ENABLE, 0)
        count = self.holding.get(registers.HOST_WATCHDOG_COUNT)
        self.holding.put(registers.HOST_WATCHDOG_COUNT, count + 1 & 0xFFFF)
        self._load(registers.AO_SAFE_VALUE)
        self._arm()

    def _latch(self, tripped: bool):
        self.tripped = tripped
        self.coils.put(registers.COIL_WATCHDOG_TRIPPED, 1 if tripped else 0)

    def _load(self, source: int):
        for i in range(CHANNELS):
            self.holding.put(registers.AO_VALUE + i, self.holding.get(source + i))
        if self.slew_pct_per_s <= 0.0:
            self._move(0.0)

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "watchdog":
            self.expire(now_us)
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        Instrument.end_fault(self, kind, arg, now_us)
        self._reached = None

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self.coils.put(registers.COIL_RESET_STATUS, 1)
        self._load(registers.AO_SAFE_VALUE if self.tripped else registers.AO_POWER_ON_VALUE)
