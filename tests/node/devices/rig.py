"""One driver and one emulated instrument, joined by the wire in memory on a virtual clock."""

from random import Random
from types import SimpleNamespace

from edge.emulator.dcon_slave import slaves_of
from edge.emulator.wire import Wire
from edge.node.bus.schedule import Bus
from edge.node.clock import VirtualClock
from edge.node.devices import table

TICK_US = 250000
BAUD = 38400


class Rig:
    """A driver made from ``spec`` and driven as a node does, and its instrument.

    ``spec``: the device's table of a node file, ``unit`` 1 and ``period_ms`` 250 where it doesn't say;
    ``sensors``, ``safe``: as edge.node.devices.table.build. ``model``: attributes of the process.
    """

    def __init__(self, spec, instrument, model=None, sensors=None, safe=None):
        self.clock = VirtualClock()
        self.model = model if model is not None else SimpleNamespace()
        self.instrument = instrument
        self.spec = {"unit": instrument.unit, "period_ms": 250, **spec}
        self.sensors, self.safe = sensors or {}, safe or {}
        self.driver = table.build("it", self.spec, self.sensors, self.safe)
        # What the device is asked for, by output channel; written every tick as the guard does.
        self.demands = {}
        # Every (tag, data) that the driver got, and every request on the wire with its time.
        self.requests = []
        self._bus = Bus("line", None, BAUD, 60, 1000)
        self._bus.add(self.driver)
        self.put(instrument)
        self._tick_us = 0

    def put(self, instrument):
        """Hang this instrument on the line in the place of the one before."""
        self.instrument = instrument
        instrument.connect(self.model, Random(1))
        instrument.start(self.clock.now_us())
        instrument.step(self.clock.now_us())
        self.slaves = slaves_of([instrument], BAUD)
        self.faults = self.slaves.faults
        self._wire = Wire(self.clock, BAUD, self.slaves, tap=self._heard)
        self._bus.uart = self._bus.port.uart = self._wire.port()

    def _heard(self, at_us, direction, data):
        if direction == ">":
            self.requests.append((at_us, data))

    def fault(self, kind, arg=None, seconds=None):
        """Start a fault of the instrument or of its line."""
        self.faults.set(self.instrument.unit, kind, arg, self.clock.now_us(), seconds)

    def clear(self):
        """End all faults."""
        self.faults.clear(0, self.clock.now_us())

    def run(self, seconds):
        """Let so much time pass."""
        clock = self.clock
        until_us = clock.now_us() + int(seconds * 1000000)
        while clock.now_us() < until_us:
            now_us = clock.now_us()
            if now_us >= self._tick_us:
                self._tick_us += TICK_US
                self._tick(now_us)
            next_us = self._bus.step(now_us)
            arrival_us = self._bus.uart.next_arrival_us()
            for other_us in (arrival_us if arrival_us >= 0 else until_us, self._tick_us, until_us):
                next_us = min(next_us, other_us)
            clock.advance_to(max(next_us, now_us + 1))

    def _tick(self, now_us):
        self.faults.step(now_us)
        if self.instrument.expires_us <= now_us:
            self.instrument.expire(now_us)
        self.instrument.step(now_us)
        for attribute, place in self.instrument.drives:
            setattr(self.model, attribute, self.instrument.percent[place])
        driver = self.driver
        if driver.ready:
            for channel, percent in self.demands.items():
                driver.drive(channel, percent, now_us // 1000)
        driver.tick(now_us // 1000)

    def good(self, name):
        """The value of an input that is without fault and fresh."""
        place = self.driver.inputs[name]
        assert self.driver.faults[place] == "", f"{name}: {self.driver.faults[place]}"
        age_ms = self.clock.now_ms() - self.driver.stamps_ms[place]
        assert 0 <= age_ms <= 3 * self.driver.period_ms, f"{name} is {age_ms} ms old"
        return self.driver.values[place]

    def why(self, name):
        """What is wrong with an input."""
        return self.driver.faults[self.driver.inputs[name]]

    def asked(self, contains: bytes, since_us: int = 0):
        """Times in s of the requests that hold these bytes."""
        return [at_us / 1e6 for at_us, data in self.requests if contains in data and at_us >= since_us]
