"""The advice as a picture: the record with its model, and the loop before and after in simulation."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from edge.tune.advice import Advice
from edge.tune.report import formula

BEFORE, AFTER, MEASURED = "tab:orange", "tab:blue", "0.6"


def draw(advice: Advice, path: str) -> None:
    """Write the picture to `path`, whose ending decides on the format; OSError or ValueError if it can't."""
    figure = Figure(figsize=(12.0, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2, sharex="col", height_ratios=(2, 1))
    _record(axes[:, 0], advice)
    _loops(axes[:, 1], advice)
    for axis in axes.flat:
        axis.grid(alpha=0.3)
    for axis in axes[1]:
        axis.set_xlabel("s")
    figure.savefig(path, dpi=100)


def _record(axes, advice: Advice) -> None:
    record, estimate = advice.record, advice.estimate
    axes[0].plot(record.time_s, record.process_value, ".", color=MEASURED, markersize=3, label="measured")
    axes[0].plot(record.time_s, estimate.fitted, color=AFTER, label="model")
    axes[0].set_title(f"{record.source}: {formula(estimate.process)}", fontsize="medium")
    axes[0].set_ylabel("process value")
    axes[0].legend()
    axes[1].step(record.time_s, record.output, where="post", color="0.3")
    axes[1].set_ylabel("output")


def _loops(axes, advice: Advice) -> None:
    loops = [("after", advice.proposal, AFTER)]
    if advice.current is not None:
        loops.insert(0, ("before", advice.current, BEFORE))
    shown = [loop for _, loop, _ in loops if loop.margins.stable]
    # The responses of a linear loop add: the load step follows when the set-point step has settled.
    end_s = max((loop.set_point.time_s[-1] for loop in shown), default=1.0)
    for name, loop, colour in loops:
        tuning = loop.tuning
        label = f"{name}: K {tuning.gain:.3g}, Ti {tuning.ti_s:.3g} s, Td {tuning.td_s:.3g} s"
        if not loop.margins.stable:
            axes[0].plot([], [], color=colour, label=label + ", unstable")
            continue
        time_s = np.concatenate([loop.set_point.time_s, end_s + loop.load.time_s])
        last = loop.set_point.process_value[-1], loop.set_point.output[-1]
        value = np.concatenate([loop.set_point.process_value, last[0] + loop.load.process_value])
        output = np.concatenate([loop.set_point.output, last[1] + loop.load.output])
        axes[0].plot(time_s, value, color=colour, label=f"{label}, Ms {loop.margins.ms:.2f}")
        axes[1].step(time_s, output, where="post", color=colour)
    axes[0].axhline(advice.set_point_step, color="0.3", linewidth=0.8, linestyle="--")
    steps = f"set point +{advice.set_point_step:.3g}, then load +{advice.load_step:.3g}"
    axes[0].set_title(f"simulated: {steps}", fontsize="medium")
    axes[0].set_ylabel("deviation")
    axes[0].legend(loc="lower right")
    axes[1].set_ylabel("output")
