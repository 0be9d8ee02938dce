"""How a device's share of the line is doing, as inputs that a signal can read like any other.

In a node file: ``device = "roof"``, ``input = "bus.errors"``. They tell of the last minute, so that a
limit on them comes and goes; totals since the start are in the telemetry.
"""

LOAD = 0
LINE_LOAD = 1
ERRORS = 2
LATE = 3
FOREIGN = 4

# Share of the line's time that this device takes, and all of its line together, with the silences that
# follow; requests that failed (damaged or no reply, exception), replies that came after their time-out, and
# requests of another master on the line.
INPUTS = ["bus.load", "bus.line_load", "bus.errors", "bus.late", "bus.foreign"]
INPUT_UNITS = {"bus.load": "%", "bus.line_load": "%", "bus.errors": "", "bus.late": "", "bus.foreign": ""}

UPDATE_US = 1000000
_SLICES = 6
_SLICE_UPDATES = 10


class Status:
    """What a Signal wants of a device: values, faults, stamps. One per station."""

    period_ms = UPDATE_US // 1000
    station = None
    link_fault = ""

    def __init__(self, now_us: int = 0):
        self.inputs = {INPUTS[i]: i for i in range(len(INPUTS))}
        self.values = [0.0] * len(INPUTS)
        self.faults = ["not counted yet"] * len(INPUTS)
        self.stamps_ms = [-1] * len(INPUTS)
        # Counters as they stood at the ends of the last slices, oldest first.
        self._before = [(now_us, 0, 0, 0, 0, 0)]
        self._updates = 0

    def update(self, busy_us: int, line_busy_us: int, errors: int, late: int, foreign: int, now_us: int):
        """Take the counters since the start; the bus calls this once a second."""
        before_us, busy_before, line_before, errors_before, late_before, foreign_before = self._before[0]
        span_us = now_us - before_us
        if span_us <= 0:
            return
        values = self.values
        values[LOAD] = 100.0 * (busy_us - busy_before) / span_us
        values[LINE_LOAD] = 100.0 * (line_busy_us - line_before) / span_us
        values[ERRORS] = float(errors - errors_before)
        values[LATE] = float(late - late_before)
        values[FOREIGN] = float(foreign - foreign_before)
        for place in range(len(INPUTS)):
            self.faults[place] = ""
            self.stamps_ms[place] = now_us // 1000
        self._updates += 1
        if self._updates == _SLICE_UPDATES:
            self._updates = 0
            self._before.append((now_us, busy_us, line_busy_us, errors, late, foreign))
            if len(self._before) > _SLICES:
                self._before.pop(0)
