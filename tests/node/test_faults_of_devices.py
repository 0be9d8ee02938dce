"""What instruments do that a controller must not overlook, on the emulated line in virtual time."""

import pytest

from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.guard import outputs

PRIMARY_AIR, ID_FAN, FEEDER, OUTPUT_MODULE = 11, 13, 14, 3


def controlled(**leases):
    description, _ = describe(find("bishkek"))
    for name, lease_ms in leases.items():
        description["device"][name]["lease_ms"] = lease_ms
    run = VirtualRun("bishkek", description, 1)
    run.run_for(60)
    return run


@pytest.fixture
def run():
    return controlled()


def output(run, name):
    return next(one for one in run.node.guard.outputs if one.name == name)


def real(run, name):
    return run.bench.state()["outputs"][name]


def until(run, condition, within_s):
    for _ in range(int(within_s * 4)):
        if condition():
            return
        run.run_for(0.25)
    raise AssertionError(f"not within {within_s} s")


def node_dies(run, seconds):
    clock = run.clock
    for _ in range(int(seconds * 4)):
        clock.advance_to(clock.now_us() + 250000)
        run.bench.step(clock.now_us())


def test_a_tripped_drive_is_named_its_real_speed_shown_and_no_waste_fed_without_air(run):
    run.bench.fault(PRIMARY_AIR, "trip", 1)
    until(run, lambda: output(run, "primary_air").state == outputs.UNKNOWN, 2)
    assert output(run, "primary_air").why == "drive tripped"
    run.run_for(60)
    assert output(run, "primary_air").value == pytest.approx(real(run, "primary_air"), abs=1.0)
    # By the bad primary air at first, by the feed permit when the furnace has cooled.
    assert output(run, "feeder").state in (outputs.SAFE, outputs.INTERLOCK)
    assert real(run, "feeder") < 1.0


def test_a_drive_in_local_control_is_taken_over_from_where_it_stands(run):
    run.bench.fault(PRIMARY_AIR, "local")
    until(run, lambda: output(run, "primary_air").why == "drive in local control", 2)
    run.run_for(120)
    run.bench.clear_faults()
    until(run, lambda: output(run, "primary_air").state == outputs.AUTO, 5)
    start = output(run, "primary_air").value
    assert start == pytest.approx(real(run, "primary_air"), abs=3.0)
    run.run_for(1)
    assert abs(output(run, "primary_air").value - start) <= 1.3, "the rate limit leads back"


@pytest.mark.parametrize(("unit", "name"), [(FEEDER, "feeder"), (ID_FAN, "id_fan")])
def test_a_drive_whose_power_was_off_for_a_moment_gets_its_lease_back(run, unit, name):
    run.bench.fault(unit, "reset")
    run.run_for(1)
    assert not run.bench.state()["leases"][name]["armed"]
    until(run, lambda: run.bench.state()["leases"][name]["armed"], 15)
    until(run, lambda: output(run, name).state != outputs.UNKNOWN, 5)
    # A drive that stands still must first be started again, step by step.
    run.run_for(30)
    node_dies(run, 60)
    safe = output(run, name).safe
    assert real(run, name) == pytest.approx(safe, abs=1.0)


@pytest.mark.parametrize("lease_ms", [3000, 10000])
def test_a_drive_that_hears_but_is_not_heard_falls_to_safe_however_long_its_lease(lease_ms):
    run = controlled(feeder=lease_ms)
    run.bench.fault(FEEDER, "mute")
    until(run, lambda: real(run, "feeder") < 1.0, 60)
    assert output(run, "feeder").state == outputs.UNKNOWN
    run.bench.clear_faults()
    until(run, lambda: output(run, "feeder").state == outputs.AUTO, 20)


def test_after_a_tripped_watchdog_an_output_comes_back_by_its_rate_limit(run):
    before = real(run, "air_heater")
    run.bench.fault(OUTPUT_MODULE, "watchdog")
    until(run, lambda: real(run, "air_heater") == 0.0, 3)
    seen = []
    for _ in range(80):
        run.run_for(0.25)
        seen.append(real(run, "air_heater"))
    assert max(later - earlier for earlier, later in zip(seen, seen[1:], strict=False)) <= 1.5
    assert seen[-1] > 10.0
    assert before > 40.0
    assert run.bench.state()["leases"]["burner_and_heater"] == {"armed": True, "expired": False}


@pytest.mark.parametrize("percent", [-2.0, 119.5])
def test_a_position_outside_the_range_is_taken_over_at_its_edge(run, percent):
    one = output(run, "secondary_air")
    device = one.device
    device.values[0] = percent
    one.value = None
    one.look()
    assert 0.0 <= one.value <= 100.0
    run.run_for(5)


def test_a_stop_gets_its_safe_values_across_a_short_silence(run):
    run.bench.fault(FEEDER, "silence", None, 1.2)
    run.node.stop("test")
    while not run.node.done(run.clock.now_us()):
        run.run_for(0.05)
    until(run, lambda: real(run, "feeder") < 1.0, 40)
    assert not run.bench.state()["leases"]["feeder"]["expired"] or real(run, "feeder") < 1.0


def test_an_open_interlock_does_not_hide_a_lost_output_from_those_who_depend(run):
    feeder, grate = output(run, "feeder"), output(run, "grate")
    test = run.node.guard.interlocks[0].condition.test
    test.above = test.reset = 1250.0
    run.run_for(1)
    assert (feeder.state, grate.state) == (outputs.INTERLOCK, outputs.AUTO)
    run.bench.fault(FEEDER, "silence")
    until(run, lambda: grate.state == outputs.SAFE, 6)
    run.run_for(0.5)
    assert (grate.state, grate.value) == (outputs.SAFE, 0.0)



def test_all_comes_back_by_itself_after_the_thermocouple_module_was_silent_for_minutes(run):
    """With everything at its safe value the draught must stay within what its transmitter can show."""
    run.bench.fault(1, "silence", None, 180)
    run.run_for(170)
    assert -500.0 < run.bench.state()["process"]["draught_pa"] < 100.0
    run.run_for(150)
    for signal in run.node.sources:
        assert signal.why == "", f"{signal.name}: {signal.why}"
    until(run, lambda: all(one.state == outputs.AUTO for one in run.node.guard.outputs), 600)
