"""Tuning rules: PID settings from a process model.

SIMC: S. Skogestad, J. Process Control 13 (2003) 291-309. AMIGO: K. J. Astrom and T. Hagglund, Advanced PID
Control (ISA, 2006), chapter 7. Both give settings for loads at the process input; neither knows the limits of
the actuator.
"""

import math
from dataclasses import dataclass

from edge.tune.process import Process

# The filter of the derivative where a rule says nothing of it: time constant Td/N.
N = 10.0
# Each round of simc() leaves at most half of the difference of the one before.
ROUNDS = 60


@dataclass(frozen=True)
class Tuning:
    """Settings of ``cext.pid.PID``: the ideal (ISA) form with a filtered derivative.

    `gain` >= 0 in output units per unit of the process value, `ti_s` and `td_s` in s (0: none), `n` the
    filter, `b` the set-point weight, `direction` +1 reverse acting, -1 direct acting. `rule` names the
    origin, `tc_s` is the wanted closed-loop time constant, None where the rule has none.
    """

    gain: float
    ti_s: float
    td_s: float = 0.0
    n: float = N
    b: float = 1.0
    direction: float = 1.0
    rule: str = ""
    tc_s: float | None = None

    def __post_init__(self):
        checksum = self.gain + self.ti_s + self.td_s + self.n + self.b
        if not math.isfinite(checksum) or min(self.gain, self.ti_s, self.td_s) < 0.0 or self.n <= 0.0:
            raise ValueError("tuning: expected finite gain, ti_s and td_s >= 0, and n > 0")

    def frequency_response(self, omega):
        """Return C(j omega) of the feedback path, complex, without `direction`."""
        s = 1j * omega
        integral = 1.0 / (s * self.ti_s) if self.ti_s > 0.0 else 0.0
        return self.gain * (1.0 + integral + s * self.td_s / (1.0 + s * self.td_s / self.n))


def series_to_ideal(gain: float, ti_s: float, td_s: float) -> tuple:
    """Return (gain, ti_s, td_s) of the ideal form for gain (1 + 1/(ti_s s)) (1 + td_s s), `ti_s` > 0."""
    factor = 1.0 + td_s / ti_s
    return gain * factor, ti_s * factor, td_s / factor


def ideal_to_series(gain: float, ti_s: float, td_s: float) -> tuple:
    """Return the inverse of series_to_ideal(); ValueError for ti_s < 4 td_s, which has no series form."""
    if ti_s < 4.0 * td_s:
        raise ValueError("an ideal PID with ti_s < 4 td_s has no series form")
    factor = 0.5 * (1.0 + math.sqrt(1.0 - 4.0 * td_s / ti_s))
    return gain * factor, ti_s * factor, td_s / factor


def simc(process: Process, tc_s: float | None = None, n: float = N) -> Tuning:
    """Return the SIMC setting: a PI for one lag or an integrator, a PID where there is a lag more.

        gain = T1 / (K (tc + L)),   Ti = min(T1, 4 (tc + L)),   Td = T2      of the series form

    L is the dead time and the derivative's filter Td/`n` together: the rule is for a derivative without one.
    `tc_s` > 0 is the wanted time constant of the closed loop, L if None: tight control with Ms about 1.6 to
    1.7, the fastest that the rule recommends. More lags than two are reduced by the half rule. ValueError
    without a dead time where `tc_s` is None, and for a model that is only a dead time.
    """
    model = process.half_rule(2)
    lags = list(model.lags_s)
    if not lags and not model.integrating:
        raise ValueError("SIMC: a process without lag or integrator wants an I controller, not a PI")
    lag = math.inf if model.integrating else lags.pop(0)
    second = lags[0] if lags else 0.0
    if tc_s is None and model.delay_s == 0.0 or tc_s is not None and not tc_s > 0.0:
        raise ValueError("SIMC: without a dead time no setting is the fastest; say the time constant tc")
    # Td of the ideal form depends on Ti, Ti on the dead time, the dead time on Td: each round comes closer.
    filter_s = second / n
    for _ in range(ROUNDS):
        dead_s = model.delay_s + filter_s
        closed_s = dead_s if tc_s is None else tc_s
        ti_s = min(lag, 4.0 * (closed_s + dead_s))
        gain = (1.0 if model.integrating else lag) / (abs(model.gain) * (closed_s + dead_s))
        gain, ti_s, td_s = series_to_ideal(gain, ti_s, second)
        filter_s = td_s / n
    rule = "SIMC PID" if second else "SIMC PI"
    return Tuning(gain, ti_s, td_s, n, direction=_direction(process), rule=rule, tc_s=closed_s)


def amigo(process: Process, derivative: bool = False) -> Tuning:
    """Return the AMIGO setting, a PI or with `derivative` a PID; made for Ms of about 1.4.

        PI    gain = 0.15/K + (0.35 - L T/(L + T)^2) T/(K L),  Ti = 0.35 L + 13 L T^2/(T^2 + 12 L T + 7 L^2)
        PID   gain = (0.2 + 0.45 T/L)/K,  Ti = L (0.4 L + 0.8 T)/(L + 0.1 T),  Td = 0.5 L T/(0.3 L + T)

    with K, T and L from Process.tangent(); for an integrating process T goes to infinity, T/K to the inverse
    of its rate. ValueError without an apparent dead time: the gain would be infinite.
    """
    k, lag, dead = process.tangent()
    k = abs(k)
    if not dead > 0.0:
        raise ValueError("AMIGO: the process has no dead time, not even an apparent one: no gain is too high")
    if math.isinf(lag):
        if derivative:
            gain, ti_s, td_s = 0.45 / (k * dead), 8.0 * dead, 0.5 * dead
        else:
            gain, ti_s, td_s = 0.35 / (k * dead), 13.35 * dead, 0.0
    elif derivative:
        gain = (0.2 + 0.45 * lag / dead) / k
        ti_s = (0.4 * dead + 0.8 * lag) / (dead + 0.1 * lag) * dead
        td_s = 0.5 * dead * lag / (0.3 * dead + lag)
    else:
        gain = 0.15 / k + (0.35 - dead * lag / (dead + lag) ** 2) * lag / (k * dead)
        ti_s = 0.35 * dead + 13.0 * dead * lag**2 / (lag**2 + 12.0 * dead * lag + 7.0 * dead**2)
        td_s = 0.0
    rule = "AMIGO PID" if derivative else "AMIGO PI"
    return Tuning(gain, ti_s, td_s, direction=_direction(process), rule=rule)


def _direction(process: Process) -> float:
    return 1.0 if process.gain > 0.0 else -1.0
