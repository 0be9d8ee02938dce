"""A signal in time: smoothed, delayed, averaged, or how fast it changes."""

from cext.filters import Lag, LeadLag, MovingMedian
from edge.node.calc.calc import Calc

# A delay and a mean keep so many values; over a longer time each stands for several ticks.
PLACES = 120


class Filter(Calc):
    """One source through one filter; after a bad reading it goes on from where it stood.

    ``does``: lag (``time_s``), lead_lag (``lead_s``, ``time_s``), mean over ``time_s``, rate (per minute,
    smoothed over ``time_s``), median of the last ``length`` readings, delay by ``time_s``.
    """

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._step = _MAKERS[spec["does"]](spec)

    def result(self, dt_s: float, now_ms: int) -> float:
        """What the filter makes of the source."""
        return self._step(self.sources[0].value, dt_s)


class _Rate:
    """Rate of change per minute: the slope against a lag of the value, which is smooth over ``time_s``."""

    def __init__(self, time_s: float):
        self._lag = Lag(time_s)

    def step(self, value: float, dt_s: float) -> float:
        slow = self._lag.step(value, dt_s)
        return (value - slow) * 60.0 / self._lag.tau_s


class _Window:
    """The last ``time_s`` in PLACES equal parts, each the mean of its ticks."""

    def __init__(self, time_s: float):
        self._part_s = time_s / PLACES
        self._parts = None
        self._at = 0
        self._sum = 0.0
        self._time_s = 0.0

    def add(self, value: float, dt_s: float):
        """Take a value that stands for ``dt_s``."""
        if self._parts is None:
            self._parts = [value] * PLACES
        self._sum += value * dt_s
        self._time_s += dt_s
        part = self._sum / self._time_s
        passed = 0
        while self._time_s >= self._part_s * 0.999 and passed < PLACES:
            self._parts[self._at] = part
            self._at = (self._at + 1) % PLACES
            self._time_s -= self._part_s
            passed += 1
        if passed:
            # What is left of the time is of the last value.
            self._time_s = self._time_s if 0.0 < self._time_s < self._part_s else 0.0
            self._sum = value * self._time_s

    def mean(self) -> float:
        """The mean of the window."""
        return sum(self._parts) / PLACES

    def oldest(self) -> float:
        """The value of ``time_s`` ago."""
        return self._parts[self._at]


def _lag(spec):
    return Lag(spec["time_s"]).step


def _lead_lag(spec):
    return LeadLag(spec["lead_s"], spec["time_s"]).step


def _rate(spec):
    return _Rate(spec["time_s"]).step


def _median(spec):
    median = MovingMedian(spec["length"])
    return lambda value, dt_s: median.step(value)


def _mean(spec):
    window = _Window(spec["time_s"])

    def step(value, dt_s):
        window.add(value, dt_s)
        return window.mean()

    return step


def _delay(spec):
    window = _Window(spec["time_s"])

    def step(value, dt_s):
        window.add(value, dt_s)
        return window.oldest()

    return step


_MAKERS = {
    "lag": _lag,
    "lead_lag": _lead_lag,
    "rate": _rate,
    "median": _median,
    "mean": _mean,
    "delay": _delay,
}
