"""Loops: start without a bump, hold while forced, refuse on bad signals; burner by its rule."""

import pytest

from edge.node.control import table
from edge.node.guard import outputs as out
from tests.node.fakes import HandSignal, output

PID = {
    "kind": "pid",
    "pv": "steam",
    "set_point": 46.0,
    "set_point_low": 25.0,
    "set_point_high": 50.0,
    "action": "reverse",
    "gain": 1.5,
    "ti_s": 300.0,
    "td_s": 0.0,
    "b": 0.5,
}
TRIM = {
    "kind": "trim",
    "pv": "o2",
    "of": "pa",
    "set_point": 6.6,
    "set_point_low": 4.0,
    "set_point_high": 10.0,
    "ratio": 0.9,
    "gain": 0.08,
    "ti_s": 60.0,
    "trim_low": 0.5,
    "trim_high": 1.6,
}
BURNER = {
    "kind": "burner",
    "pv": "t",
    "set_point": 880.0,
    "set_point_low": 860.0,
    "set_point_high": 950.0,
    "start_falling_below": 870.0,
    "start_below": 860.0,
    "stop_above": 900.0,
    "stop_after_s": 600,
    "minimum": 20.0,
    "gain": 0.6,
    "ti_s": 180.0,
}


def looped(spec, signals, one):
    return table.build("loop", spec, one, {signal.name: signal for signal in signals}.__getitem__)


def ticks(loop, one, count, start_ms=0):
    values = []
    for i in range(count):
        loop.step(0.25, start_ms + 250 * i)
        one.apply(0.25, start_ms + 250 * i)
        values.append(one.value)
    return values


def test_a_loop_starts_from_where_the_output_stands():
    steam, one = HandSignal("steam", 46.0), output(position=58.0, rate_per_s=1.0)
    one.apply(0.25, 0)
    assert ticks(looped(PID, [steam], one), one, 20) == pytest.approx([58.0] * 20, abs=1e-9)


def test_reverse_action_raises_the_output_below_the_set_point_and_direct_lowers_it():
    for action, sign in (("reverse", 1), ("direct", -1)):
        steam, one = HandSignal("steam", 46.0), output(position=58.0)
        one.apply(0.25, 0)
        loop = looped(dict(PID, action=action), [steam], one)
        ticks(loop, one, 4)
        steam.good(44.0)
        assert sign * (ticks(loop, one, 4)[-1] - 58.0) > 1.0


def test_a_bad_process_value_refuses_the_output_and_recovery_leads_back_to_the_held_demand():
    steam, one = HandSignal("steam", 46.0), output(position=58.0, rate_per_s=1.0, safe=25.0)
    one.apply(0.25, 0)
    loop = looped(PID, [steam], one)
    ticks(loop, one, 4)
    steam.bad()
    assert ticks(loop, one, 200)[-1] == 25.0
    assert one.state == out.SAFE
    steam.good(46.0)
    values = ticks(loop, one, 400)
    assert values[4] == pytest.approx(26.0, abs=0.3)
    assert values[-1] == pytest.approx(58.0, abs=3.0)


def test_a_set_point_outside_its_limits_is_refused():
    loop = looped(PID, [HandSignal("steam", 46.0)], output())
    with pytest.raises(ValueError, match="outside 25.0..50.0"):
        loop.change_set_point(60.0)
    loop.change_set_point(40.0)
    assert loop.set_point == 40.0


def test_too_much_oxygen_lowers_secondary_air_within_the_trim_limits():
    o2, pa, one = HandSignal("o2", 6.6), HandSignal("pa", 60.0), output(position=54.0, low=0.0)
    one.apply(0.25, 0)
    loop = looped(TRIM, [o2, pa], one)
    assert ticks(loop, one, 4)[-1] == pytest.approx(54.0)
    o2.good(12.0)
    values = ticks(loop, one, 4000)
    assert values[0] < 54.0
    assert values[-1] == pytest.approx(0.5 * 54.0)


def burner():
    t, one = HandSignal("t", 950.0), output("burner", position=0.0, low=0.0, safe=0.0)
    one.apply(0.25, 0)
    return t, one, looped(BURNER, [t], one)


def test_the_burner_starts_falling_below_870():
    t, one, loop = burner()
    ticks(loop, one, 40)
    values = []
    for i in range(400):
        t.good(900.0 - 0.1 * i)
        values += ticks(loop, one, 1, 10000 + 250 * i)
    started = next(i for i, value in enumerate(values) if value > 0)
    assert 869.0 < 900.0 - 0.1 * started < 870.0


def test_the_burner_does_not_start_between_860_and_870_while_rising():
    t, one, loop = burner()
    t.good(862.0)
    loop.burning = False
    loop._slow = 850.0
    for i in range(40):
        t.good(862.0 + 0.15 * i)
        loop.step(0.25, 250 * i)
        one.apply(0.25, 250 * i)
    assert one.value == 0.0


def test_the_burner_starts_below_860_whatever_the_trend_and_burns_at_least_at_its_minimum():
    t, one, loop = burner()
    ticks(loop, one, 4)
    t.good(859.0)
    assert ticks(loop, one, 1)[-1] >= 20.0


def test_the_burner_stops_only_after_ten_minutes_above_900():
    t, one, loop = burner()
    ticks(loop, one, 4)
    t.good(855.0)
    ticks(loop, one, 4, 1000)
    t.good(905.0)
    values = ticks(loop, one, 2400, 2000)
    assert min(values) >= 20.0
    assert ticks(loop, one, 2, 2000 + 600000)[-1] == 0.0


def test_a_bad_temperature_puts_the_burner_out_and_it_starts_anew_by_its_rule():
    t, one, loop = burner()
    ticks(loop, one, 4)
    t.good(855.0)
    ticks(loop, one, 4, 1000)
    t.bad()
    assert ticks(loop, one, 1, 2000)[-1] == 0.0
    t.good(880.0)
    assert ticks(loop, one, 4, 3000)[-1] == 0.0
