"""Programmes as kilns and laboratories need them: ramps, soaks, jumps and repeats that lead a set-point.

Time counts in whole milliseconds of ticks, and stands still while the programme waits: a soak is guaranteed,
and a ramp holds back for a furnace that can't follow.
"""

from edge.node.control.position import check
from edge.node.control.ramp import Ramp
from edge.node.control.reading import Reading
from edge.node.signals import BAD

IDLE = "idle"
DONE = "done"
STOPPED = "stopped"
HELD = "held"
CUT = "interrupted"
ABORTED = "aborted"
# A programme that has been held up for so long says so; shorter waits are the ordinary lag of a furnace.
WAITING_TOLD_MS = 30000
_DONE_AFTER_CUT = {"continue": "goes on", "hold": "held", "ramp_back": "begins the segment anew"}


class Programme:
    """Leads the set-point of ``loop``, set before the start, through ``segments``, each a dict of one of these forms:

      to, at_per_min      a ramp to a value, in its unit per minute; without at_per_min a jump
      stay_min            a soak; with ``within``, time counts only while the process value is so near
      repeat, from        back to segment ``from`` (1 the first), so many times

    Each may have an ``event``, whose reading is 1 while it runs. ``wait_within``: a ramp stands still while
    the process value is further than this from the set-point; None for never. A programme also waits while
    its loop doesn't control: process value bad, loop in manual, the output forced by the guard.

    It starts from the process value, or from the set-point where ``start`` says so. ``at_end``: "hold" leaves
    the set-point where it is, "off" takes it away, and the output goes to its safe value. ``state``: idle,
    ramp N, soak N, held N, interrupted N, done, stopped, aborted; with ", waiting" after half a minute of that.
    ``rate`` (per minute) and ``level`` read like signals, for feed-forward.
    """

    def __init__(self, name: str, spec: dict):
        self.name = name
        self.loop = None
        self.segments = spec["segments"]
        self.wait_within = spec.get("wait_within")
        self.state = IDLE
        self.why = ""
        self.running = False
        self.waited_ms = 0  # in this run
        self.level = Reading("programme." + name + ".set_point", spec["unit"])
        self.rate = Reading("programme." + name + ".rate", spec["unit"] + "/min")
        self.events = {}
        for segment in self.segments:
            if "event" in segment:
                event = segment["event"]
                self.events[event] = Reading("programme." + name + "." + event, "")
        self._start_at_pv = spec["start"] == "process_value"
        self._at_end = spec["at_end"]
        self._after_power_cut = spec["after_power_cut"]
        self._continue_if_within = spec["continue_if_within"]
        self._segment = 0
        self._ramp = None
        self._soaked_ms = 0
        self._waiting_ms = 0
        self._repeated = {}
        self._held = False
        self._cut = None  # where it stood before a power cut, until it resumes

    def readings(self) -> list:
        """All that can be read of it."""
        return [self.level, self.rate] + list(self.events.values())

    def start(self):
        """Begin with the first segment; ValueError while this or another programme leads the loop."""
        set_point = self.loop.set_point
        if set_point.lead is not None:
            raise ValueError("programme %s already leads loop %s" % (set_point.lead.name, self.loop.name))
        if self._start_at_pv:
            if self.loop.pv.quality == BAD:
                raise ValueError("programme %s can't start: %s is bad" % (self.name, self.loop.pv.name))
            set_point.own = self._within(self.loop.pv.value)
        elif set_point.own is None:
            raise ValueError("loop %s has no set-point to start from" % self.loop.name)
        self._lead()
        self.waited_ms = 0
        self._repeated = {}
        self._begin(0)

    def stop(self):
        """Leave the set-point where it is; ValueError where nothing runs."""
        if not self.running:
            raise ValueError("programme %s does not run" % self.name)
        self._end(STOPPED)

    def go_on(self):
        """After a power cut with ``after_power_cut = "hold"``: go on from where it stood."""
        if not self._held:
            raise ValueError("programme %s is not held" % self.name)
        self._held = False
        self._say()

    def step(self, dt_ms: int):
        """Once a tick, before the blocks."""
        if not self.running:
            return
        self.rate.value = 0.0
        if self._cut is not None:
            if self.loop.pv.quality != BAD and self.loop.demand.away != "trip":
                self._resume()
            return
        why = "held after a power cut: programme %s go_on" % self.name if self._held else self._waits()
        if why:
            self.waited_ms += dt_ms
            self._waiting_ms += dt_ms
            if self._waiting_ms >= WAITING_TOLD_MS and not self.state.endswith(", waiting"):
                self.why = why
                self.state += ", waiting"
            return
        self._waiting_ms = 0
        if self.why:
            self.why = ""
            self._say()
        set_point = self.loop.set_point
        if self._ramp is not None:
            before = set_point.own
            set_point.own = self.level.value = self._ramp.step(dt_ms)
            if not self._ramp.done:
                self.rate.value = self._ramp.rate_per_min * (1.0 if set_point.own >= before else -1.0)
                return
            if "stay_min" in self.segments[self._segment]:
                # Back where a power cut has interrupted a soak.
                self._ramp = None
                self._say()
            else:
                self._next()
            return
        self._soaked_ms += dt_ms
        if self._soaked_ms >= self.segments[self._segment]["stay_min"] * 60000.0:
            self._next()

    def position(self) -> dict:
        """Where it stands, for what is kept over a power cut; see restore()."""
        if self._cut is not None:
            return self._cut
        position = {"segment": self._segment, "set_point": self.loop.set_point.own, "held": self._held}
        position["repeated"] = [list(pair) for pair in self._repeated.items()]
        if self._ramp is None:
            position["elapsed_ms"] = self._soaked_ms
        else:
            position["elapsed_ms"] = self._ramp.elapsed_ms
            position["from"] = self._ramp.start
            position["to"] = self._ramp.target
        return position

    def restore(self, position: dict):
        """After a power cut: where it stood, as of position(); ValueError where that does not fit its segments.

        It resumes as soon as the process value is known and the output is in no trip. Until then nothing
        moves; stop() drops it.
        """
        set_point = self.loop.set_point
        if set_point.lead is not None:
            raise ValueError("programme %s already leads loop %s" % (set_point.lead.name, self.loop.name))
        check(position, self.segments, set_point.low, set_point.high)
        self._lead()
        self._cut = position
        # What the loop works with in the tick in which a trip lets go of the output.
        set_point.own = None if self._after_power_cut == "abort" else position["set_point"]
        self.state = "%s %d" % (CUT, position["segment"] + 1)

    def _resume(self):
        """Do what ``after_power_cut`` says, once the process value is known.

        continue: go on. hold: stand still until go_on(). ramp_back: begin the segment anew from the process
        value. abort: end, and say so. Colder by no more than ``continue_if_within`` it goes on all the same.
        One that stood still already stands still again.
        """
        position = self._cut
        self._cut = None
        loop = self.loop
        own = position["set_point"]
        segment = position["segment"]
        policy = self._after_power_cut
        if own - loop.pv.value <= self._continue_if_within:
            policy = "continue"
        if position["held"]:
            policy = "hold"
        self._repeated = dict([tuple(pair) for pair in position["repeated"]])
        if policy == "abort":
            self._end(ABORTED)
            self.why = "power cut in segment %d" % (segment + 1)
            return
        target = position.get("to", own)
        loop.set_point.own = self._within(loop.pv.value) if policy == "ramp_back" else own
        self._begin(segment)
        soaks = self._ramp is None
        if policy == "ramp_back":
            if soaks:
                self._ramp = Ramp(loop.set_point.own, target, self._back_rate(segment))
        elif "from" in position:
            rate = self._back_rate(segment) if soaks else self._ramp.rate_per_min
            self._ramp = Ramp(position["from"], target, rate)
            self._ramp.elapsed_ms = position["elapsed_ms"]
        else:
            self._soaked_ms = position["elapsed_ms"]
        self._held = policy == "hold"
        self._say()
        text = "%s after a power cut: %s %.1f, set-point %.1f"
        self.why = text % (_DONE_AFTER_CUT[policy], loop.pv.name, loop.pv.value, own)

    def _back_rate(self, segment: int) -> float:
        """The rate of the ramp before a soak; the first ramp's where there is none before."""
        for i in list(range(segment, -1, -1)) + list(range(len(self.segments))):
            if "at_per_min" in self.segments[i]:
                return self.segments[i]["at_per_min"]
        return 1.0

    def _waits(self) -> str:
        """Why time does not count now, or nothing."""
        loop = self.loop
        if loop.hand.on:
            return "loop %s is in manual" % loop.name
        if loop.pv.quality == BAD:
            return loop.pv.name + ": " + loop.pv.why
        if loop.demand.away and loop.demand.away != "unknown":
            return "%s is in %s" % (loop.to, loop.demand.away)
        within = self.wait_within if self._ramp is not None else self.segments[self._segment].get("within")
        if within is not None and not abs(loop.pv.value - loop.set_point.own) <= within:
            return "%s is more than %s from the set-point" % (loop.pv.name, within)
        return ""

    def _lead(self):
        self.loop.hold()
        self.loop.set_point.lead = self
        self.running = True
        self._held = False
        self._cut = None

    def _begin(self, number: int):
        segment = self.segments[number]
        self._segment = number
        self._soaked_ms = 0
        self._waiting_ms = 0
        self._ramp = None
        self.why = ""
        set_point = self.loop.set_point
        for event, reading in self.events.items():
            reading.value = 1.0 if segment.get("event") == event else 0.0
        if "repeat" in segment:
            done = self._repeated.get(number, 0)
            if done < segment["repeat"]:
                self._repeated[number] = done + 1
                self._begin(segment["from"] - 1)
            else:
                # An outer repeat comes by here again.
                self._repeated[number] = 0
                self._next()
            return
        if "to" in segment:
            if "at_per_min" in segment:
                self._ramp = Ramp(set_point.own, segment["to"], segment["at_per_min"])
            else:
                set_point.own = segment["to"]
        self.level.value = set_point.own
        if "to" in segment and self._ramp is None:
            self._next()
            return
        self._say()

    def _next(self):
        if self._segment + 1 < len(self.segments):
            self._begin(self._segment + 1)
        else:
            self._end(DONE)

    def _within(self, value: float) -> float:
        set_point = self.loop.set_point
        return set_point.low if value < set_point.low else set_point.high if value > set_point.high else value

    def _say(self):
        what = HELD if self._held else "soak" if self._ramp is None else "ramp"
        self.state = "%s %d" % (what, self._segment + 1)

    def _end(self, state: str):
        set_point = self.loop.set_point
        set_point.lead = None
        if state == DONE and self._at_end == "off" or state == ABORTED:
            set_point.own = None
        for reading in self.events.values():
            reading.value = 0.0
        self.rate.value = 0.0
        self.running = False
        self._held = False
        self._cut = None
        self.state = state
        self.why = ""
        self._ramp = None
