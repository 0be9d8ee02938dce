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

from edge.emulator.instruments.instrument import NEVER_US, Instrument
from edge.node.devices import m7024 as registers

CHANNELS = registers.CHANNELS

_COUNTS = Struct(">%dH" % CHANNELS)
_RANGE = range(registers.COUNTS_0, registers.COUNTS_100 + 1)
_BIT = frozenset((0, 1))


class M7024(Instrument):
    """``drives``: output name ao0..ao3 -> the model's input, in percent.

    ``power_on_pct``: output name -> value at power-on (0 %). ``start_pct``: output name -> value at which
    the emulation starts (that at power-on). ``slew_pct_per_s``: how fast outputs move; 0: at once.
    """

    TYPE = "m7024"
    FAULTS = dict(Instrument.FAULTS, watchdog=False)

    def __init__(self, name, unit, delay_ms, drives, power_on_pct=None, start_pct=None, slew_pct_per_s=0.0):
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
        self._stepped_us = 0
        self._place = self.inputs.place(registers.AO_READ_BACK)
        self._values = self.holding.place(registers.AO_VALUE)
        for i, key in enumerate(registers.OUTPUTS):
            power_on = registers.counts((power_on_pct or {}).get(key, 0.0))
            start = registers.counts((start_pct or {}).get(key, registers.percent(power_on)))
            self.holding.put(registers.AO_POWER_ON_VALUE + i, power_on)
            self.holding.put(registers.AO_SAFE_VALUE + i, registers.COUNTS_0)
            self.holding.put(registers.AO_VALUE + i, start)
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
        self._move(1.0e9)

    @property
    def tripped(self) -> bool:
        """The host watchdog has timed out, and nobody has cleared it."""
        return bool(self.coils.get(registers.COIL_WATCHDOG_TRIPPED))

    def lease(self) -> str:
        if self.tripped:
            return "expired"
        return "off" if self.lease_us == NEVER_US else "held"

    def step(self, now_us: int):
        dt_s = (now_us - self._stepped_us) * 1e-6
        self._stepped_us = now_us
        self._move(dt_s)

    def _move(self, dt_s: float):
        """Bring the currents closer to the commanded ones, and read them back."""
        wanted = _COUNTS.unpack_from(self.holding.data, self._values)
        percent = self.percent
        most = self.slew_pct_per_s * dt_s
        for i in range(CHANNELS):
            target = registers.percent(wanted[i])
            if self.slew_pct_per_s > 0.0:
                if target > percent[i] + most:
                    target = percent[i] + most
                elif target < percent[i] - most:
                    target = percent[i] - most
            percent[i] = target
        if not self.frozen:
            _COUNTS.pack_into(self.inputs.data, self._place, *[registers.counts(value) for value in percent])

    def write_registers(self, address: int, values, at_us: int) -> int:
        first = address - registers.AO_VALUE
        if self.tripped and 0 <= first < CHANNELS:
            if self.coils.get(registers.COIL_WATCHDOG_MODE):
                self._clear()
            else:
                # Acknowledged, and of no effect.
                return self._check(address, values)
        return Instrument.write_registers(self, address, values, at_us)

    def _check(self, address: int, values) -> int:
        kept = bytes(self.holding.data)
        code = Instrument.write_registers(self, address, values, 0)
        self.holding.data[:] = kept
        return code

    def registers_written(self, address: int, count: int, at_us: int):
        self._arm()
        if self.slew_pct_per_s <= 0.0:
            self._move(0.0)

    def coils_written(self, address: int, count: int, at_us: int):
        for coil in range(address, address + count):
            if coil == registers.COIL_WATCHDOG_TRIPPED:
                if self.coils.get(coil):
                    self._clear()
                else:
                    self.coils.put(coil, 1 if self.lost else 0)
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
        self.coils.put(registers.COIL_WATCHDOG_TRIPPED, 1)
        self.coils.put(registers.COIL_WATCHDOG_ENABLE, 0)
        count = self.holding.get(registers.HOST_WATCHDOG_COUNT)
        self.holding.put(registers.HOST_WATCHDOG_COUNT, count + 1 & 0xFFFF)
        self._load(registers.AO_SAFE_VALUE)
        self._arm()

    def _clear(self):
        self.coils.put(registers.COIL_WATCHDOG_TRIPPED, 0)

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

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self.coils.put(registers.COIL_RESET_STATUS, 1)
        self._load(registers.AO_SAFE_VALUE if self.tripped else registers.AO_POWER_ON_VALUE)
