"""Our master polling eight registers as fast as the line allows, on CPython and on MicroPython.

    python -m benchmarks.bus_own PORT BAUD TRANSACTIONS UNITS PERIOD_MS      prints one JSON line
    micropython -m benchmarks.bus_own ...

The loop is that of edge.node.node.Node.run. BAUD 0: a line without any speed and without silence between
frames, which leaves the master's own work. UNITS: units 1..UNITS, each due every PERIOD_MS.
"""

import json
import sys
import time

from edge.node.bus import modbus
from edge.node.bus.schedule import Bus
from edge.node.clock import Clock

TIMEOUT_MS = 60
NO_SPEED = 11000000
LATE_MS = 1000
MICROPYTHON = sys.implementation.name == "micropython"


class Tally:
    """What has become of requests so far."""

    replied = 0
    failed = 0
    waits = 0


class Device:
    """Eight registers of one unit."""

    # As edge.node.devices.device.Device has them: nothing is to be verified, nothing to be left alone.
    ready = True
    LOST_AFTER = 3
    rest_ms = 0

    def __init__(self, unit: int, period_ms: int, tally: Tally):
        self.unit = unit
        self._period_ms = period_ms
        self._tally = tally
        self.name = "unit " + str(unit)
        self.replies = 0

    def attach(self, station):
        self.station = station

    def polls(self) -> list:
        return [("registers", modbus.READ_HOLDING_REGISTERS, 0, 8, self._period_ms)]

    def replied(self, tag, data: bytes, now_ms: int):
        self.replies += 1
        self._tally.replied += 1

    def refused(self, tag, code: int, now_ms: int):
        self._tally.failed += 1

    def failed(self, tag, why: str, now_ms: int):
        self._tally.failed += 1


def cpu_s() -> float:
    """CPU seconds of this process."""
    return time.clock() if MICROPYTHON else time.process_time()


def run(port: str, baud: int, transactions: int, units: int, period_ms: int) -> dict:
    if MICROPYTHON:
        from edge.node.bus.uart import TermiosUart

        uart = TermiosUart(port, baud or 115200)
    else:
        from edge.box.run import wake_on_time
        from edge.box.serial_port import SerialPort

        wake_on_time()
        uart = SerialPort(port, baud or 115200)
    clock = Clock()
    bus = Bus("bench", uart, baud or NO_SPEED, TIMEOUT_MS, LATE_MS, clock=clock)
    if not baud:
        bus.master.silence_us = 0
    tally = Tally()
    devices = [Device(unit, period_ms, tally) for unit in range(1, units + 1)]
    for device in devices:
        bus.add(device)
    # The first ones warm up.
    poll(clock, bus, tally, 5)
    for device in devices:
        device.replies = 0
    tally.waits = 0
    before_us = clock.now_us()
    before_s = cpu_s()
    poll(clock, bus, tally, tally.replied + transactions)
    cpu_us = 1e6 * (cpu_s() - before_s)
    took_us = clock.now_us() - before_us
    bus.close()
    return {
        "transactions": transactions,
        "seconds": took_us / 1e6,
        "cpu_us": cpu_us / transactions,
        "failures": tally.failed,
        "waits": tally.waits / transactions,
        "replies": [device.replies for device in devices],
    }


def poll(clock, bus, tally: Tally, replies: int):
    """Until so many replies have come."""
    while tally.replied < replies:
        now_us = clock.now_us()
        next_us = bus.step(now_us)
        if tally.replied >= replies:
            return
        tally.waits += 1
        if bus.listen_us > now_us:
            clock.wait(min(next_us, bus.listen_us), [])
        else:
            clock.wait(next_us, [bus.pollable()])


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], *[int(word) for word in sys.argv[2:6]])))
