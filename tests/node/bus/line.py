"""A line in virtual time whose other end is a function, and devices that write down what they are told."""

from edge.node.bus import modbus
from edge.node.bus.schedule import Bus
from edge.node.clock import VirtualClock

CHAR_US = 287  # 11 bits at 38400 baud, rounded up
BAUD = 38400
TIMEOUT_MS = 50
LATE_MS = 1000


class ScriptedUart:
    """``answer(request, sent_us)`` gives [(us after the last byte of the request, bytes), ...]."""

    def __init__(self, clock, answer):
        self._clock = clock
        self.answer = answer
        self._coming = []
        self.sent = []
        self.gone = False
        self.takes = True

    def any(self) -> int:
        if self.gone:
            raise OSError("port test hung up")
        now_us = self._clock.now_us()
        return sum(len(data) for at_us, data in self._coming if at_us <= now_us)

    def read(self) -> bytes:
        now_us = self._clock.now_us()
        data = b"".join(data for at_us, data in self._coming if at_us <= now_us)
        self._coming = [(at_us, data) for at_us, data in self._coming if at_us > now_us]
        return data

    def write(self, data: bytes) -> int:
        if self.gone:
            raise OSError("port test is gone")
        if not self.takes:
            return 0
        now_us = self._clock.now_us()
        self.sent.append((now_us, data))
        end_us = now_us + len(data) * CHAR_US
        for after_us, reply in self.answer(data, end_us):
            self.put(end_us + after_us, reply)
        return len(data)

    def put(self, at_us: int, data: bytes):
        if data:
            self._coming.append((at_us, data))
        self._coming.sort()

    def next_us(self) -> int:
        return self._coming[0][0] if self._coming else 1 << 60

    def close(self):
        self._coming = []


class PluggableUart(ScriptedUart):
    """One that can be taken away and comes back."""

    opened = 0

    def reopen(self):
        self.opened += 1
        if self.gone:
            raise OSError("port test does not exist")


class Listener:
    """A device that polls what it is told to and writes down the answers."""

    # As edge.node.devices.device.Device has them, for the schedule.
    LOST_AFTER = 3
    rest_ms = 0
    ready = True

    def __init__(self, unit: int, polls=(), **attributes):
        self.unit = unit
        self.name = f"unit {unit}"
        self._polls = list(polls)
        self.told = []
        for name, value in attributes.items():
            setattr(self, name, value)

    def attach(self, station):
        self.station = station

    def polls(self):
        return self._polls

    def replied(self, tag, data, now_ms):
        self.told.append(("replied", tag, data, now_ms))

    def refused(self, tag, code, now_ms):
        self.told.append(("refused", tag, code, now_ms))

    def failed(self, tag, why, now_ms):
        self.told.append(("failed", tag, why, now_ms))

    def kinds(self):
        """What was told, without times and data."""
        return [entry[0] for entry in self.told]

    def data(self):
        """The data of the replies."""
        return [entry[2] for entry in self.told if entry[0] == "replied"]


class Line:
    """A bus on such a UART; ``run(ms)`` jumps from deadline to deadline."""

    def __init__(self, answer, uart_class=ScriptedUart, late_ms=LATE_MS, **settings):
        self.clock = VirtualClock()
        self.uart = uart_class(self.clock, answer)
        self.bus = Bus("test", self.uart, BAUD, TIMEOUT_MS, late_ms, clock=self.clock, **settings)

    def add(self, unit: int, polls=(), timeout_ms=None, retries=None, pause_ms=0, **attributes) -> Listener:
        device = Listener(unit, polls, **attributes)
        self.bus.add(device, timeout_ms, retries, pause_ms)
        return device

    def run(self, ms: float):
        until_us = self.clock.now_us() + int(1000 * ms)
        steps = 0
        while True:
            now_us = self.clock.now_us()
            next_us = min(self.bus.step(now_us), self.uart.next_us())
            if next_us >= until_us:
                self.clock.advance_to(until_us)
                return
            steps = steps + 1 if next_us <= now_us else 0
            assert steps < 100, "the bus does not let time pass"
            self.clock.advance_to(max(next_us, now_us + 1))

    def requests(self, unit=None) -> list:
        """(time in us, bytes) of what went out, of one unit or of all."""
        return [entry for entry in self.uart.sent if unit is None or entry[1][0] == unit]


def registers(request: bytes) -> bytes:
    """The right reply to a read of registers: each holds its own address."""
    address = (request[2] << 8) | request[3]
    count = (request[4] << 8) | request[5]
    data = b"".join((address + i).to_bytes(2, "big") for i in range(count))
    return modbus.sealed(bytes((request[0], request[1], len(data))) + data)


def sound(request: bytes, sent_us: int) -> list:
    """A slave that answers every read and every write, 5 ms after the request."""
    reply = registers(request) if request[1] in (3, 4) else modbus.sealed(request[:6])
    return [(5000 + len(reply) * CHAR_US, reply)]


def damaged_once():
    """A slave whose first reply has a wrong CRC."""
    hits = []

    def slave(request: bytes, sent_us: int) -> list:
        reply = registers(request)
        if not hits:
            hits.append(1)
            reply = reply[:-1] + bytes([reply[-1] ^ 0xFF])
        return [(5000 + len(reply) * CHAR_US, reply)]

    return slave
