"""The Modbus RTU master's side of one transaction at a time, without any I/O.

Sources: MODBUS over Serial Line V1.02 (silence of 3.5 characters, 1.75 ms above 19200 baud, echo of
a two-wire line, broadcast and its turnaround) and MODBUS Application Protocol V1.1b3 (replies).

A reply is recognised by its expected length, unit, function, byte count and CRC, wherever it begins
in what was heard: stray bytes, a leading 0x00 or another unit's late reply go before it. The gap of
1.5 characters inside a frame is not enforced: USB adapters split frames.
"""

from cext.crc import crc16
from edge.node.bus import modbus
from edge.node.bus.modbus import ALTERED, DONE, PENDING, REFUSED

# Noise is kept so long at most: what is older than one full frame can't start our reply.
MAX_FRAME = 256
# No character is shorter than a start bit, eight data bits and a stop bit.
LEAST_CHAR_BITS = 10


def silence_us(baud: int, char_bits: int) -> int:
    """The least silence between two frames in us, rounded up: 3.5 characters, 1.75 ms above 19200 baud.

    Source: Modbus over Serial Line, section 2.5.1.1. The emulator holds masters to the same.
    """
    return 1750 if baud > 19200 else (7 * 500000 * char_bits + baud - 1) // baud


class Master:
    """What was asked, what has come back, when it is too late. The caller moves bytes and keeps time.

    ``baud`` bit/s; ``char_bits`` bits of one character (11 by the standard, also counted so where no
    parity is sent); ``timeout_ms`` from the end of a request to the first character of its reply,
    and after a broadcast until the next request; ``echo``: own bytes come back and are taken away,
    and it is an error when they don't.

    After begin(): ``deadline_us`` (then it has failed, see why()), ``quiet_at_us`` (the next request
    goes out no sooner), ``listen_us`` (no complete reply can be there before: who waits may sleep so
    long without looking). After feed(): ``data``, ``exception``, ``strays`` (what was heard besides).
    """

    NAME = "modbus"

    def __init__(self, baud: int, timeout_ms: int, char_bits: int = 11, echo: bool = False):
        self.char_us = (1000000 * char_bits + baud - 1) // baud
        self.silence_us = silence_us(baud, char_bits)
        self.timeout_us = timeout_ms * 1000
        self.echo = echo
        # A line that echoes without being said to: seen in the last transaction that can tell.
        self.echo_seen = False
        self.request = b""
        self.expected = 0
        self.sent_us = 0
        self.deadline_us = 0
        self.quiet_at_us = 0
        self.listen_us = 0
        self.buffer = b""
        self.strays = b""
        self.data = b""
        self.exception = 0
        # What the device took instead, after ALTERED.
        self.took = ""
        self._least_char_us = 1000000 * LEAST_CHAR_BITS // baud
        self._echo = b""

    # What the schedule asks of a protocol --------------------------------------------------------

    def reply_length(self, request: bytes) -> int:
        """Bytes of the normal reply, 0 for a broadcast."""
        return modbus.reply_length(request)

    def names_sender(self, request: bytes) -> bool:
        """Whether the reply says whose it is."""
        return True

    def confusable(self, late: bytes, request: bytes) -> bool:
        """Whether a late reply to ``late``, of any other unit, could pass for the reply to ``request``."""
        return False

    def repeatable(self, request: bytes) -> bool:
        """Whether asking twice does no more than asking once: the bus repeats reads only."""
        return request[1] <= modbus.READ_INPUT_REGISTERS

    def probe(self, unit: int):
        """A request that is fit to find out whether a unit is back, or None: any poll is."""
        return None

    def attempt_us(self, request: bytes, timeout_us: int) -> int:
        """The longest time that one attempt takes."""
        size = len(request) + modbus.reply_length(request)
        return size * self.char_us + timeout_us + self.silence_us

    # One transaction ------------------------------------------------------------------------------

    def begin(self, request: bytes, expected: int, now_us: int, timeout_us: int = -1):
        """Note a request that goes out now; ``expected`` is reply_length(request)."""
        self.request = request
        self.expected = expected
        self.buffer = b""
        self.strays = b""
        size = len(request)
        if timeout_us < 0:
            timeout_us = self.timeout_us
        self.sent_us = sent_us = now_us + size * self.char_us
        # Of a broadcast (nothing expected): time for the slaves to act before the next request.
        self.deadline_us = sent_us + timeout_us + expected * self.char_us
        self.quiet_at_us = sent_us + self.silence_us
        if self.echo:
            self._echo = request
        self.listen_us = now_us + (size + expected) * self._least_char_us

    def feed(self, received: bytes, now_us: int) -> int:
        """Take received bytes: PENDING, DONE (``data`` holds the reply's data), REFUSED (``exception``) or
        ALTERED (``took``): the device took another value than it was sent.
        """
        if not received:
            return PENDING
        buffer = self.buffer + received if self.buffer else received
        self.quiet_at_us = now_us + self.silence_us
        request = self.request
        expected = self.expected
        if self._echo:
            buffer = self._without_echo(buffer)
        # The common case first: exactly the reply and nothing else.
        elif len(buffer) == expected and expected != len(request) and not self.echo_seen:
            if buffer[0] == request[0] and buffer[1] == request[1] and crc16(buffer) == 0:
                if self._fits(buffer):
                    return DONE
        answer = self._search(buffer) if expected and not self._echo else PENDING
        if answer == PENDING:
            missing = expected - len(buffer)
            self.listen_us = now_us + (missing - 1) * self._least_char_us if missing > 1 else now_us
            if len(buffer) > expected + MAX_FRAME:
                buffer = buffer[-expected - MAX_FRAME :]
            self.buffer = buffer
        return answer

    def _without_echo(self, buffer: bytes) -> bytes:
        """What follows our own request, once that has come back whole."""
        at = buffer.find(self._echo)
        if at < 0:
            return buffer
        self.strays = buffer[:at]
        buffer = buffer[at + len(self._echo) :]
        self._echo = b""
        return buffer

    def _search(self, buffer: bytes) -> int:
        """Look for the reply behind stray bytes: a leading 0x00, an echo, another unit's late reply."""
        request = self.request
        function = request[1]
        expected = self.expected
        size = len(buffer)
        unit = request[:1]
        mirrored = function in modbus.MIRRORED
        # On a line that echoes, the first copy of a mirrored write is our own.
        own = self.echo_seen and not self.echo
        start = buffer.find(unit)
        while 0 <= start < size - 4:
            step = 1
            found = buffer[start + 1]
            if found == function:
                frame = buffer[start : start + expected]
                if not mirrored or own:
                    if buffer[start : start + len(request)] == request:
                        self.echo_seen = True
                        own = False
                        step = len(request)
                if step == 1 and len(frame) == expected and crc16(frame) == 0:
                    if self._fits(frame):
                        return self._answer(DONE, buffer, start, expected)
                    self.took = modbus.altered(request, frame)
                    if self.took:
                        return self._answer(ALTERED, buffer, start, expected)
            elif found == function | 0x80:
                frame = buffer[start : start + 5]
                if crc16(frame) == 0:
                    self.exception = frame[2]
                    return self._answer(REFUSED, buffer, start, 5)
            start = buffer.find(unit, start + step)
        return PENDING

    def _answer(self, answer: int, buffer: bytes, start: int, length: int) -> int:
        """Keep what was heard besides the reply, and whether an echo was among it."""
        strays = buffer[:start] + buffer[start + length :]
        self.echo_seen = self.echo_seen and not self.echo and self.request in buffer[:start]
        self.strays = self.strays + strays
        self.buffer = b""
        return answer

    def _fits(self, frame: bytes) -> bool:
        """Whether a frame with a right CRC says what was asked for; keeps its data."""
        function = self.request[1]
        if function <= modbus.READ_INPUT_REGISTERS or function == modbus.READ_WRITE_REGISTERS:
            if frame[2] != self.expected - 5:
                return False
            self.data = frame[3:-2]
            return True
        self.data = frame[2:-2]
        return self.data == self.request[2 : self.expected - 2]

    # When the deadline has passed -----------------------------------------------------------------

    def why(self) -> str:
        """What was wrong when the deadline passed, in one or two words; "" after a sound broadcast."""
        buffer = self.buffer
        if self._echo:
            return "garbled echo" if self._echo[:4] in buffer else "no echo"
        if self.expected == 0:
            return ""
        if buffer == self.request:
            return "only an echo"
        if buffer.startswith(self.request):
            buffer = buffer[len(self.request) :]
        size = len(buffer)
        if size == 0:
            return "silence"
        claimed = modbus.claimed_length(buffer)
        if 0 < claimed <= size and crc16(buffer[:claimed]) == 0:
            if buffer[0] != self.request[0]:
                return "wrong unit"
            if buffer[1] & 0x7F != self.request[1]:
                return "wrong function"
            return "wrong length" if claimed != self.expected else "wrong address"
        if size < self.expected:
            return "truncated"
        return "wrong crc"

    def spent(self) -> bool:
        """Whether what came was the reply, damaged: then no late one can come, and asking again is safe."""
        buffer = self.buffer
        if self.echo_seen and not self.echo:
            # The first bytes are our own, or what is left of them.
            buffer = buffer[len(self.request) :]
        if self._echo or len(buffer) < 3 or buffer[:2] != self.request[:2]:
            return False
        claimed = modbus.claimed_length(buffer)
        return claimed > len(buffer) or crc16(buffer[:claimed]) != 0

    def late_reply(self, heard: bytes, request: bytes) -> bool:
        """Whether a reply to ``request``, which has timed out before, is among ``heard``."""
        expected = modbus.reply_length(request)
        start = heard.find(request[:1])
        while 0 <= start < len(heard) - 4:
            if heard[start + 1] & 0x7F == request[1]:
                length = 5 if heard[start + 1] & 0x80 else expected
                frame = heard[start : start + length]
                if len(frame) == length and crc16(frame) == 0:
                    return True
            start = heard.find(request[:1], start + 1)
        return False
