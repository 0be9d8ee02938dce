"""A record in, advice out: model, proposal, margins, and the loop before and after in simulation."""

import math
from dataclasses import dataclass, replace

import numpy as np

from edge.tune import rules
from edge.tune.closed_loop import Response, respond
from edge.tune.identify import Estimate, identify
from edge.tune.process import Process
from edge.tune.recording import Record
from edge.tune.robustness import Robustness, examine
from edge.tune.rules import Tuning

# The simulation's step as a share of the closed loop's time, how many of the slowest times it lasts, the most
# steps, and the share of a deviation that may be left at its end.
STEP_SHARE = 0.02
SETTLING_TIMES = 8.0
MOST_STEPS = 40_000
UNSETTLED = 0.02
# Above this a loop is nervous: a gain a third higher, or a dead time half as long again, makes it oscillate.
NERVOUS_MS = 2.0
# Models drawn from the estimate's covariance.
DRAWS = 100


@dataclass(frozen=True)
class Loop:
    """One tuning on the model: its margins and its responses to a set-point and a load step."""

    tuning: Tuning
    margins: Robustness
    set_point: Response
    load: Response


@dataclass(frozen=True)
class Advice:
    """What is said of one record.

    process     the model that the rules and the simulation work with: the estimate's, with the dead time that
                sampling adds
    ms_95       the Ms of the proposal that 95 of 100 models which the record allows do not exceed
    proposal, current   loops; current is None where no settings were given
    set_point_step, load_step   sizes of the simulated steps: the record's own movements of process value and
                output
    """

    record: Record
    estimate: Estimate
    process: Process
    proposal: Loop
    current: Loop | None
    ms_95: float
    set_point_step: float
    load_step: float
    warnings: tuple


def advise(
    record: Record,
    model: str = "auto",
    rule: str = "simc",
    controller: str | None = None,
    tc_s: float | None = None,
    current: tuple | None = None,
    tick_s: float = 0.0,
) -> Advice:
    """Return the advice for a record. Unidentifiable or ValueError say why there is none.

    `model` as in identify(); `rule` simc or amigo; `controller` pi or pid, None for a PID with two lags and a
    PI else; `tc_s` the closed loop's time constant, for SIMC; `current` (gain, ti_s, td_s) of the settings in
    use; `tick_s` the period of the controller, half of which counts as dead time, 0 for a continuous one.
    """
    estimate = identify(record, model)
    warnings = list(estimate.warnings)
    process = _with_sampling(estimate.process, record, tick_s, warnings)
    proposal = _tuning(process, rule, controller, tc_s)
    if proposal.tc_s is not None and proposal.tc_s < process.delay_s:
        warnings.append(
            f"tc = {proposal.tc_s:.3g} s is shorter than the dead time of {process.delay_s:.3g} s: less "
            "robust than the rule recommends"
        )
    closed_s = (proposal.tc_s or process.tangent()[2]) + process.delay_s
    if tick_s > 0.2 * closed_s:
        enough = f"{0.2 * closed_s:.2g} s or less would do"
        warnings.append(f"a tick of {tick_s:g} s is slow for this loop: {enough}")

    tunings = [proposal]
    if current is not None:
        tunings.append(Tuning(*current, direction=proposal.direction, rule="current"))
    set_point_step, load_step = float(np.ptp(estimate.fitted)), float(np.abs(np.diff(record.output)).max())
    dt_s = tick_s or STEP_SHARE * closed_s
    settling_s = max(_slowest(process, tuning, closed_s) for tuning in tunings)
    horizon_s = min(SETTLING_TIMES * settling_s, MOST_STEPS * dt_s)
    # The simulation samples for itself; what the tick adds is not to be counted twice.
    plant = replace(process, delay_s=max(process.delay_s - 0.5 * dt_s, 0.0))
    loops = [
        Loop(
            tuning,
            examine(process, tuning),
            respond(plant, tuning, set_point_step, 0.0, dt_s, horizon_s),
            respond(plant, tuning, 0.0, load_step, dt_s, horizon_s),
        )
        for tuning in tunings
    ]
    for loop in loops:
        if loop.margins.stable and loop.tuning.ti_s > 0.0 and _left(loop, set_point_step) > UNSETTLED:
            warnings.append(f"{loop.tuning.rule}: not yet settled at the simulated end, {horizon_s:.3g} s")
    ms_95 = _spread(process, estimate, proposal)
    if ms_95 > NERVOUS_MS:
        warnings.append(
            "the model is not sure enough for this proposal: one in twenty of those the record allows "
            + (f"gives Ms {ms_95:.2f} or more" if math.isfinite(ms_95) else "makes the loop unstable")
            + "; take a longer tc, or repeat the experiment with larger steps"
        )
    return Advice(
        record, estimate, process, loops[0], loops[1] if len(loops) > 1 else None, ms_95,
        set_point_step, load_step, tuple(warnings),
    )  # fmt: skip


def _slowest(process: Process, tuning: Tuning, closed_s: float) -> float:
    """Return the slowest time constant of a loop, roughly: the rule's, Ti, or that of a weak controller."""
    if tuning.gain == 0.0:
        return closed_s
    if process.integrating:
        return max(closed_s, tuning.ti_s, 1.0 / (abs(process.gain) * tuning.gain))
    return max(closed_s, tuning.ti_s, tuning.ti_s / (abs(process.gain) * tuning.gain))


def _left(loop: Loop, set_point_step: float) -> float:
    """Return the share of the deviations that is left at the end of the simulation."""
    load = np.abs(loop.load.process_value)
    after_load = float(load[-1] / load.max()) if load.max() > 0.0 else 0.0
    return max(after_load, abs(float(loop.set_point.process_value[-1]) / set_point_step - 1.0))


def _with_sampling(process: Process, record: Record, tick_s: float, warnings: list) -> Process:
    """Return the process with the dead time that a rule may count on."""
    interval_s = float(np.median(np.diff(record.time_s)))
    delay_s = process.delay_s
    if delay_s < interval_s:
        warnings.append(
            f"the dead time of {delay_s:.2g} s is below the {interval_s:.3g} s between two rows, where the "
            f"record can't tell it: the rule works with {interval_s:.3g} s"
        )
        delay_s = interval_s
    return replace(process, delay_s=delay_s + 0.5 * tick_s)


def _tuning(process: Process, rule: str, controller: str | None, tc_s: float | None) -> Tuning:
    derivative = len(process.lags_s) == 2 if controller is None else controller == "pid"
    if rule == "amigo":
        if tc_s is not None:
            raise ValueError("AMIGO: the rule has no time constant to choose; tc is for SIMC")
        return rules.amigo(process, derivative)
    if not derivative:
        return rules.simc(process.half_rule(1), tc_s)
    if len(process.lags_s) + process.integrating < 2:
        raise ValueError("SIMC: a PID needs a model with two lags (sopdt); for this one take pi")
    return rules.simc(process, tc_s)


def _spread(process: Process, estimate: Estimate, tuning: Tuning) -> float:
    """Return the Ms that 95 of 100 models which the record allows do not exceed, inf if unstable."""
    draws = np.random.default_rng(0).multivariate_normal(
        np.zeros(len(estimate.errors)), estimate.covariance, DRAWS, method="eigh"
    )
    found = []
    for draw in draws:
        off = dict(zip(estimate.errors, draw, strict=True))
        lags = [lag + off.get(f"lag_{at}", off.get("lag_1", 0.0)) for at, lag in enumerate(process.lags_s, 1)]
        lags = tuple(max(lag, 0.1 * known) for lag, known in zip(lags, process.lags_s, strict=True))
        gain = process.gain + off["gain"]
        other = replace(process, gain=gain, lags_s=lags, delay_s=max(process.delay_s + off["delay"], 0.0))
        margins = examine(other, tuning)
        found.append(margins.ms if margins.stable else math.inf)
    return sorted(found)[math.ceil(0.95 * DRAWS) - 1]


def as_dict(advice: Advice) -> dict:
    """Return the advice for JSON; what does not exist or is not finite is None."""
    estimate, model = advice.estimate, advice.estimate.process
    return _finite(
        {
            "file": advice.record.source,
            "rows": len(advice.record.time_s),
            "duration_s": float(advice.record.time_s[-1]),
            "model": {
                "kind": model.kind,
                "gain": model.gain,
                "lags_s": list(model.lags_s),
                "delay_s": model.delay_s,
                "standard_errors": estimate.errors,
                "explained": estimate.explained,
                "noise": estimate.noise,
                "drift_per_s": estimate.drift_per_s,
            },
            "warnings": list(advice.warnings),
            "proposal": _loop(advice.proposal),
            "proposal_ms_95": advice.ms_95,
            "current": _loop(advice.current) if advice.current else None,
            "set_point_step": advice.set_point_step,
            "load_step": advice.load_step,
        }
    )


def _loop(loop: Loop) -> dict:
    tuning = loop.tuning
    return {
        "rule": tuning.rule,
        "gain": tuning.gain,
        "ti_s": tuning.ti_s,
        "td_s": tuning.td_s,
        "n": tuning.n,
        "b": tuning.b,
        "action": action(tuning),
        "tc_s": tuning.tc_s,
        "margins": vars(loop.margins),
        "set_point_response": _figures(loop, loop.set_point),
        "load_response": _figures(loop, loop.load),
    }


def _figures(loop: Loop, response: Response) -> dict:
    if not loop.margins.stable:
        return {"iae": None, "peak": None, "variation": None}
    return {"iae": response.iae, "peak": response.peak, "variation": response.variation}


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value


def action(tuning: Tuning) -> str:
    """Return what a node file calls the direction of a controller."""
    return "reverse" if tuning.direction > 0.0 else "direct"


def as_text(advice: Advice) -> str:
    """Return the advice as lines for a terminal."""
    record, estimate, model = advice.record, advice.estimate, advice.estimate.process
    errors = estimate.errors
    lines = [
        f"record     {record.source}: {len(record.time_s)} rows in {record.time_s[-1]:.6g} s, output "
        f"{record.output.min():.4g} to {record.output.max():.4g}, process value "
        f"{np.nanmin(record.process_value):.4g} to {np.nanmax(record.process_value):.4g}",
        f"model      {model.kind}: P(s) = {formula(model)}",
        f"           gain {_sure(model.gain, errors['gain'])}" + (" per s" if model.integrating else ""),
    ]
    for at, lag in enumerate(model.lags_s, 1):
        lines.append(f"           lag {_sure(lag, errors.get(f'lag_{at}', errors['lag_1']))} s")
    lines += [
        f"           dead time {_sure(model.delay_s, errors['delay'])} s   (+- one standard error)",
        f"           explains {100.0 * estimate.explained:.2f} % of the movement; standard deviation of the "
        f"rest {estimate.noise:.3g}",
    ]
    lines += [f"warning    {line}" for line in advice.warnings]
    lines += _told("proposal", advice.proposal)
    if advice.proposal.margins.stable:
        lines.append(f"           Ms up to {advice.ms_95:.2f} for 95 % of the models that the record allows")
    lines.append(f"           action = \"{action(advice.proposal.tuning)}\", for a node file's [loop]")
    if advice.current:
        lines += _told("current", advice.current)
    lines.append(f"simulated  {'step':20} {'loop':10} {'IAE':>10} {'peak':>10} {'output moves':>13}")
    loops = [("proposal", advice.proposal), ("current", advice.current)]
    for step in (f"set point +{advice.set_point_step:.3g}", f"load +{advice.load_step:.3g}"):
        for name, loop in loops:
            if loop is not None:
                response = loop.set_point if step.startswith("set point") else loop.load
                lines.append(f"           {step:20} {name:10} {_told_figures(loop, response)}")
    return "\n".join(lines)


def formula(process: Process) -> str:
    """Return the transfer function as text."""
    below = ["s"] * process.integrating + [f"({lag:.4g} s + 1)" for lag in process.lags_s]
    dead = f" e^(-{process.delay_s:.4g} s)" if process.delay_s else ""
    return f"{process.gain:.4g}{dead} / {' '.join(below)}"


def _sure(value: float, error: float) -> str:
    return f"{value:.4g} +- {error:.2g}"


def _told_figures(loop: Loop, response: Response) -> str:
    if not loop.margins.stable:
        return f"{'unstable':>10}"
    return f"{response.iae:10.4g} {response.peak:10.4g} {response.variation:13.4g}"


def _told(name: str, loop: Loop) -> list:
    tuning, margins = loop.tuning, loop.margins
    rule = tuning.rule + (f", tc = {tuning.tc_s:.4g} s" if tuning.tc_s is not None else "")
    settings = f"gain = {tuning.gain:.4g}, ti_s = {tuning.ti_s:.4g}, td_s = {tuning.td_s:.4g}"
    lines = [f"{name:10} {settings}   ({rule})"]
    if margins.stable:
        lines.append(
            f"           Ms {margins.ms:.2f}, gain margin {margins.gain_margin:.2f}, phase margin "
            f"{margins.phase_margin_deg:.1f} deg, delay margin {margins.delay_margin_s:.3g} s"
        )
    else:
        lines.append("           unstable on this model")
    return lines
