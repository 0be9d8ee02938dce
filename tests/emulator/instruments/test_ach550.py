"""The drive: start sequence, ramps, parameters, and what it does when its master is silent."""

from types import SimpleNamespace

import pytest

from edge.emulator.instruments import ach550 as drive_map
from edge.emulator.instruments.ach550 import Ach550
from edge.emulator.instruments.instrument import FaultError
from edge.node.devices import ach550
from tests.emulator.instruments.line import Line


def drive(speed_pct=0.0, accel_s=10.0, decel_s=20.0):
    return Line(Ach550("fan", 11, 5, "fan_pct", accel_s, decel_s), SimpleNamespace(fan_pct=speed_pct))


def status(line):
    return line.read(3, ach550.STATUS_WORD)[0]


def start(line, reference=20000):
    """The manual's start sequence."""
    line.write(ach550.CONTROL_WORD, 0x0006)
    line.wait(0.25)
    for word in (0x0007, 0x000F, 0x002F, 0x006F):
        line.write(ach550.CONTROL_WORD, word, reference)


def test_a_drive_whose_process_runs_is_running_from_the_start():
    line = drive(60.0)
    assert status(line) & 0x7 == 0x7
    assert status(line) & ach550.SW_AT_SETPOINT and status(line) & ach550.SW_REMOTE
    assert line.read(3, ach550.CONTROL_WORD, 5) == [0x006F, 12000, 0, status(line), 300]
    line.wait(5)
    assert line.instrument.percent[0] == 60.0


def test_the_start_sequence_leads_through_the_states_of_the_manual():
    line = drive()
    line.write(ach550.REFERENCE_1, 20000)
    assert status(line) & 0x47 == ach550.SW_SWC_ON_INHIB
    line.write(ach550.CONTROL_WORD, 0x0006)
    assert status(line) & 0x47 == ach550.SW_RDY_ON
    line.write(ach550.CONTROL_WORD, 0x0007)
    assert status(line) & 0x47 == ach550.SW_RDY_ON, "100 ms have not passed"
    line.wait(0.25)
    assert status(line) & 0x47 == ach550.SW_RDY_ON | ach550.SW_RDY_RUN
    line.write(ach550.CONTROL_WORD, 0x000F)
    assert status(line) & 0x47 == 0x7
    line.wait(5)
    assert line.instrument.percent[0] == 0.0, "operation is enabled, but the ramp is held"
    line.write(ach550.CONTROL_WORD, 0x002F)
    line.wait(5)
    assert line.instrument.percent[0] == 0.0, "the ramp's input is zero"
    line.write(ach550.CONTROL_WORD, 0x006F)
    line.wait(5)
    assert line.instrument.percent[0] == pytest.approx(50.0, abs=3)
    assert not status(line) & ach550.SW_AT_SETPOINT
    line.wait(6)
    assert line.instrument.percent[0] == 100.0
    assert status(line) & ach550.SW_AT_SETPOINT


def test_a_drive_does_not_start_with_the_run_command_alone():
    line = drive()
    line.write(ach550.CONTROL_WORD, 0x006F, 20000)
    line.wait(5)
    assert line.instrument.percent[0] == 0.0
    assert status(line) & ach550.SW_SWC_ON_INHIB


def test_speed_ramps_with_the_times_of_2202_and_2203():
    line = drive(50.0)
    line.write(ach550.REFERENCE_1, 16000)
    line.wait(1)
    assert line.instrument.percent[0] == pytest.approx(60.0, abs=0.3)
    line.wait(10)
    assert line.instrument.percent[0] == 80.0
    assert line.read(3, ach550.ACTUAL_1) == [400]
    assert line.read(3, ach550.parameter(103)) == [400]
    line.write(ach550.REFERENCE_1, 0)
    line.wait(4)
    assert line.instrument.percent[0] == pytest.approx(60.0, abs=0.3)
    line.write(ach550.CONTROL_WORD, 0x004F)
    held = line.instrument.percent[0]
    line.wait(4)
    assert line.instrument.percent[0] == held, "bit 5 halts the ramp"


@pytest.mark.parametrize(("count", "percent"), [(20000, 100.0), (32767, 100.0), (1, 0.005), (65535, 0.0)])
def test_the_reference_is_scaled_by_20000_and_limited(count, percent):
    line = drive(50.0)
    line.write(ach550.REFERENCE_1, count)
    line.wait(30)
    assert line.instrument.percent[0] == pytest.approx(percent)


def test_off1_ramps_off2_coasts_off3_stops_quickly():
    for word, after_1_s, end in (
        (0x006E, 55.0, ach550.SW_RDY_ON),
        (0x006D, 50.0, ach550.SW_SWC_ON_INHIB),
        (0x006B, 10.0, ach550.SW_SWC_ON_INHIB),
    ):
        line = drive(60.0)
        line.write(ach550.CONTROL_WORD, word)
        line.wait(1)
        assert line.instrument.percent[0] == pytest.approx(after_1_s, abs=0.6)
        line.wait(15)
        assert line.instrument.percent[0] == 0.0
        assert status(line) & 0x47 == end
    line = drive(60.0)
    line.write(ach550.CONTROL_WORD, 0x0067)
    assert status(line) & 0x7 == 0x3, "operation inhibited"


def test_coils_are_the_control_word_and_discrete_inputs_the_status_word():
    line = drive(60.0)
    assert line.read(1, 0, 16) == [1, 1, 1, 1, 0, 1, 1, 0] + [0] * 8
    assert line.read(2, 0, 16) == [status(line) >> bit & 1 for bit in range(16)]
    line.write_coil(3, False)
    assert line.read(3, ach550.CONTROL_WORD) == [0x0067]
    assert line.read(2, 2) == [0]


def test_parameters_are_limited_volatile_and_saved_by_1607():
    line = drive()
    assert line.write(ach550.COMM_FAULT_FUNC, 4) == 3
    assert line.write(ach550.CONST_SPEED_7, 501) == 3
    assert line.write(ach550.parameter(103), 1) == 3, "read-only is exception 3 on this drive"
    assert line.write(ach550.STATUS_WORD, 1) == 3
    assert line.write(ach550.parameter(3017), 1) == 2
    assert line.write(ach550.COMM_FAULT_FUNC, 2, 25) == 0
    assert line.write(ach550.CONST_SPEED_7, 100) == 0
    line.instrument.begin_fault("reset", None, line.now_us)
    assert line.read(3, ach550.COMM_FAULT_FUNC, 2) == [0, 30]
    assert line.read(3, ach550.CONST_SPEED_7) == [500]
    line.write(ach550.COMM_FAULT_FUNC, 2, 25)
    line.write(drive_map.PARAMETER_SAVE, 1)
    line.instrument.begin_fault("reset", None, line.now_us)
    assert line.read(3, ach550.COMM_FAULT_FUNC, 2) == [2, 25]
    assert line.instrument.lease_us == 2500000


def test_without_supervision_a_silent_master_changes_nothing():
    line = drive(60.0)
    line.wait(60)
    assert line.instrument.percent[0] == 60.0
    assert line.instrument.lease_state() == {"armed": False, "expired": False}


def test_constant_speed_7_is_taken_when_the_master_is_silent_and_kept_until_a_new_reference():
    line = drive(60.0)
    line.write(ach550.CONST_SPEED_7, 125)
    line.write(ach550.COMM_FAULT_FUNC, ach550.FUNC_CONST_SPEED_7, 30)
    line.wait(2.75)
    assert not status(line) & ach550.SW_ALARM, "any valid request restarts the time"
    line.wait(2.75)
    assert line.instrument.percent[0] == 60.0
    line.wait(30)
    assert line.instrument.percent[0] == 25.0
    assert line.instrument.lease_state() == {"armed": True, "expired": True}
    assert status(line) & ach550.SW_ALARM
    for _ in range(10):
        line.wait(2)
        status(line)
    assert line.instrument.percent[0] == 25.0, "reading alone does not bring it back"
    line.write(ach550.CONTROL_WORD, 0x006F, 12000)
    line.wait(2)
    assert not status(line) & ach550.SW_ALARM
    assert line.instrument.percent[0] > 25.0


def test_last_speed_is_the_mean_of_ten_seconds():
    line = drive(60.0)
    line.write(ach550.COMM_FAULT_FUNC, ach550.FUNC_LAST_SPEED, 10)
    line.wait(20)
    assert line.instrument.lease_state()["expired"]
    assert line.instrument.percent[0] == 60.0


def test_with_function_1_a_silent_master_trips_the_drive():
    line = drive(60.0)
    line.write(ach550.COMM_FAULT_FUNC, 1, 10)
    line.wait(2)
    assert status(line) & 0x4F == ach550.SW_TRIPPED
    assert line.read(3, drive_map.LAST_FAULT) == [28]
    for _ in range(10):
        line.wait(0.75)
        start(line)
    assert line.instrument.percent[0] == 0.0, "a tripped drive does not start"
    line.write(ach550.CONTROL_WORD, ach550.CW_FAULT_RESET)
    assert not status(line) & ach550.SW_TRIPPED
    start(line)
    assert status(line) & 0x7 == 0x7


def test_a_drive_in_local_control_obeys_its_panel():
    line = drive(60.0)
    line.instrument.begin_fault("local", None, 0)
    assert not status(line) & ach550.SW_REMOTE
    line.write(ach550.CONTROL_WORD, 0x0006, 20000)
    line.wait(5)
    assert line.instrument.percent[0] == 60.0
    assert line.read(3, ach550.CONTROL_WORD) == [0x006F]
    line.instrument.end_fault("local", None, 0)
    assert status(line) & ach550.SW_REMOTE


def test_after_a_power_cycle_the_motor_coasts_and_the_drive_must_be_started_again():
    line = drive(60.0)
    line.instrument.begin_fault("reset", None, line.now_us)
    line.wait(1)
    assert line.instrument.percent[0] == pytest.approx(50.0, abs=0.3)
    assert status(line) & 0x47 == ach550.SW_SWC_ON_INHIB
    start(line)
    line.wait(12)
    assert line.instrument.percent[0] == 100.0


def test_an_unknown_fault_is_refused():
    with pytest.raises(FaultError, match="has no fault 'fire'"):
        drive().instrument.begin_fault("fire", None, 0)
    with pytest.raises(FaultError, match="fault number"):
        drive().instrument.begin_fault("trip", "hard", 0)
