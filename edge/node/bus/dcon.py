"""DCON, the ASCII protocol of Advantech ADAM-4000 and ICP DAS I-7000: the master's side, without any I/O.

Sources: ADAM-4000 Series User's Manual, chapter 4 (syntax, checksum) and I-7000 user manuals, chapter 2.
A command is a leading character, two hexadecimal digits of address, what is asked, two digits of checksum
where the module is set so, and a carriage return. The checksum is the sum of all characters before it,
modulo 256. A reply begins with ">" (data), "!" (done, or ignored by a module whose host watchdog has
tripped) or "?" (invalid command); a command with a syntax error or a wrong checksum is not answered.

Some replies name the module ("!AA..."), some don't (">+7.2111"). One that doesn't and comes late could be
anybody's: see confusable(). Without a checksum a hit character may pass unseen: use it on every line.
"""

from edge.node.bus.master import LEAST_CHAR_BITS, silence_us
from edge.node.bus.modbus import DONE, PENDING, REFUSED

CR = b"\r"
LEADING = b"#$%@~"
# Of all ADAM-4000 and I-7000 the longest: ten inputs of seven characters ("#AA" to an I-7018Z).
LONGEST_DATA = 80
LONGEST_OTHER = 24
# "exception 0": modbus.EXCEPTIONS has its name.
INVALID_COMMAND = 0

_HEX = b"0123456789ABCDEF"


def checksum(text: bytes) -> bytes:
    """Two hexadecimal digits for the characters before them."""
    total = sum(text) & 0xFF
    return bytes((_HEX[total >> 4], _HEX[total & 15]))


def command(text: str, with_checksum: bool = False) -> bytes:
    """The bytes of a command, as "#01" or "$012"; ValueError where no module could read it."""
    data = text.encode()
    if not 3 <= len(data) <= LONGEST_OTHER or data[0] not in LEADING or min(data) < 0x21 or max(data) > 0x7E:
        raise ValueError('dcon: %r is no command; expected one as "#01" or "$012"' % text)
    return data + checksum(data) + CR if with_checksum else data + CR


def address(unit: int) -> str:
    """A unit of 0..255 as a command has it."""
    return "%02X" % unit


class DconMaster:
    """One transaction at a time, with the interface of edge.node.bus.master.Master.

    ``checked``: commands carry a checksum, and no reply passes without. ``data`` after DONE: the reply's
    text as bytes, from its leading character on, without checksum and carriage return. REFUSED: the
    module said that the command is invalid.
    """

    NAME = "dcon"

    def __init__(
        self, baud: int, timeout_ms: int, char_bits: int = 11, echo: bool = False, checked: bool = False
    ):
        self.char_us = (1000000 * char_bits + baud - 1) // baud
        # DCON asks for no silence; units that speak Modbus on the same line need theirs.
        self.silence_us = silence_us(baud, char_bits)
        self.timeout_us = timeout_ms * 1000
        self.echo = echo
        self.checked = checked
        self.request = b""
        self.expected = 0
        self.sent_us = 0
        self.deadline_us = 0
        self.quiet_at_us = 0
        self.listen_us = 0
        self.buffer = b""
        self.strays = b""
        self.data = b""
        self.exception = INVALID_COMMAND
        self._least_char_us = 1000000 * LEAST_CHAR_BITS // baud
        self._echo = b""
        self._why = ""
        # What stands behind a command's own characters.
        self._tail = 3 if checked else 1

    # What the schedule asks of a protocol --------------------------------------------------------

    def command(self, text: str) -> bytes:
        """The bytes of a command as this master's modules read it."""
        return command(text, self.checked)

    def reply_length(self, request: bytes) -> int:
        """The most characters that a reply may have, 0 for a command to all ("#**", "~**")."""
        if request[1:3] == b"**":
            return 0
        # "#AA" reads all inputs.
        return LONGEST_DATA if request[0] == 0x23 and len(request) == 3 + self._tail else LONGEST_OTHER

    def names_sender(self, request: bytes) -> bool:
        """Whether the reply says whose it is: not of "#" and "@", nor of cold junction ("$AA3"),
        synchronised ("$AA4") and digital data ("$AA6").
        """
        if request[0] == 0x24:
            return len(request) != 4 + self._tail or request[3] not in b"346"
        return request[0] in b"%~"

    def confusable(self, late: bytes, request: bytes) -> bool:
        """Whether a late reply to ``late``, of any unit, could pass for the reply to ``request``."""
        if self.names_sender(late):
            return False
        # "!112200" of "$AA6" looks like the named reply of unit 11.
        return not self.names_sender(request) or (late[0] == 0x24 and late[3] != 0x33)

    def repeatable(self, request: bytes) -> bool:
        """Whether the bus may repeat a command by itself: what reads, but for "$AA5", which clears."""
        size = len(request) - self._tail
        if request[0] == 0x24:
            return size == 4 and request[3] != 0x35
        return size == 3 and request[0] in b"#@"

    def probe(self, unit: int):
        """The question for the configuration, whose reply names the unit: is it back?"""
        return command("$" + address(unit) + "2", self.checked)

    def attempt_us(self, request: bytes, timeout_us: int) -> int:
        """The longest time that one attempt takes."""
        return (len(request) + self.reply_length(request)) * self.char_us + timeout_us + self.silence_us

    # One transaction ------------------------------------------------------------------------------

    def begin(self, request: bytes, expected: int, now_us: int, timeout_us: int = -1):
        """Note a command that goes out now; ``expected`` is reply_length(request)."""
        self.request = request
        self.expected = expected
        self.buffer = b""
        self.strays = b""
        self._why = ""
        if timeout_us < 0:
            timeout_us = self.timeout_us
        self.sent_us = sent_us = now_us + len(request) * self.char_us
        self.deadline_us = sent_us + timeout_us + expected * self.char_us
        self.quiet_at_us = sent_us + self.silence_us
        self._echo = request if self.echo else b""
        # The shortest reply is ">" and a carriage return.
        self.listen_us = now_us + (len(request) + 2) * self._least_char_us

    def feed(self, received: bytes, now_us: int) -> int:
        """Take received bytes: PENDING, DONE (``data``) or REFUSED."""
        if not received:
            return PENDING
        self.quiet_at_us = now_us + self.silence_us
        self.listen_us = now_us
        buffer = self.buffer + received if self.buffer else received
        while True:
            end = buffer.find(CR)
            if end < 0:
                break
            line = buffer[: end + 1]
            buffer = buffer[end + 1 :]
            if self._echo or line == self.request:
                # Own bytes that come back, as configured or not; no module answers with a command.
                if line.endswith(self.request):
                    self._echo = b""
                    line = line[: -len(self.request)]
                self._stray(line)
                continue
            answer = self._read(line[:-1]) if self.expected else PENDING
            if answer != PENDING:
                self._stray(buffer)
                self.buffer = b""
                return answer
            self._stray(line)
        # What has no end is no reply, however much of it comes.
        self.buffer = buffer[-LONGEST_DATA:] if len(buffer) > LONGEST_DATA else buffer
        return PENDING

    def _stray(self, data: bytes):
        if data:
            self.strays = (self.strays + data)[-2 * LONGEST_DATA :]

    def _read(self, line: bytes) -> int:
        """Judge one line without its carriage return; keeps what is wrong with it."""
        for start in range(len(line)):
            if line[start] in b">!?":
                text = _text(line[start:], self.checked)
                if text is not None:
                    return self._judge(text)
                if not self.checked:
                    break
        self._why = "wrong checksum" if self.checked else "garbled"
        return PENDING

    def _judge(self, text: bytes) -> int:
        """Whether a sound reply is ours."""
        own = self.request[1:3]
        named = self.names_sender(self.request)
        if text[0] == 0x3F and len(text) > 1:
            if text[1:3] == own:
                return REFUSED
            self._why = "wrong unit"
            return PENDING
        if named:
            # "?" alone too is another module's, late.
            if text[0] != 0x21:
                self._why = "wrong reply"
                return PENDING
            if text[1:3] != own:
                self._why = "wrong unit"
                return PENDING
        if text[0] == 0x3F:
            return REFUSED
        self.data = text
        return DONE

    # When the deadline has passed -----------------------------------------------------------------

    def why(self) -> str:
        """What was wrong when the deadline passed, in one or two words; "" after a command to all."""
        if self._echo:
            return "garbled echo" if self.request[:1] in self.strays + self.buffer else "no echo"
        if self.expected == 0:
            return ""
        if self._why:
            return self._why
        if self.buffer:
            return "truncated"
        return "garbled" if self.strays else "silence"

    def spent(self) -> bool:
        """Whether what came was the reply, damaged: a line that begins like one."""
        heard = self.strays + self.buffer
        return not self._echo and self._why in ("", "wrong checksum") and heard[:1] in (b">", b"!")

    def late_reply(self, heard: bytes, request: bytes) -> bool:
        """Whether a reply to ``request``, which has timed out before, is among ``heard``."""
        named = self.names_sender(request)
        for line in heard.split(CR)[:-1]:
            for start in range(len(line)):
                if line[start] in b">!?":
                    if not named or line[start + 1 : start + 3] == request[1:3]:
                        return True
                    break
        return False


def _text(reply: bytes, checked: bool):
    """A reply without its checksum, or None when it is none."""
    for byte in reply:
        if byte < 0x20 or byte > 0x7E:
            return None
    if not checked:
        return reply
    if len(reply) < 3 or checksum(reply[:-2]) != reply[-2:]:
        return None
    return reply[:-2]
