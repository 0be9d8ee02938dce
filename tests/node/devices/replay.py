"""A driver and its bus against a recording of the wire, on CPython and on MicroPython alike.

On MicroPython: ``micropython -m tests.node.devices.replay FILE``, a recording as JSON: ``spec``, ``sensors``
and ``safe`` as edge.node.devices.table.build has them, ``demands`` [ms, [channel, percent]], ``sent`` and
``heard`` [us, hex], ``until_us``. Prints what the driver says at every tick, and which request was not the
recorded one.
"""

import binascii
import json
import sys

from edge.node.bus.schedule import Bus
from edge.node.clock import VirtualClock
from edge.node.devices import table

TICK_US = 250000


class Recording:
    """The UART: gives the recorded bytes at their time, and compares what is sent."""

    def __init__(self, clock, sent, heard):
        self._clock = clock
        self._sent = sent
        self._heard = heard
        self._next = 0
        self.wrong = []

    def any(self):
        now_us = self._clock.now_us()
        return sum(len(chunk) // 2 for at_us, chunk in self._heard if at_us <= now_us)

    def read(self):
        now_us = self._clock.now_us()
        data = b""
        while self._heard and self._heard[0][0] <= now_us:
            data += binascii.unhexlify(self._heard.pop(0)[1])
        return data

    def write(self, data):
        now_us = self._clock.now_us()
        own = [now_us, binascii.hexlify(data).decode()]
        recorded = list(self._sent[self._next]) if self._next < len(self._sent) else None
        if own != recorded:
            self.wrong.append(f"sent {own} instead of {recorded}")
        self._next += 1
        return len(data)

    def next_us(self):
        return self._heard[0][0] if self._heard else 1 << 60


def state(driver, channels):
    """All that a driver says, as text."""
    parts = ["ready" if driver.ready else driver.fault or "not ready"]
    for name, place in sorted(driver.inputs.items()):
        value, stamp_ms = driver.values[place], driver.stamps_ms[place]
        parts.append(f"{name} {value:.4f} {stamp_ms} {driver.faults[place]}")
    for channel in channels:
        actual = driver.actual(channel)
        parts.append(f"{channel} -" if actual is None else f"{channel} {actual:.4f}")
        confirmed = driver.confirmed(channel)
        parts.append("unconfirmed" if confirmed is None else f"confirmed {confirmed:.4f}")
        parts.append(f"since {driver.pending_since_ms(channel)} {driver.unconfirmed(channel)}")
    parts.append(driver.trouble())
    return " | ".join(parts)


def play(case):
    """The lines of one recording."""
    clock = VirtualClock()
    driver = table.build("it", case["spec"], case["sensors"], case["safe"])
    bus = Bus("line", None, case["baud"], 60, 1000)
    bus.add(driver)
    uart = Recording(clock, case["sent"], case["heard"])
    bus.uart = bus.port.uart = uart
    demands = {}
    lines = []
    tick_us = 0
    while clock.now_us() < case["until_us"]:
        now_us = clock.now_us()
        if now_us >= tick_us:
            tick_us += TICK_US
            while case["demands"] and case["demands"][0][0] * 1000 <= now_us:
                channel, percent = case["demands"].pop(0)[1]
                demands[channel] = percent
            if driver.ready:
                for channel, percent in demands.items():
                    driver.drive(channel, percent, now_us // 1000)
            driver.tick(now_us // 1000)
            lines.append(state(driver, case["channels"]))
        next_us = bus.step(now_us)
        next_us = min(next_us, uart.next_us(), tick_us, case["until_us"])
        clock.advance_to(max(next_us, now_us + 1))
    return lines + uart.wrong


def main():
    with open(sys.argv[1]) as file:
        for line in play(json.load(file)):
            print(line)


if __name__ == "__main__":
    main()
