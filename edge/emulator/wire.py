"""A half-duplex line in memory: the master's end, and bytes that arrive when a UART would have them.

A chunk of bytes that goes on the wire together can be read when its last character has arrived; times are
exact to the microsecond. The line counts what a master must not do: starting sooner than 3.5 characters
(1.75 ms above 19200 bit/s) after the last character, and talking while another talks, which garbles both.
"""

import errno

from edge.node.bus.master import silence_us

SENT = ">"
RECEIVED = "<"
# What comes to the master besides: its own echo, and what was no answer to it.
ECHO = "="
FOREIGN = "!"

# Before anything was ever on the line it was quiet for long.
_LONG_AGO_US = -1000000000


class Wire:
    """One line.

    ``clock`` with now_us(); ``slaves`` an edge.emulator.slave.ModbusSlaves or what slaves_of() of
    edge.emulator.dcon_slave makes; ``baud`` bit/s; ``char_bits``
    bits of a character. ``tap(t_us, direction, data)``: called for everything the master sends (SENT) and
    gets (RECEIVED, ECHO, FOREIGN), with the time of its last character.
    """

    def __init__(self, clock, baud: int, slaves, char_bits: int = 11, tap=None):
        self.clock = clock
        self.baud = baud
        self.slaves = slaves
        self.tap = tap
        self.violations = 0
        self.collisions = 0
        self._char_bits = char_bits
        self._durations_us = [self._duration_us(count) for count in range(513)]
        self.silence_us = silence_us(baud, char_bits)
        self._chunks = []
        self._sent_us = _LONG_AGO_US
        self._heard_us = _LONG_AGO_US
        self._port = Port(self)
        slaves.faults.say = self._say

    def port(self) -> "Port":
        """The master's end."""
        return self._port

    def duration_us(self, count: int) -> int:
        """How long ``count`` characters take, rounded up."""
        if count < len(self._durations_us):
            return self._durations_us[count]
        return self._duration_us(count)

    def _duration_us(self, count: int) -> int:
        return (count * self._char_bits * 1000000 + self.baud - 1) // self.baud

    def transmit(self, data: bytes):
        """The master's UART starts to send; what it still has to send goes first."""
        now_us = self.clock.now_us()
        start_us = now_us if now_us >= self._sent_us else self._sent_us
        end_us = start_us + self.duration_us(len(data))
        quiet_us = self._sent_us if self._sent_us > self._heard_us else self._heard_us
        if self._chunks:
            for chunk in self._chunks:
                if quiet_us < chunk[0] <= start_us:
                    quiet_us = chunk[0]
            data = self._talk_over(data, start_us, end_us)
        # The second half of a request is no new one.
        if start_us < quiet_us + self.silence_us and not self.slaves.partial():
            self.violations += 1
        self._sent_us = end_us
        if self.tap is not None:
            self.tap(end_us, SENT, data)
        faults = self.slaves.faults
        echo = faults.echo(data, end_us) if faults.armed else b""
        if echo:
            self._chunks.append((end_us, end_us, echo, ECHO))
            self._chunks.sort()
        for reply_us, reply in self.slaves.received(data, end_us):
            self._put(reply_us, reply_us + self.duration_us(len(reply)), reply)

    def _say(self, start_us: int, data: bytes, request: bool):
        """Somebody talks unasked; where it is a request, who is asked answers it."""
        end_us = start_us + self.duration_us(len(data))
        heard = self._put(start_us, end_us, data, FOREIGN)
        for reply_us, reply in self.slaves.received(heard, end_us):
            if request:
                self._put(reply_us, reply_us + self.duration_us(len(reply)), reply, FOREIGN)

    def _put(self, start_us: int, end_us: int, data: bytes, direction: str = RECEIVED):
        """A slave will talk from ``start_us`` on; what is heard of it so far."""
        chunks = self._chunks
        if chunks:
            data = self._talk_over(data, start_us, end_us)
        chunks.append((end_us, start_us, data, direction))
        if len(chunks) > 1:
            chunks.sort()
        return data

    def _talk_over(self, data: bytes, start_us: int, end_us: int) -> bytes:
        """Garble what overlaps on the wire; returns ``data`` as it comes out."""
        chunks = self._chunks
        overlap = False
        for i in range(len(chunks)):
            chunk_end_us, chunk_start_us, other, direction = chunks[i]
            if chunk_start_us < end_us and start_us < chunk_end_us:
                chunks[i] = (chunk_end_us, chunk_start_us, garbled(other), direction)
                overlap = True
        if not overlap:
            return data
        self.collisions += 1
        return garbled(data)


class Port:
    """The master's end of a wire: the UART interface of edge.node.bus.uart, and when bytes will be there."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._chunks = wire._chunks
        self._now_us = wire.clock.now_us
        self._faults = wire.slaves.faults
        self._left = b""

    def any(self) -> int:
        """How many bytes can be read now."""
        if self._faults.armed:
            self._needed()
        chunks = self._chunks
        count = len(self._left)
        if chunks:
            now_us = self._now_us()
            for chunk in chunks:
                if chunk[0] > now_us:
                    break
                count += len(chunk[2])
        return count

    def read(self, n: int = -1) -> bytes:
        """Up to ``n`` bytes of what has arrived, all by default; b"" when there is nothing."""
        if self._faults.armed:
            self._needed()
        chunks = self._chunks
        data = self._left
        if chunks:
            wire = self._wire
            now_us = self._now_us()
            while chunks and chunks[0][0] <= now_us:
                end_us, _, chunk, direction = chunks.pop(0)
                wire._heard_us = end_us
                if wire.tap is not None:
                    wire.tap(end_us, direction, chunk)
                data = data + chunk if data else chunk
        if 0 <= n < len(data):
            self._left = data[n:]
            return data[:n]
        self._left = b""
        return data

    def write(self, data: bytes) -> int:
        """Start to send; returns at once."""
        if self._faults.armed:
            self._needed()
        if data:
            self._wire.transmit(data)
        return len(data)

    def _needed(self):
        """Raise OSError while the port is unplugged; what was on its way is lost."""
        if self._faults.unplugged(self._now_us()):
            self._chunks.clear()
            self._left = b""
            raise OSError(errno.EIO, "the port is unplugged")

    def reopen(self):
        """The port is there again. Raises OSError as long as it isn't."""
        self._needed()

    def next_arrival_us(self) -> int:
        """When the next bytes can be read, or -1."""
        if self._left:
            return self._now_us()
        chunks = self._chunks
        return chunks[0][0] if chunks else -1

    def pollable(self):
        """Nothing that select could wait on."""
        return None

    def close(self):
        """Nothing to close."""


def garbled(data: bytes) -> bytes:
    """What is left of a frame when two talk: every byte but one in 256 is another, always the same way."""
    return bytes((byte ^ (0x5A + 0x25 * i)) & 0xFF for i, byte in enumerate(data))
