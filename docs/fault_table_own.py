"""What the node's signals show of each fault, measured on the virtual line: one column of the fault table."""

from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.signals import BAD, GOOD, QUALITIES

# Before the fault, during it, after it.
BEFORE_S, DURING_S, AFTER_S = 30.0, 10.0, 20.0
SAMPLE_S = 0.05
# Further from the truth a value is wrong: noise and two seconds of change are well inside.
WRONG_C = 25.0
# Changes of quality that the table shows.
SHOWN = 3

ROOF = "roof_b"
# Fault, unit, argument; those of the instrument come last.
FAULTS = (
    ("silence", ROOF, None),
    ("unplugged", "all", None),
    ("deaf", ROOF, 300),
    ("exception", ROOF, 4),
    ("busy", ROOF, None),
    ("mute", ROOF, None),
    ("late", ROOF, 300),
    ("truncated", ROOF, None),
    ("split", ROOF, 20),
    ("merged", ROOF, None),
    ("duplicated", ROOF, 0),
    ("wrong_unit", ROOF, None),
    ("wrong_function", ROOF, None),
    ("wrong_crc", ROOF, None),
    ("stray", ROOF, 1),
    ("noise", ROOF, 0.02),
    ("echo", "all", None),
    ("cut_echo", "all", None),
    ("babbling", ROOF, 100),
    ("second_master", ROOF, 200),
    ("reset", ROOF, None),
    ("frozen", ROOF, None),
    ("burnt_out", ROOF, "ai0"),
    ("shorted", ROOF, "ai0"),
    ("watchdog", "burner_and_heater", None),
    ("clamping", "burner_and_heater", 8000),
)


class Shown:
    """What was seen of one fault: ``steps`` (seconds since it began, quality, why), ``after_s`` its end until
    the signal is good again, -1: never; ``wrong_c``: the furthest from the truth that was called good;
    ``worst``: the worst quality; ``bad_after_s``: until it was bad, -1: never.
    """

    def __init__(self):
        self.steps = []
        self.after_s = -1.0
        self.wrong_c = 0.0
        self.worst = GOOD
        self.bad_after_s = -1.0
        self.late_replies = 0

    def told(self) -> str:
        """One cell of the table."""
        if not self.steps:
            said = "good"
        else:
            said = "; ".join(
                f"{quality} after {at_s:.2f} s" + (f" ({why})" if why else "")
                for at_s, quality, why in self.steps[:SHOWN]
            )
            said += f"; good {self.after_s:.2f} s after its end" if self.after_s >= 0 else "; not good again"
        if self.late_replies:
            said += f"; {self.late_replies} late replies counted"
        if self.wrong_c > WRONG_C:
            said += f"; **good, but wrong by {self.wrong_c:.0f} °C**"
        return said


def measure(kind: str, unit, arg) -> Shown:
    """Run the node with one fault on its line, and look at the signal of the first thermocouple of section B."""
    description, _ = describe(find("bishkek"))
    run = VirtualRun("bishkek", description, 1)
    signal = next(signal for signal in run.node.signals if signal.name == "roof_b1")
    run.run_for(BEFORE_S)
    if signal.quality != GOOD:
        raise RuntimeError(f"the line is not well before the fault: roof_b1 is {signal.why}")
    if kind == "watchdog":
        return _watchdog(run, unit)
    if kind == "clamping":
        return _clamping(run, unit, arg)
    shown = Shown()
    run.bench.fault(unit, kind, arg)
    last = (GOOD, "")
    shown_s = 0.0
    while shown_s < DURING_S:
        run.run_for(SAMPLE_S)
        shown_s += SAMPLE_S
        _look(shown, signal, run, shown_s)
        if signal.quality != last[0]:
            last = (signal.quality, signal.why)
            shown.steps.append((shown_s, QUALITIES[signal.quality], signal.why))
    run.bench.clear_faults()
    shown_s = 0.0
    while shown_s < AFTER_S:
        run.run_for(SAMPLE_S)
        shown_s += SAMPLE_S
        _look(shown, signal, run, -1.0)
        if signal.quality != GOOD:
            shown.after_s = -1.0
        elif shown.after_s < 0:
            shown.after_s = shown_s
    shown.late_replies = sum(getattr(station, "late", 0) for station in run.node.buses[0].stations)
    return shown


def _look(shown: Shown, signal, run, at_s: float):
    if signal.quality == BAD:
        shown.worst = BAD
        if at_s >= 0 and shown.bad_after_s < 0:
            shown.bad_after_s = at_s
        return
    shown.worst = max(shown.worst, signal.quality)
    shown.wrong_c = max(shown.wrong_c, abs(signal.value - run.bench.model.t_b1_c))


class Watchdog:
    """An output module whose watchdog has tripped: when the node has brought it back, -1.0: never."""

    worst = GOOD
    wrong_c = 0.0
    bad_after_s = -1.0

    def __init__(self, fell: bool, back_s: float):
        self.fell = fell
        self.back_s = back_s

    def told(self) -> str:
        if not self.fell:
            return "the output did not fall"
        if self.back_s < 0:
            return "the output falls to its safe value and stays there"
        return f"the output falls to its safe value; armed anew and driven again after {self.back_s:.2f} s"


def _watchdog(run, unit) -> Watchdog:
    run.bench.fault(unit, "watchdog")
    fell = False
    at_s = 0.0
    while at_s < DURING_S + AFTER_S:
        run.run_for(SAMPLE_S)
        at_s += SAMPLE_S
        really = run.bench.outputs()["air_heater"]
        fell = fell or really < 1.0
        if fell and really >= 1.0:
            return Watchdog(fell, at_s)
    return Watchdog(fell, -1.0)


class Clamped:
    """An output module that takes less than it is sent: what it puts out, and what the node says of it."""

    worst = GOOD
    wrong_c = 0.0
    bad_after_s = -1.0

    def __init__(self, really: float, output):
        self.really = really
        self.value = output.value
        self.quality = QUALITIES[output.quality]
        self.why = output.why

    def told(self) -> str:
        reported = "nothing" if self.value is None else f"{self.value:.0f} %"
        why = f" ({self.why})" if self.why else ""
        return f"the output stands at {self.really:.0f} %; reported: {reported}, {self.quality}{why}"


def _clamping(run, unit, arg) -> Clamped:
    output = next(output for output in run.node.guard.outputs if output.name == "air_heater")
    run.bench.fault(unit, "clamping", arg)
    run.run_for(DURING_S)
    return Clamped(run.bench.outputs()["air_heater"], output)
