"""Combustion air from the fuel's ultimate analysis, and the excess-air ratio from the oxygen in the flue gas.

The analysis is in kg per kg of fuel as fired (0..1): c, h, o, n, s, cl, and w for moisture; h and o are
without those of the moisture, and ash is the rest. Air is dry with 20.95 % O2 by volume; Nm3 is 22.414 m3 per
kmol (0 degC, 1013.25 hPa). Chlorine leaves as HCl, sulphur as SO2, the fuel's nitrogen as N2.

    oxygen = C/12.011 + H/4.032 - O/31.998 + S/32.06 - Cl/141.8        kmol per kg of fuel
    lambda = 1 + k0 O2 / (20.95 - O2)
    k0     = stoichiometric flue gas / stoichiometric air: d0 for a dry analyser, w0 for a wet one

Source: mole balance of complete combustion. k0 belongs to the analyser: on municipal waste 9 % O2 in dry gas
is 7.2 % in wet gas, so an O2 value without its "dry" or "wet" is not a value.

Air is counted dry and its moisture beside it, as `humidity` x in kg of steam per kg of dry air (0..0.05;
humid_air.humidity() has it from a hygrometer). A dry reading does not see it, for a wet one

    lambda = 1 + (w0 + v) O2 / (20.95 - (1 + v) O2),    v = 1.6078 x, Nm3 of steam per Nm3 of dry air

A result that does not exist is NaN; each function says when.
"""

O2_IN_AIR_PCT = 20.95

# The same numbers as C variables when compiled.
_NAN = float("nan")
_O2_AIR = O2_IN_AIR_PCT
_MOLAR_VOLUME = 22.414

# Nm3 of steam per Nm3 of dry air at a humidity of 1 kg/kg: molar mass of dry air over that of steam.
_STEAM_VOLUME = 28.964 / 18.015

# Heat of condensation of water at 25 degC in MJ/kg, and the water that hydrogen makes, in kg/kg.
_LATENT_HEAT = 2.442
_WATER_OF_H = 8.936

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


def co2_max_pct(c, h, o, n, s, cl, w):
    """Return the CO2 in dry flue gas without excess air in percent by volume; NaN if the fuel needs no air.

    18..21 for waste, wood and coal, 15..16 for oil. SO2 is not counted as CO2.
    """
    if not stoichiometric_air(c, h, o, n, s, cl, w) > 0.0:
        return _NAN
    return 100.0 * _MOLAR_VOLUME * c / _C / stoichiometric_dry_gas(c, h, o, n, s, cl, w)


def products(c, h, o, n, s, cl, w):
    """Return what one kg of fuel itself gives to the flue gas, in Nm3: (CO2, SO2, HCl, H2O, N2)."""
    return (
        _MOLAR_VOLUME * c / _C,
        _MOLAR_VOLUME * s / _S,
        _MOLAR_VOLUME * cl / _CL,
        _MOLAR_VOLUME * (0.5 * (h / _H - cl / _CL) + w / _H2O),
        _MOLAR_VOLUME * 0.5 * n / _N,
    )


def lower_heating_value(c, h, o, n, s, cl, w):
    """Return the lower heating value of a solid or liquid fuel as fired in MJ/kg, water as steam at 25 degC.

        HHV = 34.91 C + 117.83 H + 10.05 S - 10.34 O - 1.51 N - 2.11 ash
        LHV = HHV - 2.442 (8.936 H + W)

    Source: S. A. Channiwala and P. P. Parikh, Fuel 81 (2002) 1051: HHV with an average absolute error of
    1.45 % and a bias of 0.00 % over dry fuels with C <= 92.25, H 0.43..25.15, O <= 50, N <= 5.6, S <= 94.08,
    ash <= 71.4 % by mass. The error of HHV stays the same in MJ/kg while moisture lowers LHV: it is 2 % of
    the LHV of waste with 50 % moisture.
    Ash is what the analysis leaves of 1. NaN if that is less than -0.005, as with percent for fractions.
    """
    ash = 1.0 - (c + h + o + n + s + cl + w)
    if not ash >= -0.005:
        return _NAN
    hhv = 34.91 * c + 117.83 * h + 10.05 * s - 10.34 * o - 1.51 * n - 2.11 * ash
    return hhv - _LATENT_HEAT * (_WATER_OF_H * h + w)


def lambda_from_o2(o2_pct, k0, humidity=0.0):
    """Return the excess-air ratio lambda for `o2_pct` in percent by volume.

    `k0` is d0 for O2 in dry gas and w0 for O2 in wet gas; 1 gives the rule of thumb 20.95/(20.95 - O2).
    `humidity` of the air in kg/kg for O2 in wet gas; 0 for O2 in dry gas, whatever the air is.
    NaN from 20.95 % upwards (less in humid air), where the analyser sees plain air and no lambda exists; NaN
    for a negative humidity. A reading a little below zero (a zero error of the analyser) is carried through
    in proportion, so that a trim controller meets no kink at zero.
    """
    steam = _STEAM_VOLUME * humidity
    if not (steam >= 0.0 and (1.0 + steam) * o2_pct < _O2_AIR):
        return _NAN
    return 1.0 + (k0 + steam) * o2_pct / (_O2_AIR - (1.0 + steam) * o2_pct)


def o2_from_lambda(lam, k0, humidity=0.0):
    """Return the O2 in percent by volume at `lam`, with `k0` and `humidity` as in lambda_from_o2().

    0 at and below lambda 1, where complete combustion leaves no oxygen. NaN unless `k0` > 0 and
    `humidity` >= 0.
    """
    steam = _STEAM_VOLUME * humidity
    if not (k0 > 0.0 and steam >= 0.0):
        return _NAN
    if lam <= 1.0:
        return 0.0
    return _O2_AIR / (1.0 + steam + (k0 + steam) / (lam - 1.0))


def air_demand(fuel_kg_s, air0_nm3_kg, o2_pct, k0, humidity=0.0):
    """Return the combustion air in dry Nm3/s that leaves `o2_pct` percent by volume in the flue gas.

    `fuel_kg_s` is the fuel flow, `air0_nm3_kg` its stoichiometric_air(); both may as well count Nm3 or MJ.
    `k0` and `humidity` as in lambda_from_o2(). NaN from 20.95 % upwards: no amount of air is enough.
    """
    return fuel_kg_s * air0_nm3_kg * lambda_from_o2(o2_pct, k0, humidity)
