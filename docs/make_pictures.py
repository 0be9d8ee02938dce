"""The pictures of the README, made again by: python docs/make_pictures.py [demo.svg] [day.png]

docs/demo.svg: the live table of a real demo, with one thermocouple burnt out after 40 s. It is kept only from
a quiet machine: no error on the line, no tick missed, none later than README's figures allow.
docs/day.png: the 24 h scenario as trends, on virtual time.
Needs the extra test (rich, amqtt, matplotlib).
"""

import json
import os
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from rich.console import Console  # noqa: E402

from edge.box.config import describe, find  # noqa: E402
from edge.box.demo import Demo  # noqa: E402
from edge.emulator.virtual import VirtualRun  # noqa: E402
from edge.monitor.table import view  # noqa: E402

HERE = Path(__file__).parent
LATE_P99_MS = 5.0
WIDTH = 100
TRENDS = (
    ("t850", "furnace, °C", (850, "850 °C")),
    ("steam", "steam, t/h", (46, "set-point")),
    ("o2", "O2 wet, %", (6.6, "set-point")),
    ("power", "electricity, MW", None),
)


class Recorder:
    """Keeps what the table needs and the trends' samples, one a minute."""

    def __init__(self):
        self.samples = []

    def receive(self, topic, payload, retain):
        if topic.endswith("/telemetry"):
            message = json.loads(payload)
            if message["up_s"] % 60 == 0:
                self.samples.append(message)


def table(path: Path):
    """SystemExit where the machine was busy with other things."""
    demo = Demo("bishkek", "cpython", 0, 1)
    try:
        demo.start()
        time.sleep(40)
        demo.emulator.say("fault 1 burnt_out 0")
        demo.emulator.line(5)
        time.sleep(4)
        latest = demo.listener.latest()
    finally:
        demo.finish()
    telemetry = latest["telemetry"]
    late_ms, line = telemetry["tick"]["late_p99_ms"], telemetry["bus"]["field"]
    if late_ms > LATE_P99_MS or line["errors"] or telemetry["tick"]["missed"]:
        why = f"ticks late by {late_ms} ms (p99), {line['errors']} errors on the line"
        raise SystemExit(f"{path} is left as it was, the machine is busy: {why}")
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        console.print(view(latest, "bishkek (cpython)", "44 s on a pseudo-terminal, Ctrl-C ends"))
        console.save_svg(str(path), title="furnace-edge demo")


def day(path: Path):
    recorder = Recorder()
    description, _ = describe(find("bishkek"))
    run = VirtualRun("bishkek", description, 1, recorder.receive)
    run.run_for(24 * 3600)
    hours = [message["up_s"] / 3600.0 for message in recorder.samples]
    figure, axes = pyplot.subplots(len(TRENDS) + 1, 1, figsize=(10, 9), sharex=True)
    for axis, (name, label, mark) in zip(axes, TRENDS, strict=False):
        axis.plot(hours, [message["signals"][name][0] for message in recorder.samples], lw=0.8)
        axis.set_ylabel(label)
        if mark:
            axis.axhline(mark[0], color="0.5", ls="--", lw=0.8, label=mark[1])
            axis.legend(loc="upper right", fontsize=8, frameon=False)
    for name in ("primary_air", "secondary_air", "feeder", "id_fan"):
        values = [message["outputs"][name][0] for message in recorder.samples]
        axes[-1].plot(hours, values, lw=0.8, label=name)
    axes[-1].set_ylabel("outputs, %")
    axes[-1].set_xlabel("hours")
    axes[-1].legend(loc="upper right", fontsize=8, ncols=4, frameon=False)
    figure.align_ylabels()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["demo.svg", "day.png"]
    if "demo.svg" in wanted:
        table(HERE / "demo.svg")
    if "day.png" in wanted:
        day(HERE / "day.png")
