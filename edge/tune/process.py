"""Linear process models: lags in series behind a dead time, with or without an integrator."""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import expm
from scipy.optimize import brentq


@dataclass(frozen=True)
class Process:
    """P(s) = gain e^(-delay_s s) / (s if integrating) / ((lag 1) s + 1) / ((lag 2) s + 1) ...

    `gain` in units of the process value per unit of the output, per second where `integrating`; negative for
    a process value that falls as the output rises. `lags_s` > 0, `delay_s` >= 0, in s. ValueError for others.
    """

    gain: float
    lags_s: tuple = ()
    delay_s: float = 0.0
    integrating: bool = False

    def __post_init__(self):
        object.__setattr__(self, "lags_s", tuple(sorted((float(lag) for lag in self.lags_s), reverse=True)))
        numbers = (self.gain, self.delay_s, *self.lags_s)
        if not all(math.isfinite(number) for number in numbers) or self.gain == 0.0:
            raise ValueError("Process: expected finite numbers and a gain that is not 0")
        if self.delay_s < 0.0 or any(lag <= 0.0 for lag in self.lags_s):
            raise ValueError("Process: expected delay_s >= 0 and lags_s > 0")

    @property
    def kind(self) -> str:
        """fopdt, sopdt or integrating; "" for other combinations."""
        if self.integrating:
            return "" if self.lags_s else "integrating"
        return {1: "fopdt", 2: "sopdt"}.get(len(self.lags_s), "")

    @property
    def residence_s(self) -> float:
        """Average residence time: the lags and the dead time together, in s."""
        return sum(self.lags_s) + self.delay_s

    def frequency_response(self, omega):
        """Return P(j omega), complex, for `omega` > 0 in rad/s (a number or an array)."""
        s = 1j * np.asarray(omega, dtype=float)
        return self.at(s)

    def at(self, s):
        """Return P(s) for complex `s`."""
        response = self.gain * np.exp(-self.delay_s * s)
        if self.integrating:
            response = response / s
        for lag in self.lags_s:
            response = response / (lag * s + 1.0)
        return response

    def state_space(self):
        """Return (A, b) of dx/dt = A x + b u without the dead time, all in series; the output is x[-1]."""
        stages = len(self.lags_s) + self.integrating
        a, b = np.zeros((stages, stages)), np.zeros(stages)
        rates = [1.0 / lag for lag in self.lags_s]
        for at, rate in enumerate(rates):
            a[at, at] = -rate
            if at:
                a[at, at - 1] = rate
        if self.integrating and stages > 1:
            a[-1, -2] = 1.0
        b[0] = rates[0] if rates else 1.0
        # The gain goes into the first stage.
        b[0] *= self.gain
        return a, b

    def step_response(self, time_s):
        """Return the response to a unit step at time 0, exact, for an array of times in s."""
        since = np.maximum(np.asarray(time_s, dtype=float) - self.delay_s, 0.0)
        a, b = self.state_space()
        return np.array([_held(a, b, dt)[1][-1] for dt in since.ravel()]).reshape(since.shape)

    def tangent(self):
        """Return (gain, apparent lag T, apparent dead time L), as AMIGO takes them from a step response.

        L is where the steepest tangent meets the resting value and L + T the time of 63.2 % of the response;
        for an integrating process gain is its rate, T infinite and L the average residence time.
        Source: Astrom and Hagglund, Advanced PID Control (2006), section 2.7.
        """
        if self.integrating:
            return self.gain, math.inf, self.residence_s
        if len(self.lags_s) == 1:
            return self.gain, self.lags_s[0], self.delay_s
        a, b = self.state_space()
        scale = sum(self.lags_s)

        def rise(t):
            return _held(a, b, t)[1][-1] / self.gain

        def slope(t):
            return (expm(a * t) @ b)[-1] / self.gain

        def curvature(t):
            return (a @ expm(a * t) @ b)[-1] / self.gain

        # The slope of lags in series has a single peak, after the shortest lag and before their sum.
        steepest = brentq(curvature, 1e-3 * self.lags_s[-1], scale, rtol=1e-13)
        t63 = brentq(lambda t: rise(t) - (1.0 - math.exp(-1.0)), 0.0, 2.0 * scale, rtol=1e-13)
        dead = float(steepest - rise(steepest) / slope(steepest))
        return self.gain, t63 - dead, self.delay_s + dead

    def half_rule(self, order: int):
        """Return this process reduced to one lag (`order` 1) or two, by Skogestad's half rule.

        The largest neglected lag is shared equally by the dead time and the smallest lag kept; the others
        become dead time. An integrator keeps its place as the first of the lags.
        Source: S. Skogestad, Simple analytic rules for model reduction and PID controller tuning, J. Process
        Control 13 (2003) 291-309.
        """
        if order not in (1, 2):
            raise ValueError("half_rule: expected order 1 or 2")
        kept = order - self.integrating
        if len(self.lags_s) <= kept:
            return self
        lags, rest = list(self.lags_s[:kept]), self.lags_s[kept:]
        delay = self.delay_s + 0.5 * rest[0] + sum(rest[1:])
        if lags:
            lags[-1] += 0.5 * rest[0]
        return Process(self.gain, tuple(lags), delay, self.integrating)


def _held(a, b, dt):
    """Return (F, g) of x(t + dt) = F x(t) + g u for an input held over `dt`, exact."""
    size = len(b)
    block = np.zeros((size + 1, size + 1))
    block[:size, :size], block[:size, size] = a, b
    both = expm(block * dt)
    return both[:size, :size], both[:size, size]


@dataclass
class Simulation:
    """A process stepped in equal ticks, its input held over each tick; exact, for any dead time.

    `dt_s` the tick in s, > 0. Starts at rest: all deviations 0. ValueError for a process without any lag and
    integrator, whose value has no state.
    """

    process: Process
    dt_s: float
    state: list = field(init=False)

    def __post_init__(self):
        a, b = self.process.state_space()
        whole = math.floor(self.process.delay_s / self.dt_s + 1e-9)
        late = max(self.process.delay_s - whole * self.dt_s, 0.0)
        # Over a tick the older input acts for `late`, then the newer one.
        before, after = _held(a, b, late), _held(a, b, self.dt_s - late)
        self._f = (after[0] @ before[0]).tolist()
        self._g_older = (after[0] @ before[1]).tolist()
        self._g_newer = after[1].tolist()
        self._pipe = [0.0] * (whole + 2)
        self._at = 0
        self.state = [0.0] * len(b)

    def step(self, value: float) -> float:
        """Hold `value` at the input for one tick and return the process value at its end."""
        pipe, x = self._pipe, self.state
        pipe[self._at] = value
        self._at = (self._at + 1) % len(pipe)
        # The oldest place of the ring is the one that the next input will take.
        older, newer = pipe[self._at], pipe[(self._at + 1) % len(pipe)]
        self.state = [
            sum(f * value for f, value in zip(row, x, strict=True)) + g_older * older + g_newer * newer
            for row, g_older, g_newer in zip(self._f, self._g_older, self._g_newer, strict=True)
        ]
        return self.state[-1]
