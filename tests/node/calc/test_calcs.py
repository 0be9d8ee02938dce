"""Calculated signals: votes that survive any one point, sums, products, curves, filters, furnaces."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.calc.kinds import build
from edge.node.signals import BAD, GOOD, UNCERTAIN
from tests.node.fakes import HandSignal


def made(spec, *values, unit=""):
    """A calc of hand-set signals a, b, c ... and these."""
    sources = [HandSignal("abcdefgh"[i], value) for i, value in enumerate(values)]
    calc = build("calc", {"unit": unit, **spec})
    calc.connect(sources)
    return calc, sources


def vote(take="median", with_two="lower", least=1, points=3, **spec):
    names = list("abcdefgh"[:points])
    return {"kind": "vote", "of": names, "take": take, "with_two": with_two, "least": least, "apart_after_s": 60.0,
            **spec}  # fmt: skip


def run(calc, seconds, at=[0]):  # noqa: B006 - one clock for the whole test
    for _ in range(int(seconds * 4)):
        at[0] += 250
        calc.update(0.25, at[0])


def test_the_median_of_three_and_the_side_of_the_danger_of_two():
    calc, (a, b, c) = made(vote(), 900.0, 910.0, 930.0)
    run(calc, 1)
    assert (calc.value, calc.quality) == (910.0, GOOD)
    b.bad()
    run(calc, 1)
    assert (calc.value, calc.quality, calc.why) == (900.0, UNCERTAIN, "without b")
    calc, (a, b, c) = made(vote(with_two="higher"), 900.0, 910.0, 930.0)
    b.bad()
    run(calc, 1)
    assert calc.value == 930.0


@given(st.floats(800.0, 1000.0), st.floats(-400.0, 400.0), st.integers(0, 2), st.integers(-1, 2))
def test_one_thermocouple_off_by_anything_never_shows_more_than_the_true_section(true, off, wrong, broken):
    calc, points = made(vote(apart=40.0), true, true + 3.0, true - 4.0)
    points[wrong].value += off
    run(calc, 90)
    if broken >= 0 and broken != wrong:
        points[broken].bad()
        run(calc, 1)
    assert calc.quality != BAD
    assert calc.value <= true + 15.0


def test_a_point_that_is_apart_is_left_out_after_its_time_and_let_in_again():
    calc, (a, b, c) = made(vote(take="highest", apart=40.0), 900.0, 905.0, 903.0)
    a.good(960.0)
    run(calc, 59)
    assert calc.value == 960.0 and calc.quality == GOOD
    run(calc, 2)
    assert calc.value == 905.0 and calc.quality == UNCERTAIN and calc.why.startswith("without a: apart by 5")
    a.good(910.0)
    run(calc, 61)
    assert calc.value == 910.0 and calc.quality == GOOD


def test_two_points_far_apart_are_both_doubted():
    calc, (a, b) = made(vote(points=2, apart=40.0), 900.0, 980.0)
    run(calc, 59)
    assert calc.quality == GOOD
    run(calc, 2)
    assert (calc.value, calc.quality, calc.why) == (900.0, UNCERTAIN, "two points 80 apart")


def test_with_fewer_points_than_it_needs_a_vote_is_bad():
    calc, (a, b) = made(vote(take="lowest", least=2, points=2), 900.0, 980.0)
    run(calc, 1)
    assert calc.value == 900.0
    b.bad()
    run(calc, 1)
    assert calc.quality == BAD and calc.why == "without b"


def test_sums_and_products_and_what_has_no_result():
    calc, _ = made({"kind": "sum", "of": ["a", "b"], "weights": [0.65, 0.35], "constant": 1.0}, 60.0, 40.0)
    run(calc, 1)
    assert calc.value == pytest.approx(54.0)
    flow = {"kind": "product", "of": ["a", "b", "c"], "powers": [0.5, 0.5, -0.5], "factor": 2.0}
    calc, (dp, p, t) = made(flow, 400.0, 1.2, 300.0)
    run(calc, 1)
    assert calc.value == pytest.approx(2.0 * math.sqrt(400.0 * 1.2 / 300.0), rel=1e-15)
    dp.good(-3.0)
    run(calc, 1)
    assert calc.value == 0.0, "noise of a differential pressure at rest"
    t.good(0.0)
    run(calc, 1)
    assert calc.quality == BAD and "divides by c" in calc.why
    t.bad("no reply")
    run(calc, 1)
    assert calc.why == "without c"


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.5, 1.0, 2.0]), min_size=1, max_size=4), st.data())
def test_a_product_agrees_with_powers(powers, data):
    values = data.draw(st.lists(st.floats(0.01, 1e3), min_size=len(powers), max_size=len(powers)))
    names = list("abcdefgh"[: len(powers)])
    calc, _ = made({"kind": "product", "of": names, "powers": powers, "factor": 1.5}, *values)
    run(calc, 0.25)
    wanted = 1.5 * math.prod(value**power for value, power in zip(values, powers, strict=True))
    assert calc.value == pytest.approx(wanted, rel=1e-12)


def test_a_curve_is_straight_between_its_points_and_held_beyond():
    calc, (a,) = made({"kind": "table", "of": "a", "points": [[27.6, 30.0], [36.8, 46.0], [46.0, 61.0]]}, 20.0)
    found = []
    for value in (20.0, 32.2, 46.0, 60.0):
        a.good(value)
        run(calc, 0.25)
        found.append(calc.value)
    assert found == pytest.approx([30.0, 38.0, 61.0, 61.0])


@pytest.mark.parametrize(
    "spec, after_s, wanted",
    [
        ({"does": "lag", "time_s": 10.0}, 10.0, 1.0 - math.exp(-1.0)),
        ({"does": "lead_lag", "time_s": 10.0, "lead_s": 10.0}, 1.0, 1.0),
        ({"does": "mean", "time_s": 30.0}, 15.0, 0.5),
        ({"does": "delay", "time_s": 30.0}, 29.0, 0.0),
        ({"does": "delay", "time_s": 30.0}, 31.0, 1.0),
        ({"does": "median", "length": 5}, 0.5, 0.0),
        ({"does": "median", "length": 5}, 1.0, 1.0),
    ],
)
def test_a_filter_answers_a_step_as_it_says(spec, after_s, wanted):
    calc, (a,) = made({"kind": "filter", "of": "a", **spec}, 0.0)
    run(calc, 60)
    a.good(1.0)
    run(calc, after_s)
    # Backward differences of ticks of 250 ms are within 2 % of the continuous filter.
    assert calc.value == pytest.approx(wanted, abs=0.02)


def test_a_rate_of_change_is_per_minute():
    calc, (a,) = made({"kind": "filter", "of": "a", "does": "rate", "time_s": 20.0}, 0.0)
    for i in range(4 * 300):
        a.good(0.05 * i / 4.0)
        run(calc, 0.25)
    assert calc.value == pytest.approx(3.0, rel=0.01)


def test_lambda_needs_a_fire_and_heat_release_needs_air():
    calc, (o2,) = made({"kind": "lambda", "o2": "a", "gas_ratio": 1.398}, 6.6)
    run(calc, 1)
    assert calc.value == pytest.approx(1.0 + 1.398 * 6.6 / (20.95 - 6.6))
    o2.good(20.95)
    run(calc, 1)
    assert calc.quality == BAD and "O2 is that of air" in calc.why
    calc, _ = made({"kind": "heat_release", "air": "a", "lambda": "b", "heat_per_air_mj": 3.2}, 16.0, 1.6)
    run(calc, 1)
    assert calc.value == pytest.approx(32.0)


def test_the_heating_value_learns_holds_and_says_which():
    spec = {"kind": "heating_value", "heat": "a", "feed": "b", "start": 7.0, "low": 4.0, "high": 12.0,
            "time_s": 3600.0, "residence_s": 600.0, "feed_least": 0.5}  # fmt: skip
    calc, (released, feed) = made(spec, 40.0, 5.0)
    for _ in range(4 * 3600 * 4):
        calc.update(0.25, 0)
    assert calc.value == pytest.approx(8.0, abs=0.1) and calc.quality == GOOD
    feed.bad("no reply")
    calc.update(0.25, 0)
    assert calc.quality == UNCERTAIN and calc.value == pytest.approx(8.0, abs=0.1) and calc.why == "held: no reply"


def test_the_residence_is_volume_over_the_hot_flow():
    calc, (flow, t) = made({"kind": "residence", "flow": "a", "temperature": "b", "volume_m3": 250.0}, 28.0, 950.0)
    run(calc, 1)
    assert calc.value == pytest.approx(250.0 / (28.0 * (950.0 + 273.15) / 273.15))
    flow.good(0.0)
    run(calc, 1)
    assert calc.quality == BAD and calc.why == "no gas flows"
