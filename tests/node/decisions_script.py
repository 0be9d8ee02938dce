"""What a node decides on drawn readings, as lines of text: on CPython, and on MicroPython as it stands.

    decisions_script.py DESCRIPTION.json TICKS

The readings wander and fail by a linear congruential generator in whole numbers, the same on every runtime.
Devices obey at once; everything behind them (calcs, states, blocks, guard, programmes) is the node's own.
"""

import sys

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[3] if len(sys.argv) > 3 else ".")

from edge.node import description as board
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter


class Image:
    """The process image of one signal."""

    def __init__(self, signal):
        self.period_ms = 250
        self.station = None
        self.link_fault = ""
        self.faults = [""]
        self.stamps_ms = [0]
        self.values = [0.0]
        self.signal = signal


class Obeys:
    """A device that stands where it was driven to."""

    def __init__(self):
        self.ready = True
        self.fault = ""
        self.not_following = ""
        self.position = 40.0

    def actual(self, channel):
        return self.position

    def drive(self, channel, percent, now_ms):
        self.position = percent

    def confirmed(self, channel):
        return self.position


class Draw:
    """Numbers of 0..999, the same wherever whole numbers are exact."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1103515245 + 12345) % 2147483648
        return (self.state >> 12) % 1000


def fake(node):
    """Put drawn readings and obedient devices under a node; the images."""
    images = []
    for signal in node.signals:
        image = Image(signal)
        signal._device = image
        signal._place = 0
        images.append(image)
    for output in node.guard.outputs:
        output.device = output.confirmation._device = Obeys()
    node.devices = []
    node.buses = []
    return images


def read(image, draw, now_ms):
    """One reading: wanders within its range, and fails now and then for a while."""
    signal = image.signal
    low, high = signal.low, signal.high
    scale = signal._scale
    dice = draw.next()
    if dice < 4:
        image.faults[0] = "burnt out"
    elif dice < 40:
        image.faults[0] = ""
    if dice % 7 == 0:
        return
    image.stamps_ms[0] = now_ms
    share = 0.55 + (draw.next() - 500) / 4000.0
    if scale is not None:
        image.values[0] = 4.0 + 16.0 * share if dice != 41 else 22.0
    elif high - low == 1.0:
        image.values[0] = 0.0 if dice > 990 else 1.0
    else:
        image.values[0] = low + (high - low) * share


def decide(description, ticks):
    """Yield a line for every tick."""
    clock = VirtualClock()
    reporter = LocalReporter()
    node = build(description, {name: None for name in description["order"]["bus"]}, clock, reporter)
    images = fake(node)
    draw = Draw(20261130)
    for programme in node.programmes:
        programme.loop.set_point.own = 0.5 * (programme.loop.set_point.low + programme.loop.set_point.high)
    for tick in range(ticks):
        clock.advance_to(250000 * (tick + 1))
        now_ms = clock.now_ms()
        for image in images:
            read(image, draw, now_ms)
        if tick == 20:
            for programme in node.programmes:
                try:
                    programme.start()
                except ValueError:
                    pass
        node._tick_due_us = clock.now_us()
        node.tick(clock.now_us())
        words = ["%d" % tick]
        for calc in node.calcs:
            words.append("%d %.9e" % (calc.quality, calc.value))
        for output in node.guard.outputs:
            value = -1.0 if output.value is None else output.value
            words.append("%s %.9e %.9e" % (output.state, value, output.device.position))
        for loop in node.loops:
            words.append("%s %d" % (loop.mode, loop.demand.room))
        for trip in node.guard.trips:
            words.append("%d" % trip.tripped)
        if tick % 97 == 0:
            node.guard.reset(now_ms)
        yield " | ".join(words)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as stream:
        loaded = board.parse(stream.read(), sys.argv[1])
    for line in decide(loaded, int(sys.argv[2])):
        print(line)
