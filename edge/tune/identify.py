"""Identification: the process model that explains a record best and how sure it is, or why there is none."""

import math
from dataclasses import dataclass, replace

import numpy as np

from edge.tune.experiment import SLOW_ROWS, Experiment, Unidentifiable
from edge.tune.fit import LONGEST_LAG_RECORDS, NEGLIGIBLE_SHARE, Fit
from edge.tune.process import Process
from edge.tune.recording import Record

NAMES = {
    "fopdt": "first order with dead time",
    "sopdt": "second order with dead time",
    "integrating": "integrating with dead time",
}
# The gain must be known to a fifth, lags and dead time to a third of what they add up to.
GAIN_SURENESS = 5.0
TIME_SURENESS = 3.0
# A model may leave so many times the residuals of the closest one.
MOST_MISSED = 1.25
# Residuals related over more than this share of the rows are no noise, but other influences.
SLOW_SHARE = 0.01
LEAST_EXPLAINED = 0.9
# A hole in which the output changed may last this share of all times of the model.
HOLE_SHARE = 0.1
# How much likelier (as a logarithm, doubled) a record must be with its hole closed to say that the clock was
# set;
# so many of the longest holes are looked at.
CLOCK_SURENESS = 10.0
MOST_HOLES = 3
# The answer to the output must exceed so many standard deviations of slow movements at rest.
UNREST_EXCESS = 8.0


@dataclass(frozen=True)
class Estimate:
    """A model and how sure it is.

    process         the model
    errors          standard errors by name: gain, lag_1, lag_2, delay (s). Residuals that are correlated
                    count less than independent ones. Lags that can't be told apart share lag_1
    covariance      of the same parameters in the same order
    explained       share of the variance of the process value that the model explains, 0..1
    noise           standard deviation of what it does not, in units of the process value
    drift_per_s     linear drift that was fitted as well, 0 without
    fitted          the model's process value at the record's times
    rivals          models of the other kinds that explain the record as well, determined or not
    warnings        sentences for whoever uses the model
    """

    process: Process
    errors: dict
    covariance: np.ndarray
    explained: float
    noise: float
    drift_per_s: float
    fitted: np.ndarray
    rivals: tuple
    warnings: tuple


def identify(record: Record, kind: str = "auto") -> Estimate:
    """Return the model of a record; Unidentifiable says why there is none.

    `kind` is fopdt, sopdt or integrating; auto takes the one that the record supports best, the simpler one
    where the difference means nothing. The process is taken to be at rest at the first row.
    """
    if kind not in (*NAMES, "auto"):
        raise ValueError(f"model {kind!r}: expected {', '.join(NAMES)} or auto")
    experiment = Experiment(record)
    fits = [Fit(experiment, one) for one in NAMES]
    # The closest fit knows best what is noise; a model that misses leaves residuals that move slowly.
    closest = min(fits, key=lambda fit: fit.deviation)
    floor = (NEGLIGIBLE_SHARE * experiment.range) ** 2
    missed = {fit.kind: math.log(fit.deviation**2 + floor) for fit in fits}
    count = max(closest.rows / closest.related, 2.0)
    found, reasons = [], []
    for fit in fits if kind == "auto" else [fit for fit in fits if fit.kind == kind]:
        most = missed[fit.kind] + 2.0 * math.log(MOST_MISSED)
        rivals = [_process(other) for other in fits if other is not fit and missed[other.kind] <= most]
        try:
            estimate = _estimate(experiment, fit, record, rivals)
        except Unidentifiable as reason:
            reasons.append(str(reason))
            continue
        # Another kind must not stand in for the right one when the record does not determine that.
        if kind == "auto" and missed[fit.kind] > missed[closest.kind] + 2.0 * math.log(MOST_MISSED):
            reasons.append(f"{NAMES[fit.kind]}: leaves far more unexplained than the {NAMES[closest.kind]}")
            continue
        # Bayesian information criterion.
        parameters = len(estimate.errors)
        found.append((count * missed[fit.kind] + parameters * math.log(count), len(found), estimate))
    if not found:
        doubts = [f"{hole.told}: if the clock was set there, no model fits" for hole in experiment.holes[:1]]
        raise Unidentifiable("\n".join(dict.fromkeys([*reasons, *doubts])))
    estimate = min(found)[2]
    _refuse_a_clock_that_was_set(experiment, record, estimate)
    return estimate


def _refuse_a_clock_that_was_set(experiment: Experiment, record: Record, estimate: Estimate) -> None:
    """Refuse the record where it fits better with one of its holes closed: the clock was set there.

    Where the process value rests over the hole both fit equally, and the model is the same.
    """
    kind = estimate.process.kind
    for hole in [hole for hole in experiment.holes if not hole.steps][:MOST_HOLES]:
        shift_s = hole.length_s - experiment.interval_s
        closed = replace(record, time_s=record.time_s - np.where(record.time_s > hole.start_s, shift_s, 0.0))
        fit = Fit(Experiment(closed), kind)
        floor = (NEGLIGIBLE_SHARE * experiment.range) ** 2
        gained = math.log((estimate.noise**2 + floor) / (fit.deviation**2 + floor))
        if gained * fit.rows / fit.related > CLOCK_SURENESS:
            raise Unidentifiable(
                f"{hole.told}, and the record fits better without it: was the clock set there? Cut the "
                "record with --from or --to, or record again"
            )


def _process(fit: Fit) -> Process:
    return Process(fit.gain, fit.lags_s, fit.delay_s, fit.kind == "integrating")


def _estimate(experiment: Experiment, fit: Fit, record: Record, rivals: list) -> Estimate:
    """Return the fit as an estimate, or refuse it where the record does not carry it."""
    errors = dict(zip(fit.names, np.sqrt(np.diag(fit.covariance)).tolist(), strict=True))
    _refuse_unless_seen(experiment, fit, errors)
    return Estimate(
        process=_process(fit),
        errors=errors,
        covariance=fit.covariance,
        explained=fit.explained,
        noise=fit.deviation,
        drift_per_s=fit.drift_per_s,
        fitted=fit.values_at(record.time_s),
        rivals=tuple(rivals),
        warnings=(*experiment.warnings, *_warnings(experiment, fit)),
    )


def _refuse_unless_seen(experiment: Experiment, fit: Fit, errors: dict) -> None:
    name = NAMES[fit.kind]
    total_s = fit.delay_s + sum(fit.lags_s)
    for hole in experiment.holes:
        if hole.steps and hole.length_s > HOLE_SHARE * total_s:
            raise Unidentifiable(
                f"{hole.told}, and the output changed in it: when is not recorded (or the clock was set "
                "there); cut the record with --from or --to, or record again"
            )
    if not abs(fit.gain) > GAIN_SURENESS * errors["gain"]:
        raise Unidentifiable(
            f"{name}: the process value does not answer clearly enough to the output (gain {fit.gain:.3g} +- "
            f"{errors['gain']:.2g}): make larger steps or several, or keep other influences away"
        )
    if fit.swing < UNREST_EXCESS * experiment.unrest:
        raise Unidentifiable(
            f"{name}: before the output changes the process value already moves, by +- "
            f"{experiment.unrest:.3g}; its answer of {fit.swing:.3g} does not stand out: make larger steps, "
            "or keep other influences away"
        )
    if fit.explained < LEAST_EXPLAINED and fit.related > max(SLOW_ROWS, SLOW_SHARE * fit.rows):
        raise Unidentifiable(
            f"{name}: explains only {100.0 * fit.explained:.0f} % of the movement, and what remains moves "
            "slowly: other influences, or a process of another kind; keep them away, or make larger steps"
        )
    if fit.lags_s and fit.lags_s[0] > LONGEST_LAG_RECORDS * experiment.duration_s:
        raise Unidentifiable(
            f"{name}: the process value does not bend towards a new rest within the record of "
            f"{experiment.duration_s:g} s: record longer, or take the model integrating"
        )
    for key, error in errors.items():
        if key != "gain" and TIME_SURENESS * error > max(total_s, experiment.interval_s):
            raise Unidentifiable(
                f"{name}: its times are not determined ({key.replace('_', ' ')} to +- {error:.2g} s, all "
                f"together {total_s:.3g} s): make larger steps or several, and record on until it has settled"
            )


def _warnings(experiment: Experiment, fit: Fit) -> list:
    """Return what makes the model less good than its standard errors say."""
    found = []
    if fit.outliers:
        found.append(f"{fit.outliers} single rows far off the others are left out")
    if fit.explained < LEAST_EXPLAINED:
        share = f"{100.0 * fit.explained:.0f} %"
        found.append(f"the model explains only {share} of the movement: the rest is noise")
    seen_s = experiment.duration_s - experiment.first_s
    if fit.lags_s and seen_s < fit.delay_s + 2.0 * sum(fit.lags_s):
        found.append(
            f"the record ends {seen_s:.3g} s after the first change, before the process value has settled: "
            "gain and lag are extrapolated"
        )
    if fit.lags_s and experiment.interval_s > 0.2 * fit.lags_s[0]:
        apart = f"rows {experiment.interval_s:.3g} s apart"
        found.append(f"{apart} are coarse for a lag of {fit.lags_s[0]:.3g} s")
    if fit.related > SLOW_SHARE * fit.rows and fit.explained < 0.999:
        found.append(
            "what the model does not explain moves slowly: a disturbance, or a process of another kind; "
            "standard errors are rough"
        )
    return found
