"""Signals and devices whose values a test sets by hand; loops, guard and outputs are the real ones."""

from edge.node.control.demand import Demand
from edge.node.guard.condition import Condition, Limit
from edge.node.guard.conditions import Alarm, Interlock, Trip
from edge.node.guard.drive import Drive
from edge.node.guard.outputs import Output
from edge.node.signals import BAD, GOOD


class HandSignal:
    def __init__(self, name, value=0.0):
        self.name = name
        self.unit = ""
        self.value = value
        self.quality = GOOD
        self.why = ""
        self.age_ms = 0
        self.at_end = 0

    def bad(self, why="stale: silence"):
        self.quality = BAD
        self.why = why

    def good(self, value):
        self.quality = GOOD
        self.value = value
        self.why = ""


class HandDevice:
    """A device that is ready, stands at ``position`` and keeps what it is given."""

    def __init__(self, position=50.0):
        self.ready = True
        self.fault = ""
        self.not_following = ""
        self.position = position
        self.driven = []

    def actual(self, channel):
        return self.position

    def drive(self, channel, percent, now_ms):
        self.position = percent
        self.driven.append(percent)

    def confirmed(self, channel):
        return self.position


def output(name="primary_air", position=50.0, low=25.0, high=100.0, rate_per_s=0.0, safe=25.0):
    """An output with a demand that a test may give; a loop that is joined to it brings its own."""
    one = Output(name, "%", HandDevice(position), 0, low, high, rate_per_s, safe, Drive())
    one.demand = Demand("test", "%")
    return one


def limit(signal, above=None, below=None, after_ms=0, off_after_ms=0, dead_band=0.001):
    """A condition on one signal."""
    reset = above - dead_band if above is not None else below + dead_band
    return Condition(Limit(signal, above, below, reset, True), after_ms, off_after_ms)


def trip(name, signal, above=None, below=None, after_ms=0, outputs=()):
    return Trip(name, limit(signal, above, below, after_ms), True, list(outputs))


def alarm(name, signal, above=None, below=None, after_ms=0, off_after_ms=0, dead_band=0.001):
    return Alarm(name, limit(signal, above, below, after_ms, off_after_ms, dead_band), False)


def interlock(name, signal, above, after_ms=0, outputs=(), dead_band=0.001):
    return Interlock(name, limit(signal, above, None, after_ms, 0, dead_band), True, list(outputs))
