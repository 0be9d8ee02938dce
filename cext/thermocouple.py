"""Thermocouple reference functions of the ITS-90: voltage, temperature, cold junction; the table of type K.

    E(t) = sum c_i t^i + a0 exp(a1 (t - a2)^2)      in mV, t in degC; a0 is 0 but for type K above 0 degC

Source: NIST Monograph 175 / ITS-90 Thermocouple Database (SRD 60), equal to IEC 60584-1:2013.

A type is a table and no code. K stands here, E, J, N and T in thermocouple_base, B, R and S in
thermocouple_noble, so that a chip loads what it needs:
    (lowest t, lowest t of the inverse, E there, pieces, guesses)
    pieces   (highest t, E there as emf_mv() gives it, (c_n, ..., c_1, c_0), (a0, a1, a2) or ()), ...
    guesses  (highest E, (d_n, ..., d_1, d_0)), ...

The inverse is Newton's method on E(t) itself, in a bracket, from a first guess, the sum of d_i E^i. That is
NIST's inverse polynomial, which errs by up to 0.06 K; where NIST has none, below -200 degC and for type B
below 250 degC, it is the upper end of that part.

The inverse covers what has one temperature for one voltage: the whole range of E, but type B from 42 degC.
There E falls from 0 to -2.6 uV at 21 degC and is back at 0 at 42.13 degC.

Where two pieces meet, NIST's functions step by up to 7.5e-8 mV, 1.2e-6 K (J at 760 degC). A voltage within a
step upwards gives the temperature of the border. Around a step downwards two temperatures, at most 3.5e-7 K
apart (B at 630.615 degC), have one voltage, and the lower is given.

Out of range is NaN, and NaN in is NaN out.
"""

_NAN = float("nan")

K = (
    -270.0,
    -270.0,
    -6.457737952738358,
    (
        (
            0.0,
            0.0,
            (
                -1.6322697486e-23,
                -1.9889266878e-20,
                -1.0451609365e-17,
                -3.1088872894e-15,
                -5.7410327428e-13,
                -6.7509059173e-11,
                -4.9904828777e-09,
                -3.2858906784e-07,
                2.3622373598e-05,
                0.039450128025,
                0.0,
            ),
            (),
        ),
        (
            1372.0,
            54.886364025304395,
            (
                -1.2104721275e-26,
                9.7151147152e-23,
                -3.2020720003e-19,
                5.6075059059e-16,
                -5.6072844889e-13,
                3.1840945719e-10,
                -9.9457592874e-08,
                1.8558770032e-05,
                0.038921204975,
                -0.017600413686,
            ),
            (0.1185976, -0.0001183432, 126.9686),
        ),
    ),
    (
        (-5.891, (-200.0,)),
        (
            0.0,
            (
                -0.00051920577,
                -0.010450598,
                -0.086632643,
                -0.37342377,
                -0.8977354,
                -1.0833638,
                -1.1662878,
                25.173462,
                0.0,
            ),
        ),
        (
            20.644,
            (
                -1.052755e-08,
                1.057734e-06,
                -4.41303e-05,
                0.0009804036,
                -0.01228034,
                0.0831527,
                -0.2503131,
                0.07860106,
                25.08355,
                0.0,
            ),
        ),
        (
            54.886,
            (
                -3.11081e-08,
                8.802193e-06,
                -0.0009650715,
                0.05464731,
                -1.646031,
                48.30222,
                -131.8058,
            ),
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


def _piece(kind, t_c):
    """Return the piece of E that holds at `t_c`; a border belongs to the piece below it."""
    for piece in kind[3]:
        if t_c <= piece[0]:
            return piece
    return piece


def emf_mv(t_c, kind=K):
    """Return the voltage in mV of a thermocouple of type `kind` at `t_c` degC, its cold junction at 0 degC.

    Type K: -270..1372 degC give -6.458..54.886 mV. NaN outside the range of the type.
    """
    if not kind[0] <= t_c <= kind[3][-1][0]:
        return _NAN
    piece = _piece(kind, t_c)
    coefficients = piece[2]
    emf = 0.0
    for c in coefficients:
        emf = emf * t_c + c
    if piece[3]:
        a0, a1, a2 = piece[3]
        emf += a0 * _exp(a1 * (t_c - a2) * (t_c - a2))
    return emf


def seebeck_mv_per_k(t_c, kind=K):
    """Return the sensitivity dE/dt in mV/K at `t_c` degC; NaN outside the range of emf_mv().

    Where two pieces meet it is that of the lower one.
    """
    if not kind[0] <= t_c <= kind[3][-1][0]:
        return _NAN
    piece = _piece(kind, t_c)
    coefficients = piece[2]
    emf = 0.0
    slope = 0.0
    for c in coefficients:
        slope = slope * t_c + emf
        emf = emf * t_c + c
    if piece[3]:
        a0, a1, a2 = piece[3]
        slope += 2.0 * a0 * a1 * (t_c - a2) * _exp(a1 * (t_c - a2) * (t_c - a2))
    return slope


def temp_c(voltage_mv, kind=K):
    """Return the temperature in degC of a thermocouple that gives `voltage_mv`, its cold junction at 0 degC.

    Type K: -6.458..54.886 mV give -270..1372 degC. NaN outside the range of the type.

    Exact to the rounding of E(t): within 2e-10 K from -200 degC up. Below, where thermocouples give next to
    nothing, within 1e-7 K (T at -270 degC). With 32-bit floats within 0.02 K from -200 degC up (T 0.1 K);
    voltages of the last 0.01 K at either end may count as out of range.
    """
    low = kind[1]
    pieces = kind[3]
    if not kind[2] <= voltage_mv <= pieces[-1][1]:
        return _NAN
    for piece in pieces:
        if voltage_mv <= piece[1]:
            break
        low = piece[0]
    high = piece[0]
    coefficients = piece[2]
    a0 = a1 = a2 = 0.0
    if piece[3]:
        a0, a1, a2 = piece[3]
    for guess in kind[4]:
        if voltage_mv <= guess[0]:
            break
    t = 0.0
    for d in guess[1]:
        t = t * voltage_mv + d
    if t < low:
        t = low
    elif t > high:
        t = high

    for _round in range(60):
        emf = 0.0
        slope = 0.0
        for c in coefficients:
            slope = slope * t + emf
            emf = emf * t + c
        if a0 != 0.0:
            bell = a0 * _exp(a1 * (t - a2) * (t - a2))
            emf += bell
            slope += 2.0 * a1 * (t - a2) * bell
        error = emf - voltage_mv
        if error > 0.0:
            high = t
        else:
            low = t
        # A table whose E does not rise is halved.
        step = error / slope if slope > 0.0 else high - low
        t -= step
        if -1.0e-6 < step < 1.0e-6:
            # Convergence is quadratic: after such a step, what is left is rounding.
            if t < low:
                return low
            if t > high:
                return high
            return t
        if not low < t < high:
            t = 0.5 * (low + high)
            if not low < t < high:
                return t
    return t


def measured_temp_c(voltage_mv, cold_junction_c, kind=K):
    """Return the temperature in degC of the hot junction from voltage and temperature of the terminals.

    Voltages add, temperatures do not: E(hot) = voltage + E(cold junction). NaN where either is out of range:
    terminals below 0 degC are, for type B.
    """
    return temp_c(voltage_mv + emf_mv(cold_junction_c, kind), kind)
