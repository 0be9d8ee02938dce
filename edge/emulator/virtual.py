"""Node and emulated plant in one process on a virtual clock, bytes included: exact and repeatable."""

import random

from edge.emulator.bench import Bench
from edge.emulator.wire import Wire
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter


class VirtualRun:
    """One node against one bench, joined by a wire in memory.

    ``description`` of a node with one bus; ``receive(topic, payload, retain)`` gets what it reports,
    ``take(record)`` its records; ``keeper`` as for build().
    """

    def __init__(self, plant: str, description: dict, seed: int, receive=None, take=None, keeper=None):
        (name,) = description["order"]["bus"]
        baud = description["bus"][name]["baud"]
        self.clock = VirtualClock()
        self.bench = Bench(plant, seed=seed, clock=self.clock)
        self.wire = Wire(self.clock, baud, self.bench.slaves, self.bench.plant.char_bits)
        self.port = self.wire.port()
        self.reporter = LocalReporter(receive, take)
        entropy = random.Random(seed).randbytes
        self.node = build(description, {name: self.port}, self.clock, self.reporter, entropy, keeper)
        self._bench_due_us = 0

    def run_until(self, until_us: int):
        """Jump from deadline to deadline up to ``until_us``."""
        clock = self.clock
        node = self.node
        bench = self.bench
        port = self.port
        now_us = clock.now_us()
        while True:
            if now_us >= self._bench_due_us:
                self._bench_due_us = bench.step(now_us)
            next_us = node.step(now_us)
            arrival_us = port.next_arrival_us()
            if 0 <= arrival_us < next_us:
                next_us = arrival_us
            if self._bench_due_us < next_us:
                next_us = self._bench_due_us
            if next_us >= until_us:
                clock.advance_to(until_us)
                return
            # A deadline that lies in the past would stop time.
            now_us = next_us if next_us > now_us else now_us + 1
            clock.advance_to(now_us)

    def run_for(self, seconds: float):
        self.run_until(self.clock.now_us() + int(seconds * 1000000))
