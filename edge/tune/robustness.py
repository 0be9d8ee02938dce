"""Robustness of a loop: whether it is stable, maximum sensitivity, gain, phase and delay margin."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from edge.tune.process import Process
from edge.tune.rules import Tuning

# Points of the frequency grid; between them every crossing and peak is refined.
POINTS = 4000


@dataclass(frozen=True)
class Robustness:
    """Margins of L = P C.

    ms              largest |1/(1 + L)|: 1/ms is the distance of the Nyquist curve from -1. 1.2..1.4 is calm,
                    up to 2 usual
    mt              largest |L/(1 + L)|
    gain_margin     by how much the gain may grow before the loop oscillates; inf if it never does
    phase_margin_deg    inf if |L| stays below 1
    delay_margin_s      additional dead time up to the limit of stability
    stable          if False the other figures are NaN
    """

    stable: bool
    ms: float = math.nan
    mt: float = math.nan
    gain_margin: float = math.nan
    phase_margin_deg: float = math.nan
    delay_margin_s: float = math.nan


def examine(process: Process, tuning: Tuning) -> Robustness:
    """Return the margins of `tuning` on `process`, exact for the dead time (no Pade approximation).

    Stability by Nyquist's criterion: the open loop has no pole in the right half plane, and with n poles at 0
    the closed loop is stable exactly if the angle of 1 + L turns by n x 90 degrees from 0 to infinity.
    A tuning that acts the wrong way round (`direction`) is unstable.
    """
    # A gain of 0 leaves the process to itself.
    if tuning.gain == 0.0:
        return Robustness(not process.integrating, 1.0, 0.0, math.inf, math.inf, math.inf)

    def loop(log_omega):
        omega = np.exp(log_omega)
        return tuning.direction * process.frequency_response(omega) * tuning.frequency_response(omega)

    grid = _grid(process, tuning)
    values = loop(grid)
    if not _is_stable(process, tuning, values):
        return Robustness(False)

    ms = _peak(lambda x: abs(1.0 / (1.0 + loop(x))), grid)
    mt = _peak(lambda x: abs(loop(x) / (1.0 + loop(x))), grid)
    gain_margin = _gain_margin(loop, grid)
    if math.isinf(gain_margin):
        gain_margin = _gain_margin(loop, _beyond(grid, process.delay_s))
    phase_margin, delay_margin = math.inf, math.inf
    for x in _crossings(lambda x: abs(loop(x)) - 1.0, grid, abs(values) - 1.0):
        margin = (math.pi + np.angle(loop(x))) % (2.0 * math.pi)
        phase_margin = min(phase_margin, min(margin, 2.0 * math.pi - margin))
        delay_margin = min(delay_margin, margin / math.exp(x))
    return Robustness(True, ms, mt, gain_margin, math.degrees(phase_margin), float(delay_margin))


def sensitivity(process: Process, tuning: Tuning) -> float:
    """Return Ms to about 0.1 %, inf where the loop is unstable; quicker than examine()."""
    if tuning.gain == 0.0:
        return math.inf if process.integrating else 1.0
    omega = np.exp(_grid(process, tuning))
    values = tuning.direction * process.frequency_response(omega) * tuning.frequency_response(omega)
    if not _is_stable(process, tuning, values):
        return math.inf
    return max(1.0, 1.0 / float(np.abs(1.0 + values).min()))


def _is_stable(process: Process, tuning: Tuning, values) -> bool:
    """Return whether the angle of 1 + L turns as Nyquist's criterion asks; `values` of L on the grid."""
    integrators = int(process.integrating) + (tuning.ti_s > 0.0)
    angle = np.unwrap(np.angle(1.0 + values))
    return abs(angle[-1] - angle[0] - integrators * math.pi / 2.0) <= 0.5


def _grid(process: Process, tuning: Tuning):
    """Return ln omega, dense and wide enough that the angle between two points is below 180 degrees."""
    times = [*process.lags_s, process.delay_s, tuning.ti_s, tuning.td_s, tuning.td_s / tuning.n]
    times = [time for time in times if time > 0.0] or [1.0]
    # An integrator brings a time of its own: how long until the gain alone has brought the error back.
    if process.integrating:
        times.append(1.0 / (abs(process.gain) * tuning.gain))
    else:
        times.append(process.residence_s / (1.0 + abs(process.gain) * tuning.gain) or times[0])
    low, high = 1e-4 / max(times), 1e3 / min(times)
    # Beyond where |L| has fallen to 1 % nothing turns any more; the dead time would only ask for more points.
    while high > 10.0 * low and _size(process, tuning, high) < 1e-2:
        high /= 1.2
    while _size(process, tuning, high) > 1e-2 and high < 1e9 / min(times):
        high *= 1.2
    grid = np.linspace(math.log(low), math.log(high), POINTS)
    if process.delay_s > 0.0:
        # A dead time turns linearly: at most 0.05 rad between points, as far as half a million points go.
        step = max(0.05 / process.delay_s, high / 500_000)
        start = step / (grid[1] - grid[0])
        if start < high:
            grid = np.concatenate([grid[grid < math.log(start)], np.log(np.arange(start, high, step))])
    return grid


def _beyond(grid, delay_s: float):
    """Return ln omega above the grid, where |L| is below 1 %, far enough for a phase crossing.

    A dead time turns the loop once in 2 pi/delay_s; without one the phase ends a few decades on.
    """
    high = math.exp(grid[-1])
    if delay_s > 0.0:
        return np.log(np.linspace(high, high + 4.0 * math.pi / delay_s, POINTS))
    return np.linspace(grid[-1], grid[-1] + math.log(1e6), POINTS)


def _gain_margin(loop, grid) -> float:
    """Return by how much the gain may grow before L passes -1 within the grid, inf if it never does."""
    margin = math.inf
    for x in _crossings(lambda x: loop(x).imag, grid, loop(grid).imag):
        value = loop(x)
        if -1.0 < value.real < 0.0:
            margin = min(margin, -1.0 / value.real)
    return margin


def _size(process, tuning, omega):
    return abs(process.frequency_response(omega) * tuning.frequency_response(omega))


def _peak(function, grid):
    values = function(grid)
    at = int(np.argmax(values))
    low, high = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
    found = minimize_scalar(
        lambda x: -function(x), bounds=(low, high), method="bounded", options={"xatol": 1e-10}
    )
    return float(max(values[at], -found.fun))


def _crossings(function, grid, values):
    """Yield where `function` changes its sign."""
    for at in np.nonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0.0)[0]:
        yield brentq(function, grid[at], grid[at + 1], xtol=1e-13)
