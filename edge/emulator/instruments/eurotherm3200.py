"""Eurotherm 3200 series controller on a process value. Registers: edge.node.devices.eurotherm3200.

It controls by itself: a PI loop in percent, by its proportional band and integral time. Own choice: the
scaled integers have one decimal, those of times none; a sensor break takes the output to 0; registers
beyond those here answer exception 2.
"""

from struct import pack, unpack

from edge.emulator.instruments.instrument import ILLEGAL_VALUE, Instrument, unit_and_delay
from edge.node.bus import modbus
from edge.node.devices import eurotherm3200 as registers
from edge.node.devices.eurotherm3200 import as_float

# What it measures with its thermocouple shorted; own choice.
TERMINALS_C = 30.0

# Parameter -> (decimals of its scaled integer, lowest, highest that may be written, or None: read-only).
PARAMETERS = {
    registers.PV: (1, None),
    registers.TARGET_SETPOINT: (1, (-250.0, 1800.0)),
    registers.MANUAL_OUTPUT: (1, (0.0, 100.0)),
    registers.WORKING_OUTPUT: (1, None),
    registers.WORKING_SETPOINT: (1, None),
    registers.PROPORTIONAL_BAND: (1, (0.1, 1000.0)),
    registers.INTEGRAL_TIME: (0, (0.0, 9999.0)),
    registers.DERIVATIVE_TIME: (0, (0.0, 9999.0)),
    registers.SETPOINT_1: (1, (-250.0, 1800.0)),
    registers.REMOTE_SETPOINT: (1, (-250.0, 1800.0)),
    registers.STATUS: (0, None),
    registers.REMOTE_SELECT: (0, (0.0, 1.0)),
}


class Eurotherm3200(Instrument):
    """``reads``: the process value, degC; ``drives``: the model's input that gets its output, or None."""

    TYPE = "eurotherm3200"
    FUNCTIONS = frozenset(
        (
            modbus.READ_HOLDING_REGISTERS,
            modbus.READ_INPUT_REGISTERS,
            modbus.WRITE_SINGLE_REGISTER,
            modbus.WRITE_MULTIPLE_REGISTERS,
        )
    )
    FAULTS = dict(Instrument.FAULTS, burnt_out=True, shorted=True)

    def __init__(self, name, unit, delay_ms, reads, drives=None, set_point_c=800.0, noise=0.0):
        blocks = [(number, 1) for number in PARAMETERS]
        floats = [(as_float(number), 2) for number in PARAMETERS]
        Instrument.__init__(self, name, unit, delay_ms, holding=blocks + floats, inputs=blocks + floats)
        # Both functions read the same.
        self.tables[modbus.READ_INPUT_REGISTERS] = self.inputs = self.holding
        self.reads = [reads]
        self.drives = [(drives, 0)] if drives else []
        self.percent = [0.0]
        self.noise = noise
        self.values = dict.fromkeys(PARAMETERS, 0.0)
        self.values[registers.TARGET_SETPOINT] = self.values[registers.SETPOINT_1] = set_point_c
        self.values[registers.PROPORTIONAL_BAND] = 100.0
        self.values[registers.INTEGRAL_TIME] = 300.0
        self._broken = False
        self._shorted = False
        self._integral_pct = 0.0
        self._process = None
        self._gauss = None
        self._show_all()

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        reads = keys.process_value("reads")
        drives = keys.model_input("drives") if keys.has("drives") else None
        set_point_c = keys.number("set_point_c", -250.0, 1800.0, 800.0)
        return cls(name, unit, delay_ms, reads, drives, set_point_c, keys.number("noise", 0.0, 1000.0, 0.0))

    def connect(self, model, rng):
        self._process = self.sense(model)
        self._gauss = rng.gauss
        for attribute, _ in self.drives:
            self.percent[0] = self._integral_pct = getattr(model, attribute)

    def _show(self, number: int):
        """A parameter's value in both its places."""
        value = self.values[number]
        decimals, _ = PARAMETERS[number]
        scaled = int(value * 10**decimals + (0.5 if value >= 0.0 else -0.5))
        self.holding.put(number, max(-0x8000, min(0x7FFF, scaled)) & 0xFFFF)
        self.holding.put_all(as_float(number), unpack(">HH", pack(">f", value)))

    def _show_all(self):
        for number in PARAMETERS:
            self._show(number)

    def step(self, now_us: int):
        dt_s = (now_us - self._stepped_us) * 1e-6
        self._stepped_us = now_us
        if self._process is None:
            return
        values = self.values
        pv = TERMINALS_C if self._shorted else self._process()[0]
        if not self._shorted and not self.sensing.still:
            pv += self.noise * self._gauss(0.0, 1.0)
        remote = values[registers.REMOTE_SELECT]
        chosen = registers.REMOTE_SETPOINT if remote else registers.TARGET_SETPOINT
        set_point = values[chosen]
        if self._broken:
            self.percent[0] = 0.0
        elif self.drives:
            error_pct = 100.0 * (set_point - pv) / values[registers.PROPORTIONAL_BAND]
            if values[registers.INTEGRAL_TIME]:
                self._integral_pct += error_pct * dt_s / values[registers.INTEGRAL_TIME]
                self._integral_pct = max(0.0, min(100.0, self._integral_pct))
            self.percent[0] = max(0.0, min(100.0, self._integral_pct + error_pct))
        if self.frozen:
            return
        values[registers.PV] = pv
        values[registers.WORKING_OUTPUT] = self.percent[0]
        values[registers.WORKING_SETPOINT] = set_point
        values[registers.STATUS] = float(registers.SENSOR_BREAK if self._broken else 0)
        self._show_all()

    def write_registers(self, address: int, values, at_us: int) -> int:
        """One parameter, as an integer or as a float."""
        number, value = self._written(address, values)
        if number is None:
            return ILLEGAL_VALUE
        limits = PARAMETERS[number][1]
        if limits is None or not limits[0] <= value <= limits[1]:
            return ILLEGAL_VALUE
        self.values[number] = value
        self._show(number)
        return 0

    def _written(self, address: int, values) -> tuple:
        """(parameter, its value) of a write; (None, 0) of one that is neither."""
        if address in PARAMETERS and len(values) == 1:
            scaled = values[0] - 0x10000 if values[0] & 0x8000 else values[0]
            return address, scaled / 10.0 ** PARAMETERS[address][0]
        number = (address - as_float(0)) // 2
        if number in PARAMETERS and address == as_float(number) and len(values) == 2:
            return number, unpack(">f", pack(">HH", *values))[0]
        return None, 0.0

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "burnt_out":
            self._broken = True
        elif kind == "shorted":
            self._shorted = True
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        if kind == "burnt_out":
            self._broken = False
        elif kind == "shorted":
            self._shorted = False
        else:
            Instrument.end_fault(self, kind, arg, now_us)

    def reset(self, now_us: int):
        """A power cycle: the remote set-point is forgotten, the rest is kept."""
        Instrument.reset(self, now_us)
        self.values[registers.REMOTE_SETPOINT] = 0.0
        self._integral_pct = 0.0
        self._show_all()
