"""The least-squares fit of one kind of model to one record.

Output-error least squares: the model is driven by the recorded output and its response compared with the
recorded process value, so that noise of the measurement does not bias the parameters. Gain, offset and drift
enter linearly and are eliminated (variable projection); lags and dead time are searched, from a grid on.

Sources: L. Ljung, System Identification (1999), chapters 7 and 9 (standard errors); G. Golub and V. Pereyra,
Separable nonlinear least squares, Inverse Problems 19 (2003) R1-R26 (variable projection).
"""

import math

import numpy as np
from scipy.optimize import least_squares

from edge.tune.experiment import Experiment, correlation_time

# The longest lag that is tried, in records.
LONGEST_LAG_RECORDS = 5.0
# A row so many robust standard deviations off is an outlier, if it stands alone.
OUTLIER = 6.0
# Differences of the fit below this share of the range of the process value mean nothing.
NEGLIGIBLE_SHARE = 1e-3
# The search starts on at most so many rows; the last fit is on all.
SEARCH_ROWS = 3000
# Above this ratio two lags can't be told apart.
EQUAL_RATIO = 0.98


class Fit:
    """The best model of one kind; `kind` is fopdt, sopdt or integrating.

    gain, lags_s, delay_s   the model
    names, covariance       gain, lag_1, lag_2, delay as far as the kind has them, and their covariance; two
                            lags that can't be told apart are taken as equal and share lag_1
    drift_per_s             0 where the experiment does not drift
    deviation               standard deviation of the residuals
    related                 how many consecutive residuals count as one
    explained               share of the variance of the process value that the model explains
    swing                   range of the model's response
    outliers                single rows that were left out
    """

    def __init__(self, experiment: Experiment, kind: str):
        self.experiment = experiment
        self.kind = kind
        self._equal_lags = False
        self._use(np.ones(len(experiment.values), dtype=bool), SEARCH_ROWS)
        shape = self._search()
        spikes = self._spikes(shape)
        self._use(~spikes)
        shape = self._polish(shape)
        if spikes.any():
            # They have bent the first fit, so they are judged again by the second.
            self._use(~self._spikes(shape))
            shape = self._polish(shape)
        self.outliers = len(experiment.values) - len(self._values)
        if kind == "sopdt" and self._lags_alike(shape):
            self._equal_lags = True
            shape = self._polish((shape[0] + math.log(0.5 * (1.0 + shape[1])), 1.0, shape[2]))
        self._shape = shape
        self._coefficients, residuals = self._linear(shape)
        covariance, self.deviation, self.related = self._covariance(shape)
        names = self._names()
        kept = [at for at, name in enumerate(names) if name not in ("offset", "drift")]
        self.names = [names[at] for at in kept]
        self.covariance = covariance[np.ix_(kept, kept)]
        times = [float(time) for time in self._times(shape)]
        self.gain = float(self._coefficients[0])
        self.lags_s = tuple(times[:-1]) * (2 if self._equal_lags else 1)
        self.delay_s = times[-1]
        self.drift_per_s = float(self._coefficients[2]) if experiment.drifts else 0.0
        about = self._values - self._values.mean()
        self.rows = len(self._values)
        self.explained = 1.0 - float(residuals @ residuals) / float(about @ about)
        self.swing = abs(self.gain) * float(np.ptp(self._response(shape, experiment.time_s)))

    def values_at(self, time_s):
        """Return the model's process value at times of the record, drift included."""
        return self._regressors(self._shape, time_s) @ self._coefficients

    def _use(self, chosen, most=None):
        """Take the `chosen` rows for what follows, thinned to about `most`."""
        stride = -(-int(chosen.sum()) // most) if most else 1
        self._time_s = self.experiment.time_s[chosen][::stride]
        self._values = self.experiment.values[chosen][::stride]

    # A shape is what enters the response nonlinearly: (ln lag, dead time), (ln lag, ratio of the lags, dead
    # time) or (dead time,).

    def _bounds(self):
        experiment = self.experiment
        longest_s = 1.01 * LONGEST_LAG_RECORDS * experiment.duration_s
        lag = (math.log(0.1 * experiment.interval_s), math.log(longest_s))
        delay = (0.0, 0.9 * (experiment.duration_s - experiment.first_s))
        ratio = (0.999, 1.0) if self._equal_lags else (0.0, 1.0)
        return {"fopdt": (lag, delay), "sopdt": (lag, ratio, delay), "integrating": (delay,)}[self.kind]

    def _times(self, shape):
        """Return the lags, equal ones once, and the dead time in s."""
        if self.kind == "integrating":
            return [shape[0]]
        lag = math.exp(shape[0])
        if self.kind == "sopdt" and not self._equal_lags:
            # A second lag of a millionth of the first is none, and no division by 0.
            return [lag, lag * max(shape[1], 1e-6), shape[2]]
        return [lag, shape[-1]]

    def _response(self, shape, at_s):
        return self._response_of(self._times(shape), at_s)

    def _response_of(self, times, at_s):
        """Return the response of the model of gain 1."""
        excitation = self.experiment.excitation
        if self.kind == "integrating":
            return excitation.integral(at_s, times[0])
        if self.kind == "fopdt":
            return excitation.lag(at_s, times[0], times[1])
        return excitation.two_lags(at_s, times[0], times[-2], times[-1])

    def _regressors(self, shape, at_s):
        """Return the columns gain, offset and, where it drifts, drift."""
        columns = [self._response(shape, at_s), np.ones_like(at_s)]
        if self.experiment.drifts:
            columns.append(at_s)
        return np.column_stack(columns)

    def _linear(self, shape):
        """Return (coefficients, residuals) of the rows in use."""
        regressors = self._regressors(shape, self._time_s)
        # Scaled, and without the first value: a process value of 900 with a swing of 1 loses no digits.
        scale = np.abs(regressors).max(axis=0)
        scale[scale == 0.0] = 1.0
        values = self._values - self._values[0]
        coefficients = np.linalg.lstsq(regressors / scale, values, rcond=1e-12)[0] / scale
        residuals = values - regressors @ coefficients
        coefficients[1] += self._values[0]
        return coefficients, residuals

    def _cost(self, shape) -> float:
        return float(np.sum(self._linear(shape)[1] ** 2))

    def _search(self):
        """Return the best shape: a coarse grid, then least squares from its best places."""
        interval_s = self.experiment.interval_s
        after_s = self.experiment.duration_s - self.experiment.first_s
        shortest_s = max(interval_s, 1e-3 * after_s)
        delays = np.concatenate([[0.0], np.geomspace(shortest_s, 0.8 * after_s, 14)])
        lags = np.log(np.geomspace(max(0.5 * interval_s, 2e-3 * after_s), 3.0 * after_s, 12))
        if self.kind == "fopdt":
            places = [(lag, delay) for lag in lags for delay in delays]
        elif self.kind == "sopdt":
            ratios = (0.1, 0.4, 0.9)
            places = [(lag, ratio, delay) for lag in lags for ratio in ratios for delay in delays[::2]]
        else:
            places = [(delay,) for delay in np.linspace(0.0, 0.8 * after_s, 60)]
        best = sorted(places, key=self._cost)[:3]
        return min((self._polish(place, 1e-5) for place in best), key=self._cost)

    def _polish(self, start, tolerance=1e-12):
        """Return the shape of the local minimum near `start`."""
        low, high = np.array(self._bounds()).T
        start = np.clip(start, low + 1e-9 * (high - low), high - 1e-9 * (high - low))
        # The lag is searched as a logarithm, the dead time in shares of the whole.
        scales = [0.1] * len(start)
        scales[-1] = max(0.1 * sum(self._times(start)), self.experiment.interval_s)
        found = least_squares(
            lambda shape: self._linear(shape)[1] / self.experiment.range,
            start, bounds=(low, high), x_scale=scales, max_nfev=100,
            xtol=tolerance, ftol=tolerance, gtol=tolerance,
        )  # fmt: skip
        return tuple(found.x)

    def _spikes(self, shape):
        """Return which of all rows stand off alone; what the model misses lasts longer than two rows."""
        values = self.experiment.values
        residuals = np.abs(values - self._regressors(shape, self.experiment.time_s) @ self._linear(shape)[0])
        limit = max(OUTLIER * 1.4826 * float(np.median(residuals)), NEGLIGIBLE_SHARE * self.experiment.range)
        far = residuals > limit
        run = np.convolve(far, np.ones(3), mode="same")
        single = far & (np.convolve(run >= 3.0, np.ones(3), mode="same") == 0.0)
        return single if single.sum() <= 0.05 * len(values) else np.zeros_like(far)

    def _lags_alike(self, shape) -> bool:
        """Return whether the record tells the sum of two lags but not their difference."""
        if shape[1] > EQUAL_RATIO:
            return True
        at = self._names().index("lag_2")
        return math.sqrt(self._covariance(shape)[0][at, at]) > (1.0 - shape[1]) * math.exp(shape[0])

    def _names(self):
        lags = {"fopdt": 1, "sopdt": 1 if self._equal_lags else 2, "integrating": 0}[self.kind]
        drift = ["drift"] * self.experiment.drifts
        return ["gain", "offset", *drift, *(f"lag_{at + 1}" for at in range(lags)), "delay"]

    def _covariance(self, shape):
        """Return the covariance of the parameters of _names(), the residuals' deviation and correlation time.

        For residuals that are related over k rows it is k times that of independent ones.
        """
        coefficients, residuals = self._linear(shape)
        columns = list(self._regressors(shape, self._time_s).T)
        times = self._times(shape)
        last = len(times) - 1
        for at, time in enumerate(times):
            low, high = list(times), list(times)
            if at == last:
                # Half a row at least, or the difference sees the kinks of the response at the dead time.
                step = max(0.01 * time, 0.5 * self.experiment.interval_s)
                low[at], high[at] = max(time - step, 0.0), time + step
            else:
                low[at], high[at] = 0.99 * time, 1.01 * time
            change = self._response_of(high, self._time_s) - self._response_of(low, self._time_s)
            columns.append(coefficients[0] * change / (high[at] - low[at]))
        jacobian = np.column_stack(columns)
        scale = np.linalg.norm(jacobian, axis=0)
        scale[scale == 0.0] = 1.0
        free = max(len(residuals) - jacobian.shape[1], 1)
        deviation = math.sqrt(float(residuals @ residuals) / free)
        related = correlation_time(residuals)
        normal = (jacobian / scale).T @ (jacobian / scale)
        inverse = np.linalg.pinv(normal, rcond=1e-14, hermitian=True)
        return deviation**2 * related * inverse / np.outer(scale, scale), deviation, related
