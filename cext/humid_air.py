"""Humid air: its moisture, its density, and measured air flows as dry Nm3/s.

What burns fuel is the oxygen, so air is counted dry at 0 degC and 1013.25 hPa. A fan or a meter sees
operating volume or pressure: one m3 of air of 50 % relative humidity holds 0.94 Nm3 at sea level and 15 degC,
but 0.80 at 800 m and 30 degC. The fan volume that gives lambda 1.20 there gives 1.02 here.

Ideal gases: dry air of 28.964 kg/kmol, steam of 18.015; humidity x in kg of steam per kg of dry air. Out of
range is NaN.
"""

from math import sqrt

_NAN = float("nan")
_KELVIN = 273.15
_NORMAL_PRESSURE = 101325.0
_MOLAR_VOLUME = 22.414
_AIR = 28.964
_H2O = 18.015


def saturation_pressure_pa(temp_c):
    """Return the vapour pressure over liquid water in Pa at -50..70 degC; NaN outside.

    Hygrometers give relative humidity over liquid water below 0 degC, too (WMO).
    Source: P. J. Flatau, R. L. Walko and W. R. Cotton, J. Appl. Meteorol. 31 (1992) 1507, polynomial of the
    eighth order with the least relative error. Within 0.1 % of IAPWS at 0..70 degC, and of supercooled water
    (Murphy and Koop 2005) within 0.2 % down to -30 and 1 % to -40 degC; at -50 it is 2.6 % or 0.2 Pa off.
    """
    if not -50.0 <= temp_c <= 70.0:
        return _NAN
    t = temp_c
    high = 0.640689451e-8 + t * (-0.952447341e-11 + t * -0.976195544e-13)
    middle = 0.264847430e-1 + t * (0.302950461e-3 + t * (0.206739458e-5 + t * high))
    return 611.239921 + t * (44.3987641 + t * (1.42986287 + t * middle))


def humidity(relative_pct, temp_c, pressure_pa):
    """Return the humidity x in kg of steam per kg of dry air.

    `relative_pct` 0..100 relative humidity, `temp_c` -50..70 where it is measured, `pressure_pa` absolute.
    10 g/kg at 25 degC, 50 % and 1013 hPa. NaN out of range, and where water would boil.
    """
    vapour = 0.01 * relative_pct * saturation_pressure_pa(temp_c)
    if not (0.0 <= relative_pct <= 100.0 and vapour < pressure_pa and pressure_pa - pressure_pa == 0.0):
        return _NAN
    return _H2O / _AIR * vapour / (pressure_pa - vapour)


def pressure_at_altitude_pa(altitude_m):
    """Return the mean pressure of the atmosphere in Pa at -1000..11000 m; NaN outside. 92,076 Pa at 800 m.

        p = 101325 (1 - 0.0065 h / 288.15)^5.255880

    Source: ISO 2533 standard atmosphere, with h geopotential: 0.1 m less than geometric at 800 m. The weather
    moves the pressure by 3 %: a barometer is better.
    """
    if not -1000.0 <= altitude_m <= 11000.0:
        return _NAN
    # Binomial series from basic arithmetic, because libm's pow differs in the last bit between runtimes. The
    # terms shrink at least fourfold: after 32 they are below rounding.
    u = 0.0065 * altitude_m / 288.15
    factor = 1.0
    term = 1.0
    for i in range(1, 33):
        term = -term * u * (6.255880 - i) / i
        factor += term
    return _NORMAL_PRESSURE * factor


def density(temp_c, pressure_pa, x):
    """Return the density of humid air in kg/m3, x in kg/kg; NaN at and below 0 K, 0 Pa, and for x < 0."""
    if not (temp_c > -_KELVIN and pressure_pa > 0.0 and x >= 0.0):
        return _NAN
    kmol = pressure_pa / _NORMAL_PRESSURE * _KELVIN / (_KELVIN + temp_c) / _MOLAR_VOLUME
    return kmol * (1.0 + x) / (1.0 / _AIR + x / _H2O)


def flow_of_volume(flow_m3_s, temp_c, pressure_pa, x):
    """Return the dry Nm3/s in an operating volume of humid air, as of a vane, an ultrasonic meter or a fan.

    `temp_c`, `pressure_pa` absolute and humidity `x` at the meter. NaN as density().
    """
    return flow_of_mass(flow_m3_s * density(temp_c, pressure_pa, x), x)


def flow_of_mass(flow_kg_s, x):
    """Return the dry Nm3/s in kg/s of humid air, as of a thermal meter; NaN for x < 0."""
    if not x >= 0.0:
        return _NAN
    return flow_kg_s / (1.0 + x) * _MOLAR_VOLUME / _AIR


def mass_of_differential_pressure(indicated_kg_s, operating_density, design_density):
    """Return the true kg/s of an orifice, a venturi, a Pitot tube or a nozzle.

    A meter of differential pressure measures flow^2 / density: `indicated_kg_s` is what it shows when scaled
    for `design_density`, `operating_density` that of now, both in kg/m3; flow_of_mass() goes on from there.
    Source: ISO 5167-1, equation 1; the expansibility is taken as constant, which costs less than 0.5 % where
    the differential pressure is within 1 % of the absolute one, as in air ducts. NaN for densities that are
    not positive.
    """
    if not (operating_density > 0.0 and design_density > 0.0):
        return _NAN
    return indicated_kg_s * sqrt(operating_density / design_density)
