"""Interlocks, trips and alarms in time; a bad signal never counts as fulfilled."""

from edge.node.guard import outputs as out
from edge.node.guard.guard import Guard
from tests.node.fakes import HandSignal, alarm, interlock, output, trip


def permit(signal, outputs=()):
    return interlock("feed_permit", signal, 850.0, 30000, outputs)


def test_the_feed_permit_needs_850_degrees_for_its_time_and_falls_at_once():
    t = HandSignal("t_furnace", 851.0)
    one = permit(t)
    for ms in range(0, 30000, 250):
        one.update(ms)
        assert not one.on
    one.update(30000)
    assert one.on
    t.good(849.9)
    one.update(30250)
    assert not one.on
    assert "849.9" in one.why


def test_a_permit_that_holds_at_the_take_over_counts_as_proven():
    t = HandSignal("t_furnace", 900.0)
    feeder = output("feeder", position=47.0, low=0.0, safe=0.0)
    one = permit(t, [feeder])
    guard = Guard([feeder], [one], [], [])
    assert guard.look(0)
    assert one.on, "the plant has run with it"
    t.good(849.0)
    guard.step(0.25, 250)
    assert feeder.state == out.INTERLOCK
    t.good(900.0)
    guard.step(0.25, 500)
    assert feeder.state == out.INTERLOCK, "from then on it waits its delay"
    cold = permit(HandSignal("t_furnace", 800.0), [feeder])
    Guard([feeder], [cold], [], []).look(0)
    assert not cold.on


def test_a_bad_temperature_takes_the_feed_permit_away():
    t = HandSignal("t_furnace", 900.0)
    one = permit(t)
    one.update(0)
    one.update(30000)
    t.bad()
    one.update(30250)
    assert not one.on
    t.good(900.0)
    one.update(30500)
    assert not one.on, "it must be proven anew"


def test_a_trip_waits_its_delay_latches_and_needs_a_reset():
    t = HandSignal("t_peak", 1201.0)
    one = trip("high_temperature", t, above=1200.0, after_ms=3000, outputs=[])
    assert [one.update(ms) for ms in (0, 1000, 2000, 2750)] == [False] * 4
    assert one.update(3000) is True
    t.good(900.0)
    one.update(4000)
    assert one.tripped
    assert one.reset(4250)
    assert not one.tripped


def test_a_trip_is_not_reset_while_its_cause_is_there_or_can_not_be_judged():
    t = HandSignal("t_peak", 1250.0)
    one = trip("high_temperature", t, above=1200.0, after_ms=0, outputs=[])
    one.update(0)
    assert not one.reset(250)
    t.bad()
    assert not one.reset(500)


def test_a_short_peak_does_not_trip():
    t = HandSignal("t_peak", 1250.0)
    one = trip("high_temperature", t, above=1200.0, after_ms=3000, outputs=[])
    one.update(0)
    t.good(1100.0)
    one.update(2000)
    t.good(1250.0)
    one.update(2500)
    assert not one.update(4000)


def test_an_alarm_comes_and_goes():
    o2 = HandSignal("o2", 3.5)
    one = alarm("o2_low", o2, below=4.0, after_ms=30000)
    one.update(0)
    one.update(30000)
    assert one.active
    o2.good(5.0)
    one.update(30250)
    assert not one.active


def guard_with_two_trips():
    t, p = HandSignal("t", 900.0), HandSignal("p", -80.0)
    feeder, fan = output("feeder", safe=0.0), output("fan", safe=70.0)
    trips = [
        trip("hot", t, above=1200.0, after_ms=0, outputs=[feeder]),
        trip("pressure", p, above=200.0, after_ms=0, outputs=[feeder, fan]),
    ]
    return Guard([feeder, fan], [], trips, []), t, p, feeder, fan


def test_the_first_trip_is_remembered_until_all_are_reset():
    guard, t, p, feeder, fan = guard_with_two_trips()
    p.good(300.0)
    guard.step(0.25, 1000)
    t.good(1300.0)
    guard.step(0.25, 1250)
    assert guard.first_out == ("pressure", 300.0, 1000)
    p.good(-80.0)
    assert guard.reset(1500) == ["hot"]
    assert guard.first_out[0] == "pressure"
    t.good(900.0)
    assert guard.reset(1750) == []
    assert guard.first_out is None


def test_a_trip_whose_signal_is_bad_forces_safe_without_latching():
    guard, t, p, feeder, fan = guard_with_two_trips()
    feeder.demand.ask(60.0)
    t.bad()
    guard.step(0.25, 0)
    assert (feeder.state, feeder.value) == (out.SAFE, 0.0)
    t.good(900.0)
    feeder.demand.ask(60.0)
    guard.step(0.25, 250)
    assert feeder.state == out.AUTO
    assert guard.first_out is None


def test_stop_forces_every_output():
    guard, t, p, feeder, fan = guard_with_two_trips()
    for one in (feeder, fan):
        one.demand.ask(60.0)
    guard.stop("stopped by SIGTERM")
    guard.step(0.25, 0)
    assert [(one.state, one.value) for one in (feeder, fan)] == [(out.STOPPED, 0.0), (out.STOPPED, 70.0)]
