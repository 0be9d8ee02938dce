"""Advice as lines for a terminal and as data for JSON."""

import math

import numpy as np

from edge.tune.advice import Advice, Loop
from edge.tune.closed_loop import Response
from edge.tune.process import Process
from edge.tune.rules import Tuning


def as_dict(advice: Advice) -> dict:
    """Return the advice for JSON; what does not exist or is not finite is None."""
    estimate, model = advice.estimate, advice.estimate.process
    return _finite(
        {
            "file": advice.record.source,
            "rows": len(advice.record.time_s),
            "duration_s": float(advice.record.time_s[-1]),
            "taken_as": list(advice.record.taken),
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
        *(f"{'' if at else 'taken as':10} {line}" for at, line in enumerate(record.taken)),
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
    lines.append(f'           action = "{action(advice.proposal.tuning)}", for a node file\'s [loop]')
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
