"""Single loops: direction, gain schedule, limits from a value, real time steps; the burner by its rule."""

import pytest

from edge.node.guard import outputs as out
from tests.node.control.rig import DT_S, Chain, Source, output, pid

BURNER = {
    "kind": "burner", "to": "output.burner", "release": "output.release", "pv": "t", "unit": "%", "low": 0.0,
    "high": 100.0, "set_point": 880.0, "set_point_low": 860.0, "set_point_high": 950.0, "running": "running",
    "lockout": "lockout", "start_falling_below": 870.0, "start_below": 860.0, "stop_above": 900.0,
    "stop_after_s": 600.0, "minimum": 20.0, "lights_within_s": 90.0, "gain": 0.6, "ti_s": 180.0,
}  # fmt: skip


@pytest.mark.parametrize("action, sign", [("reverse", 1), ("direct", -1)])
def test_reverse_action_raises_the_output_below_the_set_point_and_direct_lowers_it(action, sign):
    pv = Source("pv", 50.0)
    chain = Chain(
        {"loop": {"heat": pid("output.valve", "pv", set_point=50.0, action=action)}}, [pv], [output("valve")]
    )
    chain.tick(4)
    pv.value = 45.0
    chain.tick(4)
    assert sign * (chain.outputs["valve"].value - 50.0) > 4.0


def test_a_gain_schedule_changes_the_answer_and_not_the_output():
    pv, load = Source("pv", 50.0), Source("load", 200.0)
    spec = pid(
        "output.valve",
        "pv",
        set_point=50.0,
        schedule="load",
        at=[200.0, 600.0],
        gain=[1.0, 3.0],
        ti_s=[300.0, 300.0],
        td_s=[0.0, 0.0],
    )
    chain = Chain({"loop": {"heat": spec}}, [pv, load], [output("valve")])
    chain.tick(40)
    valve = chain.outputs["valve"]
    pv.value = 48.0
    chain.tick()
    assert valve.value == pytest.approx(52.0, abs=0.02)
    load.value = 600.0
    before = valve.value
    chain.tick()
    assert valve.value == pytest.approx(before, abs=0.05), "the output takes no jump from a new gain"
    pv.value = 47.0
    before = valve.value
    chain.tick()
    assert valve.value - before == pytest.approx(3.0, abs=0.05)
    load.fail()
    chain.tick()
    assert valve.state == out.AUTO, "the last gains stand"


def test_the_lower_limit_from_a_value_holds_the_demand_up_and_never_beyond_the_range():
    pv, least = Source("pv", 80.0), Source("least", 29.0)
    chain = Chain(
        {"loop": {"feed": pid("output.feeder", "pv", set_point=50.0, low_from="least")}},
        [pv, least],
        [output("feeder", position=40.0)],
    )
    chain.tick(4000)
    assert chain.outputs["feeder"].value == 29.0
    least.value = 130.0
    chain.tick()
    assert chain.outputs["feeder"].value == 100.0


@pytest.mark.parametrize("held", [False, True])
def test_a_demand_that_an_interlock_took_away_comes_back_to_its_lower_limit(held):
    pv, least, t = Source("pv", 20.0), Source("least", 29.0), Source("t", 900.0)
    loops = {"feed": pid("output.feeder", "pv", set_point=60.0, action="direct", ti_s=3600.0, low_from="least")}
    select = {}
    if held:
        # Another leads all the time, so that the loop is held where it is.
        loops["steam"] = pid("select.air", "pv", set_point=100.0, gain=5.0)
        loops["hot"] = pid("select.air", "t", set_point=910.0, action="direct", gain=5.0)
        loops["feed"]["hold_unless_leading"] = "loop.steam"
        select = {"air": {"take": "lowest", "to": "output.air", "unit": "%", "if_bad": {"steam": 0.0, "hot": 25.0}}}
    feeder = output("feeder", position=47.0, rate_per_s=1.0)
    chain = Chain({"loop": loops, "select": select}, [pv, least, t], [feeder, output("air")])
    chain.tick(40)
    chain.tick(40, forced={"feeder": out.INTERLOCK})
    assert feeder.value == 0.0
    chain.tick(40)
    assert feeder.value == pytest.approx(10.0, abs=0.5)  # at its rate
    chain.tick(100)
    assert feeder.value == pytest.approx(29.0)


def test_a_loop_is_held_while_another_does_not_lead():
    sources = [Source("steam", 40.0), Source("t", 900.0), Source("air", 50.0)]
    loops = {
        "steam": pid("select.air", "steam", set_point=46.0, set_point_high=60.0),
        "hot": pid("select.air", "t", set_point=870.0, action="direct"),
        "feed": pid("output.feeder", "air", set_point=60.0, action="direct", hold_unless_leading="loop.steam"),
    }
    select = {"air": {"take": "lowest", "to": "output.air", "unit": "%", "if_bad": {"steam": "refuse", "hot": 25.0}}}
    chain = Chain({"loop": loops, "select": select}, sources, [output("air"), output("feeder")])
    chain.tick(40)
    assert chain["select.air"].leader == "loop.steam" and chain.outputs["feeder"].value < 50.0
    sources[1].value = 800.0
    chain.tick(400)
    assert chain["select.air"].leader == "loop.hot" and chain["loop.feed"].mode == "held"
    held = chain.outputs["feeder"].value
    chain.tick(4000)
    assert chain.outputs["feeder"].value == held


def test_missed_ticks_pass_their_real_time_to_the_controllers():
    """Integral absolute error of a loop whose node misses ten ticks one time in twenty."""

    def iae(real):
        pv = Source("pv", 0.0)
        chain = Chain(
            {"loop": {"heat": pid("output.valve", "pv", set_point=10.0, gain=2.0, ti_s=12.0)}},
            [pv],
            [output("valve", position=0.0)],
        )
        total = 0.0
        delayed = [0.0] * 8
        missing = 0
        for i in range(2400):
            valve = chain.outputs["valve"].device.position
            delayed = delayed[1:] + [valve]
            pv.value += DT_S / (12.0 + DT_S) * (0.5 * delayed[0] - pv.value)
            total += abs(10.0 - pv.value) * DT_S
            missing += 1
            if i % 200 in range(20, 30):
                continue
            chain.tick(dt_s=missing * DT_S if real else DT_S)
            missing = 0
        return total

    assert iae(real=True) < iae(real=False)


def burner(running=0.0):
    sources = [Source("t", 950.0), Source("running", running), Source("lockout", 0.0)]
    outputs = [output("burner", position=0.0), output("release", position=0.0, drive="switch", dead_band=10.0)]
    chain = Chain({"loop": {"burner": dict(BURNER)}}, sources, outputs)
    return chain, sources


def test_the_burner_starts_falling_below_870_and_no_more_than_low_fire_until_it_runs():
    chain, (t, running, lockout) = burner()
    chain.tick(40)
    assert chain["loop.burner"].mode == "off" and chain.outputs["release"].device.position == 0.0
    while chain.outputs["burner"].value == 0.0:
        t.value -= 0.1
        chain.tick()
    assert 869.0 < t.value < 870.0
    t.value = 700.0
    chain.tick(200)
    assert chain.outputs["burner"].value == 20.0 and chain.outputs["release"].device.position == 100.0
    assert chain["loop.burner"].mode == "lighting" and not chain["loop.burner"].unlit
    running.value = 1.0
    chain.tick(2)
    assert chain.outputs["burner"].value > 20.0
    running.value = 0.0
    chain.tick()
    assert chain.outputs["burner"].value == 20.0, "the flame is gone: low fire at once"


def test_a_burner_that_does_not_light_in_time_is_told():
    chain, (t, running, lockout) = burner()
    t.value = 800.0
    chain.tick(90 * 4)
    assert not chain["loop.burner"].unlit
    chain.tick(2)
    assert chain["loop.burner"].unlit
    running.value = 1.0
    chain.tick()
    assert not chain["loop.burner"].unlit


@pytest.mark.parametrize("kind", ["locked", "unknown"])
def test_a_burner_in_lockout_is_asked_for_nothing_and_released_by_nothing(kind):
    chain, (t, running, lockout) = burner(running=1.0)
    t.value = 800.0
    chain.tick(40)
    assert chain.outputs["burner"].value > 20.0
    lockout.value = 1.0
    if kind == "unknown":
        lockout.fail()
    chain.tick()
    assert chain.outputs["burner"].value == 0.0 and chain.outputs["release"].device.position == 0.0
    assert chain["loop.burner"].mode == "lockout"


def test_the_burner_stops_only_after_its_time_above_its_temperature():
    chain, (t, running, lockout) = burner(running=1.0)
    t.value = 850.0
    chain.tick(8)
    t.value = 905.0
    chain.tick(2399)
    assert chain.outputs["burner"].value >= 20.0
    chain.tick(4)
    assert chain.outputs["burner"].value == 0.0 and chain.outputs["release"].device.position == 0.0


def test_after_a_trip_the_burner_goes_through_its_release_again():
    chain, (t, running, lockout) = burner(running=1.0)
    t.value = 800.0
    chain.tick(40)
    chain.tick(4, forced={"burner": out.TRIP, "release": out.TRIP})
    running.value = 0.0
    assert chain.outputs["release"].device.position == 0.0
    chain.tick()
    assert chain.outputs["burner"].value <= 20.0
    chain.tick(2)
    assert chain.outputs["burner"].value == 20.0 and chain.outputs["release"].device.position == 100.0


def test_a_bad_temperature_puts_the_burner_out_and_it_starts_anew_by_its_rule():
    chain, (t, running, lockout) = burner(running=1.0)
    t.value = 850.0
    chain.tick(8)
    t.fail()
    chain.tick()
    assert chain.outputs["burner"].value == 0.0
    t.mend()
    t.value = 880.0
    chain.tick(8)
    assert chain.outputs["burner"].value == 0.0
