"""Responses of lags and integrators to a recorded output, exact for every sampling, also an irregular one."""

import numpy as np


class Excitation:
    """The changes of a recorded output, in force from each of the ascending times `time_s` to the next.

    All responses are deviations from rest at the first output.
    """

    def __init__(self, time_s, output):
        places = np.nonzero(np.diff(output))[0] + 1
        self.change_s = time_s[places]
        self.change = np.diff(output)[places - 1]

    def lag(self, at_s, lag_s, delay_s):
        """Return the response of e^(-delay_s s)/(lag_s s + 1) at the ascending times `at_s`."""
        steps, level, sampled = self._delayed(at_s, delay_s)
        return _first_order(np.exp(-steps / lag_s), level)[sampled]

    def two_lags(self, at_s, lag_s, other_s, delay_s):
        """Return the response of e^(-delay_s s)/((lag_s s + 1)(other_s s + 1))."""
        # Partial fractions lose as many digits as the lags agree in: 1e-4 apart leaves 12 of them, and moving
        # equal lags so far apart changes the response by 1e-9.
        mean = 0.5 * (lag_s + other_s)
        if abs(lag_s - other_s) < 1e-4 * mean:
            lag_s, other_s = mean * (1.0 + 5e-5), mean * (1.0 - 5e-5)
        steps, level, sampled = self._delayed(at_s, delay_s)
        both = [lag * _first_order(np.exp(-steps / lag), level) for lag in (lag_s, other_s)]
        return ((both[0] - both[1]) / (lag_s - other_s))[sampled]

    def integral(self, at_s, delay_s):
        """Return the response of e^(-delay_s s)/s."""
        steps, level, sampled = self._delayed(at_s, delay_s)
        return np.concatenate([[0.0], np.cumsum(steps * level)])[sampled]

    def _delayed(self, at_s, delay_s):
        """Return (steps, level, sampled) of a grid with all `at_s` and all delayed changes on it.

        `steps` are its intervals, `level` the delayed input in each, `sampled` the places of `at_s`.
        """
        grid = np.concatenate([at_s, self.change_s + delay_s])
        order = np.argsort(grid, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        jumps = np.zeros(len(grid))
        jumps[place[len(at_s) :]] = self.change
        return np.diff(grid[order]), np.cumsum(jumps)[:-1], place[: len(at_s)]


def _first_order(decay, level):
    """Return x with x[0] = 0, x[k + 1] = decay[k] x[k] + (1 - decay[k]) level[k].

    By doubling: after each round an entry knows twice as many of its predecessors.
    """
    decay = decay.copy()
    x = (1.0 - decay) * level
    shift = 1
    while shift < len(x):
        x[shift:] += decay[shift:] * x[:-shift]
        decay[shift:] = decay[shift:] * decay[:-shift]
        decay[:shift] = 0.0
        # What is older than this does not count any more.
        if decay.max() < 1e-18:
            break
        shift *= 2
    return np.concatenate([[0.0], x])
