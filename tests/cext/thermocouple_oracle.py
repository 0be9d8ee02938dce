"""Thermocouples to 50 digits, from the coefficients as NIST prints them (data/tc_nist_coefficients.json).

Decimal arithmetic on the printed digits, its own exponential function, sums of powers instead of Horner's
scheme: nothing is shared with cext.
"""

import json
import math
from decimal import Decimal, localcontext
from pathlib import Path

from cext import thermocouple, thermocouple_base, thermocouple_noble

DATA = Path(__file__).parent / "data"
NIST = json.loads((DATA / "tc_nist_coefficients.json").read_text(), parse_float=Decimal, parse_int=Decimal)

# Type letter -> table of the core.
KINDS = {
    "B": thermocouple_noble.B,
    "E": thermocouple_base.E,
    "J": thermocouple_base.J,
    "K": thermocouple.K,
    "N": thermocouple_base.N,
    "R": thermocouple_noble.R,
    "S": thermocouple_noble.S,
    "T": thermocouple_base.T,
}
LOWEST_C = {letter: float(nist["forward"][0]["T_lo"]) for letter, nist in NIST.items()}
HIGHEST_C = {letter: float(nist["forward"][-1]["T_hi"]) for letter, nist in NIST.items()}
# Lowest temperature that a voltage can be turned back into: below 42 degC the voltage of type B comes twice.
INVERSE_FROM_C = {**LOWEST_C, "B": 42.0}
# Temperatures at which one piece of the function ends and the next begins.
BORDERS = [(letter, float(piece["T_hi"])) for letter, nist in NIST.items() for piece in nist["forward"][:-1]]


def piece_at(letter: str, t_c: float) -> dict:
    """The piece of NIST's function that holds at `t_c`; a border belongs to the piece below it."""
    return next(piece for piece in NIST[letter]["forward"] if t_c <= float(piece["T_hi"]))


def function(piece: dict, t_c) -> tuple[Decimal, Decimal]:
    """Voltage in mV and slope in mV/K of one piece at `t_c`, a float or a Decimal, exactly that number."""
    with localcontext() as context:
        context.prec = 50
        t = Decimal(t_c)
        emf = slope = Decimal(0)
        power = Decimal(1)  # t to the power of i - 1 for the slope, then of i
        for i, c in enumerate(piece["c_lowest_first_mV"]):
            if i:
                slope += i * c * power
                power *= t
            emf += c * power
        if piece["gauss"]:
            a0, a1, a2 = piece["gauss"]
            bell = a0 * (a1 * (t - a2) * (t - a2)).exp()
            emf += bell
            slope += 2 * a1 * (t - a2) * bell
        return emf, slope


def emf_mv(letter: str, t_c) -> Decimal:
    return function(piece_at(letter, t_c), t_c)[0]


def slope_mv_per_k(letter: str, t_c) -> Decimal:
    return function(piece_at(letter, t_c), t_c)[1]


def rounding_mv(letter: str, t_c: float) -> float:
    """A bound for the rounding errors of E(t) in 64-bit floats by Horner's scheme, in mV.

    Each of n multiplications, n additions and n + 1 coefficients rounds by 2^-53 of what it carries, in all
    less than (2 n + 2) 2^-53 sum |c_i t^i| (Higham, Accuracy and Stability of Numerical Algorithms, 5.1). The
    exponential term of type K adds less than 5e-14 of its 0.12 mV.
    """
    coefficients = piece_at(letter, t_c)["c_lowest_first_mV"]
    magnitude = sum(abs(float(c)) * abs(t_c) ** i for i, c in enumerate(coefficients))
    return 2.0 * len(coefficients) * 2.0**-53 * magnitude + (6e-15 if letter == "K" and t_c > 0.0 else 0.0)


def rounding_k(letter: str, t_c: float) -> float:
    """What that is in K, and the rounding of the temperature itself."""
    return rounding_mv(letter, t_c) / abs(float(slope_mv_per_k(letter, t_c))) + 2.0 * math.ulp(t_c)


def temperature_error_k(letter: str, t_c: float, voltage_mv: float) -> float:
    """How far `t_c`, which is close, lies above the temperature that gives exactly `voltage_mv`.

    It is one step of Newton's method: of an error of 1e-6 K it leaves 1e-12 K.
    """
    piece = piece_at(letter, t_c)
    emf, slope = function(piece, t_c)
    return float((emf - Decimal(voltage_mv)) / slope)


def inverse_polynomial(inverse: dict, voltage_mv: float) -> float:
    """Temperature in degC by one of NIST's inverse polynomials."""
    with localcontext() as context:
        context.prec = 50
        t_c = Decimal(0)
        power = Decimal(1)
        for d in inverse["d_lowest_first"]:
            t_c += d * power
            power *= Decimal(voltage_mv)
        return float(t_c)
