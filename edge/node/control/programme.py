"""Set-points that move: ramps, and programmes of ramps and soaks.

Time is counted in whole milliseconds of ticks and the value is calculated from it anew each time: a slow ramp
on a board with 32-bit floats neither stalls nor gathers rounding errors.
"""

from edge.node.signals import BAD

IDLE = "idle"
DONE = "done"
STOPPED = "stopped"
# A programme that has been held up for so long says so; shorter waits are the ordinary lag of a furnace.
WAITING_TOLD_MS = 30000


class Ramp:
    """From ``start`` to ``target`` in a straight line, ``rate_per_min`` > 0 in units per minute."""

    def __init__(self, start: float, target: float, rate_per_min: float):
        self.start = start
        self.target = target
        self.rate_per_min = rate_per_min
        self.elapsed_ms = 0
        self.done = start == target

    def step(self, dt_ms: int) -> float:
        """The value ``dt_ms`` later; ``done`` when it is the target."""
        self.elapsed_ms += dt_ms
        moved = self.rate_per_min * self.elapsed_ms / 60000.0
        if self.target >= self.start:
            value = self.start + moved
            self.done = value >= self.target
        else:
            value = self.start - moved
            self.done = value <= self.target
        return self.target if self.done else value


class Programme:
    """Leads the set-point of a loop through segments: a ramp to a target, then a soak there.

    ``segments``: [target, rate_per_min, soak_min], targets in the unit of the process value and within the
    loop's limits. ``wait_within``: while the process value is further than this from the set-point, the ramp
    stands still and the soak is not counted (guaranteed soak); None for neither. A programme also waits while
    its loop doesn't control: process value bad, loop in manual, output forced by the guard.

    It starts from the loop's present set-point. When it is stopped, or done, the set-point stays where it is.
    ``state``: idle, ramp N, soak N, done, stopped; with ", waiting" after half a minute of that.
    """

    def __init__(self, name: str, loop, segments: list, wait_within=None):
        self.name = name
        self.loop = loop
        self.segments = segments
        self.wait_within = wait_within
        self.state = IDLE
        self.why = ""
        self.told = IDLE
        self.running = False
        self.waited_ms = 0  # in this run
        self._segment = 0
        self._ramp = None
        self._soaked_ms = 0
        self._waiting_ms = 0

    def start(self):
        """Begin with the first segment; ValueError while it or another programme leads the loop."""
        loop = self.loop
        if loop.lead is not None:
            raise ValueError("programme %s already leads loop %s" % (loop.lead.name, loop.name))
        loop.hold()
        loop.lead = self
        self.running = True
        self.waited_ms = 0
        self._begin(0)

    def stop(self):
        """Leave the set-point where it is; ValueError where nothing runs."""
        if not self.running:
            raise ValueError("programme %s does not run" % self.name)
        self._end(STOPPED)

    def step(self, dt_ms: int):
        """Once a tick, before the loops."""
        if not self.running:
            return
        why = self._waits()
        if why:
            self.waited_ms += dt_ms
            self._waiting_ms += dt_ms
            if self._waiting_ms >= WAITING_TOLD_MS and not self.why:
                self.why = why
                self.state += ", waiting"
            return
        self._waiting_ms = 0
        if self.why:
            self.why = ""
            self._say()
        if self._ramp is not None:
            self.loop.set_point = self._ramp.step(dt_ms)
            if self._ramp.done:
                self._ramp = None
                self._say()
            return
        self._soaked_ms += dt_ms
        if self._soaked_ms >= self.segments[self._segment][2] * 60000.0:
            if self._segment + 1 < len(self.segments):
                self._begin(self._segment + 1)
            else:
                self._end(DONE)

    def _waits(self) -> str:
        """Why time does not count now, or nothing."""
        loop = self.loop
        if loop.manual:
            return "loop %s is in manual" % loop.name
        if loop.pv.quality == BAD:
            return loop.pv.name + ": " + loop.pv.why
        if not loop.controls():
            return "output %s is %s" % (loop.output.name, loop.output.state)
        if self.wait_within is not None and not (abs(loop.pv.value - loop.set_point) <= self.wait_within):
            return "%s is more than %s from the set-point" % (loop.pv.name, self.wait_within)
        return ""

    def _begin(self, segment: int):
        target, rate_per_min, _ = self.segments[segment]
        self._segment = segment
        self._soaked_ms = 0
        self._waiting_ms = 0
        self._ramp = Ramp(self.loop.set_point, target, rate_per_min)
        self.why = ""
        self._say()

    def _say(self):
        self.state = "%s %d" % ("soak" if self._ramp is None else "ramp", self._segment + 1)

    def _end(self, state: str):
        self.loop.lead = None
        self.running = False
        self.state = state
        self.why = ""
        self._ramp = None
