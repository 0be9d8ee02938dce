"""Damper gateway, temperature controller, burner control, drive and analyser against their emulation."""

from types import SimpleNamespace

import pytest

from edge.emulator.instruments.ach550 import Ach550
from edge.emulator.instruments.eurotherm3200 import Eurotherm3200
from edge.emulator.instruments.o2_analyser import O2Analyser
from edge.emulator.instruments.s7800 import S7800
from edge.emulator.instruments.uk24mod import Uk24Mod
from edge.node.devices import ach550, eurotherm3200, s7800, uk24mod
from tests.node.devices.rig import Rig

# Dampers -------------------------------------------------------------------------------------------


def dampers(actuators=2):
    model = SimpleNamespace(a_pct=20.0, b_pct=60.0)
    drives = {"mp1": "a_pct", "mp2": "b_pct"} if actuators == 2 else {"mp1": "a_pct"}
    return Rig({"type": "uk24mod", "actuators": actuators}, Uk24Mod("d", 1, 5, drives), model)


def test_dampers_are_taken_over_where_they_stand_and_run_to_their_set_points():
    line = dampers()
    line.run(2)
    assert (line.driver.actual(0), line.driver.actual(1)) == (20.0, 60.0)
    line.demands = {0: 30.0, 1: 60.0}
    line.run(20)
    assert line.good("mp1") == pytest.approx(30.0, abs=0.01)
    assert line.model.a_pct == pytest.approx(30.0, abs=0.01)
    assert line.good("mp2") == 60.0


def test_a_steady_set_point_is_written_now_and_then_only():
    line = dampers(1)
    line.demands = {0: 20.0}
    line.run(61)
    writes = [data for _, data in line.requests if data[1] == 6]
    assert 6 <= len(writes) <= 8, "it may have been without power"


def test_an_actuator_that_the_gateway_lost_has_no_position_and_moves_on_when_it_is_back():
    line = dampers()
    line.run(2)
    line.fault("lost", "mp1")
    line.run(9)
    assert line.good("mp1") == 20.0, "the gateway has not noticed yet"
    line.demands = {0: 50.0, 1: 60.0}
    line.run(2)
    assert line.why("mp1") == "actuator not connected"
    assert line.driver.actual(0) is None
    assert line.good("mp2") == 60.0
    line.clear()
    back_us = line.clock.now_us()
    line.run(1)
    assert line.asked(bytes((1, 6, 0, 0)), back_us), "the set-point comes at once: it may not have reached it"
    line.run(39)
    assert line.good("mp1") == pytest.approx(50.0, abs=0.01)


def test_a_malfunction_is_told_and_a_position_beyond_the_range_is_none():
    line = dampers(1)
    line.run(2)
    line.fault("jammed")
    line.run(1)
    assert line.why("mp1") == "malfunction 0002"
    line.clear()
    line.instrument.frozen = True
    line.instrument.holding.put(uk24mod.POSITION, 65535)
    line.run(1)
    assert line.why("mp1") == "no position"


def test_after_a_power_cycle_of_the_gateway_the_set_point_comes_again():
    line = dampers(1)
    line.demands = {0: 90.0}
    line.run(5)
    line.fault("reset")
    line.run(80)
    assert line.good("mp1") == pytest.approx(90.0, abs=0.01)


# Temperature controller ----------------------------------------------------------------------------

RANGE = {"set_point_low": 600.0, "set_point_high": 1100.0}


def controller(driven=True):
    model = SimpleNamespace(oven_c=800.0, heater_pct=40.0)
    instrument = Eurotherm3200("e", 1, 5, "oven_c", "heater_pct")
    safe = {"set_point": None} if driven else {}
    return Rig({"type": "eurotherm3200", **RANGE}, instrument, model, None, safe)


def test_a_controller_that_is_only_read_keeps_its_own_set_point():
    line = controller(driven=False)
    line.run(3)
    assert line.good("pv") == 800.0 and line.good("set_point") == 800.0
    assert line.good("output") == pytest.approx(40.0)
    assert not [data for _, data in line.requests if data[1] in (6, 16)]


def test_a_driven_set_point_moves_the_remote_one_and_never_the_one_that_wears():
    line = controller()
    line.demands = {0: 50.0}
    line.run(3)
    assert line.instrument.values[eurotherm3200.REMOTE_SELECT] == 1.0
    assert line.good("set_point") == pytest.approx(850.0)
    assert line.driver.actual(0) == pytest.approx(50.0)
    assert line.instrument.values[eurotherm3200.TARGET_SETPOINT] == 800.0
    written = {int.from_bytes(data[2:4], "big") for _, data in line.requests if data[1] in (6, 16)}
    assert written == {eurotherm3200.REMOTE_SELECT, eurotherm3200.as_float(eurotherm3200.REMOTE_SETPOINT)}
    line.model.oven_c = 860.0
    line.run(1)
    assert line.good("output") < 40.0, "it controls by itself"


def test_a_sensor_break_makes_the_process_value_bad_and_nothing_else():
    line = controller()
    line.demands = {0: 50.0}
    line.run(3)
    assert line.good("output") > 40.0
    line.fault("burnt_out")
    line.run(1)
    assert line.why("pv") == "sensor break"
    assert line.good("output") == 0.0
    line.clear()
    line.run(1)
    assert line.good("pv") == 800.0


def test_who_chooses_the_local_set_point_has_the_word_until_he_gives_it_back():
    line = controller()
    line.demands = {0: 50.0}
    line.run(3)
    assert line.driver.not_following == ""
    line.instrument.values[eurotherm3200.REMOTE_SELECT] = 0.0
    line.run(10)
    assert line.driver.not_following == "local set-point"
    assert line.driver.actual(0) == pytest.approx(40.0), "800 of 600 to 1100 degC"
    assert line.instrument.values[eurotherm3200.REMOTE_SELECT] == 0.0
    line.instrument.values[eurotherm3200.REMOTE_SELECT] = 1.0
    line.run(1)
    assert line.driver.not_following == "" and line.good("set_point") == pytest.approx(850.0)


def test_without_its_status_a_controller_has_no_process_value():
    line = controller()
    line.run(3)
    line.driver._status_ms -= 10000
    line.driver.received("values", bytes(20), line.clock.now_ms())
    assert line.why("pv") == "status not read"


def test_after_a_power_cycle_the_set_point_comes_again():
    line = controller()
    line.demands = {0: 20.0}
    line.run(3)
    line.fault("reset")
    line.run(6)
    assert line.good("set_point") == pytest.approx(700.0)


# Burner control ------------------------------------------------------------------------------------


def burner(running=False):
    model = SimpleNamespace(burner_pct=60.0 if running else 0.0)
    return Rig({"type": "s7800"}, S7800("b", 1, 5, "burner_pct"), model)


def test_a_burner_is_asked_for_fire_and_comes_through_its_own_sequence():
    line = burner()
    line.run(2)
    assert line.driver.actual(0) == 0.0
    line.demands = {0: 100.0}
    seen = []
    for _ in range(60):
        line.run(1)
        seen.append((line.good("state"), line.good("flame"), line.good("running")))
    states = [state for i, (state, _, _) in enumerate(seen) if i == 0 or state != seen[i - 1][0]]
    assert states[-4:] == [19.0, 25.0, 28.0, 30.0], "purge, pilot, main, run"
    assert seen[-1] == (30.0, 3.5, 1.0)
    assert line.model.burner_pct == 100.0
    line.demands = {0: 30.0}
    line.run(3)
    assert line.model.burner_pct == 20.0, "low fire below 50 %"
    line.demands = {0: 0.0}
    line.run(3)
    assert line.model.burner_pct == 0.0 and line.good("running") == 0.0


def test_a_running_burner_is_taken_over_as_it_runs():
    line = burner(running=True)
    line.run(2)
    assert line.driver.actual(0) == 100.0
    assert line.good("running") == 1.0


def test_a_command_is_refreshed_within_120_s_and_never_twice_a_second():
    line = burner()
    line.demands = {0: 100.0}
    line.run(400)
    times = line.asked(bytes((1, 6, 0, s7800.COMMAND)))
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert len(gaps) >= 5
    assert max(gaps) <= s7800.HOLDS_MS / 1000 / 2, "so that one may be lost"
    # A demand that changes every tick.
    for i in range(40):
        line.demands = {0: 100.0 * (i & 1)}
        line.run(0.25)
    times = line.asked(bytes((1, 6, 0, s7800.COMMAND)))
    assert min(later - earlier for earlier, later in zip(times, times[1:], strict=False)) >= 0.999
    assert line.driver.link_fault == "", "none was refused"


def test_when_the_node_dies_the_burner_control_goes_on_by_itself():
    line = burner()
    line.demands = {0: 0.0}
    line.run(5)
    assert line.instrument.lease_state()["expired"] is False
    line._bus.step = lambda now_us: now_us + 1000000
    line.run(125)
    assert line.instrument.lease_state()["expired"] is True
    assert line.instrument.state[0] == 19, "which is not off: it purges, because it is called for"


def test_a_lockout_is_told_with_its_fault_and_never_reset_from_afar():
    line = burner()
    line.demands = {0: 100.0}
    line.run(60)
    line.fault("no_flame")
    line.run(2)
    assert line.good("fault") == 17.0 and line.good("lockout") == 1.0
    assert line.good("running") == 0.0 and line.good("flame") == 0.0
    assert line.why("state") == line.driver.not_following == "locked out with fault 17"
    assert line.driver.actual(0) == 0.0
    line.clear()
    line.run(30)
    assert line.good("lockout") == 1.0
    written = {data[4] << 8 | data[5] for _, data in line.requests if data[1] == 6}
    assert s7800.REMOTE_RESET not in written


# Drive and analyser --------------------------------------------------------------------------------


def drive(safe=25.0):
    model = SimpleNamespace(fan_pct=0.0)
    spec = {"type": "ach550", "lease_ms": 3000}
    return Rig(spec, Ach550("fan", 1, 5, "fan_pct", 2.0, 2.0), model, None, {"speed": safe})


def test_a_drive_starts_and_follows():
    line = drive()
    line.demands = {0: 60.0}
    line.run(6)
    assert line.good("speed") == pytest.approx(60.0, abs=0.2)
    assert line.good("running") == 1.0


def test_a_drive_that_lost_its_power_for_a_second_is_armed_anew():
    """Parameters written over the line are volatile, and one second is no lost link."""
    line = drive()
    line.demands = {0: 60.0}
    line.run(6)
    line.fault("reset")
    line.run(3)
    assert line.instrument.lease_state()["armed"], "seen by its status"
    line.run(9)
    assert line.instrument.holding.get(ach550.CONST_SPEED_7) == 125
    assert line.good("speed") == pytest.approx(60.0, abs=0.2)


def test_a_drive_that_stood_still_when_it_lost_its_power_is_armed_anew():
    line = drive()
    line.run(6)
    assert line.driver.ready and line.instrument.lease_state()["armed"]
    line.fault("reset")
    line.run(1)
    assert not line.instrument.lease_state()["armed"]
    line.run(8)
    assert line.instrument.lease_state()["armed"], "seen by its lease"


def test_a_drive_whose_register_shows_another_parameter_is_put_right():
    line = drive()
    line.instrument.holding_values[ach550.ACTUAL_1_SOURCE] = range(1000)
    line.instrument.holding.put(ach550.ACTUAL_1_SOURCE, 104)
    line.run(3)
    assert line.instrument.holding.get(ach550.ACTUAL_1_SOURCE) == 103
    assert line.driver.ready


def test_a_tripped_drive_and_one_in_local_control_are_told():
    line = drive()
    line.demands = {0: 60.0}
    line.run(6)
    line.fault("local")
    line.run(2)
    assert line.driver.not_following == "drive in local control"
    assert line.good("running") == 1.0
    line.clear()
    line.fault("trip", 7)
    line.run(2)
    assert line.driver.not_following == "drive tripped"
    assert line.good("running") == 0.0


def test_an_analyser_is_read_and_its_fault_told():
    line = Rig({"type": "o2_analyser"}, O2Analyser("o2", 1, 5, "o2_pct"), SimpleNamespace(o2_pct=6.6))
    line.run(2)
    assert line.good("o2") == pytest.approx(6.6, abs=1e-6)
    assert line.good("cell_temperature") == 700.0
    line.fault("failed", 2)
    line.run(1)
    assert line.why("o2") == "heater temperature error"
