"""The schedule on the real instruments' wire: nobody starves, nothing late is taken for something else."""

import pytest

from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.announcer import active_alarms
from edge.node.signals import BAD

ROOF, O2, ROOF_B, FEEDER = 1, 2, 5, 14
TICK_MS = 250


@pytest.fixture
def run():
    description, _ = describe(find("bishkek"))
    run = VirtualRun("bishkek", description, 1)
    run.run_for(10)
    return run


def station(run, unit):
    return next(station for station in run.node.buses[0].stations if station.unit == unit)


def replies(run, unit, seconds):
    before = station(run, unit).replies
    run.run_for(seconds)
    return station(run, unit).replies - before


def test_every_poll_keeps_its_period(run):
    assert replies(run, ROOF_B, 60) == pytest.approx(240, abs=2)
    assert replies(run, O2, 60) == pytest.approx(120, abs=2)


def test_the_silence_between_frames_is_never_broken(run):
    run.run_for(60)
    assert run.wire.violations == 0
    assert run.wire.collisions == 0


def test_a_dead_unit_costs_the_others_nothing_of_their_rate(run):
    run.bench.fault(FEEDER, "silence")
    assert replies(run, ROOF_B, 120) >= 0.95 * 480
    assert replies(run, O2, 120) >= 0.95 * 240


def test_after_a_time_out_a_unit_is_asked_nothing_until_a_late_reply_can_no_longer_come(run):
    run.bench.fault(O2, "silence")
    asked = []
    run.wire.tap = lambda at_us, direction, data: (
        asked.append(at_us) if direction == ">" and data[0] == O2 else None
    )
    run.run_for(30)
    gaps = [later - earlier for earlier, later in zip(asked, asked[1:], strict=False)]
    assert min(gaps) >= 1000000
    assert min(gaps[-3:]) >= 3000000, "and then more slowly"


def test_a_late_reply_is_counted_and_never_becomes_a_reading(run):
    roof = run.node.devices[0]
    good = list(roof.values)
    run.bench.fault(ROOF, "late", 400)
    run.run_for(20)
    assert station(run, ROOF).late >= 3
    assert roof.stamps_ms[0] < 11000, "nothing was accepted since the fault began"
    assert roof.values == pytest.approx(good, abs=30.0)
    run.bench.clear_faults()
    run.run_for(8)
    assert run.node.signals[0].quality == 0


def test_a_late_reply_meets_no_question_that_it_could_answer(run):
    """Two registers of one unit in turn: with a late reply the second would get the first one's data."""
    feeder = next(device for device in run.node.devices if device.unit == FEEDER)
    run.bench.fault(FEEDER, "late", 300)
    run.run_for(30)
    run.bench.clear_faults()
    run.run_for(10)
    speed = run.bench.state()["outputs"]["feeder"]
    assert feeder.values[0] == pytest.approx(speed, abs=2.0)
    assert feeder.ready


def test_the_writes_of_one_device_do_not_starve_the_polls_of_another(run):
    """Every output is rewritten in every tick, and the thermocouples keep their rate."""
    for output in run.node.guard.outputs:
        output.rate_per_s = 50.0
    for i in range(240):
        for loop in run.node.loops:
            if loop.name == "air_temperature":
                loop.set_point.change(190.0 + (i & 1))
        run.run_for(0.25)
    assert replies(run, ROOF_B, 30) == pytest.approx(120, abs=2)


def test_a_refused_request_is_named_and_the_unit_is_asked_again(run):
    o2 = next(device for device in run.node.devices if device.unit == O2)
    o2.refused("o2", 2, run.clock.now_ms())
    assert o2.faults[0] == "refused: illegal data address"
    run.run_for(2)
    assert o2.faults[0] == ""


@pytest.mark.parametrize("phase_ms", range(0, 1000, 90))
def test_the_signals_of_a_dead_unit_are_bad_within_a_period_and_its_time_out_budget(run, phase_ms):
    """Whenever it dies, and whatever is being asked of it then; it is down before its age tells."""
    run.run_for(phase_ms / 1000)
    signals = {ROOF: run.node.signals[0], O2: next(s for s in run.node.signals if s.name == "o2")}
    for unit, signal in signals.items():
        one = station(run, unit)
        bound_ms = (one.polls[0].period_us + one.budget_us()) / 1000 + TICK_MS
        run.bench.fault(unit, "silence")
        took_ms = 0
        while signal.quality != BAD:
            run.run_for(0.01)
            took_ms += 10
            assert took_ms <= bound_ms
        assert signal.why == "no reply: silence"


def test_what_goes_wrong_on_the_line_is_a_signal_like_any_other():
    description, _ = describe(find("bishkek"))
    spec = {"device": "flue_gas", "unit": "", "low": -1e9, "high": 1e9, "stale_ms": 5000, "repeats": 0}
    for name in ("load", "line_load", "errors", "late"):
        description["signal"]["o2_" + name] = dict(spec, input="bus." + name)
        description["order"]["signal"].append("o2_" + name)
        description["report"]["signal"]["o2_" + name] = {"dead_band": 0.0, "period_ms": 0}
    run = VirtualRun("bishkek", description, 1)
    run.run_for(20)
    signal = {each.name: each for each in run.node.signals}
    assert signal["o2_errors"].value == signal["o2_late"].value == 0
    assert 0.5 < signal["o2_load"].value < 5 < signal["o2_line_load"].value < 80
    assert signal["o2_load"].quality == 0
    run.bench.fault(O2, "late", 300)
    run.run_for(10)
    assert signal["o2_late"].value >= 3
    assert signal["o2_errors"].value >= signal["o2_late"].value
    run.bench.clear_faults()
    run.run_for(80)
    assert signal["o2_errors"].value == 0


def test_another_master_is_an_event_and_an_active_alarm():
    description, _ = describe(find("bishkek"))
    run = VirtualRun("bishkek", description, 1)
    run.run_for(2)
    told = []
    run.node.event = lambda kind, name, text, alarm=False: told.append((kind, name, text, alarm))
    run.node.buses[0].others.heard("unit 1, function 3", run.clock.now_us())
    run.run_for(1)
    bus = run.node.buses[0].name
    assert ("bus", bus, "another master asks: unit 1, function 3", True) in told
    assert f"another master on {bus}" in active_alarms(run.node)
    run.run_for(65)
    assert ("bus", bus, "no other master asks now", True) in told
    assert f"another master on {bus}" not in active_alarms(run.node)
