"""What holds for any temperature and any voltage of the eight thermocouple types."""

import math

from hypothesis import assume, example, given
from hypothesis import strategies as st

from cext.thermocouple import emf_mv, measured_temp_c, seebeck_mv_per_k, temp_c
from tests.cext.thermocouple_oracle import (
    BORDERS,
    HIGHEST_C,
    INVERSE_FROM_C,
    KINDS,
    LOWEST_C,
    NIST,
    rounding_k,
    rounding_mv,
)

# The voltage of type B falls up to here: dE/dt = 0 at 21.0203 degC.
B_MINIMUM_C = 21.0203
# Largest step of NIST's functions where two pieces meet: 7.5e-8 mV, 1.2e-6 K.
STEP_MV = 7.6e-8
STEP_K = 1.3e-6

letters = st.sampled_from(sorted(KINDS))
# Over the whole range of a type, with its ends; near a border more often than by chance.
part = st.floats(0.0, 1.0)


def between(low: float, high: float, fraction: float) -> float:
    """Never beyond the ends, whatever is rounded."""
    return min(max(low + (high - low) * fraction, low), high)


@st.composite
def pieces(draw):
    """A type and the ends of a part of its range over which its voltage only rises, or only falls."""
    letter = draw(letters)
    ends = [LOWEST_C[letter]] + [border for name, border in BORDERS if name == letter] + [HIGHEST_C[letter]]
    if letter == "B":
        ends.insert(1, B_MINIMUM_C)
    i = draw(st.integers(0, len(ends) - 2))
    return letter, ends[i], ends[i + 1]


def far_from_borders(letter: str, t_c: float) -> bool:
    return all(name != letter or abs(t_c - border_c) > 2.0 * STEP_K for name, border_c in BORDERS)


@given(pieces(), part, part)
def test_voltage_is_monotone_within_each_piece(piece, first, second):
    letter, low_c, high_c = piece
    kind = KINDS[letter]
    cold, hot = sorted((between(low_c, high_c, first), between(low_c, high_c, second)))
    # The lower border of a piece belongs to the piece below.
    if cold == low_c and low_c != LOWEST_C[letter]:
        cold = math.nextafter(low_c, math.inf)
    assume(cold < hot)
    rise_mv = emf_mv(hot, kind) - emf_mv(cold, kind)
    if letter == "B" and hot <= B_MINIMUM_C:
        rise_mv = -rise_mv
    rounding = rounding_mv(letter, cold) + rounding_mv(letter, hot)
    assert rise_mv >= -rounding
    # Of a difference that gives more than rounding, the sign is the sign of the slope.
    least_slope = 0.3e-3 if letter != "B" else 0.0
    assert rise_mv > 0.0 or least_slope * (hot - cold) <= rounding


@given(letters, part)
def test_there_and_back(letter, fraction):
    kind = KINDS[letter]
    t_c = between(INVERSE_FROM_C[letter], HIGHEST_C[letter], fraction)
    # At the ends, what rounds may lie outside: the ends themselves do not (test_thermocouple.py).
    rounding = rounding_k(letter, t_c)
    assume(INVERSE_FROM_C[letter] + rounding <= t_c <= HIGHEST_C[letter] - rounding)
    back_c = temp_c(emf_mv(t_c, kind), kind)
    tolerance = 2.0 * rounding if far_from_borders(letter, t_c) else STEP_K
    assert abs(back_c - t_c) <= tolerance


@given(letters, part)
def test_back_and_there(letter, fraction):
    kind = KINDS[letter]
    voltage_mv = between(kind[2], kind[3][-1][1], fraction)
    t_c = temp_c(voltage_mv, kind)
    assert INVERSE_FROM_C[letter] <= t_c <= HIGHEST_C[letter]
    # The temperature rounds by half a unit, and the voltage with it.
    tolerance = 2.0 * rounding_mv(letter, t_c) + math.ulp(t_c) * seebeck_mv_per_k(t_c, kind)
    assert abs(emf_mv(t_c, kind) - voltage_mv) <= (tolerance if far_from_borders(letter, t_c) else STEP_MV)


@given(letters, part, part)
def test_temperature_rises_with_voltage(letter, first, second):
    kind = KINDS[letter]
    low_mv, high_mv = kind[2], kind[3][-1][1]
    less, more = sorted((between(low_mv, high_mv, first), between(low_mv, high_mv, second)))
    # Across a step upwards of NIST's functions it stands still.
    assume(more - less > STEP_MV)
    assert temp_c(less, kind) < temp_c(more, kind)


@given(st.sampled_from(BORDERS), st.floats(-1e-4, 1e-4))
def test_close_to_a_border_the_voltage_goes_on(border, distance):
    letter, border_c = border
    kind = KINDS[letter]
    t_c = border_c + distance
    slope = seebeck_mv_per_k(border_c, kind)
    # Slopes on both sides differ by up to 1 % (N at 0 degC), 2.3e-8 mV over 1e-4 K.
    assert abs(emf_mv(t_c, kind) - emf_mv(border_c, kind) - slope * distance) <= STEP_MV + 2.4e-8


@given(letters, part)
def test_sensitivity_is_the_slope(letter, fraction):
    kind = KINDS[letter]
    step = 1e-3
    t_c = between(LOWEST_C[letter] + step, HIGHEST_C[letter] - step, fraction)
    slope = (emf_mv(t_c + step, kind) - emf_mv(t_c - step, kind)) / (2.0 * step)
    near_border = any(name == letter and abs(t_c - border) <= 2.0 * step for name, border in BORDERS)
    # Central difference: a sixth of the third derivative times the square of the step, below 1e-11, and what
    # rounds over the step. Where pieces meet, the step of the function too, and type N's change of slope.
    tolerance = 1e-10 + rounding_mv(letter, t_c) / step
    assert abs(seebeck_mv_per_k(t_c, kind) - slope) <= (3e-4 if near_border else tolerance)


@given(letters, part, st.floats(0.0, 60.0))
@example("K", 0.5, 0.0)
def test_cold_junction_adds_voltages(letter, fraction, terminals_c):
    kind = KINDS[letter]
    hot_c = between(max(INVERSE_FROM_C[letter], -200.0), HIGHEST_C[letter], fraction)
    voltage_mv = emf_mv(hot_c, kind) - emf_mv(terminals_c, kind)
    measured_c = measured_temp_c(voltage_mv, terminals_c, kind)
    # Difference and sum round by half a unit of the last place each, which may end out of range.
    sum_mv = voltage_mv + emf_mv(terminals_c, kind)
    if not kind[2] <= sum_mv <= kind[3][-1][1]:
        assert math.isnan(measured_c)
        return
    rounding = (math.ulp(voltage_mv) + math.ulp(sum_mv)) / seebeck_mv_per_k(hot_c, kind)
    tolerance = 2.0 * rounding_k(letter, hot_c) + rounding if far_from_borders(letter, hot_c) else STEP_K
    assert abs(measured_c - hot_c) <= tolerance


@given(letters, part, part)
def test_bracket_makes_the_first_guess_a_matter_of_time(letter, fraction, wrong):
    """From any first guess the same temperature: what the guess can't do, the bracket does."""
    kind = KINDS[letter]
    voltage_mv = between(kind[2], kind[3][-1][1], fraction)
    t_c = temp_c(voltage_mv, kind)
    guess_c = between(INVERSE_FROM_C[letter], HIGHEST_C[letter], wrong)
    lost = (*kind[:4], ((kind[3][-1][1], (guess_c,)),))
    tolerance = 2.0 * rounding_k(letter, t_c) if far_from_borders(letter, t_c) else STEP_K
    assert abs(temp_c(voltage_mv, lost) - t_c) <= tolerance


@given(letters, st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_has_an_answer(letter, number):
    kind = KINDS[letter]
    in_range = LOWEST_C[letter] <= number <= float(NIST[letter]["forward"][-1]["T_hi"])
    assert math.isfinite(emf_mv(number, kind)) == in_range
    assert math.isfinite(seebeck_mv_per_k(number, kind)) == in_range
    t_c = temp_c(number, kind)
    if kind[2] <= number <= kind[3][-1][1]:
        assert INVERSE_FROM_C[letter] <= t_c <= HIGHEST_C[letter]
    else:
        assert math.isnan(t_c)
