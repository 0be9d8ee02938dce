"""Node and emulated plant in one process on a virtual clock, bytes included: exact and repeatable."""

import random

from edge.emulator.bench import Bench
from edge.emulator.wire import Wire
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter


class VirtualRun:
    """One node against one bench, joined by a wire in memory for each bus of the node.

    ``description`` of the node: its buses are the plant's lines of the same name, or the one that it has.
    ``wires``, ``ports`` by bus; ``wire``, ``port``: of the first. ``receive(topic, payload, retain)`` gets what
    it reports, ``take(record)`` its records; ``keeper`` as for build(). Raises
    PlantFileError, and ValueError where buses and lines differ.
    """

    def __init__(self, plant: str, description: dict, seed: int, receive=None, take=None, keeper=None):
        buses = description["order"]["bus"]
        self.clock = VirtualClock()
        self.bench = Bench(plant, seed=seed, clock=self.clock)
        if len(buses) != len(self.bench.lines):
            count = len(self.bench.lines)
            raise ValueError(f"the node has {len(buses)} buses ({', '.join(buses)}), the plant {count} lines")
        self.wires = {name: self._wire(name, description["bus"][name]["baud"]) for name in buses}
        self.ports = {name: wire.port() for name, wire in self.wires.items()}
        self.wire = self.wires[buses[0]]
        self.port = self.ports[buses[0]]
        self.reporter = LocalReporter(receive, take)
        entropy = random.Random(seed).randbytes
        self.node = build(description, self.ports, self.clock, self.reporter, entropy, keeper)
        self._bench_due_us = 0

    def _wire(self, bus: str, baud: int) -> Wire:
        line = self.bench.lines.named(bus)
        return Wire(self.clock, baud, line.slaves, line.char_bits)

    def run_until(self, until_us: int):
        """Jump from deadline to deadline up to ``until_us``."""
        clock = self.clock
        node = self.node
        bench = self.bench
        ports = list(self.ports.values())
        now_us = clock.now_us()
        while True:
            if now_us >= self._bench_due_us:
                self._bench_due_us = bench.step(now_us)
            next_us = node.step(now_us)
            for port in ports:
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
