"""Draw the step responses of the oracle batch: the production controller beside an independent calculation.

    python -m docs.make_step_responses              from the root of the project

writes docs/step-responses.md and docs/step-responses.png. Ours is ``cext.pid`` called every 2 ms around a
model that is exact for held inputs. The oracle is the inverse Fourier transform of the closed loop's
frequency response (tests/tune/oracles.py): no time step, no code of the project.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy.integrate import trapezoid

from edge.tune.closed_loop import respond
from edge.tune.robustness import examine
from tests.tune.oracles import batch, fourier

FOLDER = Path(__file__).parent
DT_S = 0.002
# The figures of the CSV were integrated over long times; the pictures end where nothing happens any more.
HORIZON_S = 80.0
SHOWN_S = {
    "1/((s+1)(.2s": 4.0, "lag": 4.0, "delay": 12.0, "Integrator": 40.0, "1/(s+1)": 25.0, "bal": 25.0,
    "FOPDT k1 tau8": 40.0,
}  # fmt: skip
SHOWN_ELSE_S = 15.0
COLUMNS = 3
ORACLE, OURS = {"color": "#f0a030", "linewidth": 4.0}, {"color": "#103060", "linewidth": 1.0}

HEAD = """# Step responses of the oracle batch

<!-- Written by: python -m docs.make_step_responses -->

Every process and tuning of [pid_oracles.csv](../tests/cext/data/pid_oracles.csv), with the production
controller `cext.pid` called every 2 ms: a step of the set point at time 0 (the curve that ends at 1) and a
step of the load at the process input (the curve that ends at 0), beside the oracle. The oracle is the inverse
Fourier transform of the closed loop's frequency response; it has no time step and shares no code with the
controller.

![step responses](step-responses.png)

IAE is the integral of the absolute error over 80 s, "off" the greatest distance between the two curves in
permille of the step, set point and load. The IAE of our curves is within {ours:.2f} % of the oracle
everywhere, the sampling of 2 ms included. The columns "CSV" are the figures that the batch came with. They
are those of a loop sampled at 5 ms whose output takes effect one sample later, and so up to {worst:.2f} % off
the oracle ("{worst_name}").
The series PID has its filter around the whole controller in the CSV, and around the derivative here.

| case | {columns} |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""
COLUMN_NAMES = (
    "Ms ours", "CSV", "IAE set point ours", "oracle", "CSV", "IAE load ours", "oracle", "CSV",
    "overshoot % ours", "oracle", "CSV", "off",
)  # fmt: skip


def compare(case) -> dict:
    """Return curves and figures of one case, ours and the oracle's."""
    steps = (1.0, 0.0), (0.0, 1.0)
    ours = [respond(case.process, case.tuning, *step, DT_S, HORIZON_S) for step in steps]
    time_s, *curves = fourier(case, HORIZON_S)
    off = [
        float(np.abs(np.interp(one.time_s, time_s, curve) - one.process_value).max())
        for one, curve in zip(ours, curves, strict=True)
    ]
    errors = np.abs(1.0 - curves[0]), np.abs(curves[1])
    return {
        "case": case,
        "ours": ours,
        "oracle": (time_s, *curves),
        "off": off,
        "iae": [float(trapezoid(error, time_s)) for error in errors],
        "overshoot": float(curves[0].max()) - 1.0,
        "ms": examine(case.process, case.tuning).ms,
    }


def page(results: list) -> str:
    """Return the page as Markdown."""
    rows, csv_off, ours_off = [], [], []
    for result in results:
        case = result["case"]
        figures = case.figures
        cells = [case.name, f"{result['ms']:.3f}", f"{figures['Ms']:.3f}"]
        for one, oracle, key in zip(result["ours"], result["iae"], ("IAE_sp", "IAE_load"), strict=True):
            cells += [f"{one.iae:.4f}", f"{oracle:.4f}", f"{figures[key]:.4f}"]
            csv_off.append((abs(figures[key] / oracle - 1.0), case.name))
            ours_off.append(abs(one.iae / oracle - 1.0))
        overshoots = result["ours"][0].peak - 1.0, result["overshoot"], figures["overshoot"]
        cells += [f"{abs(100.0 * max(overshoot, 0.0)):.2f}" for overshoot in overshoots]
        cells.append(", ".join(f"{1000.0 * off:.2f}" for off in result["off"]))
        rows.append("| " + " | ".join(cells) + " |")
    worst, worst_name = max(csv_off)
    columns = " | ".join(COLUMN_NAMES)
    ours = 100.0 * max(ours_off)
    head = HEAD.format(worst=100.0 * worst, worst_name=worst_name, ours=ours, columns=columns)
    return head + "\n".join(rows) + "\n"


def draw(results: list) -> Figure:
    """Return the picture: one panel a case."""
    lines = -(-len(results) // COLUMNS)
    figure = Figure(figsize=(4.2 * COLUMNS, 2.5 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(lines, COLUMNS)
    for axis, result in zip(axes.flat, results, strict=False):
        name = result["case"].name
        shown_s = next((value for start, value in SHOWN_S.items() if name.startswith(start)), SHOWN_ELSE_S)
        time_s, *curves = result["oracle"]
        for curve, one in zip(curves, result["ours"], strict=True):
            axis.plot(time_s, curve, **ORACLE)
            axis.plot(one.time_s, one.process_value, **OURS)
        axis.set_xlim(0.0, shown_s)
        axis.set_title(name, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    for axis in axes.flat[len(results) :]:
        axis.axis("off")
        axis.plot([], [], label="oracle: inverse Fourier transform", **ORACLE)
        axis.plot([], [], label="ours: cext.pid every 2 ms", **OURS)
        axis.legend(loc="center", fontsize=9)
        axis.text(0.5, 0.2, "process value over time in s", ha="center", fontsize=9, transform=axis.transAxes)
    return figure


def main() -> int:
    results = [compare(case) for case in batch()]
    (FOLDER / "step-responses.md").write_text(page(results), encoding="utf-8")
    figure = draw(results)
    figure.set_dpi(90)
    figure.canvas.draw()
    # A palette makes the file a quarter of the size.
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB").quantize(32)
    picture.save(FOLDER / "step-responses.png", optimize=True)
    print(f"written: {FOLDER / 'step-responses.md'} and .png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
