"""Tables against numpy.interp, damper characteristics against their formulae in numpy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.characterisers import Damper, Table

NOT_FINITE = [math.nan, math.inf, -math.inf]
PERCENT = st.floats(0.0, 100.0)


@st.composite
def points(draw, monotone=False):
    steps = st.floats(1e-3, 1e3)
    count = draw(st.integers(2, 32))
    x = np.cumsum(draw(st.lists(steps, min_size=count, max_size=count))) - draw(st.floats(0.0, 1e3))
    if monotone:
        y = np.cumsum(draw(st.lists(steps, min_size=count, max_size=count))) * draw(
            st.sampled_from([1.0, -1.0])
        )
    else:
        y = draw(st.lists(st.floats(-1e3, 1e3), min_size=count, max_size=count))
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


@given(points(), st.lists(st.floats(-3e4, 3e4), max_size=20))
def test_table_is_numpys_interp(curve, arguments):
    table = Table(curve, False)
    x, y = zip(*curve, strict=True)
    for argument in [*arguments, *x]:
        expected = np.interp(argument, x, y)
        # Slopes up to 2e6 and x up to 3e4: a rounding of x by 4e-12 weighs 1e-5 at most.
        assert table.value(argument) == pytest.approx(expected, rel=1e-9, abs=1e-5)
        assert table.low - 1e-9 <= table.value(argument) <= table.high + 1e-9
    for a, b in curve:
        assert table.value(a) == b


@given(points(monotone=True), st.lists(st.floats(-3e4, 3e4), max_size=20))
def test_inverse_is_numpys_interp_the_other_way(curve, arguments):
    table = Table(curve, True)
    x, y = zip(*(curve if curve[0][1] < curve[1][1] else curve[::-1]), strict=True)
    for argument in arguments:
        assert table.inverse(argument) == pytest.approx(np.interp(argument, y, x), rel=1e-9, abs=1e-5)
    for a, b in curve:
        assert table.inverse(b) == a


@given(points(monotone=True), st.lists(st.floats(-1e3, 3e4), min_size=2, max_size=30))
def test_monotone_table_is_monotone_to_the_last_bit(curve, arguments):
    table = Table(curve, True)
    sign = 1.0 if curve[0][1] < curve[1][1] else -1.0
    results = [sign * table.value(x) for x in sorted(arguments)]
    assert results == sorted(results)


def test_table_by_hand():
    table = Table([(0.0, 10.0), (10.0, 30.0), (20.0, 0.0)], False)
    assert [table.value(x) for x in (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 99.0)] == [10, 10, 20, 30, 15, 0, 0]
    assert (table.low, table.high, table.count) == (0.0, 30.0, 3)
    assert not table.has_inverse()
    assert math.isnan(table.inverse(15.0))
    falling = Table([(0.0, 100.0), (50.0, 20.0), (100.0, 0.0)], True)
    assert falling.has_inverse()
    assert [falling.inverse(y) for y in (120.0, 60.0, 20.0, 10.0, -5.0)] == [0.0, 25.0, 50.0, 75.0, 100.0]


@pytest.mark.parametrize("bad", NOT_FINITE)
def test_not_finite_gives_nan(bad):
    table = Table([(0.0, 0.0), (1.0, 1.0)], True)
    assert math.isnan(table.value(bad))
    assert math.isnan(table.inverse(bad))
    for damper in (Damper(50.0, 0.5, None), Damper(1.0, 1.0, table)):
        assert math.isnan(damper.flow_pct(bad))
        assert math.isnan(damper.position_pct(bad))


@pytest.mark.parametrize(
    ("curve", "monotone", "message"),
    [
        ([(0.0, 0.0)], False, "2..32 points"),
        ([(float(i), 0.0) for i in range(33)], False, "2..32 points"),
        ([(0.0, 0.0), (0.0, 1.0)], False, "the x of point 1"),
        ([(0.0, 0.0), (2.0, 1.0), (1.0, 2.0)], False, "the x of point 2"),
        ([(0.0, 0.0), (1.0, math.nan)], False, "point 1 has to be of finite"),
        ([(-math.inf, 0.0), (1.0, 1.0)], False, "point 0 has to be of finite"),
        ([(0.0, 0.0), (1.0, 1.0), (2.0, 1.0)], True, "with point 2"),
        ([(0.0, 0.0), (1.0, 1.0), (2.0, 0.5)], True, "with point 2"),
        ([(0.0, 1.0), (1.0, 0.0), (2.0, 0.5)], True, "with point 2"),
        ([(0.0, 1.0), (1.0, 1.0)], True, "with point 1"),
    ],
)
def test_table_refuses(curve, monotone, message):
    with pytest.raises(ValueError, match=f"Table: .*{message}"):
        Table(curve, monotone)


# Dampers


def installed(f, authority):
    """Flow, by bisection: the pressure drops A (q/f)^2 of damper and (1 - A) q^2 of line make 1 together."""
    low, high = 0.0, 1.0
    for _ in range(60):
        q = 0.5 * (low + high)
        if authority * (q / f) ** 2 + (1.0 - authority) * q**2 < 1.0:
            low = q
        else:
            high = q
    return low


@pytest.mark.parametrize("rangeability", [1.0, 20.0, 50.0, 1000.0])
@pytest.mark.parametrize("authority", [1.0, 0.5, 0.1])
def test_damper_against_its_formulae(rangeability, authority):
    damper = Damper(rangeability, authority, None)
    for position in (1.0, 10.0, 33.3, 50.0, 90.0, 100.0):
        inherent = position / 100.0 if rangeability == 1.0 else np.power(rangeability, position / 100.0 - 1.0)
        assert damper.flow_pct(position) == pytest.approx(100.0 * installed(inherent, authority), rel=1e-12)


@given(st.one_of(st.just(1.0), st.floats(1.5, 1000.0)), st.floats(0.01, 1.0), PERCENT)
def test_position_for_a_flow_gives_the_flow(rangeability, authority, flow):
    damper = Damper(rangeability, authority, None)
    position = damper.position_pct(flow)
    assert 0.0 <= position <= 100.0
    # Closed it passes something, and less than that it cannot.
    reachable = max(flow, damper.flow_pct(0.0))
    assert damper.flow_pct(position) == pytest.approx(reachable, rel=1e-9, abs=1e-9)


@given(st.one_of(st.just(1.0), st.floats(1.5, 1000.0)), st.floats(0.01, 1.0), PERCENT, PERCENT)
def test_more_flow_at_more_opening(rangeability, authority, one, other):
    damper = Damper(rangeability, authority, None)
    low, high = sorted((one, other))
    # Each of some 50 factors and the root are rounded.
    assert damper.flow_pct(low) <= damper.flow_pct(high) * (1.0 + 1e-14)
    assert damper.position_pct(low) <= damper.position_pct(high) + 1e-12


def test_ends_of_dampers():
    linear, equal = Damper(1.0, 1.0, None), Damper(50.0, 1.0, None)
    for damper in (linear, equal):
        assert damper.flow_pct(100.0) == damper.flow_pct(100.5) == damper.flow_pct(150.0) == 100.0
        assert damper.position_pct(100.0) == damper.position_pct(100.5) == damper.position_pct(150.0) == 100.0
        assert damper.position_pct(0.0) == damper.position_pct(-5.0) == 0.0
    assert linear.flow_pct(0.0) == linear.flow_pct(-1.0) == 0.0
    assert equal.flow_pct(0.0) == pytest.approx(2.0)
    assert equal.position_pct(1.9) == 0.0
    assert linear.position_pct(1e-200) == pytest.approx(1e-200)


def test_measured_damper():
    measured = Table([(0.0, 0.0), (20.0, 30.0), (50.0, 80.0), (100.0, 100.0)], True)
    damper = Damper(1.0, 1.0, measured)
    assert damper.flow_pct(35.0) == 55.0
    assert damper.position_pct(55.0) == 35.0
    assert damper.position_pct(120.0) == 100.0


@pytest.mark.parametrize("arguments", [(0.5, 1.0), (1001.0, 1.0), (math.nan, 1.0), (50.0, 0.0), (50.0, 1.1)])
def test_damper_refuses(arguments):
    with pytest.raises(ValueError, match="Damper: expected"):
        Damper(*arguments, None)


def test_damper_refuses_a_table_without_inverse():
    with pytest.raises(ValueError, match="Damper: expected a monotone table"):
        Damper(1.0, 1.0, Table([(0.0, 0.0), (1.0, 1.0)], False))
