"""The one grammar of conditions: dead band, delays, several signals, no response, stuck; what can't be judged."""

from hypothesis import given
from hypothesis import strategies as st

from edge.node.guard import outputs as out
from edge.node.guard.condition import Condition, Joined, Limit, Moves, Repeats, State, build
from edge.node.guard.conditions import Alarm, Trip
from edge.node.guard.guard import Guard
from tests.node.fakes import HandSignal, alarm, limit, output, trip


def follow(condition, signal, values, step_ms=250, start_ms=0):
    """Whether it is on after each value; None is a bad signal."""
    seen = []
    for i, value in enumerate(values):
        signal.bad() if value is None else signal.good(value)
        signal.age_ms = 0
        condition.update(start_ms + i * step_ms)
        seen.append(condition.on)
    return seen


def test_a_limit_is_left_only_through_its_dead_band():
    t = HandSignal("t")
    assert follow(limit(t, above=100.0, dead_band=5.0), t, [99, 101, 99, 96, 95, 94]) == [0, 1, 1, 1, 0, 0]
    assert follow(limit(t, below=100.0, dead_band=5.0), t, [101, 99, 104, 105, 106]) == [0, 1, 1, 0, 0]


@given(st.lists(st.floats(95.1, 104.9), min_size=2, max_size=200))
def test_noise_within_the_dead_band_changes_nothing(noise):
    t = HandSignal("t")
    condition = limit(t, above=105.0, dead_band=10.0)
    assert not any(follow(condition, t, noise))
    follow(condition, t, [106.0], start_ms=100000)
    assert all(follow(condition, t, noise, start_ms=200000))


def test_on_and_off_have_their_delays_and_a_break_begins_them_anew():
    t = HandSignal("t")
    condition = limit(t, above=100.0, after_ms=1000, off_after_ms=2000)
    values = [101] * 3 + [99] + [101] * 5 + [90] * 7 + [101] + [90] * 9
    assert follow(condition, t, values) == [0] * 8 + [1] * 16 + [1] + [0]


def test_what_can_not_be_judged_stands_as_it_was_and_says_so():
    t = HandSignal("t")
    one = alarm("hot", t, above=100.0)
    for value, ms in ((120.0, 0), (None, 250)):
        t.bad("burnt out") if value is None else t.good(value)
        one.update(ms)
    assert one.active and one.why == "can't be judged: t: burnt out"
    t.good(90.0)
    one.update(500)
    assert not one.active
    acts = Alarm("hot", limit(t, above=100.0), True)
    t.bad("burnt out")
    acts.update(750)
    assert acts.active


def test_a_reading_at_the_end_of_its_range_counts_as_beyond_or_as_bad_as_the_file_says():
    t = HandSignal("draught")
    counts, bad = (Condition(Limit(t, 300.0, None, 0.0, counts), 0, 0) for counts in (True, False))
    t.good(259.0)
    t.at_end = 1
    for condition in (counts, bad):
        condition.update(0)
    assert counts.on and not bad.on and not bad.judged
    t.good(-509.0)
    t.at_end = -1
    counts.update(250)
    assert not counts.on


def test_any_all_and_not_of_states_and_one_that_is_not_known_decides_nothing_by_itself():
    a, b = HandSignal("a"), HandSignal("b")
    states = {name: State(name) for name in "ab"}
    for name, signal in (("a", a), ("b", b)):
        states[name].connect(Limit(signal, 0.5, None, 0.4, True), 0, 0)
    one_of = Condition(Joined(list(states.values()), False), 0, 0)
    all_of = Condition(Joined(list(states.values()), True), 0, 0)
    none_of = Condition(Joined([states["a"]], True, True), 0, 0)
    table = [
        # a, b, any, all, not a
        (1.0, 0.0, True, False, False),
        (1.0, 1.0, True, True, False),
        (0.0, 0.0, False, False, True),
        (0.0, None, None, False, True),
        (1.0, None, True, None, False),
    ]
    for step, (x, y, any_on, all_on, not_on) in enumerate(table):
        for signal, value in ((a, x), (b, y)):
            signal.bad() if value is None else signal.good(value)
        for condition in (*states.values(), one_of, all_of, none_of):
            condition.update(step * 250)
        for condition, wanted in ((one_of, any_on), (all_of, all_on), (none_of, not_on)):
            assert condition.judged == (wanted is not None)
            if wanted is not None:
                assert condition.on == wanted, (x, y)
    assert (states["a"].value, states["a"].name) == (1.0, "state.a")


def test_a_rise_without_a_demand_is_seen_within_its_time_and_stays_until_the_reset_value():
    t, no_heat = HandSignal("t", 600.0), State("no_heat")
    heat = HandSignal("heat", 0.0)
    no_heat.connect(Limit(heat, None, 1.0, 1.5, True), 0, 0)
    spec = {"signal": "t", "rises_more_than": 5.0, "in_s": 120.0, "when": "no_heat", "reset_below": 500.0,
            "on_after_s": 0.0, "off_after_s": 0.0}  # fmt: skip
    condition = Condition(*build(spec, {"t": t}.__getitem__, {"no_heat": no_heat}))
    came = None
    for second in range(400):
        heat.good(50.0 if second < 100 else 0.0)
        t.good(600.0 + 0.2 * second)
        no_heat.update(second * 1000)
        condition.update(second * 1000)
        if condition.on and came is None:
            came = second
    # 0.2 K/s: 5 K are 25 s after the heat went.
    assert came is not None and 100 + 25 <= came <= 100 + 28
    assert condition.on
    t.good(499.0)
    condition.update(401000)
    assert not condition.on


def test_heat_that_is_asked_for_and_warms_nothing_is_seen():
    t, heat_on = HandSignal("t", 600.0), State("heat_on")
    heat = HandSignal("heat", 80.0)
    heat_on.connect(Limit(heat, 50.0, None, 40.0, True), 0, 0)
    condition = Condition(Moves(t, True, 3.0, 60000, heat_on, False, None), 0, 0)
    seen = []
    for second in range(120):
        heat_on.update(second * 1000)
        condition.update(second * 1000)
        seen.append(condition.on)
    assert seen.index(True) == 60
    for second in range(120, 200):
        t.good(600.0 + (second - 119))
        condition.update(second * 1000)
    assert not condition.on


def test_counts_that_repeat_are_stuck_and_only_new_readings_count():
    o2 = HandSignal("o2", 6.6)
    condition = Condition(Repeats(o2, 5), 0, 0)
    for ms in range(0, 4000, 250):
        o2.age_ms = ms % 1000
        condition.update(ms)
        assert not condition.on, "four readings"
    for ms in (4000, 4250):
        o2.age_ms = ms % 1000
        condition.update(ms)
    assert condition.on
    o2.good(6.61)
    o2.age_ms = 0
    condition.update(5000)
    assert not condition.on


def test_a_latched_trip_is_not_hidden_by_a_later_one_whose_signal_is_bad():
    hot, pressure = HandSignal("hot", 1300.0), HandSignal("pressure", 0.0)
    burner = output("burner", safe=0.0)
    guard = Guard([burner], [], [trip("hot", hot, above=1200.0, outputs=[burner]),
                                 trip("pressure", pressure, above=150.0, outputs=[burner])], [])  # fmt: skip
    burner.look()
    guard.step(0.25, 0)
    pressure.bad()
    guard.step(0.25, 250)
    assert (burner.state, burner.why) == (out.TRIP, "hot")
    hot.good(900.0)
    assert guard.reset(500) == []
    guard.step(0.25, 500)
    assert burner.state == out.SAFE and "pressure can't be judged" in burner.why


def test_a_trip_that_stands_where_it_can_not_be_judged_forces_nothing():
    t = HandSignal("t", 900.0)
    burner = output("burner", safe=0.0)
    guard = Guard([burner], [], [Trip("hot", limit(t, above=1200.0), False, [burner])], [])
    burner.look()
    burner.demand.ask(60.0)
    t.bad()
    guard.step(0.25, 0)
    assert burner.state == out.AUTO
