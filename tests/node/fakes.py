"""Signals and devices whose values a test sets by hand; loops, guard and outputs are the real ones."""

from edge.node.guard.outputs import Output
from edge.node.signals import BAD, GOOD


class HandSignal:
    def __init__(self, name, value=0.0):
        self.name = name
        self.value = value
        self.quality = GOOD
        self.why = ""

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
    return Output(name, "%", HandDevice(position), 0, low, high, rate_per_s, safe)
