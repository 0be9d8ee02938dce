"""The Modbus RTU master's side of one transaction at a time, without any I/O.

Sources: MODBUS over Serial Line V1.02 (silence of 3.5 characters, 1.75 ms above 19200 baud, echo of
a two-wire line, broadcast and its turnaround) and MODBUS Application Protocol V1.1b3 (replies).

A reply is recognised by its expected length, unit, function, byte count and CRC, wherever it begins
in what was heard: stray bytes, a leading 0x00 or another unit's late reply go before it. The gap of
1.5 characters inside a frame is not enforced: USB adapters split frames, radio links dribble. Behind
the request of another master to the same unit nothing is a reply to ours.
"""

from cext.crc import crc16
from edge.node.bus import modbus
from edge.node.bus.heard import confusable, flaw, is_read, reply_in, request_at, requests_in
from edge.node.bus.modbus import ALTERED, DONE, PENDING, REFUSED

# Noise is kept so long: what is older than one full frame can't start our reply.
MAX_FRAME = 256
# No character is shorter than a start bit, eight data bits and a stop bit.
LEAST_CHAR_BITS = 10
# Between two characters of a reply so much, and two characters more, may pass.
GAP_US = 20000
# After so many in a row an own request that is heard is an echo; before it may be another master's.
ECHOES = 3
# What is left of the echo of a single write must be so long: a stray byte before a whole echo is no remnant.
REMNANT = 3


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

    After begin(): ``deadline_us`` (then it has failed, see why(); once the reply has begun it moves on
    with each character), ``quiet_at_us`` (the next request goes out no sooner), ``listen_us`` (no
    complete reply can be there before: who waits may sleep so long without looking). After feed():
    ``data``, ``exception``, ``strays`` (what was heard besides), ``foreign`` (another master has asked
    the same unit).
    """

    NAME = "modbus"

    def __init__(self, baud: int, timeout_ms: int, char_bits: int = 11, echo: bool = False):
        self.char_us = (1000000 * char_bits + baud - 1) // baud
        self.silence_us = silence_us(baud, char_bits)
        self.timeout_us = timeout_ms * 1000
        self.echo = echo
        # A line that echoes without being said to: seen in the last transaction that can tell.
        self.echo_seen = False
        # Whether an echo is expected in this transaction, and how many were heard in a row.
        self.echoes = echo
        self._echoed = 0
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
        self.foreign = False
        self.gap_us = GAP_US + 2 * self.char_us
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
        """Whether a late reply to ``late`` could pass for that to ``request``."""
        return confusable(late, request)

    def repeatable(self, request: bytes) -> bool:
        """Whether asking twice does no more than asking once: the bus repeats reads only."""
        return request[1] <= modbus.READ_INPUT_REGISTERS

    def probe(self, unit: int):
        """A request that is fit to find out whether a unit is back, or None: any poll is."""
        return None

    def attempt_us(self, request: bytes, timeout_us: int) -> int:
        """The longest time that one attempt takes."""
        size = len(request) + modbus.reply_length(request)
        return size * self.char_us + timeout_us + self.gap_us + self.silence_us

    def overheard(self, heard: bytes) -> list:
        """Requests of another master in what was heard: (where each ends, its bytes)."""
        return requests_in(heard)

    def named(self, request: bytes) -> str:
        """A request in words."""
        return "unit %d, function %d" % (request[0], request[1])

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
        self._last_us = self.deadline_us + expected * self.gap_us
        self.quiet_at_us = sent_us + self.silence_us
        self.foreign = False
        self.echoes = self.echo or (self.echo_seen and self._echoed >= ECHOES)
        if self.echo:
            self._echo = request
        self.listen_us = now_us + (size + expected) * self._least_char_us

    def look(self, at_us: int):
        """Nobody looks for the reply before, if that is no later than the deadline."""
        if self.listen_us < at_us < self.deadline_us:
            self.listen_us = at_us

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
            if now_us + self.gap_us > self.deadline_us and self._begun(buffer):
                self.deadline_us = min(now_us + self.gap_us, self._last_us)
            missing = expected - len(buffer)
            self.listen_us = now_us + (missing - 1) * self._least_char_us if missing > 1 else now_us
            if len(buffer) > expected + MAX_FRAME:
                buffer = buffer[-expected - MAX_FRAME :]
            self.buffer = buffer
        return answer

    def _without_echo(self, buffer: bytes) -> bytes:
        """What follows our own request, once that has come back: whole, or what a turned line left of it."""
        request = self.request
        at = buffer.find(request)
        if at < 0:
            at = self._behind_remnant(buffer)
            if at < 0:
                return buffer
        elif at < REMNANT or buffer[:at] not in request or request[1] not in modbus.MIRRORED:
            self.strays = buffer[:at]
            self._echo = b""
            return buffer[at + len(request) :]
        # Behind a remnant even what looks like our request is the reply.
        self.strays = buffer[:at]
        self._echo = b""
        return buffer[at:]

    def _behind_remnant(self, buffer: bytes) -> int:
        """Where a whole reply begins behind a part of our request, or -1."""
        request = self.request
        size = 1
        while size < len(buffer) and buffer[:size] in request:
            if buffer[size] == request[0] and self._whole(buffer[size:]):
                return size
            size += 1
        return -1

    def _whole(self, buffer: bytes) -> bool:
        """Whether a reply to our request, or a refusal, begins here and is all there."""
        size = self.expected if buffer[1:2] == self.request[1:2] else 5
        if len(buffer) < size or not size or buffer[1] & 0x7F != self.request[1]:
            return False
        return crc16(buffer[:size]) == 0

    def _begun(self, buffer: bytes) -> bool:
        """Whether what was heard ends with the beginning of a reply."""
        request = self.request
        start = buffer.find(request[:1])
        while start >= 0:
            rest = len(buffer) - start
            if rest == 1 or (rest < self.expected and buffer[start + 1] & 0x7F == request[1]):
                return True
            start = buffer.find(request[:1], start + 1)
        return False

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
        start = -1 if self.foreign else buffer.find(unit)
        while 0 <= start < size - 4:
            step = 1
            found = buffer[start + 1]
            if found <= modbus.READ_WRITE_REGISTERS and buffer[start : start + len(request)] != request:
                if request_at(buffer, start):
                    # What follows is for whoever has sent that.
                    self.foreign = True
                    return PENDING
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
        before = buffer[:start]
        echoed = self.request in before or (start >= REMNANT and before in self.request)
        self._echoed = self._echoed + 1 if echoed else 0
        self.echo_seen = echoed and not self.echo
        self.strays = self.strays + strays
        self.buffer = b""
        return answer

    def _fits(self, frame: bytes) -> bool:
        """Whether a frame with a right CRC says what was asked for; keeps its data."""
        function = self.request[1]
        if is_read(function):
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
            if buffer and buffer in self.request:
                return "silence"
            return "garbled echo" if self._echo[:4] in buffer else "no echo"
        if self.expected == 0:
            return ""
        if self.foreign:
            return "another master asks"
        return flaw(buffer, self.request, self.expected)

    def spent(self) -> bool:
        """Whether what came looks like the reply, damaged: the same may be asked again at once."""
        buffer = self.buffer
        if self.foreign or buffer in self.request:
            return False
        if self.echo_seen and not self.echo:
            # The first bytes are our own, or what is left of them.
            buffer = buffer[len(self.request) :]
        if self._echo or len(buffer) < 3 or buffer[:2] != self.request[:2]:
            return False
        claimed = modbus.claimed_length(buffer)
        return claimed > len(buffer) or crc16(buffer[:claimed]) != 0

    def late_reply(self, heard: bytes, request: bytes) -> int:
        """Where the first reply to ``request``, which has timed out before, ends in ``heard``; 0: none."""
        return reply_in(heard, request)
