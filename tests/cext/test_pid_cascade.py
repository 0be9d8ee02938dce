"""Cascade and gain schedule: transfers without a bump, no wind-up behind a saturated inner loop."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.cascade import Cascade, GainSchedule
from cext.characterisers import Table
from cext.pid import PID

DT_S = 0.1


def cascade_of(inner_direction=1.0):
    """Temperature over flow: the outer loop sets 0..200 m3/h, the inner one moves a valve."""
    outer, inner = PID(4.0, 60.0, 0.0), PID(0.5, 5.0, 0.0)
    outer.out_max = 200.0
    inner.direction = inner_direction
    return Cascade(outer, inner)


class Plant:
    """Flow follows the valve with a lag of 1 s, temperature the flow with one of 30 s."""

    def __init__(self, valve):
        self.flow = 1.6 * valve
        self.temp_c = 300.0 + 2.0 * self.flow

    def step(self, valve, flow_of_valve=1.6):
        self.flow += DT_S / 1.0 * (flow_of_valve * valve - self.flow)
        self.temp_c += DT_S / 30.0 * (300.0 + 2.0 * self.flow - self.temp_c)


def test_controls_both_values():
    cascade, plant = cascade_of(), Plant(50.0)
    cascade.follow(480.0, plant.temp_c, plant.flow, 0.0, 50.0, DT_S)
    for _ in range(6000):
        plant.step(cascade.step(480.0, plant.temp_c, plant.flow, 0.0, DT_S))
    assert plant.temp_c == pytest.approx(480.0, abs=0.1)
    assert cascade.inner.set_point == pytest.approx(90.0, abs=0.1)


def test_from_manual_through_automatic_to_cascade_and_back():
    cascade = cascade_of()
    assert cascade.follow(500.0, 460.0, 80.0, 0.0, 50.0, DT_S) == 50.0
    # The inner set point was at the process value: only the outer integral moves it, by 4/60 * 40 per second,
    # and the inner controller answers with P and one tick of I.
    first = 4.0 / 60.0 * 40.0 * DT_S
    out = cascade.step(500.0, 460.0, 80.0, 0.0, DT_S)
    assert cascade.inner.set_point == pytest.approx(80.0 + first)
    assert out == pytest.approx(50.0 + 0.5 * first * (1.0 + DT_S / 5.0))
    # Automatic at the last inner set point goes on where cascade was.
    again = cascade.automatic(cascade.inner.set_point, 500.0, 460.0, 80.0, 0.0, DT_S)
    assert again == pytest.approx(out + 0.5 * first * DT_S / 5.0)
    # And back: the outer one has tracked the operator's set point.
    cascade.automatic(95.0, 500.0, 460.0, 80.0, 0.0, DT_S)
    cascade.step(500.0, 460.0, 80.0, 0.0, DT_S)
    assert cascade.inner.set_point == pytest.approx(95.0 + first)


def saturate(cascade, plant, flow_of_valve, ticks=36_000):
    for _ in range(ticks):
        plant.step(cascade.step(650.0, plant.temp_c, plant.flow, 0.0, DT_S), flow_of_valve)


@pytest.mark.parametrize("flow_of_valve", [1.6, 1.0])
def test_the_outer_loop_does_not_wind_up_behind_a_saturated_inner_one(flow_of_valve):
    """An hour at full flow that is not enough; then the set point falls and the valve moves at once."""
    cascade, plant = cascade_of(), Plant(50.0)
    saturate(cascade, plant, flow_of_valve)
    assert cascade.inner.out == 100.0
    # The outer loop realises the flow there is, and not its upper limit of 200.
    assert cascade.outer.out == pytest.approx(100.0 * flow_of_valve, abs=0.1)
    assert cascade.outer.saturated == 1
    below = plant.temp_c - 5.0
    assert cascade.step(below, plant.temp_c, plant.flow, 0.0, DT_S) < 100.0
    # Without the hold the same two controllers keep the valve open, with the outer output at its limit.
    outer, inner, plant = cascade_of().outer, cascade_of().inner, Plant(50.0)
    for _ in range(36_000):
        flow_set_point = outer.step(650.0, plant.temp_c, 0.0, DT_S)
        plant.step(inner.step(flow_set_point, plant.flow, 0.0, DT_S), flow_of_valve)
    assert outer.out == 200.0


def test_a_direct_acting_inner_loop_blocks_the_other_way():
    """Valve fully open because the inner value is too high: the outer loop may not ask for less."""
    cascade = cascade_of(inner_direction=-1.0)
    cascade.follow(500.0, 520.0, 150.0, 0.0, 99.0, DT_S)
    for _ in range(2000):
        cascade.step(500.0, 520.0, 150.0, 0.0, DT_S)
    assert (cascade.inner.out, cascade.inner.saturated) == (100.0, 1)
    assert (cascade.outer.out, cascade.outer.saturated) == (150.0, -1)
    cascade.step(500.0, 499.0, 150.0, 0.0, DT_S)
    assert cascade.inner.set_point > 150.0


def test_a_limit_downstream_of_the_inner_loop_holds_the_outer_one():
    cascade, plant = cascade_of(), Plant(20.0)
    cascade.follow(650.0, plant.temp_c, plant.flow, 0.0, 20.0, DT_S)
    for _ in range(36_000):
        valve = min(30.0, cascade.step(650.0, plant.temp_c, plant.flow, 0.0, DT_S))
        cascade.realised(valve)
        plant.step(valve)
    assert cascade.outer.out == pytest.approx(48.0)
    assert cascade.step(plant.temp_c - 5.0, plant.temp_c, plant.flow, 0.0, DT_S) < 30.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_bad_inputs(bad):
    cascade = cascade_of()
    cascade.follow(500.0, 460.0, 80.0, 0.0, 50.0, DT_S)
    cascade.step(500.0, 460.0, 80.0, 0.0, DT_S)
    held = cascade.inner.set_point
    for _ in range(500):
        cascade.step(500.0, bad, 70.0, 0.0, DT_S)
    # The inner loop goes on at the held set point, also at its limit.
    assert (cascade.outer.flag, cascade.inner.flag, cascade.inner.set_point) == (1, 0, held)
    assert cascade.inner.saturated == 1
    out = cascade.inner.out
    assert cascade.step(500.0, 460.0, bad, 0.0, DT_S) == out
    assert (cascade.outer.flag, cascade.inner.flag) == (0, 1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("outer_value", [460.0, 540.0, math.nan])
def test_the_outer_loop_holds_while_the_inner_value_is_not_finite(bad, outer_value):
    """Half an hour without the inner sensor; then the outer loop goes on without a bump."""
    cascade = cascade_of()
    cascade.outer.td_s = 10.0
    cascade.follow(500.0, 460.0, 80.0, 0.0, 50.0, DT_S)
    cascade.step(500.0, 460.0, 80.0, 0.0, DT_S)
    held, out = cascade.outer.out, cascade.inner.out
    for _ in range(18_000):
        assert cascade.step(500.0, outer_value, bad, 0.0, DT_S) == out
        assert (cascade.outer.out, cascade.inner.set_point, cascade.inner.flag) == (held, held, 1)
    error = 500.0 - outer_value
    if math.isnan(error):
        error = 40.0
    cascade.step(500.0, 500.0 - error, 80.0, 0.0, DT_S)
    assert abs(cascade.outer.out - held) <= 4.0 / 60.0 * DT_S * abs(error) + 1e-9
    assert (cascade.outer.flag, cascade.inner.flag) == (0, 0)


MODE = st.one_of(
    st.just(("cascade",)),
    st.tuples(st.just("automatic"), st.floats(-20.0, 20.0)),
    st.tuples(st.just("manual"), st.floats(0.0, 100.0)),
)


@given(st.lists(MODE, max_size=12), st.floats(-30.0, 30.0), st.floats(1.0, 199.0))
def test_no_sequence_of_modes_bumps(modes, error, flow):
    """Whatever came before, cascade sets in where the output is.

    The inner set point moves by one tick of the outer integral, and the output by P of that and one tick of
    the inner integral.
    """
    cascade = cascade_of()
    cascade.follow(500.0, 500.0 - error, flow, 0.0, 50.0, DT_S)
    for mode in modes:
        if mode[0] == "automatic":
            # First at the set point there is, then at the operator's.
            last = cascade.inner.set_point
            before = cascade.inner.out
            out = cascade.automatic(last, 500.0, 500.0 - error, flow, 0.0, DT_S)
            assert abs(out - before) <= 0.5 / 5.0 * DT_S * abs(last - flow) + 1e-9
            cascade.automatic(flow + mode[1], 500.0, 500.0 - error, flow, 0.0, DT_S)
        elif mode[0] == "manual":
            cascade.follow(500.0, 500.0 - error, flow, 0.0, mode[1], DT_S)
        before, last = cascade.inner.out, cascade.outer.out
        out = cascade.step(500.0, 500.0 - error, flow, 0.0, DT_S)
        moved = abs(cascade.inner.set_point - last)
        if not cascade.outer.saturated and 0.0 < last < 200.0:
            assert moved <= 4.0 / 60.0 * DT_S * abs(error) + 1e-9
            change = 0.5 * moved + 0.5 / 5.0 * DT_S * abs(cascade.inner.set_point - flow)
            assert abs(out - before) <= change + 1e-9


# Gain schedule


def schedule():
    return GainSchedule(
        Table([(0.0, 4.0), (50.0, 2.0), (100.0, 1.0)], False),
        Table([(0.0, 100.0), (100.0, 60.0)], False),
        Table([(0.0, 0.0), (40.0, 0.0), (100.0, 12.0)], False),
    )


def test_schedule_interpolates_and_holds_its_ends():
    pid = PID(1.0, 10.0, 0.0)
    for load, expected in (
        (-5.0, (4.0, 100.0, 0.0)),
        (25.0, (3.0, 90.0, 0.0)),
        (70.0, (1.6, 72.0, 6.0)),
        (130.0, (1.0, 60.0, 12.0)),
    ):
        schedule().apply(pid, load)
        assert (pid.gain, pid.ti_s, pid.td_s) == pytest.approx(expected)


def test_schedule_leaves_the_parameters_when_the_variable_is_bad():
    pid, gains = PID(1.0, 10.0, 0.0), schedule()
    gains.apply(pid, 25.0)
    gains.apply(pid, math.nan)
    assert gains.flag == 1
    assert (pid.gain, pid.ti_s) == (3.0, 90.0)
    gains.apply(pid, 50.0)
    assert (gains.flag, pid.gain) == (0, 2.0)


@given(st.lists(st.floats(-10.0, 110.0), min_size=1, max_size=30), st.floats(-30.0, 30.0))
def test_schedule_moves_no_output(loads, error):
    pid, gains = PID(1.0, 60.0, 0.0), schedule()
    pid.follow(800.0, 800.0 - error, 0.0, 50.0, 0.0)
    for load in loads:
        before = pid.out
        gains.apply(pid, load)
        out = pid.step(800.0, 800.0 - error, 0.0, 0.1)
        assert abs(out - before) <= pid.gain / pid.ti_s * 0.1 * abs(error) + 1e-9


def test_schedule_refuses_what_makes_no_controller():
    good = Table([(0.0, 1.0), (1.0, 2.0)], False)
    negative = Table([(0.0, -1.0), (1.0, 2.0)], False)
    zero = Table([(0.0, 0.0), (1.0, 2.0)], False)
    GainSchedule(zero, good, zero)
    for tables in ((negative, good, good), (good, zero, good), (good, good, negative)):
        with pytest.raises(ValueError, match="GainSchedule: expected gain"):
            GainSchedule(*tables)
