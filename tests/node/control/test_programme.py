"""Ramps and soaks: to the millisecond, waiting for the furnace, stopped where they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.control.programme import Programme
from edge.node.control.ramp import Ramp
from tests.node.remote_bench import PROGRAMME, SEGMENTS, TICK_MS, Node

MINUTE = 60000 // TICK_MS


def programme(**spec):
    node = Node(programme=spec)
    return node, node.programmes[0]


def run(node, ticks):
    """The set-point after each tick, with a temperature that is where it should be."""
    seen = []
    for _ in range(ticks):
        node.tick()
        node.t.good(node.furnace.set_point.value)
        seen.append(node.furnace.set_point.value)
    return seen


def test_the_set_point_follows_ramps_and_soaks_to_the_tick():
    node, one = programme()
    one.start()
    assert one.state == "ramp 1"
    ramp = run(node, 100 * 60 * 4 // 60)  # 50 K at 30 K/min: 100 s
    assert ramp[-1] == 850.0 and ramp[-2] < 850.0
    assert ramp[199] == pytest.approx(825.0)
    assert one.state == "soak 2"
    assert run(node, MINUTE) == [850.0] * MINUTE
    assert one.state == "ramp 3"
    down = run(node, MINUTE // 2)
    assert down[-1] == 820.0 and down[-2] > 820.0
    assert run(node, MINUTE // 2) == [820.0] * (MINUTE // 2)
    assert one.state == "done" and not one.running and node.furnace.set_point.lead is None
    assert run(node, 10) == [820.0] * 10
    one.start()
    assert one.state == "ramp 1"


def test_it_starts_from_the_present_set_point_and_takes_the_loop_for_itself():
    node, one = programme()
    node.furnace.set_point.change(900.0, 10.0)
    node.tick(8)
    stood = node.furnace.set_point.value
    one.start()
    assert run(node, 4)[-1] == pytest.approx(stood + 4 * 30.0 / MINUTE)
    with pytest.raises(ValueError, match="programme heat_up leads loop furnace: stop it first"):
        node.furnace.set_point.change(800.0)
    other = Programme("other", PROGRAMME)
    other.loop = node.furnace
    for each in (one, other):
        with pytest.raises(ValueError, match="heat_up already leads"):
            each.start()


def test_stopped_it_leaves_the_set_point_where_it_is():
    node, one = programme()
    with pytest.raises(ValueError, match="does not run"):
        one.stop()
    one.start()
    held = run(node, 80)[-1]
    one.stop()
    assert run(node, 80) == [held] * 80
    assert (one.state, node.furnace.set_point.lead) == ("stopped", None)
    node.furnace.set_point.change(830.0)


def test_ramp_and_soak_wait_while_the_temperature_is_out_of_the_band():
    node, one = programme(
        wait_within=5.0, segments=[dict(one, within=5.0) if "stay_min" in one else one for one in SEGMENTS]
    )
    one.start()
    run(node, 40)
    node.t.good(node.furnace.set_point.value - 5.5)
    held = node.furnace.set_point.value
    for _ in range(119):
        node.tick()
    assert node.furnace.set_point.value == held and one.state == "ramp 1"
    node.tick()
    assert one.state == "ramp 1, waiting" and one.why == "t is more than 5.0 from the set-point"
    node.t.good(held - 4.0)
    node.tick()
    assert one.state == "ramp 1" and node.furnace.set_point.value > held
    run(node, 359)
    assert one.state == "soak 2"
    # A minute of soak is a minute inside the band.
    for inside in range(MINUTE):
        assert one.state == "soak 2", inside
        node.t.good(850.0 - 6.0)
        node.tick()
        node.t.good(850.0 - 4.0)
        node.tick()
    assert one.state == "ramp 3"
    assert one.waited_ms == 120 * TICK_MS + MINUTE * TICK_MS


def test_it_waits_while_its_loop_does_not_control():
    node, one = programme()
    one.start()
    held = run(node, 4)[-1]
    node.furnace.set_manual(True)
    assert run(node, 200) == [held] * 200
    assert one.state == "ramp 1, waiting" and "manual" in one.why
    node.furnace.set_manual(False)
    node.tick(2)
    node.draught.good(150.0)
    node.tick()
    tripped = node.furnace.set_point.value
    assert run(node, 200) == [tripped] * 200
    assert one.why == "output.burner is in trip"
    node.draught.good(-80.0)
    node.guard.reset(node.clock.ms)
    node.tick(2)
    held = node.furnace.set_point.value
    node.t.bad("stale: no reply")
    node.tick(200)
    assert node.furnace.set_point.value == held and one.why == "t: stale: no reply"


def test_a_furnace_that_lags_is_never_left_behind():
    node = Node(
        programme={
            "wait_within": 4.0,
            "segments": [
                {"to": 900.0, "at_per_min": 60.0},
                {"stay_min": 2.0, "within": 4.0},
                {"to": 700.0, "at_per_min": 60.0},
            ],
        },
        follow_plant=True,
    )
    node.tick(2000)
    (one,) = node.programmes
    one.start()
    soaked = 0
    for _ in range(20000):
        before = one.state
        node.tick()
        if before == one.state == "soak 2":
            soaked += abs(node.t.value - 900.0) <= 4.0
        if not one.running:
            break
        if before.startswith("ramp"):
            # Within the band at the tick before, so at most one tick of ramp and of furnace beyond it.
            assert abs(node.t.value - node.furnace.set_point.value) < 25.0
    assert one.state == "done" and one.waited_ms > 0
    assert soaked >= 2 * MINUTE - 2


@given(
    st.floats(-1000, 2000),
    st.floats(-1000, 2000),
    st.floats(0.01, 1000),
    st.lists(st.integers(50, 10000), max_size=60),
)
def test_a_ramp_moves_no_faster_than_its_rate_towards_its_target_and_never_beyond(start, target, rate, steps):
    ramp = Ramp(start, target, rate)
    value = start
    for dt_ms in steps:
        after = ramp.step(dt_ms)
        assert min(start, target) <= after <= max(start, target)
        assert abs(after - target) <= abs(value - target)
        assert abs(after - value) <= rate * dt_ms / 60000.0 + 1e-9 * (1.0 + abs(start) + abs(target))
        value = after
    assert ramp.done == (value == target) or not steps


def test_a_slow_ramp_gathers_no_error_over_a_day():
    ramp = Ramp(850.0, 1000.0, 0.01)
    for _ in range(24 * 60 * MINUTE):
        value = ramp.step(TICK_MS)
    assert value == pytest.approx(850.0 + 14.4, abs=1e-9)


def test_it_starts_from_the_process_value_where_the_file_says_so():
    node, one = programme(start="process_value")
    node.t.good(640.0)
    one.start()
    node.tick()
    assert node.furnace.set_point.value == pytest.approx(640.0 + 30.0 / MINUTE)
    one.stop()
    node.t.bad("burnt out")
    with pytest.raises(ValueError, match="can't start: t is bad"):
        one.start()


def test_jumps_repeats_and_events():
    segments = [
        {"to": 810.0, "event": "fan"},
        {"stay_min": 0.5, "event": "fan"},
        {"to": 800.0},
        {"stay_min": 0.25},
        {"repeat": 2, "from": 1},
        {"stay_min": 0.25, "event": "done"},
    ]
    node, one = programme(segments=segments)
    one.start()
    seen = []
    while one.running:
        seen.append((node.furnace.set_point.own, one.events["fan"].value, one.events["done"].value))
        node.tick()
    half, quarter = MINUTE // 2, MINUTE // 4
    cycle = [(810.0, 1.0, 0.0)] * half + [(800.0, 0.0, 0.0)] * quarter
    assert seen == cycle * 3 + [(800.0, 0.0, 1.0)] * quarter
    assert (one.events["done"].value, one.state) == (0.0, "done")


def test_its_rate_and_level_can_be_fed_forward():
    node, one = programme()
    one.start()
    run(node, 4)
    assert (one.rate.value, one.rate.name) == (30.0, "programme.heat_up.rate")
    assert one.level.value == node.furnace.set_point.value
    run(node, 400)
    assert (one.state, one.rate.value) == ("soak 2", 0.0)
    run(node, MINUTE)
    assert (one.state, one.rate.value) == ("ramp 3", -60.0)
    node.furnace.set_manual(True)
    node.tick(2)
    assert one.rate.value == 0.0, "a programme that waits feeds nothing forward"


def test_at_the_end_the_set_point_stays_or_is_taken_away():
    node, one = programme(segments=[{"to": 810.0}, {"stay_min": 0.1}], at_end="off")
    one.start()
    node.tick(MINUTE)
    assert one.state == "done" and node.furnace.set_point.own is None
    node.tick(2)
    assert node.burner.state == "safe" and "no set-point" in node.burner.why


@pytest.mark.parametrize(
    ("policy", "colder", "state", "set_point"),
    [
        ("continue", 100.0, "soak 2", 850.0),
        ("hold", 100.0, "held 2", 850.0),
        ("hold", 3.0, "soak 2", 850.0),
        ("ramp_back", 100.0, "ramp 2", 750.0),
        ("abort", 100.0, "aborted", None),
        ("abort", 3.0, "soak 2", 850.0),
    ],
)
def test_after_a_power_cut_it_does_what_the_file_says(policy, colder, state, set_point):
    node, one = programme()
    one.start()
    run(node, 440)
    assert one.state == "soak 2"
    position = one.position()
    again, two = programme(after_power_cut=policy, continue_if_within=5.0)
    again.t.good(850.0 - colder)
    two.resume(position)
    assert (two.state, again.furnace.set_point.own) == (state, set_point)
    if state == "held 2":
        again.tick(200)
        assert two.state == "held 2, waiting" and "go_on" in two.why
        two.go_on()
        assert two.state == "soak 2"
    if two.running and state == "soak 2":
        # The 40 ticks that were soaked before the cut count.
        again.t.good(850.0)
        again.tick(MINUTE - 41)
        assert two.state == "soak 2"
        again.tick(2)
        assert two.state == "ramp 3"


@pytest.mark.parametrize("position", [[9, 800.0, 0, []], [-1, 800.0, 0, []]])
def test_a_position_of_another_programme_is_refused(position):
    node, one = programme()
    with pytest.raises(ValueError, match="no segment"):
        one.resume(position)
    assert not one.running and node.furnace.set_point.lead is None
