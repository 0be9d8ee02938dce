"""A loop in simulation: the production controller ``cext.pid`` around a process model."""

from dataclasses import dataclass

import numpy as np

from cext.pid import PID
from edge.tune.process import Process, Simulation
from edge.tune.rules import Tuning

# No limits: what is compared are the settings, as deviations from an operating point.
UNLIMITED = 1.0e30


@dataclass(frozen=True)
class Response:
    """One simulated step. Arrays of equal length: `time_s`, `process_value`, `output` (after the step at 0).

    iae         integral of |set point - process value| in units x s
    peak        greatest deviation of the process value in the direction of the step
    variation   total variation of the output, the first jump included
    """

    time_s: np.ndarray
    process_value: np.ndarray
    output: np.ndarray
    iae: float
    peak: float
    variation: float


def controller(tuning: Tuning) -> PID:
    """Return a production controller with these settings, without limits, at rest."""
    pid = PID(tuning.gain, tuning.ti_s, tuning.td_s)
    pid.tune(tuning.gain, tuning.ti_s, tuning.td_s, tuning.b, 0.0, tuning.n)
    pid.direction = tuning.direction
    pid.out_min, pid.out_max = -UNLIMITED, UNLIMITED
    return pid


def respond(
    process: Process, tuning: Tuning, set_point: float, load: float, dt_s: float, horizon_s: float
) -> Response:
    """Return the response to a step of the set point and of a load at the process input, both at time 0.

    `set_point` in units of the process value, `load` in units of the output; the controller is called every
    `dt_s` and holds its output between. An unstable loop ends early, when the process value has left any
    reasonable range.
    """
    pid, plant = controller(tuning), Simulation(process, dt_s)
    steps = max(round(horizon_s / dt_s), 1)
    values, outputs = np.zeros(steps + 1), np.zeros(steps + 1)
    bound = 1e6 * (abs(set_point) + abs(load * process.gain) * (1.0 + horizon_s))
    value, step_pid, step_plant = 0.0, pid.step, plant.step
    # One call at rest, so that the controller has something to differentiate against.
    step_pid(0.0, 0.0, 0.0, dt_s)
    for at in range(steps):
        outputs[at] = step_pid(set_point, value, 0.0, dt_s)
        values[at + 1] = value = step_plant(outputs[at] + load)
        if not abs(value) < bound:
            values, outputs = values[: at + 2], outputs[: at + 2]
            break
    outputs[-1] = outputs[-2]
    error = np.abs(set_point - values)
    direction = 1.0 if (set_point or load * process.gain) >= 0.0 else -1.0
    return Response(
        time_s=dt_s * np.arange(len(values)),
        process_value=values,
        output=outputs,
        iae=float(dt_s * (error.sum() - 0.5 * (error[0] + error[-1]))),
        peak=float((direction * values).max()),
        variation=float(np.abs(np.diff(outputs, prepend=0.0)).sum()),
    )
