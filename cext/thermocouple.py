"""Thermocouple reference functions of the ITS-90: voltage, temperature, cold junction.

    E(t) = sum c_i t^i + a0 exp(a1 (t - a2)^2)      in mV, t in degC; a0 is 0 but for type K above 0 degC

Source: NIST Monograph 175 / ITS-90 Thermocouple Database, equal to IEC 60584-1:2013. The inverse is a
bracketed Newton iteration on E(t) itself, so it is exact to rounding, where NIST's inverse polynomials err by
up to 0.06 K.

Out of range is NaN, and NaN in is NaN out.

A type is a table, so another one is data and no code:
    (lowest t of E, lowest t of the inverse, highest t, ((upper t, (c0, c1, ...), (a0, a1, a2) or ()), ...))
"""

_NAN = float("nan")

K = (
    -270.0,
    -200.0,
    1372.0,
    (
        (
            0.0,
            (
                0.0,
                0.394501280250e-01,
                0.236223735980e-04,
                -0.328589067840e-06,
                -0.499048287770e-08,
                -0.675090591730e-10,
                -0.574103274280e-12,
                -0.310888728940e-14,
                -0.104516093650e-16,
                -0.198892668780e-19,
                -0.163226974860e-22,
            ),
            (),
        ),
        (
            1372.0,
            (
                -0.176004136860e-01,
                0.389212049750e-01,
                0.185587700320e-04,
                -0.994575928740e-07,
                0.318409457190e-09,
                -0.560728448890e-12,
                0.560750590590e-15,
                -0.320207200030e-18,
                0.971511471520e-22,
                -0.121047212750e-25,
            ),
            (0.118597600000, -0.118343200000e-03, 0.126968600000e03),
        ),
    ),
)


def _exp(x):
    """Return e^x for x <= 0, and 0 below -50 (2e-22).

    From basic arithmetic, because libm's exp may differ in the last bit from one C library to the next, and
    the runtimes must agree to the bit. Pade approximant [7/7] at x/64, where it is exact to rounding, squared
    six times: the relative error stays below 5e-14.
    """
    if x < -50.0:
        return 0.0
    r = x / 64.0
    r2 = r * r
    even = 17297280.0 + r2 * (1995840.0 + r2 * (25200.0 + r2 * 56.0))
    odd = r * (8648640.0 + r2 * (277200.0 + r2 * (1512.0 + r2)))
    e = (even + odd) / (even - odd)
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e * e


def _range(kind, t_c):
    """Return the part of the table that holds at `t_c`; the last one above its end."""
    for part in kind[3]:
        if t_c <= part[0]:
            return part
    return part


def _emf(kind, t_c):
    """Return E(t) in mV, without a look at the limits."""
    part = _range(kind, t_c)
    coefficients = part[1]
    emf = 0.0
    i = len(coefficients)
    while i > 0:
        i -= 1
        emf = emf * t_c + coefficients[i]
    if part[2]:
        a0, a1, a2 = part[2]
        emf += a0 * _exp(a1 * (t_c - a2) * (t_c - a2))
    return emf


def _seebeck(kind, t_c):
    """Return dE/dt in mV/K, without a look at the limits."""
    part = _range(kind, t_c)
    coefficients = part[1]
    slope = 0.0
    i = len(coefficients)
    while i > 1:
        i -= 1
        slope = slope * t_c + i * coefficients[i]
    if part[2]:
        a0, a1, a2 = part[2]
        slope += 2.0 * a0 * a1 * (t_c - a2) * _exp(a1 * (t_c - a2) * (t_c - a2))
    return slope


def emf_mv(t_c, kind=K):
    """Return the voltage in mV of a thermocouple at `t_c` degC with its cold junction at 0 degC.

    Type K: -270..1372 degC give -6.458..54.886 mV; NaN outside.
    """
    if not kind[0] <= t_c <= kind[2]:
        return _NAN
    return _emf(kind, t_c)


def seebeck_mv_per_k(t_c, kind=K):
    """Return the sensitivity dE/dt in mV/K at `t_c` degC; NaN outside the range of emf_mv()."""
    if not kind[0] <= t_c <= kind[2]:
        return _NAN
    return _seebeck(kind, t_c)


def temp_c(voltage_mv, kind=K):
    """Return the temperature in degC of a thermocouple that gives `voltage_mv`, its cold junction at 0 degC.

    Type K: -5.891..54.886 mV give -200..1372 degC; NaN outside. Exact to the rounding of E(t), about 1e-11 K.
    """
    low = kind[1]
    high = kind[2]
    emf_low = _emf(kind, low)
    emf_high = _emf(kind, high)
    if not emf_low <= voltage_mv <= emf_high:
        return _NAN
    # Newton from the chord; where it would leave the bracket, the bracket is halved instead.
    t = low + (high - low) * (voltage_mv - emf_low) / (emf_high - emf_low)
    for _round in range(60):
        error = _emf(kind, t) - voltage_mv
        if error > 0.0:
            high = t
        else:
            low = t
        slope = _seebeck(kind, t)
        if slope > 0.0 and low <= t - error / slope <= high:
            t -= error / slope
            # Convergence is quadratic: after a step this small, what is left is rounding.
            if -1.0e-9 < error / slope < 1.0e-9:
                return t
        else:
            t = 0.5 * (low + high)
    return t


def measured_temp_c(voltage_mv, cold_junction_c, kind=K):
    """Return the temperature in degC of the hot junction from voltage and temperature of the terminals.

    Voltages add, temperatures do not: E(hot) = voltage + E(cold junction). NaN where either is out of range.
    """
    return temp_c(voltage_mv + emf_mv(cold_junction_c, kind), kind)
