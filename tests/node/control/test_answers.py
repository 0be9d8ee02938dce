"""Every demand is answered in the tick in which it was made: what was realised, room, and who has it."""

import pytest

from edge.node.control.demand import BOTH, DOWN, NONE, UP
from edge.node.guard import outputs as out
from edge.node.signals import BAD, UNCERTAIN
from tests.node.control.rig import Chain, Source, output, pid


def one_loop(**keys):
    spec = pid("output.valve", "pv", set_point=50.0, **keys.pop("loop", {}))
    pv = Source("pv", 50.0)
    valve = output("valve", **keys)
    return Chain({"loop": {"heat": spec}}, [pv], [valve]), pv, valve


def test_a_loop_begins_where_its_output_stands():
    chain, pv, valve = one_loop(position=63.0)
    chain.tick()
    assert valve.value == 63.0 and valve.state == out.AUTO
    chain.tick(4)
    assert valve.value == 63.0, "at rest nothing moves"


@pytest.mark.parametrize(
    "value, demand, room", [(100.0, 130.0, DOWN), (0.0, -20.0, UP), (50.0, 50.0, BOTH), (51.0, 70.0, DOWN)]
)
def test_a_free_output_answers_with_what_it_applied_and_where_there_is_room(value, demand, room):
    chain, pv, valve = one_loop(position=50.0, rate_per_s=4.0)
    given = chain["loop.heat"].demand
    valve.value = value if value != 51.0 else 50.0
    given.ask(demand)
    valve.apply(0.25, 0)
    valve.answer()
    assert (given.realised, given.room, given.away) == (value, room, "")


@pytest.mark.parametrize("state", [out.INTERLOCK, out.TRIP, out.STOPPED, out.SAFE])
def test_an_output_that_another_has_says_who_and_the_loop_follows_without_a_bump(state):
    chain, pv, valve = one_loop(position=60.0, safe=25.0, rate_per_s=1000.0)
    chain.tick(4)
    pv.value = 30.0
    chain.tick(200, forced={"valve": state})
    given = chain["loop.heat"].demand
    assert (given.realised, given.away) == (25.0, state)
    chain.tick()
    assert valve.value == pytest.approx(25.0, abs=1e-9), "it starts from where the guard held it"
    chain.tick()
    assert 25.0 < valve.value < 26.0, "and goes on from there, however long it was held"


def test_a_bad_signal_refuses_and_the_output_is_safe_until_it_is_back():
    chain, pv, valve = one_loop(position=60.0, safe=25.0)
    chain.tick(4)
    pv.fail()
    chain.tick()
    assert (valve.value, valve.state, valve.why) == (25.0, out.SAFE, "pv: burnt out")
    assert chain["loop.heat"].demand.quality == BAD and chain["loop.heat"].mode == "refused"
    pv.mend()
    chain.tick()
    assert (valve.value, valve.state) == (25.0, out.AUTO)


@pytest.mark.parametrize("policy, value", [("hold", 60.0), (33.0, 33.0)])
def test_a_blind_loop_holds_or_asks_for_the_value_that_the_file_says(policy, value):
    chain, pv, valve = one_loop(position=60.0, loop={"if_bad": policy})
    chain.tick(4)
    pv.fail()
    chain.tick(8)
    assert valve.value == value and valve.state == out.AUTO and valve.quality == UNCERTAIN
    pv.mend()
    chain.tick()
    assert valve.value == pytest.approx(value, abs=1e-9), "it goes on without a bump"


def test_a_blind_loop_with_forward_follows_its_feed_forward_with_the_last_integral():
    air = Source("air", 40.0)
    pv = Source("pv", 50.0)
    spec = pid("output.fan", "pv", set_point=50.0, forward=[["air", 1.0]], if_bad="forward")
    chain = Chain({"loop": {"draught": spec}}, [pv, air], [output("fan", position=55.0)])
    chain.tick(4)
    pv.fail()
    air.value = 50.0
    chain.tick()
    assert chain.outputs["fan"].value == pytest.approx(65.0)
    pv.mend()
    chain.tick()
    assert chain.outputs["fan"].value == pytest.approx(65.0, abs=0.01)


def test_a_feed_forward_that_is_lost_keeps_its_last_share_and_is_told():
    air = Source("air", 40.0)
    pv = Source("pv", 50.0)
    spec = pid("output.fan", "pv", set_point=50.0, forward=[["air", 1.0]])
    chain = Chain({"loop": {"draught": spec}}, [pv, air], [output("fan", position=55.0)])
    chain.tick(4)
    air.fail("no reply")
    air.value = 0.0
    chain.tick(4)
    fan = chain.outputs["fan"]
    assert fan.value == pytest.approx(55.0) and fan.quality == UNCERTAIN and "air" in fan.why


def cascade(**slave):
    sources = [Source("t", 900.0, "degC"), Source("flow", 40.0)]
    loops = {
        "zone": pid("loop.gas", "t", set_point=900.0, gain=0.2, ti_s=100.0, low=0.0, high=100.0),
        "gas": pid("output.valve", "flow", gain=0.5, ti_s=10.0, set_point_high=100.0, **slave),
    }
    return Chain({"loop": loops}, sources, [output("valve", position=40.0)])


def test_a_free_slave_answers_with_its_set_point():
    chain = cascade()
    chain.tick(8)
    given = chain["loop.zone"].demand
    assert given.away == "" and given.room == BOTH and given.realised == given.value


def test_a_slave_in_hand_answers_with_its_process_value_so_that_it_comes_back_without_a_bump():
    chain = cascade()
    chain.tick(8)
    chain["loop.gas"].set_manual(True)
    chain["loop.gas"].change_output(70.0)
    chain.sources["flow"].value = 66.0
    chain.tick(40)
    given = chain["loop.zone"].demand
    assert (given.realised, given.away) == (66.0, "hand")
    assert chain.outputs["valve"].value == 70.0
    chain["loop.gas"].set_manual(False)
    chain.tick()
    assert chain["loop.gas"].set_point.value == pytest.approx(66.0, abs=0.1)
    assert chain.outputs["valve"].value == pytest.approx(70.0, abs=0.1)


def test_a_slave_at_its_end_answers_with_its_process_value_while_the_master_pushes_that_way():
    chain = cascade()
    chain.sources["t"].value = 700.0
    chain.tick(400)
    assert chain.outputs["valve"].value == 100.0
    given = chain["loop.zone"].demand
    assert given.realised == 40.0 and given.room == DOWN and not given.away
    chain.tick(40000)
    assert chain["loop.zone"].pid.integral == pytest.approx(40.0, abs=0.1), "the master waits at the slave's value"


def test_a_blind_slave_holds_its_master():
    chain = cascade()
    chain.tick(8)
    chain.sources["flow"].fail()
    chain.tick()
    chain.sources["t"].value = 850.0
    chain.tick(7200)
    given = chain["loop.zone"].demand
    assert given.away == "safe" and given.realised == pytest.approx(40.0, abs=0.5)
    chain.sources["flow"].mend()
    chain.sources["flow"].value = 38.0
    chain.tick()
    assert chain["loop.gas"].set_point.value == pytest.approx(40.0, abs=0.5), "no wind-up in half an hour"
    chain.tick()
    assert chain["loop.gas"].set_point.value == pytest.approx(38.0, abs=0.5), "it comes back with no error"


def test_a_slave_whose_master_refuses_goes_on_with_its_own_set_point_or_holds():
    for own, kept in (({"set_point": 25.0}, 25.0), ({}, 40.0)):
        chain = cascade(**own)
        chain.tick(8)
        chain.sources["t"].fail()
        chain.tick(8)
        gas = chain["loop.gas"]
        assert gas.set_point.value == pytest.approx(kept) and "loop.zone" in gas.set_point.why
        assert chain.outputs["valve"].state == out.AUTO and chain.outputs["valve"].quality == UNCERTAIN


def test_a_trim_moves_only_where_there_is_room_and_never_refuses():
    o2 = Source("o2", 6.0)
    primary = Source("primary", 50.0)
    loops = {
        "o2": {
            "kind": "trim",
            "to": "loop.air",
            "pv": "o2",
            "unit": "",
            "set_point": 6.0,
            "set_point_low": 0.0,
            "set_point_high": 21.0,
            "low": 0.5,
            "high": 1.6,
            "gain": 0.08,
            "ti_s": 60.0,
            "hold_s": 1.0,
            "at_limit_told_after_s": 30.0,
        },
        "air": {
            "kind": "ratio",
            "to": "output.fan",
            "of": "primary",
            "ratio": 1.0,
            "bias": 0.0,
            "unit": "%",
            "low": 0.0,
            "high": 100.0,
        },
    }
    chain = Chain({"loop": loops}, [o2, primary], [output("fan", position=50.0, low=45.0, high=55.0)])
    chain.tick(20)
    trim, fan = chain["loop.o2"], chain.outputs["fan"]
    o2.value = 2.0
    chain.tick(400)
    assert fan.value == 55.0 and trim.demand.room == DOWN
    stopped = trim.demand.value
    chain.tick(4000)
    assert trim.demand.value == stopped, "it waits at the end of the fan"
    o2.value = 9.0
    chain.tick(60)
    assert trim.demand.value < stopped, "and leaves it the other way"
    o2.fail()
    kept = trim.demand.value
    chain.tick(100)
    assert trim.demand.value == kept and trim.mode == "held" and fan.state == out.AUTO


def test_a_ratio_turns_the_answer_round_for_its_master():
    pv = Source("pv", 50.0)
    loops = {
        "load": pid("loop.air", "pv", set_point=50.0, high=200.0),
        "air": {
            "kind": "ratio",
            "to": "output.fan",
            "ratio": 0.5,
            "bias": 10.0,
            "unit": "%",
            "low": 0.0,
            "high": 100.0,
        },
    }
    chain = Chain({"loop": loops}, [pv], [output("fan", position=60.0, high=70.0)])
    chain.tick(2)
    assert chain["loop.load"].demand.realised == pytest.approx(100.0)
    pv.value = 0.0
    chain.tick(2000)
    given = chain["loop.load"].demand
    assert chain.outputs["fan"].value == 70.0
    assert given.realised == pytest.approx(120.0) and given.room == DOWN


def selected(**policies):
    sources = [Source("a", 50.0), Source("b", 50.0)]
    loops = {
        "first": pid("select.lowest", "a", set_point=50.0),
        "second": pid("select.lowest", "b", set_point=80.0),
    }
    if_bad = {"first": "refuse", "second": "leave_out", **policies}
    select = {"lowest": {"take": "lowest", "if_bad": if_bad, "to": "output.valve", "unit": "%"}}
    return Chain({"loop": loops, "select": select}, sources, [output("valve", position=40.0)])


def test_the_loser_of_a_select_waits_beside_the_winner_and_takes_over_at_once():
    chain = selected()
    chain.tick(4000)
    assert chain["select.lowest"].leader == "loop.first"
    given = chain["loop.second"].demand
    assert given.room == DOWN and given.realised == chain.outputs["valve"].value and not given.leads
    # Error 30 at gain 1: beside the winner means the integral at the winner, the demand above it.
    assert chain["loop.second"].pid.integral == pytest.approx(40.0, abs=0.5)
    chain.sources["b"].value = 85.0
    before = chain.outputs["valve"].value
    chain.tick(2)
    assert chain["select.lowest"].leader == "loop.second"
    assert before - 6.0 < chain.outputs["valve"].value < before


def test_a_select_says_of_each_input_what_it_counts_as_when_refused():
    chain = selected()
    chain.tick(8)
    chain.sources["b"].fail()
    chain.tick()
    valve = chain.outputs["valve"]
    assert valve.state == out.AUTO and valve.quality == UNCERTAIN and chain["select.lowest"].leader == "loop.first"
    chain.sources["a"].fail()
    chain.tick()
    assert valve.state == out.SAFE and "loop.first" in valve.why
    chain = selected(second=12.0)
    chain.tick(8)
    chain.sources["b"].fail()
    chain.tick()
    assert chain.outputs["valve"].value == 12.0


def test_a_split_gives_to_others_what_a_part_can_not_take_and_answers_with_the_sum():
    pv = Source("pv", 50.0, "%")
    specs = {
        "loop": {"load": pid("split.fans", "pv", set_point=50.0, high=200.0)},
        "split": {
            "fans": {
                "parts": ["output.one", "output.two"],
                "shares": [1.0, 1.0],
                "unit": "%",
                "lows": [0.0, 0.0],
                "highs": [60.0, 100.0],
            }
        },
    }
    chain = Chain(specs, [pv], [output("one", position=40.0, high=60.0), output("two", position=60.0)])
    chain.tick(2)
    given = chain["loop.load"].demand
    assert given.realised == pytest.approx(100.0)
    chain.tick(8, forced={"one": out.TRIP})
    assert chain.outputs["one"].value == 0.0 and chain.outputs["two"].value == pytest.approx(100.0, abs=0.5)
    assert given.away == "" and given.realised == pytest.approx(100.0, abs=0.5)
    pv.value = -500.0
    chain.tick(4000)
    assert (chain.outputs["one"].value, chain.outputs["two"].value) == (60.0, 100.0)
    assert given.room == DOWN and given.room != NONE
