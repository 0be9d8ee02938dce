"""The output module and its watchdog over the host."""

from types import SimpleNamespace

import pytest

from edge.emulator.instruments.m7024 import M7024
from edge.node.devices import m7024
from tests.emulator.instruments.line import SECOND_US, Line


def output_module(**more):
    model = SimpleNamespace(burner_pct=10.0, heater_pct=50.0)
    return Line(M7024("out", 3, 5, {"ao0": "burner_pct", "ao1": "heater_pct"}, **more), model)


def arm(line, lease_s=3.0):
    assert line.write(m7024.AO_SAFE_VALUE, 4000, 4800) == 0
    assert line.write(m7024.HOST_WATCHDOG_TIMEOUT, int(lease_s * 10)) == 0
    assert line.write_coil(m7024.COIL_WATCHDOG_ENABLE, True) == 0


def test_outputs_start_where_the_process_is_and_follow_at_once():
    line = output_module()
    assert line.instrument.percent[:2] == [10.0, 50.0]
    assert line.write(m7024.AO_VALUE, 20000, 8000) == 0
    assert line.instrument.percent[:2] == [100.0, 25.0]
    assert line.read(4, m7024.AO_READ_BACK, 4) == [20000, 8000, 4000, 4000]
    assert line.read(3, m7024.AO_VALUE, 2) == [20000, 8000]


def test_counts_outside_4_to_20_ma_are_refused():
    line = output_module()
    assert line.write(m7024.AO_VALUE, 3999) == 3
    assert line.write(m7024.AO_VALUE, 4000, 20001) == 3
    assert line.write(m7024.AO_READ_BACK, 4000) == 2
    assert line.instrument.percent[:2] == [10.0, 50.0]


def test_a_slew_rate_limits_how_fast_outputs_move():
    line = output_module(slew_pct_per_s=10.0)
    line.write(m7024.AO_VALUE, m7024.counts(20.0))
    line.wait(0.5)
    assert line.instrument.percent[0] == pytest.approx(15.0, abs=0.2)
    line.wait(1)
    assert line.instrument.percent[0] == pytest.approx(20.0)


def test_without_requests_the_watchdog_trips_after_its_time_and_stays_tripped():
    line = output_module()
    arm(line)
    line.wait(2.5)
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [0], "this request restarts it"
    line.wait(2.75)
    assert line.instrument.lease_state() == {"armed": True, "expired": False}
    line.wait(0.5)
    assert line.instrument.lease_state()["expired"]
    assert line.instrument.percent[:2] == [0.0, 5.0]
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [1]
    assert line.read(3, m7024.HOST_WATCHDOG_COUNT) == [1]
    # Acknowledged, and of no effect.
    assert line.write(m7024.AO_VALUE, 20000) == 0
    assert line.instrument.percent[0] == 0.0
    assert line.write_coil(m7024.COIL_WATCHDOG_TRIPPED, False) == 0
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [1]
    assert line.write_coil(m7024.COIL_WATCHDOG_TRIPPED, True) == 0
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [0]
    assert line.write(m7024.AO_VALUE, 20000) == 0
    assert line.instrument.percent[0] == 100.0


def test_a_watchdog_that_tripped_must_be_enabled_again():
    line = output_module()
    arm(line)
    line.wait(3.5)
    assert line.read(1, m7024.COIL_WATCHDOG_ENABLE) == [0]
    line.write_coil(m7024.COIL_WATCHDOG_TRIPPED, True)
    line.wait(60)
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [0]
    arm(line)
    line.wait(3.5)
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [1]


def test_the_watchdog_trips_in_time_even_when_nobody_looked():
    line = output_module()
    arm(line)
    line.now_us += 10 * SECOND_US
    assert line.write(m7024.AO_VALUE, 20000) == 0
    assert line.instrument.percent[0] == 0.0


def test_in_mode_1_an_output_command_clears_the_status():
    line = output_module()
    arm(line)
    line.write_coil(m7024.COIL_WATCHDOG_MODE, True)
    line.wait(3.5)
    assert line.write(m7024.AO_VALUE, 12000) == 0
    assert line.instrument.percent[0] == 50.0
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [0]


def test_after_power_on_come_the_power_on_values_or_while_tripped_the_safe_ones():
    line = output_module(power_on_pct={"ao1": 30.0})
    line.instrument.begin_fault("reset", None, line.now_us)
    assert line.instrument.percent[:2] == [0.0, 30.0]
    line.write(m7024.AO_SAFE_VALUE, 4000, 12000)
    line.instrument.begin_fault("watchdog", None, line.now_us)
    line.instrument.begin_fault("reset", None, line.now_us)
    assert line.instrument.percent[:2] == [0.0, 50.0]
    assert line.read(1, m7024.COIL_WATCHDOG_TRIPPED) == [1]


def test_a_frozen_module_reads_back_what_was_while_its_outputs_go_on():
    line = output_module()
    line.instrument.begin_fault("frozen", None, 0)
    line.write(m7024.AO_VALUE, 20000)
    assert line.read(4, m7024.AO_READ_BACK) == [m7024.counts(10.0)]
    assert line.instrument.percent[0] == 100.0
    line.instrument.end_fault("frozen", None, 0)
    line.wait(0.25)
    assert line.read(4, m7024.AO_READ_BACK) == [20000]
