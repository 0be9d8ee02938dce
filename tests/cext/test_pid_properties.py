"""What must hold for every controller and every history, searched for counter-examples."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.pid import PID

GAIN = st.floats(0.01, 50.0)
TI_S = st.one_of(st.just(0.0), st.floats(1.0, 2000.0))
TD_S = st.one_of(st.just(0.0), st.floats(0.1, 300.0))
WEIGHT = st.floats(0.0, 1.0)
FILTER = st.floats(1.0, 30.0)
VALUE = st.floats(-300.0, 1500.0)
DT_S = st.floats(1e-3, 60.0)
ANYTHING = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def controllers(draw, ti_s=TI_S, td_s=TD_S):
    pid = PID(1.0, 10.0, 0.0)
    pid.tune(draw(GAIN), draw(ti_s), draw(td_s), draw(WEIGHT), draw(WEIGHT), draw(FILTER))
    pid.direction = draw(st.sampled_from([1.0, -1.0]))
    pid.dead_band = draw(st.sampled_from([0.0, 0.5, 5.0]))
    return pid


@given(
    controllers(),
    st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING, ANYTHING), max_size=30),
    st.floats(0.0, 20.0),
)
def test_output_is_finite_and_within_limits_whatever_comes_in(pid, history, rate_per_s):
    pid.out_min, pid.out_max, pid.rate_per_s = 10.0, 90.0, rate_per_s
    pid.follow(100.0, 100.0, 0.0, 50.0, 0.0)
    for set_point, process_value, feed_forward, dt_s in history:
        before = pid.out
        out = pid.step(set_point, process_value, feed_forward, dt_s)
        assert 10.0 <= out <= 90.0
        assert out == pid.out
        if pid.flag:
            assert out == before
        elif rate_per_s > 0.0:
            assert abs(out - before) <= rate_per_s * dt_s + 1e-13  # rounding of 90
    assert all(math.isfinite(value) for value in pid.state())


@given(controllers(), VALUE, VALUE, st.floats(0.0, 100.0), DT_S)
def test_manual_to_automatic_is_bumpless(pid, set_point, process_value, output, dt_s):
    for _ in range(3):
        pid.follow(set_point, process_value, 0.0, output, dt_s)
    pid.derivative = 0.0
    pid.follow(set_point, process_value, 0.0, output, dt_s)
    out = pid.step(set_point, process_value, 0.0, dt_s)
    integrated = pid.gain * dt_s / pid.ti_s * abs(set_point - process_value) if pid.ti_s > 0.0 else 0.0
    # Parts of up to 50 * 1800 are added and taken away again: 1e-16 of that each time.
    assert abs(out - output) <= integrated * (1.0 + 1e-9) + 1e-9
    # And what a limit has kept back is not let out by a wider one.
    pid.follow(set_point, process_value, 0.0, output, dt_s)
    pid.derivative = 0.0
    if pid.ti_s > 0.0:
        pid.limit(-math.inf, math.inf, 0.0)
        out = pid.step(set_point, process_value, 0.0, dt_s)
        assert abs(out - output) <= integrated * (1.0 + 1e-9) + 1e-9


@given(controllers(), controllers(), st.lists(st.tuples(VALUE, DT_S), min_size=1, max_size=10))
def test_tune_and_restore_keep_the_demand(pid, other, history):
    pid.out_min, pid.out_max = -math.inf, math.inf
    for process_value, dt_s in history:
        pid.step(700.0, process_value, 3.0, dt_s)
    demand = pid.demand
    scale = 1e-12 * (1.0 + sum(abs(value) for value in pid.state()) + 50.0 * 1500.0)

    other.dead_band, other.direction = pid.dead_band, pid.direction
    other.out_min, other.out_max = -math.inf, math.inf
    other.restore(pid.state())
    parts = other.state()
    assert abs(parts[0] + parts[1] + parts[2] + 3.0 - demand) <= scale

    pid.tune(other.gain, other.ti_s, other.td_s, other.b, other.c, other.n)
    parts = pid.state()
    assert abs(parts[0] + parts[1] + parts[2] + 3.0 - demand) <= scale


@given(st.floats(0.1, 1000.0), FILTER, st.floats(1e-4, 1e4))
def test_derivative_never_rings(td_s, n, dt_s):
    pid = PID(1.0, 0.0, td_s)
    pid.tune(1.0, 0.0, td_s, 1.0, 0.0, n)
    pid.out_min, pid.out_max = -math.inf, math.inf
    pid.follow(0.0, 0.0, 0.0, 0.0, 0.0)
    pid.step(0.0, 1.0, 0.0, dt_s)
    previous = pid.derivative
    assert -n <= previous < 0.0
    for _ in range(20):
        pid.step(0.0, 1.0, 0.0, dt_s)
        assert previous <= pid.derivative <= 0.0
        previous = pid.derivative


@given(st.lists(DT_S, min_size=1, max_size=30), st.floats(-100.0, 100.0))
def test_integral_depends_on_the_time_and_not_on_the_ticks(ticks, error):
    pid = PID(3.0, 200.0, 0.0)
    pid.out_min, pid.out_max = -math.inf, math.inf
    for dt_s in ticks:
        pid.step(error, 0.0, 0.0, dt_s)
    assert pid.integral == pytest.approx(3.0 / 200.0 * error * sum(ticks), rel=1e-12, abs=1e-12)


# Events that may come between two ticks, none of which may move the output by itself.
PARAMETER = st.one_of(
    st.tuples(st.just("gain"), GAIN),
    st.tuples(st.just("ti_s"), st.floats(1.0, 2000.0)),
    st.tuples(st.just("td_s"), TD_S),
    st.tuples(st.just("b"), WEIGHT),
    st.tuples(st.just("c"), WEIGHT),
    st.tuples(st.just("n"), FILTER),
    st.tuples(st.just("direction"), st.sampled_from([1.0, -1.0])),
    st.tuples(st.just("dead_band"), st.sampled_from([0.0, 0.5, 5.0])),
    st.tuples(st.just("tt_s"), st.sampled_from([0.0, 5.0, 500.0])),
)
EVENT = st.one_of(
    st.tuples(st.just("set"), PARAMETER),
    st.tuples(st.just("tune"), GAIN, st.floats(1.0, 2000.0), TD_S, WEIGHT, WEIGHT, FILTER),
    st.tuples(st.just("limit"), st.floats(0.0, 30.0), st.floats(30.0, 100.0), st.floats(0.0, 5.0)),
    st.tuples(st.just("manual"), st.floats(0.0, 100.0)),
    st.tuples(st.just("blind manual"), st.floats(0.0, 100.0)),
    st.tuples(st.just("bad input"), st.sampled_from([math.nan, math.inf])),
    st.tuples(st.just("move"), st.floats(-20.0, 20.0)),
    st.tuples(st.just("save and restore")),
    st.tuples(st.just("another takes over"), GAIN, st.floats(1.0, 2000.0), TD_S),
)


def play(pid, event, process_value, dt_s):
    """Let `event` happen to `pid`; return the controller and the process value to go on with."""
    kind = event[0]
    if kind == "set":
        setattr(pid, *event[1])
    elif kind == "tune":
        pid.tune(*event[1:])
    elif kind == "limit":
        pid.limit(*event[1:])
    elif kind == "manual":
        pid.follow(700.0, process_value, 3.0, event[1], dt_s)
    elif kind == "blind manual":
        pid.follow(700.0, math.nan, 3.0, event[1], dt_s)
    elif kind == "bad input":
        pid.step(700.0, event[1], 3.0, dt_s)
    elif kind == "move":
        # The process moves: an output that answers is no bump, and is not judged.
        process_value += event[1]
        pid.step(700.0, process_value, 3.0, dt_s)
    elif kind == "save and restore":
        pid.restore(list(pid.state()))
    elif kind == "another takes over":
        other = PID(*event[1:])
        for name in ("direction", "dead_band", "out_min", "out_max", "rate_per_s"):
            setattr(other, name, getattr(pid, name))
        other.restore(pid.state())
        pid = other
    return pid, process_value


@given(st.lists(st.tuples(EVENT, DT_S), max_size=20), st.floats(-40.0, 40.0))
def test_no_sequence_of_modes_and_parameters_bumps(events, error):
    """At a constant process value the output moves by the integral and by what was left of the derivative.

    Limits that were narrowed take it along to the limit, and no further.
    """
    pid = PID(2.0, 100.0, 10.0)
    process_value = 700.0 - error
    pid.follow(700.0, process_value, 3.0, 40.0, 0.0)
    for event, dt_s in events:
        pid, process_value = play(pid, event, process_value, dt_s)
        before, derivative = pid.out, pid.derivative
        # What the rate limit still keeps back comes out at its pace, whatever else happens.
        kept_back = abs(pid.demand - pid.out) if pid.rate_per_s > 0.0 else 0.0
        target = min(max(before, pid.out_min), pid.out_max)
        out = pid.step(700.0, process_value, 3.0, dt_s)
        assert pid.flag == 0
        integrated = pid.gain * dt_s / pid.ti_s * abs(700.0 - process_value)
        # Parts of up to 50 * 1500 are added and taken away again, each rounded to 1e-11.
        assert abs(out - target) <= integrated * (1.0 + 1e-9) + abs(derivative) + kept_back + 1e-9


@pytest.mark.parametrize("out_max", [100.0, 0.0])
def test_a_million_steps_at_rest_leave_no_denormal(out_max):
    """What decays (derivative, integral, what was kept back) ends as zero or as a normal number."""
    pid = PID(2.0, 5.0, 10.0)
    pid.out_min, pid.out_max = 0.0, out_max
    for tick in range(20):
        pid.step(0.0, 1e-3 * tick, 0.0, 0.1)
    names = ("out", "demand", "proportional", "integral", "derivative")
    for tick in range(1_000_000):
        pid.step(0.0, 0.0, 0.0, 0.1)
        if tick < 20_000 or tick % 1000 == 0:
            for name in names:
                value = getattr(pid, name)
                assert value == 0.0 or abs(value) >= sys.float_info.min, (tick, name)
    assert pid.derivative == 0.0
