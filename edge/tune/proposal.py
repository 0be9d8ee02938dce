"""Settings within limits: what a rule says, made calmer until noise and doubts of the record are borne."""

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from edge.tune import rules
from edge.tune.identify import Estimate
from edge.tune.process import Process
from edge.tune.recording import Record
from edge.tune.robustness import sensitivity
from edge.tune.rules import Tuning

# Above this a loop is nervous: a gain a third higher, or a dead time half as long again, makes it oscillate.
MOST_MS = 2.0
# Models drawn from the estimate's covariance.
DRAWS = 100
# What noise and one step of the measurement's resolution may move the output by, in percent of its range.
MOST_NOISE_PCT = 3.0
MOST_QUANTUM_PCT = 10.0
# How many times calmer than the rule a proposal may be, and how finely that is searched.
CALMEST = 100.0
HALVINGS = 8


class Unsafe(ValueError):
    """No setting of the wanted kind is safe by what the record shows; says why and what to do."""


@dataclass(frozen=True)
class Grain:
    """How rough the measurement is: `noise` the standard deviation of its fast part, `quantum` its step.

    Both in units of the process value.
    """

    noise: float
    quantum: float

    @classmethod
    def of(cls, record: Record, estimate: Estimate) -> "Grain":
        """Return it from what the model leaves between one row and the next; spikes do not count."""
        good = np.isfinite(record.process_value)
        values = record.process_value[good]
        steps = np.diff(values - estimate.fitted[good])
        low, high = np.quantile(steps, (0.025, 0.975))
        levels = np.diff(np.unique(values))
        levels = levels[levels > 1e-9 * np.abs(values).max()]
        quantum = float(np.quantile(levels, 0.05)) if len(levels) else 0.0
        return cls(float(high - low) / (2.0 * 1.96 * math.sqrt(2.0)), quantum)


@dataclass(frozen=True)
class Proposal:
    """`tuning`, the Ms that 95 of 100 models which the record allows do not exceed, and `notes` on both."""

    tuning: Tuning
    ms_95: float
    notes: tuple


def propose(
    process: Process, estimate: Estimate, grain: Grain, rule: str, controller: str | None, tc_s: float | None
) -> Proposal:
    """Return settings with Ms <= 2 on 95 of 100 models that the record allows, and on its rivals.

    `process` is the model that the rule works with; the other arguments are those of advise(). Unsafe where
    there are none, or where `tc_s` is given and too short.
    """
    if rule == "amigo" and tc_s is not None:
        raise ValueError("AMIGO: the rule has no time constant to choose; tc is for SIMC")
    if rule == "simc" and controller == "pid" and len(process.lags_s) + process.integrating < 2:
        raise ValueError("SIMC: a PID needs a model with two lags (sopdt); for this one take pi")
    if controller is None and len(process.lags_s) == 2:
        # A derivative multiplies noise; where that makes it slower than a PI, the PI is the better one.
        found, reasons = [], []
        for derivative in (True, False):
            try:
                found.append(_calm(process, estimate, grain, rule, derivative, tc_s))
            except Unsafe as reason:
                reasons.append(reason)
        if not found:
            raise reasons[-1]
        return max(found, key=lambda one: one.tuning.gain / one.tuning.ti_s)
    return _calm(process, estimate, grain, rule, controller == "pid", tc_s)


def _calm(process, estimate, grain, rule, derivative, tc_s) -> Proposal:
    """Return the fastest setting of one kind of controller that stays within the limits."""

    def setting(calmer):
        if rule == "amigo":
            # The rule sees a dead time so much longer.
            later_s = (calmer - 1.0) * process.tangent()[2]
            return rules.amigo(replace(process, delay_s=process.delay_s + later_s), derivative)
        model = process if derivative else process.half_rule(1)
        first = rules.simc(model, tc_s)
        return first if calmer == 1.0 else rules.simc(model, calmer * first.tc_s)

    known, models = (process, *estimate.rivals), _allowed(process, estimate)

    @cache
    def worst_ms(calmer):
        tuning = setting(calmer)
        return max(_ms_95(models, tuning), *(sensitivity(model, tuning) for model in known))

    first = setting(1.0)
    quiet = _least(lambda calmer: _too_rough(setting(calmer), grain) is None)
    if quiet is None:
        why = _too_rough(setting(CALMEST), grain)
        raise Unsafe(f"{first.rule}: {why}, however calm it is set: filter the measurement")
    found = _least(lambda calmer: worst_ms(calmer) <= MOST_MS, quiet)
    if found is None:
        raise Unsafe(
            f"{first.rule}: no setting is safe on all models that the record allows: repeat the experiment "
            "with larger steps or several, and a process at rest before it"
        )
    if found == 1.0:
        return Proposal(first, worst_ms(1.0), ())
    why = _too_rough(first, grain)
    if why is None:
        ms = worst_ms(1.0)
        what = f"have Ms {ms:.2f}" if math.isfinite(ms) else "be unstable"
        why = f"the loop may {what} on another model that the record allows"
    tuning = setting(found)
    if tc_s is not None:
        raise Unsafe(f"tc = {tc_s:.3g} s is too short: {why}; {tuning.tc_s:.3g} s would do")
    calm = f"tc = {tuning.tc_s:.3g} s instead of {first.tc_s:.3g} s" if first.tc_s else "calmer than the rule"
    return Proposal(tuning, worst_ms(found), (f"{tuning.rule} with {calm}: else {why}",))


def _least(within, start: float = 1.0):
    """Return the least factor from `start` to CALMEST that is `within` the limits, None if there is none."""
    if within(start):
        return start
    low, high = start, CALMEST
    if not within(high):
        return None
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if within(middle) else (middle, high)
    return high


def _too_rough(tuning: Tuning, grain: Grain):
    """Return how the measurement's roughness moves the output too much, None where it does not."""
    gain = tuning.gain * (1.0 + tuning.n) if tuning.td_s > 0.0 else tuning.gain
    noise, step = gain * grain.noise, gain * grain.quantum
    if noise > MOST_NOISE_PCT:
        return (
            f"noise of {grain.noise:.2g} in the process value would move the output by {noise:.2g} % "
            f"(standard deviation), more than {MOST_NOISE_PCT:g} %"
        )
    if step > MOST_QUANTUM_PCT:
        return (
            f"one step of the measurement's resolution, {grain.quantum:.2g}, would move the output by "
            f"{step:.2g} %, more than {MOST_QUANTUM_PCT:g} %"
        )
    return None


def _allowed(process: Process, estimate: Estimate) -> list:
    """Return models drawn from the estimate's covariance around `process`."""
    draws = np.random.default_rng(0).multivariate_normal(
        np.zeros(len(estimate.errors)), estimate.covariance, DRAWS, method="eigh"
    )
    found = []
    for draw in draws:
        off = dict(zip(estimate.errors, draw, strict=True))
        lags = [lag + off.get(f"lag_{at}", off.get("lag_1", 0.0)) for at, lag in enumerate(process.lags_s, 1)]
        lags = tuple(max(lag, 0.1 * known) for lag, known in zip(lags, process.lags_s, strict=True))
        gain = process.gain + off["gain"]
        delay_s = max(process.delay_s + off["delay"], 0.0)
        found.append(replace(process, gain=gain, lags_s=lags, delay_s=delay_s))
    return found


def _ms_95(models: list, tuning: Tuning) -> float:
    """Return the Ms that 95 of 100 `models` do not exceed, inf if unstable."""
    found = sorted(sensitivity(model, tuning) for model in models)
    return found[math.ceil(0.95 * len(found)) - 1]
