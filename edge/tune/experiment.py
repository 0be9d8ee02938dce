"""A record looked at before any model: is there enough in it, and was the process at rest?"""

import math
from dataclasses import dataclass

import numpy as np

from edge.tune.recording import Record
from edge.tune.response import Excitation

FEWEST_ROWS = 20
# Drift counts where it is this many standard errors from 0 and this share of the range of the process value.
DRIFT_SURENESS = 4.0
DRIFT_SHARE = 0.05
# Movements at rest whose correlation time exceeds so many rows are disturbances and not noise.
SLOW_ROWS = 3.0
# Rows so many times as far apart as usual leave a hole.
HOLE_INTERVALS = 3.0


class Unidentifiable(Exception):
    """The record does not hold enough for a model; says what is missing and what to do."""


@dataclass(frozen=True)
class Hole:
    """Rows that are missing: from `start_s` for `length_s`; `told` names the rows around it.

    `steps` says whether the output is another one behind it: when it changed is not recorded then.
    """

    start_s: float
    length_s: float
    steps: bool
    told: str


def _holes(record: Record, interval_s: float) -> list:
    apart_s, found = np.diff(record.time_s), []
    for at in np.nonzero(apart_s > HOLE_INTERVALS * interval_s)[0]:
        where = f"at {record.time_s[at]:.6g} s" if record.lines is None else (
            f"between lines {record.lines[at]} and {record.lines[at + 1]}"
        )  # fmt: skip
        steps = bool(record.output[at] != record.output[at + 1])
        told = f"{apart_s[at]:.4g} s without a row {where}"
        found.append(Hole(float(record.time_s[at]), float(apart_s[at]), steps, told))
    return sorted(found, key=lambda hole: -hole.length_s)


class Experiment:
    """A record made ready for a fit; Unidentifiable where there is nothing to fit.

    time_s, values      the rows with a good process value
    excitation          the changes of the output
    first_s, last_s     when the output first and last changes
    duration_s, interval_s, range   length of the record, median time between rows, range of the process value
    drifts              whether the process value drifts before the first change
    holes               Hole, the longest first
    unrest              standard deviation of slow movements before the first change, 0 if there is only noise
    warnings            sentences for whoever uses the model
    """

    def __init__(self, record: Record):
        good = np.isfinite(record.process_value)
        self.time_s, self.values = record.time_s[good], record.process_value[good]
        self.excitation = Excitation(record.time_s, record.output)
        self.duration_s = float(record.time_s[-1])
        self.interval_s = float(np.median(np.diff(record.time_s)))
        self.holes = _holes(record, self.interval_s)
        self.warnings = list(record.notes)
        self.unrest = 0.0
        rows = len(self.values)
        if rows < FEWEST_ROWS:
            raise Unidentifiable(f"{rows} rows with a good process value; {FEWEST_ROWS} and more are needed")
        if not len(self.excitation.change):
            raise Unidentifiable(
                f"the output stays at {record.output[0]:g} all the time: a model needs a step of the output, "
                "large enough to be seen above the noise; if the step was on from the first row, say what "
                "was before it with --before"
            )
        self.range = float(np.ptp(self.values))
        if self.range == 0.0:
            raise Unidentifiable(
                f"the process value stays at {self.values[0]:g} all the time: is the sensor stuck?"
            )
        self.first_s, self.last_s = (float(self.excitation.change_s[at]) for at in (0, -1))
        if (self.time_s > self.first_s).sum() < FEWEST_ROWS // 2:
            raise Unidentifiable(
                f"the output first changes {self.duration_s - self.first_s:g} s before the end: record on "
                "until the process value has settled again"
            )
        self.drifts = self._look_at_rest()

    def _look_at_rest(self) -> bool:
        """Judge the process value before the first change of the output; return whether it drifts."""
        before = self.time_s <= self.first_s
        if before.sum() < FEWEST_ROWS // 2:
            self.warnings.append(
                "the output changes at the very start: whether the process was at rest before can't be seen"
            )
            return False
        time_s, values = self.time_s[before], self.values[before]
        centred = time_s - time_s.mean()
        slope = float(centred @ values / (centred @ centred))
        residuals = values - values.mean() - slope * centred
        variance, related = residuals @ residuals / (len(values) - 2), correlation_time(residuals)
        if related > SLOW_ROWS:
            self.unrest = math.sqrt(variance)
        error = math.sqrt(variance * related / (centred @ centred))
        moved = abs(slope) * self.duration_s
        if abs(slope) <= DRIFT_SURENESS * error or moved <= DRIFT_SHARE * self.range:
            return False
        self.warnings.append(
            f"the process value drifts before the output changes, by {3600.0 * slope:.3g} +- "
            f"{3600.0 * error:.2g} per h: it is made part of the fit as a steady one, "
            "but a record that begins at rest is better"
        )
        return True


def correlation_time(residuals) -> float:
    """Return how many consecutive residuals count as one, >= 1: 1 + 2 x the sum of their autocorrelations.

    Summed up to the first one that is not positive. Source: C. J. Geyer, Practical Markov chain Monte Carlo,
    Statistical Science 7 (1992) 473-483, initial positive sequence.
    """
    centred = residuals - residuals.mean()
    size = len(centred)
    spectrum = np.abs(np.fft.rfft(centred, 2 * size)) ** 2
    correlation = np.fft.irfft(spectrum)[:size]
    if not correlation[0] > 0.0:
        return 1.0
    correlation = correlation / correlation[0]
    ends = np.nonzero(correlation <= 0.0)[0]
    end = int(ends[0]) if len(ends) else size
    return max(1.0, 1.0 + 2.0 * float(correlation[1:end].sum()))
