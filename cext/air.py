"""Combustion air from the fuel's ultimate analysis, and the excess-air ratio from the oxygen in the flue gas.

The analysis is in kg per kg of fuel as fired (0..1): c, h, o, n, s, cl, and w for moisture; h and o are
without those of the moisture, and ash is the rest. Air is dry with 20.95 % O2 by volume; Nm3 is 22.414 m3 per
kmol (0 degC, 1013.25 hPa). Chlorine leaves as HCl, sulphur as SO2, the fuel's nitrogen as N2.

    oxygen = C/12.011 + H/4.032 - O/31.998 + S/32.06 - Cl/141.8        kmol per kg of fuel
    lambda = 1 + k0 O2 / (20.95 - O2)
    k0     = stoichiometric flue gas / stoichiometric air: d0 for a dry analyser, w0 for a wet one

Source: mole balance of complete combustion. k0 belongs to the analyser: on municipal waste 9 % O2 in dry gas
is 7.2 % in wet gas, so an O2 value without its "dry" or "wet" is not a value.

A result that does not exist is NaN; each function says when.
"""

O2_IN_AIR_PCT = 20.95

# The same numbers as C variables when compiled.
_NAN = float("nan")
_O2_AIR = O2_IN_AIR_PCT
_MOLAR_VOLUME = 22.414

# Molar masses in kg/kmol (CIAAW, abridged).
_C = 12.011
_H = 1.008
_O = 15.999
_N = 14.007
_S = 32.06
_CL = 35.45
_H2O = 18.015


def stoichiometric_air(c, h, o, n, s, cl, w):
    """Return the dry air for complete combustion without excess in Nm3 per kg of fuel.

    About 1.5..3 for municipal waste, 11 for oil; negative if the fuel brings more oxygen than it needs. `n`
    and `w` do not count; they are there so that one analysis serves every function of this module.
    """
    oxygen = c / _C + 0.25 * h / _H - 0.5 * o / _O + s / _S - 0.25 * cl / _CL
    return oxygen * _MOLAR_VOLUME * 100.0 / _O2_AIR


def stoichiometric_dry_gas(c, h, o, n, s, cl, w):
    """Return the dry flue gas (CO2, SO2, HCl, N2) of combustion without excess air in Nm3 per kg of fuel."""
    nitrogen_of_air = stoichiometric_air(c, h, o, n, s, cl, w) * (1.0 - 0.01 * _O2_AIR)
    return (c / _C + s / _S + cl / _CL + 0.5 * n / _N) * _MOLAR_VOLUME + nitrogen_of_air


def stoichiometric_wet_gas(c, h, o, n, s, cl, w):
    """Return the wet flue gas of combustion without excess air in Nm3 per kg of fuel.

    Its steam comes from the moisture and from the hydrogen that the chlorine has left.
    """
    steam = 0.5 * (h / _H - cl / _CL) + w / _H2O
    return stoichiometric_dry_gas(c, h, o, n, s, cl, w) + steam * _MOLAR_VOLUME


def dry_ratio(c, h, o, n, s, cl, w):
    """Return d0, dry stoichiometric gas over stoichiometric air, 0.9..1; NaN if the fuel needs no air."""
    air = stoichiometric_air(c, h, o, n, s, cl, w)
    if not air > 0.0:
        return _NAN
    return stoichiometric_dry_gas(c, h, o, n, s, cl, w) / air


def wet_ratio(c, h, o, n, s, cl, w):
    """Return w0, wet stoichiometric gas over stoichiometric air, 1.06..2; NaN if the fuel needs no air."""
    air = stoichiometric_air(c, h, o, n, s, cl, w)
    if not air > 0.0:
        return _NAN
    return stoichiometric_wet_gas(c, h, o, n, s, cl, w) / air


def lambda_from_o2(o2_pct, k0):
    """Return the excess-air ratio lambda for `o2_pct` in percent by volume.

    `k0` is d0 for O2 in dry gas and w0 for O2 in wet gas; 1 gives the rule of thumb 20.95/(20.95 - O2).
    NaN from 20.95 % upwards, where the analyser sees plain air and no lambda exists. A reading a little below
    zero (a zero error of the analyser) is carried through in proportion, so that a trim controller meets no
    kink at zero.
    """
    if not o2_pct < _O2_AIR:
        return _NAN
    return 1.0 + k0 * o2_pct / (_O2_AIR - o2_pct)


def o2_from_lambda(lam, k0):
    """Return the O2 in percent by volume at the excess-air ratio `lam`, with `k0` as in lambda_from_o2().

    0 at and below lambda 1, where complete combustion leaves no oxygen. NaN unless `k0` > 0.
    """
    if not k0 > 0.0:
        return _NAN
    if lam <= 1.0:
        return 0.0
    return _O2_AIR / (1.0 + k0 / (lam - 1.0))


def air_demand(fuel_kg_s, air0_nm3_kg, o2_pct, k0):
    """Return the combustion air in Nm3/s that leaves `o2_pct` percent by volume in the flue gas.

    `fuel_kg_s` is the fuel flow, `air0_nm3_kg` its stoichiometric_air(), `k0` as in lambda_from_o2(). NaN
    from 20.95 % upwards: no amount of air is enough.
    """
    return fuel_kg_s * air0_nm3_kg * lambda_from_o2(o2_pct, k0)
