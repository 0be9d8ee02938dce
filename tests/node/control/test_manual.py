"""Manual and automatic: no bump either way, the hand goes through the guard, set-points that move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.guard import outputs as out
from tests.node.control.rig import Chain, pid
from tests.node.control.test_loops import BURNER
from tests.node.fakes import HandSignal, output
from tests.node.remote_bench import Node

PID = pid("output.primary_air", "steam", set_point=46.0, gain=1.5, ti_s=300.0, b=0.5)
RATIO = {
    "kind": "ratio", "to": "output.primary_air", "of": "steam", "ratio": 1.0, "bias": 5.0, "unit": "%", "low": 0.0,
    "high": 100.0,
}  # fmt: skip
CHAINS = {}


def tick(loop, one, count=1):
    values = []
    for _ in range(count):
        CHAINS[loop].tick()
        values.append(one.value)
    return values


def started(spec, *signals, position=58.0, **limits):
    one = output(position=position, **{"low": 0.0, "rate_per_s": 1.0, **limits})
    chain = Chain({"loop": {"loop": spec}}, list(signals), [one])
    loop = chain["loop.loop"]
    CHAINS[loop] = chain
    tick(loop, one, 8)
    return loop, one


@pytest.mark.parametrize("td_s", [0.0, 20.0])
def test_into_manual_and_back_the_output_takes_no_step(td_s):
    node = Node(follow_plant=True)
    node.furnace.pid.td_s = td_s
    node.tick(2000)
    assert node.furnace.controls()
    before = node.burner.value
    node.furnace.set_manual(True)
    node.tick()
    assert node.burner.value == before
    assert node.furnace.mode == "manual"
    node.furnace.change_output(before + 10.0)
    values = []
    for _ in range(1200):
        node.tick()
        values.append(node.burner.value)
    assert values[0] == pytest.approx(before + 1.25), "no faster than the output's rate"
    assert values[-1] == before + 10.0
    node.furnace.set_manual(False)
    node.tick()
    assert node.burner.value == pytest.approx(before + 10.0, abs=1e-9)
    # Then it goes on as a PI controller does, by its integral: no step later either.
    last = node.burner.value
    error = abs(node.t.value - node.furnace.set_point.value)
    assert error > 50.0
    for _ in range(20):
        node.tick()
        assert abs(node.burner.value - last) < 0.25 * 1.2 * 0.5 * error / 60.0 + 0.05
        last = node.burner.value
    node.tick(8000)
    assert node.t.value == pytest.approx(node.furnace.set_point.value, abs=0.5)


def test_while_the_hand_moves_the_controller_takes_over_from_where_it_is():
    loop, one = started(PID, HandSignal("steam", 46.0))
    loop.set_manual(True)
    loop.change_output(80.0)
    tick(loop, one, 7)
    stands = one.value
    assert stands == pytest.approx(58.0 + 7 * 0.25)
    loop.set_manual(False)
    assert tick(loop, one, 4) == pytest.approx([stands] * 4)


def test_a_burner_taken_back_from_the_hand_goes_on_burning_where_it_stood_and_one_that_was_out_stays_out():
    for hand, expected in ((40.0, 40.0), (0.0, 0.0)):
        signals = [HandSignal("t", 880.0), HandSignal("running", 1.0), HandSignal("lockout", 0.0)]
        spec = dict(BURNER, to="output.primary_air")
        del spec["release"]
        loop, one = started(spec, *signals, position=0.0, rate_per_s=20.0, safe=0.0)
        loop.set_manual(True)
        loop.change_output(hand)
        tick(loop, one, 100)
        assert one.value == hand
        loop.set_manual(False)
        assert tick(loop, one, 8) == pytest.approx([expected] * 8, abs=0.01)


def test_a_ratio_loop_goes_back_at_the_rate_of_its_output():
    loop, one = started(RATIO, HandSignal("steam", 40.0), position=45.0)
    loop.set_manual(True)
    loop.change_output(60.0)
    tick(loop, one, 100)
    loop.set_manual(False)
    values = [60.0] + tick(loop, one, 61)
    assert max(abs(b - a) for a, b in zip(values, values[1:], strict=False)) <= 0.25 + 1e-9
    assert values[-1] == 45.0


def test_the_hand_is_limited_rated_and_overruled_like_any_demand():
    node = Node()
    node.furnace.set_manual(True)
    with pytest.raises(ValueError, match="outside 5.0..90.0"):
        node.furnace.change_output(95.0)
    node.furnace.change_output(90.0)
    node.tick()
    assert node.burner.value == pytest.approx(41.25)
    node.draught.good(150.0)
    node.tick(4)
    assert (node.burner.state, node.burner.value) == (out.TRIP, 0.0)
    node.draught.good(-80.0)
    node.tick(40)
    assert node.burner.value == 0.0, "a trip needs its reset, manual or not"
    assert node.guard.reset(node.clock.ms) == []
    node.tick(100)
    assert node.burner.value == 5.0, "the hand starts again from where the output stood, within its limits"
    assert node.furnace.mode == "manual"


def test_an_interlock_overrules_the_hand_and_a_bad_process_value_does_not():
    node = Node()
    node.furnace.set_manual(True)
    node.t.bad()
    # The trip on that temperature can't be judged: the guard brings the output to safe, hand or not.
    node.tick(2)
    assert node.burner.state == out.SAFE
    steam = HandSignal("steam", 46.0)
    loop, one = started(PID, steam)
    loop.set_manual(True)
    steam.bad()
    loop.change_output(60.0)
    assert tick(loop, one, 40)[-1] == 60.0
    assert (one.state, loop.mode) == (out.AUTO, "manual")
    steam.good(46.0)
    loop.set_manual(False)
    assert tick(loop, one, 4) == pytest.approx([60.0] * 4)


def test_a_gap_of_the_process_value_in_manual_does_not_kick_the_derivative():
    steam = HandSignal("steam", 46.0)
    loop, one = started(dict(PID, td_s=[20.0]), steam)
    loop.set_manual(True)
    tick(loop, one, 4)
    steam.bad()
    tick(loop, one, 4)
    steam.good(30.0)
    tick(loop, one, 1)
    assert loop.pid.derivative == pytest.approx(0.0, abs=1e-6)


def test_nobody_takes_an_output_by_hand_whose_position_is_not_known():
    one = output()
    one.device.position = None
    loop = Chain({"loop": {"loop": PID}}, [HandSignal("steam", 46.0)], [one])["loop.loop"]
    with pytest.raises(ValueError, match="not known yet"):
        loop.set_manual(True)
    with pytest.raises(ValueError, match="not in manual"):
        loop.change_output(50.0)


def test_a_set_point_with_a_rate_gets_there_exactly_and_no_faster():
    loop, one = started(PID, HandSignal("steam", 46.0))
    loop.set_point.change(40.0, 3.0)
    seen = [loop.set_point.value]
    for _ in range(480):
        tick(loop, one)
        seen.append(loop.set_point.value)
    assert max(a - b for a, b in zip(seen, seen[1:], strict=False)) <= 3.0 / 240.0 + 1e-12
    assert seen[-1] == 40.0 and seen[-2] > 40.0
    loop.set_point.change(45.0, 3.0)
    tick(loop, one, 40)
    loop.hold()
    held = loop.set_point.value
    tick(loop, one, 40)
    assert loop.set_point.value == held == pytest.approx(40.5)
    loop.set_point.change(45.0)
    assert loop.set_point.value == 45.0


def test_a_hand_with_a_rate_moves_no_faster():
    loop, one = started(PID, HandSignal("steam", 46.0))
    loop.set_manual(True)
    loop.change_output(59.0, 6.0)
    values = tick(loop, one, 40)
    assert values == pytest.approx([58.0 + 0.025 * (i + 1) for i in range(40)])
    loop.change_output(50.0, 6.0)
    assert tick(loop, one, 800)[-1] == 50.0


@given(
    gain=st.floats(0.01, 20.0),
    ti_s=st.sampled_from([0.0, 1.0, 10.0, 300.0]),
    td_s=st.sampled_from([0.0, 1.0, 20.0]),
    b=st.floats(0.0, 1.0),
    action=st.sampled_from(["reverse", "direct"]),
    course=st.lists(
        st.tuples(st.floats(0.0, 60.0), st.one_of(st.none(), st.booleans()), st.floats(0.0, 100.0)),
        min_size=5,
        max_size=40,
    ),
)
def test_whatever_the_process_value_does_a_change_of_mode_is_no_step(gain, ti_s, td_s, b, action, course):
    steam = HandSignal("steam", 46.0)
    spec = dict(PID, gain=[gain], ti_s=[ti_s], td_s=[td_s], b=b, action=action)
    loop, one = started(spec, steam, rate_per_s=0.0)
    for value, manual, hand in course:
        steam.good(value)
        before = one.value
        changes = manual is not None and manual != loop.hand.on
        if changes:
            loop.set_manual(manual)
        elif loop.hand.on:
            loop.change_output(hand)
        tick(loop, one)
        assert 0.0 <= one.value <= 100.0
        if changes:
            assert one.value == pytest.approx(before, abs=1e-9)
        elif loop.hand.on:
            assert one.value == hand
