"""Time-proportioning output: the mean, the minimum times, the edges; judged by a stop watch of its own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.time_proportioning import TimeProportioning

NOT_FINITE = [math.nan, math.inf, -math.inf]


class StopWatch:
    """Adds up how long the output was in each state, from what step() returned."""

    def __init__(self, output):
        self.output = output
        self.state = 0
        self.elapsed_s = self.on_s = self.wanted_s = self.in_state_s = 0.0
        self.demand_pct = 0.0
        self.pulses_s = []
        self.pauses_s = []

    def step(self, demand_pct, dt_s):
        # What passed since the last call belongs to the answer and the demand of that call.
        self.elapsed_s += dt_s
        self.in_state_s += dt_s
        self.on_s += self.state * dt_s
        self.wanted_s += 0.01 * self.demand_pct * dt_s
        self.demand_pct = demand_pct
        state = self.output.step(demand_pct, dt_s)
        if state != self.state:
            (self.pulses_s if self.state else self.pauses_s).append(self.in_state_s)
            self.state, self.in_state_s = state, 0.0
        return state


@st.composite
def outputs(draw):
    period_s = draw(st.floats(1.0, 60.0))
    min_on_s = draw(st.sampled_from([0.0, 0.05, 0.3])) * period_s
    min_off_s = draw(st.sampled_from([0.0, 0.05, 0.3])) * period_s
    return period_s, min_on_s, min_off_s


@given(outputs(), st.floats(0.2, 99.8), st.floats(0.005, 0.066), st.lists(st.floats(0.5, 1.5), min_size=1))
def test_mean_is_the_demand_within_one_cycle(arguments, demand_pct, tick_of_period, irregular):
    period_s, min_on_s, min_off_s = arguments
    watch = StopWatch(TimeProportioning(*arguments))
    for tick in range(800):
        watch.step(demand_pct, tick_of_period * period_s * irregular[tick % len(irregular)])
        assert abs(watch.on_s - watch.wanted_s) <= period_s
    # A thousandth of a tick is taken for rounding. The first pause is that before the first pulse.
    assert all(pulse >= min_on_s - 5e-4 * period_s for pulse in watch.pulses_s)
    assert all(pause >= min_off_s - 5e-4 * period_s for pause in watch.pauses_s[1:])


@given(outputs(), st.lists(st.tuples(st.floats(-20.0, 120.0), st.floats(0.01, 40.0)), max_size=100))
def test_minimum_times_and_one_pulse_a_cycle_whatever_is_demanded(arguments, demands):
    period_s, min_on_s, min_off_s = arguments
    output = TimeProportioning(*arguments)
    watch = StopWatch(output)
    for demand_pct, dt_s in demands:
        state = watch.step(demand_pct, dt_s)
        assert state == output.out
        assert abs(output.owed_s) <= period_s
    longest_s = max((dt_s for _, dt_s in demands), default=0.0)
    assert all(pulse >= min_on_s - 1e-3 * longest_s for pulse in watch.pulses_s)
    assert all(pause >= min_off_s - 1e-3 * longest_s for pause in watch.pauses_s[1:])


def test_cycle_by_hand():
    """A quarter of 8 s in ticks of 1 s: two on, six off."""
    output = TimeProportioning(8.0, 0.0, 0.0)
    assert [output.step(25.0, 1.0) for _ in range(24)] == [1, 1, 0, 0, 0, 0, 0, 0] * 3


def test_cycles_keep_their_mean_length_where_ticks_do_not_divide_it():
    watch = StopWatch(TimeProportioning(10.5, 0.0, 0.0))
    for _ in range(10_500):
        watch.step(50.0, 1.0)
    assert len(watch.pulses_s) == pytest.approx(1000, abs=1)


def test_what_the_ticks_cannot_show_goes_over_to_the_next_cycle():
    """30 % of 5 s in ticks of 1 s is one and a half: one and two by turns."""
    watch = StopWatch(TimeProportioning(5.0, 0.0, 0.0))
    for _ in range(1000):
        watch.step(30.0, 1.0)
    assert set(watch.pulses_s) == {1.0, 2.0}
    assert watch.on_s == pytest.approx(0.3 * 1000.0, abs=5.0)


def test_less_than_the_minimum_leaves_out_whole_cycles():
    """2 % of 10 s with pulses of 1 s at least: one pulse in five cycles, and the mean all the same."""
    watch = StopWatch(TimeProportioning(10.0, 1.0, 1.0))
    for _ in range(50_000):
        watch.step(2.0, 0.1)
    assert len(watch.pulses_s) == pytest.approx(100, abs=2)
    assert watch.on_s / watch.elapsed_s == pytest.approx(0.02, rel=0.02)


def test_a_million_ticks_drift_by_nothing():
    output = TimeProportioning(20.0, 0.5, 0.5)
    on = 0
    for _ in range(1_000_000):
        on += output.step(37.0, 0.1)
    assert on * 0.1 == pytest.approx(0.37 * 100_000.0, abs=20.0)


def test_demand_falling_within_a_cycle_ends_the_pulse():
    output = TimeProportioning(10.0, 0.0, 0.0)
    assert [output.step(90.0, 1.0) for _ in range(4)] == [1] * 4
    # 3.6 s were due and 4 were given; 10 % of the 6 s left are not half a tick more.
    assert output.step(10.0, 1.0) == 0


def test_ends():
    output = TimeProportioning(10.0, 2.0, 2.0)
    assert [output.step(100.0, 1.0) for _ in range(40)] == [1] * 40
    # Off at once: it has been on for long.
    assert [output.step(0.0, 1.0) for _ in range(40)] == [0] * 40
    assert output.owed_s == 0.0


def test_zero_does_not_pay_what_was_owed():
    output = TimeProportioning(10.0, 3.0, 0.0)
    for _ in range(250):
        output.step(9.0, 0.1)
    assert output.owed_s > 2.0
    assert [output.step(0.0, 1.0) for _ in range(50)] == [0] * 50
    assert output.owed_s == 0.0


def test_demands_beyond_the_ends_count_as_the_ends():
    output = TimeProportioning(10.0, 0.0, 0.0)
    for beyond in (-50.0, 150.0):
        output.step(beyond, 1.0)
        output.step(50.0, 1.0)
        assert output.owed_s == 0.0


def test_a_gap_is_made_up_for_by_one_cycle_at_most():
    output = TimeProportioning(10.0, 0.0, 0.0)
    output.step(10.0, 1.0)
    output.step(10.0, 100.0)
    assert output.owed_s == -10.0
    assert [output.step(10.0, 1.0) for _ in range(90)] == [0] * 90
    output.step(90.0, 1.0)
    output.step(90.0, 100.0)
    assert output.owed_s == 10.0


def test_zero_waits_for_the_minimum_on_time():
    output = TimeProportioning(10.0, 3.0, 3.0)
    assert output.step(100.0, 1.0) == 1
    assert [output.step(0.0, 1.0) for _ in range(4)] == [1, 1, 0, 0]
    assert [output.step(100.0, 1.0) for _ in range(3)] == [0, 1, 1]


@pytest.mark.parametrize("bad", NOT_FINITE)
def test_a_demand_that_is_not_finite_switches_off(bad):
    output = TimeProportioning(10.0, 0.0, 0.0)
    for _ in range(5):
        assert output.step(100.0, 1.0) == 1
    assert [output.step(bad, 1.0) for _ in range(30)] == [0] * 30
    assert output.flag == 1
    assert output.step(100.0, 1.0) == 1
    assert output.flag == 0


@pytest.mark.parametrize("dt_s", [0.0, -1.0, *NOT_FINITE])
def test_a_bad_time_changes_nothing(dt_s):
    output = TimeProportioning(10.0, 0.0, 0.0)
    output.step(50.0, 1.0)
    owed_s = output.owed_s
    assert output.step(0.0, dt_s) == 1
    assert (output.flag, output.owed_s) == (2, owed_s)


@pytest.mark.parametrize(
    "arguments",
    [(0.0, 0.0, 0.0), (math.inf, 0.0, 0.0), (10.0, -1.0, 0.0), (10.0, 6.0, 5.0), (10.0, math.nan, 0.0)],
)
def test_refuses(arguments):
    with pytest.raises(ValueError, match="TimeProportioning: expected"):
        TimeProportioning(*arguments)
