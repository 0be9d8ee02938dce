"""A record in, advice out: model, proposal, margins, and the loop before and after in simulation."""

from dataclasses import dataclass, replace

import numpy as np

from edge.tune.closed_loop import Response, respond
from edge.tune.identify import Estimate, identify
from edge.tune.process import Process
from edge.tune.proposal import Grain, propose
from edge.tune.recording import Record
from edge.tune.robustness import Robustness, examine
from edge.tune.rules import Tuning

# The simulation's step as a share of the closed loop's time, how many of the slowest times it lasts, the most
# steps, and the share of a deviation that may be left at its end.
STEP_SHARE = 0.02
SETTLING_TIMES = 8.0
MOST_STEPS = 40_000
UNSETTLED = 0.02


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
    ms_95       the Ms of the proposal that 95 of 100 models which the record allows do not exceed, <= 2
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
    proposed = propose(process, estimate, Grain.of(record, estimate), rule, controller, tc_s)
    proposal = proposed.tuning
    warnings += proposed.notes
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
    return Advice(
        record, estimate, process, loops[0], loops[1] if len(loops) > 1 else None, proposed.ms_95,
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
