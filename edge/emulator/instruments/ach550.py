"""ABB ACH550 drive on its embedded Modbus, ABB Drives profile. Registers: edge.node.devices.ach550.

Source: ACH550-UH user's manual, chapter Embedded fieldbus (read): control and status word, state diagram,
start sequence 0006 - wait 100 ms - 0007 - 000F (operation enabled, but the ramp generator's output is held)
- 002F - 006F (operating, follows the reference); coils 1-16 are the control word and discrete inputs 1-16
the status word; parameter GGPP is register 4GGPP, others don't exist (exception 2); writing what is
read-only or out of limits is exception 3; parameter writes are volatile until 1607 saves them; 40005 shows
the parameter that 5310 names, in that parameter's resolution: 0103, output frequency in 0.1 Hz; function
codes 1-6, 15, 16 and 23 (of its table only 8, diagnostics, is not here).

Recollection: 3018 communication fault function 0 none, 1 trip (fault 28), 2 speed of 1208, 3 average speed
of the last 10 s; 2 and 3 raise the alarm and last until a new reference is written. Own choice: motor and
machine coast to rest in 10 s, an emergency stop takes 2 s.
"""

from edge.emulator.instruments.instrument import (
    ALL_FUNCTIONS,
    ILLEGAL_VALUE,
    NEVER_US,
    FaultError,
    Instrument,
    unit_and_delay,
)
from edge.node.bus import modbus
from edge.node.devices import ach550 as registers
from edge.node.devices.ach550 import parameter

ACTUALS = 8  # 40005-40012
REFERENCE_2 = 0x0002  # 40003
WORD_BITS = 16

OUTPUT_FREQUENCY = parameter(103)  # 0.1 Hz
LAST_FAULT = parameter(401)
PARAMETER_SAVE = parameter(1607)
ACCELERATION_TIME = parameter(2202)  # 0.1 s
DECELERATION_TIME = parameter(2203)  # 0.1 s
ACTUAL_1_SOURCE = registers.ACTUAL_1_SOURCE

FUNC_NONE = 0
FUNC_FAULT = 1
FAULT_SERIAL_1 = 28

# Control word bits.
CW_OFF1 = 0x0001  # 0: ramp to stop
CW_OFF2 = 0x0002  # 0: coast to stop
CW_OFF3 = 0x0004  # 0: emergency stop
CW_ENABLE = 0x0008
CW_RAMP_RUN = 0x0020  # 0: the ramp generator holds
CW_RAMP_INPUT = 0x0040  # 0: the ramp generator's input is zero

# Status word bits that a driver has no use for.
SW_OFF2_INACTIVE = 0x0010
SW_OFF3_INACTIVE = 0x0020
SW_EXT_RUN_ENABLE = 0x1000

INHIBITED = "switch-on inhibited"
NOT_READY = "not ready to switch on"
READY_TO_SWITCH_ON = "ready to switch on"
READY_TO_OPERATE = "ready to operate"
ENABLED = "operation enabled"
OFF1_ACTIVE = "OFF1 active"
OFF3_ACTIVE = "OFF3 active"
TRIPPED = "fault"

_STATUS = {
    INHIBITED: registers.SW_SWC_ON_INHIB,
    NOT_READY: 0,
    READY_TO_SWITCH_ON: registers.SW_RDY_ON,
    READY_TO_OPERATE: registers.SW_RDY_ON | registers.SW_RDY_RUN,
    ENABLED: registers.SW_RDY_ON | registers.SW_RDY_RUN | registers.SW_RDY_REF,
    OFF1_ACTIVE: registers.SW_RDY_ON,
    OFF3_ACTIVE: registers.SW_SWC_ON_INHIB,
    TRIPPED: registers.SW_TRIPPED,
}
COAST_S = 10.0
EMERGENCY_STOP_S = 2.0
AT_SETPOINT_PCT = 0.5
AVERAGE_S = 10

# Data address -> (factory value, values that may be written or None for read-only).
PARAMETERS = {
    OUTPUT_FREQUENCY: (0, None),
    LAST_FAULT: (0, None),
    registers.CONST_SPEED_7: (500, range(registers.FULL_SPEED_DHZ + 1)),
    PARAMETER_SAVE: (0, frozenset((0, 1))),
    ACCELERATION_TIME: (300, range(18001)),
    DECELERATION_TIME: (300, range(18001)),
    registers.COMM_FAULT_FUNC: (FUNC_NONE, range(4)),
    registers.COMM_FAULT_TIME: (30, range(601)),
    ACTUAL_1_SOURCE: (103, frozenset((103,))),
}


class Ach550(Instrument):
    """``drives``: the model's input that gets its speed in percent of full speed.

    ``accel_s``, ``decel_s``: ramps from 0 to full speed and back (2202, 2203), 0.1..1800 s. It is at rest and
    powered up, until it is connected to a model whose input is not 0: then it operates at that speed.
    """

    TYPE = "ach550"
    FUNCTIONS = ALL_FUNCTIONS | {modbus.READ_WRITE_REGISTERS}
    READ_ONLY = ILLEGAL_VALUE
    FAULTS = dict(Instrument.FAULTS, trip=False, local=True)
    ARGUMENTS = frozenset(("trip",))

    def __init__(self, name, unit, delay_ms, drives, accel_s=30.0, decel_s=30.0):
        blocks = [(registers.CONTROL_WORD, 3), (registers.STATUS_WORD, 1), (registers.ACTUAL_1, ACTUALS)]
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=[(0, WORD_BITS)],
            discrete_inputs=[(0, WORD_BITS)],
            holding=blocks + [(address, 1) for address in PARAMETERS],
        )
        self.drives = [(drives, 0)] if drives else []
        self.percent = [0.0]
        self.state = INHIBITED
        self._entered_us = 0
        self._control = 0
        self._status = -1
        self._target_pct = 0.0
        # The speed that loss of communication commands, until a new reference comes.
        self._override_pct = None
        self._local = False
        self._shown_dhz = -1
        self._history = [0.0] * AVERAGE_S
        self._second = 0
        self._frequency = self.holding.place(OUTPUT_FREQUENCY)
        self._actual = self.holding.place(registers.ACTUAL_1)
        self._saved = {address: factory for address, (factory, _) in PARAMETERS.items()}
        self._saved[ACCELERATION_TIME] = int(accel_s * 10.0 + 0.5)
        self._saved[DECELERATION_TIME] = int(decel_s * 10.0 + 0.5)
        words = (registers.CONTROL_WORD, registers.REFERENCE_1, REFERENCE_2)
        self.holding_values = dict.fromkeys(words, range(65536))
        self.holding_values.update((key, values) for key, (_, values) in PARAMETERS.items() if values)
        self.coil_values = dict.fromkeys(range(WORD_BITS), (0, 1))
        self._recall()
        self._publish()

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        drives = keys.model_input("drives")
        accel_s = keys.number("accel_s", 0.1, 1800.0, 30.0)
        return cls(name, unit, delay_ms, drives, accel_s, keys.number("decel_s", 0.1, 1800.0, 30.0))

    def connect(self, model, rng):
        """The drive starts at the speed that the model has."""
        for attribute, _ in self.drives:
            percent = getattr(model, attribute)
            if percent <= 0.0:
                continue
            self.state = ENABLED
            self.percent[0] = percent
            self._history = [percent] * AVERAGE_S
            self.holding.put(registers.REFERENCE_1, int(percent * registers.FULL_REFERENCE / 100.0 + 0.5))
            self._put_control(registers.CW_OPERATING)
            self._aim()
            self._publish()

    def _recall(self):
        """Parameters as they were saved last."""
        for address, value in self._saved.items():
            self.holding.put(address, value)
        self._learn()

    def _learn(self):
        get = self.holding.get
        self._accel_pct_per_s = 1000.0 / (get(ACCELERATION_TIME) or 1)
        self._decel_pct_per_s = 1000.0 / (get(DECELERATION_TIME) or 1)
        watched = get(registers.COMM_FAULT_FUNC) != FUNC_NONE
        self.lease_us = get(registers.COMM_FAULT_TIME) * 100000 if watched else NEVER_US

    # Time -------------------------------------------------------------------------------------

    def step(self, now_us: int):
        dt_s = (now_us - self._stepped_us) * 1e-6
        self._stepped_us = now_us
        second = now_us // 1000000
        if second != self._second:
            self._second = second
            self._history[second % AVERAGE_S] = self.percent[0]
        if self.state == ENABLED:
            if not self._control & CW_RAMP_RUN or self.percent[0] == self._target_pct:
                return
            self._ramp(self._target_pct, self._accel_pct_per_s * dt_s, self._decel_pct_per_s * dt_s)
        else:
            self._slow_down(dt_s)
            self._follow(now_us)
        self._publish()

    def _ramp(self, target: float, most_up: float, most_down: float):
        speed = self.percent[0]
        if target > speed + most_up:
            target = speed + most_up
        elif target < speed - most_down:
            target = speed - most_down
        self.percent[0] = target

    def _slow_down(self, dt_s: float):
        if self.percent[0] <= 0.0:
            return
        if self.state == OFF1_ACTIVE:
            most = self._decel_pct_per_s * dt_s
        elif self.state == OFF3_ACTIVE:
            most = 100.0 / EMERGENCY_STOP_S * dt_s
        else:
            most = 100.0 / COAST_S * dt_s
        self._ramp(0.0, 0.0, most)

    # The control word ---------------------------------------------------------------------------

    def _enter(self, state: str, at_us: int):
        self.state = state
        self._entered_us = at_us

    def _follow(self, at_us: int):
        """Go through the states as far as the control word leads, by the manual's state diagram."""
        before = None
        while before != self.state:
            before = self.state
            self._next_state(self._control, at_us)
        self._aim()

    def _next_state(self, control: int, at_us: int):
        state = self.state
        stopped = self.percent[0] <= 0.0
        if state == TRIPPED:
            pass
        elif not control & CW_OFF2:
            self._enter(INHIBITED, at_us)
        elif not control & CW_OFF3:
            if state == OFF3_ACTIVE and stopped:
                self._enter(INHIBITED, at_us)
            elif state not in (INHIBITED, NOT_READY, OFF3_ACTIVE):
                self._enter(OFF3_ACTIVE, at_us)
        elif state == OFF3_ACTIVE:
            self._enter(INHIBITED, at_us)
        elif not control & CW_OFF1:
            if state in (READY_TO_OPERATE, ENABLED):
                self._enter(OFF1_ACTIVE, at_us)
            elif state == INHIBITED or state == OFF1_ACTIVE and stopped:
                self._enter(NOT_READY, at_us)
            elif state == NOT_READY:
                self._enter(READY_TO_SWITCH_ON, at_us)
        elif state == OFF1_ACTIVE:
            self._enter(READY_TO_OPERATE, at_us)
        elif state == READY_TO_SWITCH_ON:
            if at_us - self._entered_us >= registers.START_WAIT_MS * 1000:
                self._enter(READY_TO_OPERATE, at_us)
        elif state == READY_TO_OPERATE and control & CW_ENABLE:
            self._enter(ENABLED, at_us)
        elif state == ENABLED and not control & CW_ENABLE:
            self._enter(READY_TO_OPERATE, at_us)

    def _aim(self):
        """The speed that the ramp generator goes for; in local control the panel has it, and it stays."""
        if self._local:
            return
        if not self._control & CW_RAMP_INPUT:
            self._target_pct = 0.0
        elif self._override_pct is not None:
            self._target_pct = self._override_pct
        else:
            count = self.holding.get(registers.REFERENCE_1)
            # Negative is reverse, which a fan's direction lock turns into standstill.
            percent = 0.0 if count & 0x8000 else count * 100.0 / registers.FULL_REFERENCE
            self._target_pct = percent if percent < 100.0 else 100.0

    # What the line reads and writes -------------------------------------------------------------

    def _put_control(self, word: int):
        self._control = word
        self.holding.put(registers.CONTROL_WORD, word)
        self.coils.put_all(0, [word >> bit & 1 for bit in range(WORD_BITS)])

    def _publish(self):
        """Bring status word, frequency and actual value up to date."""
        if self.frozen:
            return
        status = _STATUS[self.state] | SW_EXT_RUN_ENABLE
        if self._control & CW_OFF2:
            status |= SW_OFF2_INACTIVE
        if self._control & CW_OFF3:
            status |= SW_OFF3_INACTIVE
        if not self._local:
            status |= registers.SW_REMOTE
        if self.lost or self._override_pct is not None:
            status |= registers.SW_ALARM
        speed = self.percent[0]
        if self.state == ENABLED and -AT_SETPOINT_PCT < speed - self._target_pct < AT_SETPOINT_PCT:
            status |= registers.SW_AT_SETPOINT
        if status != self._status:
            self._status = status
            self.holding.put(registers.STATUS_WORD, status)
            self.discrete_inputs.put_all(0, [status >> bit & 1 for bit in range(WORD_BITS)])
        dhz = int(speed * registers.FULL_SPEED_DHZ / 100.0 + 0.5)
        if dhz != self._shown_dhz:
            self._shown_dhz = dhz
            data = self.holding.data
            data[self._frequency] = data[self._actual] = dhz >> 8
            data[self._frequency + 1] = data[self._actual + 1] = dhz & 0xFF

    def write_registers(self, address: int, values, at_us: int) -> int:
        code = self.refusal(self.holding_values, address, values)
        if code:
            return code
        self.holding.put_all(address, values)
        if address > REFERENCE_2:
            self._parameters_written(address, len(values))
            return 0
        if address <= registers.REFERENCE_1 < address + len(values):
            self._override_pct = None
        if address == registers.CONTROL_WORD and (values[0] != self._control or self.state != ENABLED):
            self._command(values[0], at_us)
        else:
            self._aim()
            self._publish()
        return 0

    def coils_written(self, address: int, count: int, at_us: int):
        self._command(sum(self.coils.get(bit) << bit for bit in range(WORD_BITS)), at_us)

    def _command(self, word: int, at_us: int):
        """Take a new control word, unless the drive is in local control."""
        if word == self._control or self._local:
            self._put_control(self._control)
        else:
            if word & ~self._control & registers.CW_FAULT_RESET and self.state == TRIPPED:
                self._enter(INHIBITED, at_us)
            self._put_control(word)
        self._follow(at_us)
        self._publish()

    def _parameters_written(self, address: int, count: int):
        if address <= PARAMETER_SAVE < address + count and self.holding.get(PARAMETER_SAVE):
            self.holding.put(PARAMETER_SAVE, 0)
            for known, (_, values) in PARAMETERS.items():
                if values is not None:
                    self._saved[known] = self.holding.get(known)
        self._learn()

    def expire(self, at_us: int):
        """No valid request for the time of 3019: do what 3018 says."""
        Instrument.expire(self, at_us)
        function = self.holding.get(registers.COMM_FAULT_FUNC)
        if function == FUNC_FAULT:
            self._trip(FAULT_SERIAL_1, at_us)
        elif function == registers.FUNC_CONST_SPEED_7:
            self._override_pct = self.holding.get(registers.CONST_SPEED_7) * 100.0 / registers.FULL_SPEED_DHZ
        else:
            self._override_pct = sum(self._history) / AVERAGE_S
        self._aim()
        self._publish()

    def regained(self, at_us: int):
        Instrument.regained(self, at_us)
        self._publish()

    def lease_state(self) -> dict:
        expired = self.lost or self._override_pct is not None
        return {"armed": self.lease_us != NEVER_US, "expired": expired}

    # Faults -----------------------------------------------------------------------------------

    def _trip(self, fault: int, at_us: int):
        self._enter(TRIPPED, at_us)
        self.holding.put(LAST_FAULT, fault)

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "trip":
            fault = 1 if arg is None else arg
            if not isinstance(fault, int) or not 0 < fault < 1000:
                raise FaultError(f"{self.name}: a drive trips with a fault number of 1..999, not {arg!r}")
            self._trip(fault, now_us)
        elif kind == "local":
            self._local = True
        else:
            Instrument.begin_fault(self, kind, arg, now_us)
        self._publish()

    def end_fault(self, kind: str, arg, now_us: int):
        if kind == "local":
            self._local = False
        else:
            Instrument.end_fault(self, kind, arg, now_us)
        self._publish()

    def reset(self, now_us: int):
        """A power cycle: the motor coasts, parameters are as saved, the control word is forgotten."""
        self._recall()
        Instrument.reset(self, now_us)
        self._override_pct = None
        self._enter(INHIBITED, now_us)
        self.holding.put(registers.REFERENCE_1, 0)
        self._put_control(0)
        self._aim()
        self._publish()
