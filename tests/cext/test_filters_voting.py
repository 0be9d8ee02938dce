"""Two out of three: every combination of validity against statistics.median, max and min."""

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.voting import TwoOutOfThree

VALUE = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([850.0, 851.0]))
VALID = list(itertools.product([True, False], repeat=3))


def vote(voter, values, valid):
    return voter.vote(values[0], valid[0], values[1], valid[1], values[2], valid[2])


@pytest.mark.parametrize("valid", VALID)
@pytest.mark.parametrize("prefer_high", [True, False])
@given(values=st.tuples(VALUE, VALUE, VALUE))
def test_value_count_and_deviation(valid, prefer_high, values):
    voter = TwoOutOfThree(prefer_high, 25.0)
    result = vote(voter, values, valid)
    good = [value for value, is_valid in zip(values, valid, strict=True) if is_valid]
    assert voter.valid == len(good)
    if not good:
        assert math.isnan(result)
    elif len(good) == 2:
        assert result == (max(good) if prefer_high else min(good))
        assert voter.deviation == max(good) - min(good)
    else:
        assert result == statistics.median(good)
    if len(good) == 3:
        assert voter.deviation == max(abs(value - result) for value in good)
    if len(good) < 2:
        assert math.isnan(voter.deviation)
        assert not voter.deviates
    else:
        assert voter.deviates == (voter.deviation > 25.0)


@given(st.tuples(VALUE, VALUE, VALUE), VALUE)
def test_median_above_a_limit_is_two_out_of_three_above_it(values, limit):
    voter = TwoOutOfThree(True, 25.0)
    assert (vote(voter, values, (True,) * 3) > limit) == (sum(value > limit for value in values) >= 2)


@pytest.mark.parametrize(
    ("values", "outlier"),
    [
        ((850.0, 852.0, 990.0), 2),
        ((850.0, 700.0, 852.0), 1),
        ((20.0, 851.0, 852.0), 0),
        ((850.0, 860.0, 870.0), -1),
        ((800.0, 850.0, 900.0), -1),
        ((850.0, 850.0, 900.0), 2),
        ((900.0, 850.0, 850.0), 0),
        ((850.0, 850.0, 850.0), -1),
    ],
)
def test_outlier(values, outlier):
    voter = TwoOutOfThree(True, 25.0)
    vote(voter, values, (True, True, True))
    assert voter.outlier == outlier
    # With two there is nobody to say which one is wrong, and one has nothing to differ from.
    vote(voter, (850.0, 999.0, 850.0), (True, True, False))
    assert (voter.deviates, voter.outlier) == (True, -1)
    vote(voter, (850.0, 999.0, 850.0), (True, False, False))
    assert math.isnan(voter.deviation)
    assert not voter.deviates


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_not_valid_whatever_its_flag_says(bad):
    for place in range(3):
        values = [840.0, 850.0, 860.0]
        good = values[:place] + values[place + 1 :]
        values[place] = bad
        voter = TwoOutOfThree(False, 50.0)
        assert vote(voter, values, (True, True, True)) == min(good)
        assert voter.valid == 2


def test_refuses_a_limit_that_judges_nothing():
    for limit in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="TwoOutOfThree: expected"):
            TwoOutOfThree(True, limit)
    voter = TwoOutOfThree(True, 0.5)
    assert (voter.valid, voter.deviates, voter.outlier) == (0, False, -1)
    assert math.isnan(voter.deviation)
    vote(voter, (10.0, 10.0, 10.5), (True,) * 3)
    assert not voter.deviates
    vote(voter, (10.0, 10.0, 10.75), (True,) * 3)
    assert voter.deviates
    voter = TwoOutOfThree(True, math.inf)
    vote(voter, (0.0, 1e9, 5.0), (True,) * 3)
    assert not voter.deviates
