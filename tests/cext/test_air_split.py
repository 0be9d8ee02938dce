"""Split of air: scipy's root of the common factor, and the sum that must come out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from cext.air_split import AirSplit, secondary_air


@st.composite
def parts(draw):
    count = draw(st.integers(1, 6))
    shares = draw(st.lists(st.one_of(st.just(0.0), st.floats(0.01, 1.0)), min_size=count, max_size=count))
    shares[draw(st.integers(0, count - 1))] += 0.1
    lows = draw(st.lists(st.one_of(st.just(0.0), st.floats(0.0, 5.0)), min_size=count, max_size=count))
    rooms = draw(st.lists(st.one_of(st.just(0.0), st.floats(0.0, 20.0)), min_size=count, max_size=count))
    return shares, lows, [low + room for low, room in zip(lows, rooms, strict=True)]


@given(parts(), st.floats(0.0, 1.0))
def test_against_the_root_of_the_common_factor(part, load):
    """Each flow is factor x share within its limits; scipy finds the factor that makes the sum right."""
    shares, lows, highs = part
    reach = sum(high if share > 0.0 else low for share, low, high in zip(*part, strict=True))
    total = sum(lows) + load * (reach - sum(lows))

    def flows_at(factor):
        return [min(max(factor * s, low), high) for s, low, high in zip(*part, strict=True)]

    top = 1.0 + max(high / share for share, high in zip(shares, highs, strict=True) if share > 0.0)
    excess = [sum(flows_at(factor)) - total for factor in (0.0, top)]
    if excess[0] >= 0.0 or excess[1] <= 0.0:
        expected = flows_at(0.0 if excess[0] >= 0.0 else top)
    else:
        root = brentq(lambda factor: sum(flows_at(factor)) - total, 0.0, top, xtol=1e-14, rtol=1e-14)
        expected = flows_at(root)
    split = AirSplit(shares, lows, highs)
    assert split.step(total) == pytest.approx(total, rel=1e-12, abs=1e-12)
    assert split.unplaced == pytest.approx(0.0, abs=1e-12)
    # A factor to 1e-14 of `top` (2,500 at most) times a share of 1.1.
    assert split.flows == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(parts(), st.floats(-50.0, 300.0))
def test_limits_and_sum_for_every_total(part, total):
    shares, lows, highs = part
    split = AirSplit(shares, lows, highs)
    placed = split.step(total)
    for flow, low, high in zip(split.flows, lows, highs, strict=True):
        assert low <= flow <= high
    assert placed == pytest.approx(sum(split.flows), rel=1e-15)
    assert placed + split.unplaced == pytest.approx(total, rel=1e-12, abs=1e-11)
    for flow, low, high, share in zip(split.flows, lows, highs, shares, strict=True):
        if split.unplaced > 1e-11:
            assert flow == (high if share > 0.0 else low)
        elif split.unplaced < -1e-11:
            assert flow == low


@given(parts(), st.floats(0.0, 100.0), st.floats(0.0, 10.0))
def test_more_air_takes_none_away(part, total, more):
    split = AirSplit(*part)
    split.step(total)
    before = list(split.flows)
    split.step(total + more)
    for old, new in zip(before, split.flows, strict=True):
        assert new >= old - 1e-11


def test_primary_and_secondary_of_a_grate():
    split = AirSplit((0.65, 0.35), (6.0, 2.0), (20.0, 12.0))
    assert split.step(20.0) == pytest.approx(20.0)
    assert split.flows == pytest.approx([13.0, 7.0])
    # Primary air at its highest: the secondary takes the rest.
    split.step(31.0)
    assert split.flows == pytest.approx([20.0, 11.0]) and split.unplaced == 0.0
    split.step(40.0)
    assert split.flows == [20.0, 12.0] and split.unplaced == pytest.approx(8.0)
    # At low load the primary air keeps cooling the grate.
    split.step(8.5)
    assert split.flows == pytest.approx([6.0, 2.5])
    split.step(5.0)
    assert split.flows == [6.0, 2.0] and split.unplaced == pytest.approx(-3.0)


@pytest.mark.parametrize(
    "lows, highs, flows",
    [
        # At 4 each, the first is 2 above and the last 5 below: 9 for the last leaves 1.5 for the others.
        ((0, 0, 9), (2, 20, 20), [1.5, 1.5, 9.0]),
        # The first is 3 above and the last 1 below: 1 for the first leaves 5.5 for the others.
        ((0, 0, 5), (1, 20, 20), [1.0, 5.5, 5.5]),
        # Both by 2: the limits cancel.
        ((0, 0, 6), (2, 20, 20), [2.0, 4.0, 6.0]),
    ],
)
def test_both_kinds_of_limits_at_once(lows, highs, flows):
    split = AirSplit((1, 1, 1), lows, highs)
    assert split.step(12.0) == pytest.approx(12.0)
    assert split.flows == pytest.approx(flows)


def test_zones_follow_their_shares():
    split = AirSplit((10, 35, 30, 20, 5), [0.5] * 5, [6.0] * 5)
    split.step(15.0)
    assert split.flows == pytest.approx([1.5, 5.25, 4.5, 3.0, 0.75])
    # Zone 2 closed by the operator: its air goes to the others.
    split.share((10, 0, 30, 20, 5))
    split.step(14.0)
    assert split.flows[1] == 0.5
    assert split.step(14.0) == pytest.approx(14.0)


@pytest.mark.parametrize("total", [math.nan, math.inf, -math.inf, 1e9])
def test_a_total_that_is_no_number_moves_nothing(total):
    split = AirSplit((1, 1), (0, 0), (5, 5))
    split.step(4.0)
    assert math.isnan(split.step(total))
    assert split.flows == [2.0, 2.0]


@pytest.mark.parametrize(
    "shares, lows, highs",
    [
        ((1, 1), (0, 0), (5,)),
        ((1,), (0, 0), (5, 5)),
        ((), (), ()),
        ((0, 0), (0, 0), (5, 5)),
        ((1, -1), (0, 0), (5, 5)),
        ((1, math.nan), (0, 0), (5, 5)),
        ((1, math.inf), (0, 0), (5, 5)),
        ((1, 1), (0, 6), (5, 5)),
        ((1, 1), (-1, 0), (5, 5)),
        ((1, 1), (0, 0), (5, math.inf)),
        ((1, 1), (0, math.nan), (5, 5)),
    ],
)
def test_bad_splits_are_refused(shares, lows, highs):
    with pytest.raises(ValueError, match="AirSplit: expected"):
        AirSplit(shares, lows, highs)


def test_bad_shares_change_nothing():
    split = AirSplit((1, 3), (0, 0), (5, 5))
    for shares in ((1,), (0, 0), (1, math.nan)):
        with pytest.raises(ValueError, match="AirSplit: expected"):
            split.share(shares)
    split.step(4.0)
    assert split.flows == [1.0, 3.0]


def test_secondary_is_the_rest():
    assert secondary_air(20.0, 13.0, 2.0, 12.0) == 7.0
    assert secondary_air(20.0, 19.0, 2.0, 12.0) == 2.0
    assert secondary_air(40.0, 13.0, 2.0, 12.0) == 12.0
    assert secondary_air(20.0, 13.0, 8.0, 6.0) == 8.0
    for arguments in ((math.nan, 1.0, 0.0, 5.0), (9.0, math.nan, 0.0, 5.0), (math.inf, 1.0, 0.0, 5.0)):
        assert math.isnan(secondary_air(*arguments))
    assert math.isnan(secondary_air(9.0, 1.0, math.nan, 5.0))
    assert math.isnan(secondary_air(9.0, 1.0, 0.0, math.nan))
