"""What instruments do that a controller must not overlook, on the emulated line in virtual time."""

import json

import pytest

from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.announcer import active_alarms
from edge.node.devices import m7024
from edge.node.guard import outputs
from edge.node.report import records
from edge.node.signals import BAD, GOOD, UNCERTAIN
from tests.node.devices.refusing import Refusing

ROOF = 1
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
    until(run, lambda: real(run, "feeder") > 10.0, 300)
    run.bench.fault(FEEDER, "mute")
    until(run, lambda: real(run, "feeder") < 1.0, 60)
    assert output(run, "feeder").state == outputs.UNKNOWN
    run.bench.clear_faults()
    until(run, lambda: output(run, "feeder").state == outputs.AUTO, 20)


def test_after_a_tripped_watchdog_an_output_comes_back_by_its_rate_limit(run):
    before = real(run, "air_heater")
    run.bench.fault(OUTPUT_MODULE, "watchdog")
    until(run, lambda: real(run, "air_heater") == 0.0, 3)
    seen = [0.0]
    while seen[-1] <= 10.0:
        run.run_for(0.25)
        seen.append(real(run, "air_heater"))
        assert len(seen) < 240, "a minute"
    assert max(later - earlier for earlier, later in zip(seen, seen[1:], strict=False)) <= 1.5
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


# What a device refuses ------------------------------------------------------------------------------


class Told:
    """A controlled run whose events and telemetry are kept, with a line that refuses on demand."""

    def __init__(self, **leases):
        description, _ = describe(find("bishkek"))
        for name, lease_ms in leases.items():
            description["device"][name]["lease_ms"] = lease_ms
        self.telemetry = {}
        self.events = []
        self.samples = {}
        self.run = VirtualRun("bishkek", description, 1, self._receive, self._take)
        self.refusing = Refusing(self.run.bench.slaves)
        self.run.run_for(60)
        self.events.clear()

    def _receive(self, topic, payload, retain):
        if topic.endswith("/telemetry"):
            self.telemetry = json.loads(payload)

    def _take(self, record):
        told = records.decode(record)
        if told.record_kind == records.EVENT:
            self.events.append((told.kind, told.name, told.text, told.alarm))
            return
        metrics = self.run.reporter.catalogue.metrics
        for index, quality, value in told.values:
            self.samples[metrics[index].name] = (quality, value)

    def holds(self, name):
        """Whether the module's register holds what the output was given."""
        one = output(self.run, name)
        if one.value is None:
            return False
        module = self.run.bench.instruments["burner_and_heater"]
        return module.holding.get(m7024.AO_VALUE + one.channel) == m7024.counts(one.value)

    def trip(self):
        trip = next(one for one in self.run.node.guard.trips if one.name == "high_temperature")
        limit = trip.condition.test
        limit.above = limit.reset = -1.0e9
        trip.condition._on_after_ms = 0
        self.run.run_for(0.25)
        return trip


@pytest.mark.parametrize("kind", [4, 5, 6, 2, 11, "clamped"])
@pytest.mark.parametrize(("count", "lease_ms"), [(1, 25500), (5, 3000)])
def test_a_trip_whose_writes_are_refused_is_written_again_and_reported_only_when_it_is_confirmed(
    kind, count, lease_ms
):
    told = Told(burner_and_heater=lease_ms)
    run = told.run
    burner = output(run, "burner")
    burner.low, burner.rate_per_s = 60.0, 0.0
    run.run_for(3)
    assert real(run, "burner") == pytest.approx(60.0, abs=0.1) and burner.shown == outputs.AUTO
    told.refusing.begin(kind, count, unit=OUTPUT_MODULE)
    told.trip()
    ticks = 0
    while not told.holds("burner"):
        if burner.shown != outputs.UNKNOWN or kind != 11:
            assert burner.shown == outputs.UNCONFIRMED and burner.value == 0.0
            assert burner.shown_why.startswith("trip: high_temperature; ")
            assert told.samples["output.burner.state"] == (records.GOOD, "unconfirmed")
            assert told.samples["output.burner"] == (records.UNCERTAIN, 0.0)
        assert told.events.count(("output", "burner", "trip: high_temperature", True)) == 0
        ticks += 1
        assert ticks <= (5 * count + 2 if kind in (5, 11) else count + 1), "at the next tick each time"
        run.run_for(0.25)
    assert ticks >= count - 1
    run.run_for(0.25)
    assert (burner.shown, burner.why) == (outputs.TRIP, "high_temperature")
    assert told.samples["output.burner.state"][1] == "trip"
    assert told.events.count(("output", "burner", "trip: high_temperature", True)) == 1


def test_what_a_device_refuses_on_and_on_is_an_alarm_with_device_register_and_code():
    told = Told()
    run = told.run
    burner = output(run, "burner")
    burner.low, burner.rate_per_s = 60.0, 0.0
    run.run_for(3)
    told.refusing.begin(6, unit=OUTPUT_MODULE)
    told.trip()
    run.run_for(1)
    assert [one for one in told.events if one[1] == "burner"] == [], "a device has a moment to confirm"
    run.run_for(2)
    text = "outputs (40033) refused: server device busy (exception 6)"
    assert ("device", "burner_and_heater", text, True) in told.events
    assert "unconfirmed burner" in active_alarms(run.node)
    value, state, why = told.telemetry["outputs"]["burner"]
    assert (value, state) == (0.0, "unconfirmed")
    assert why == "trip: high_temperature; refused: server device busy (exception 6)"
    assert told.telemetry["bus"]["field"]["faulty"] == {"burner_and_heater": text}
    assert [one for one in told.events if one[1] == "burner"] == [
        ("output", "burner", "unconfirmed: " + why, True)
    ]
    run.node.stop("test")
    assert not run.node.done(run.clock.now_us() + 1000000), "a stop waits for what no device has confirmed"
    told.refusing.end()
    until(run, lambda: run.node.done(run.clock.now_us()), 2)
    told.refusing.begin(6, 4, unit=OUTPUT_MODULE)
    run.run_for(8)
    assert [one for one in told.events if one[0] == "device"][1:] == [], "a second row of them is no news"
    run.run_for(5)
    assert [one for one in told.events if one[0] == "device"][1:] == [
        ("device", "burner_and_heater", "outputs (40033) is confirmed again", True)
    ]


@pytest.mark.parametrize("refuses", [True, False])
def test_a_stop_ends_when_all_is_confirmed_or_says_of_what_it_is_not(refuses):
    told = Told()
    run = told.run
    on_the_module = [one for one in run.node.guard.outputs if one.device.name == "burner_and_heater"]
    # What stands at its safe value already is confirmed.
    away = [one.name for one in on_the_module if one.value != one.safe]
    assert "air_heater" in away
    if refuses:
        told.refusing.begin(5, unit=OUTPUT_MODULE)
    run.node.stop("test")
    begun_us = run.clock.now_us()
    while not run.node.done(run.clock.now_us()):
        run.run_for(0.05)
    took_s = (run.clock.now_us() - begun_us) / 1e6
    run.node.close()
    ends = [text for kind, name, text, _ in told.events if (kind, name) == ("node", "stop")]
    if refuses:
        assert ends == ["test", "no device has confirmed the safe value of " + ", ".join(away)]
        assert took_s >= 2.0
    else:
        assert ends == ["test"] and took_s < 0.6
        assert {one.shown for one in run.node.guard.outputs} == {outputs.STOPPED}
        told_states = {name: text for kind, name, text, _ in told.events if kind == "output"}
        assert told_states == {one.name: "stopped: test" for one in run.node.guard.outputs}


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, "clamped"])
def test_a_refused_write_says_nothing_of_any_input_nor_of_any_other_output(kind):
    told = Told()
    run = told.run
    others = [one for one in run.node.guard.outputs if one.name not in ("burner", "air_heater")]
    told.refusing.begin(kind, unit=OUTPUT_MODULE)
    for _ in range(40):
        run.run_for(0.25)
        # What the burner gives is known from its output alone, and says so.
        told_of = [one.why for one in run.node.sources if one.quality != GOOD and not one.why.startswith("burner: ")]
        assert told_of == []
        assert [(one.name, one.why) for one in others if one.state != outputs.AUTO] == []
        assert run.node.devices[0].station.down == ""
    assert told.refusing.hits > 5
    assert output(run, "air_heater").quality == UNCERTAIN


@pytest.mark.parametrize("kind", [4, 5, 6])
def test_busy_on_one_read_in_nine_costs_no_ticks(kind):
    told = Told()
    run = told.run
    told.refusing.begin(kind, reads=True, unit=ROOF, every=9)
    for _ in range(240):
        run.run_for(0.25)
        assert [signal.name for signal in run.node.sources if signal.quality == BAD] == []
        assert all(one.state == outputs.AUTO for one in run.node.guard.outputs)
    assert told.refusing.hits >= 60 * 2 // 9 - 3, "of two reads a second for a minute"


def test_a_unit_that_is_busy_for_good_is_bad_within_its_time():
    told = Told()
    run = told.run
    told.refusing.begin(6, reads=True, unit=ROOF)
    signal = next(one for one in run.node.signals if one._device.name == "roof")
    until(run, lambda: signal.quality == BAD, 3)
    assert signal.why == "stale: refused: server device busy"
    told.refusing.end()
    until(run, lambda: signal.quality == GOOD, 1)


def test_silence_on_one_write_in_ten_is_not_worth_an_event():
    told = Told()
    run = told.run
    told.refusing.begin("silence", unit=OUTPUT_MODULE, every=10)
    for _ in range(240):
        run.run_for(0.25)
        assert all(one.shown == outputs.AUTO for one in run.node.guard.outputs)
    assert told.refusing.hits > 5
    assert [one for one in told.events if one[0] in ("output", "device")] == []
