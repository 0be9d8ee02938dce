"""Ramps and soaks: to the millisecond, waiting for the furnace, stopped where they are."""

import json
import re

import pytest
from hypothesis import given, settings
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
    ("policy", "colder", "state", "set_point", "why"),
    [
        ("continue", 100.0, "soak 2", 850.0, "goes on after a power cut: t 750.0, set-point 850.0"),
        ("hold", 100.0, "held 2", 850.0, "held after a power cut: t 750.0, set-point 850.0"),
        ("hold", 3.0, "soak 2", 850.0, "goes on after a power cut: t 847.0, set-point 850.0"),
        ("ramp_back", 100.0, "ramp 2", 750.0, "begins the segment anew after a power cut: t 750.0, set-point 850.0"),
        ("abort", 100.0, "aborted", None, "power cut in segment 2"),
        ("abort", 3.0, "soak 2", 850.0, "goes on after a power cut: t 847.0, set-point 850.0"),
    ],
)  # fmt: skip
def test_after_a_power_cut_it_does_what_the_file_says(policy, colder, state, set_point, why):
    node, one = programme()
    one.start()
    run(node, 440)
    assert one.state == "soak 2"
    position = one.position()
    again, two = programme(after_power_cut=policy, continue_if_within=5.0)
    again.t.good(850.0 - colder)
    two.restore(position)
    assert (two.state, two.running) == ("interrupted 2", True)
    again.tick()
    assert (two.state, again.furnace.set_point.own, two.why) == (state, set_point, why)
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


def test_it_resumes_when_the_process_value_is_known_and_not_before():
    node, one = programme()
    one.start()
    run(node, 40)
    position = one.position()
    again, two = programme(after_power_cut="ramp_back")
    again.t.bad("not read yet")
    two.restore(position)
    again.tick(500)
    assert two.state == "interrupted 1"
    assert two.position() == position, "a second cut loses nothing"
    with pytest.raises(ValueError, match="programme heat_up leads loop furnace: stop it first"):
        again.furnace.set_point.change(800.0)
    again.t.good(700.0)
    again.tick()
    assert (two.state, again.furnace.set_point.own) == ("ramp 1", 700.0)
    two.stop()
    two.restore(position)
    two.stop()
    again.tick(20)
    assert (two.state, two.running, again.furnace.set_point.lead) == ("stopped", False, None)


def test_it_never_resumes_into_a_trip():
    node, one = programme()
    one.start()
    run(node, 440)
    again, two = programme(after_power_cut="abort", continue_if_within=5.0)
    again.guard.restore("pressure", 120.0, False, True, 0)
    again.tick()
    again.t.good(849.0)
    two.restore(one.position())
    again.tick(100)
    assert two.state == "interrupted 2" and again.burner.state == "trip"
    again.t.good(600.0)
    again.tick()
    assert again.guard.reset(again.clock.ms) == []
    again.tick(2)
    # Near when the power came back, far from it when a person let go of the trip.
    assert (two.state, two.running, again.furnace.set_point.own) == ("aborted", False, None)


def test_one_that_was_held_is_held_after_the_next_cut_as_well():
    node, one = programme()
    one.start()
    run(node, 440)
    again, two = programme(after_power_cut="hold", continue_if_within=5.0)
    again.t.good(600.0)
    two.restore(one.position())
    again.tick()
    assert two.state == "held 2"
    third, three = programme(after_power_cut="hold", continue_if_within=5.0)
    third.t.good(850.0)
    three.restore(two.position())
    third.tick()
    assert three.state == "held 2", "it is near now, but no person has said go_on"


def test_a_cut_while_it_ramps_back_to_a_soak_does_not_count_as_soak():
    node, one = programme()
    one.start()
    run(node, 440)
    again, two = programme(after_power_cut="ramp_back")
    again.t.good(800.0)
    two.restore(one.position())
    run(again, 81)
    assert two.state == "ramp 2" and again.furnace.set_point.own == pytest.approx(810.0)
    third, three = programme(after_power_cut="continue")
    third.t.good(800.0)
    three.restore(two.position())
    assert run(third, 1 + 320)[-1] == 850.0
    assert three.state == "soak 2"
    run(third, MINUTE - 1)
    assert three.state == "soak 2"
    run(third, 1)
    assert three.state == "ramp 3"


LONG = [
    {"to": 850.0, "at_per_min": 97.0, "event": "up"}, {"stay_min": 0.07}, {"to": 830.0}, {"stay_min": 0.05},
    {"repeat": 2, "from": 2}, {"to": 790.3, "at_per_min": 61.0}, {"repeat": 1, "from": 1}, {"stay_min": 0.1},
]  # fmt: skip


def _whole():
    node, one = programme(segments=LONG)
    one.start()
    seen = []
    while one.running:
        seen.append((node.furnace.set_point.own, one.state, one.events["up"].value, one.rate.value))
        node.tick()
        node.t.good(node.furnace.set_point.value)
    return seen


WHOLE = _whole()


@settings(max_examples=60)
@given(st.lists(st.integers(0, len(WHOLE) - 1), min_size=1, max_size=4))
def test_with_cuts_at_any_moments_it_does_what_it_does_without_one(moments):
    node, one = programme(segments=LONG)
    one.start()
    moments = sorted(set(moments))
    for now in range(len(WHOLE)):
        if now in moments:
            position = json.loads(json.dumps(one.position()))
            node, one = programme(segments=LONG, after_power_cut="continue")
            one.restore(position)
            node.tick()  # in which it resumes
        seen = (node.furnace.set_point.own, one.state, one.events["up"].value)
        assert seen == WHOLE[now][:3], now
        node.tick()
        node.t.good(node.furnace.set_point.value)
        if one.running:
            assert one.rate.value == WHOLE[now + 1][3]
    assert one.state == "done"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"segment": 9}, "no segment 9"),
        ({"segment": -1}, "no segment -1"),
        ({"segment": True}, "no segment True"),
        ({"segment": 0}, "from is None, expected 20.0..1100.0"),
        ({"set_point": 1200.0}, "set_point is 1200.0, expected 20.0..1100.0"),
        ({"set_point": float("nan")}, "set_point is nan"),
        ({"set_point": "850"}, "set_point is 850"),
        ({"elapsed_ms": -1}, "elapsed_ms is -1"),
        ({"elapsed_ms": 1.5}, "elapsed_ms is 1.5"),
        ({"held": 1}, "held is 1"),
        ({"repeated": None}, "repeated is no list"),
        ({"repeated": [[0, 1]]}, "segment 1 was not to be repeated 1 times"),
        ({"repeated": [[4, 3]]}, "segment 5 was not to be repeated 3 times"),
        ({"repeated": [[99, 1]]}, "segment 100 was not to be repeated"),
        ({"repeated": [4]}, "expected"),
        ({"from": 800.0, "to": 2000.0}, "to is 2000.0"),
        (None, "no object"),
    ],
)
def test_a_position_that_it_could_not_have_had_is_refused(change, text):
    position = {"segment": 1, "set_point": 850.0, "elapsed_ms": 10, "repeated": [], "held": False}
    node, one = programme(segments=LONG)
    if change is None:
        position = None
    else:
        position.update(change)
    with pytest.raises(ValueError, match=re.escape(text)):
        one.restore(position)
    assert not one.running and node.furnace.set_point.lead is None and one.state == "idle"
