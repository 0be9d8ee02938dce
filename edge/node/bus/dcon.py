"""DCON, the ASCII protocol of Advantech ADAM-4000 and ICP DAS I-7000: the master's side, without any I/O.

The text of commands and replies: edge.node.bus.dcon_text. Some replies name the module ("!AA..."), some don't
(">+7.2111"). One that doesn't and comes late could be anybody's: see confusable(). To a command whose reply
names nobody only ">", "!" or "?" alone, and what names the module itself are answers; behind a command of
another master nothing is. Without a checksum a hit character may pass unseen: use it on every line.
"""

from edge.node.bus import dcon_text
from edge.node.bus.dcon_text import CR, LEADING, address, checksum, command
from edge.node.bus.master import ECHOES, GAP_US, LEAST_CHAR_BITS, silence_us
from edge.node.bus.modbus import DONE, PENDING, REFUSED

__all__ = ["CR", "LEADING", "DconMaster", "address", "checksum", "command"]

# Of all ADAM-4000 and I-7000 the longest: ten inputs of seven characters ("#AA" to an I-7018Z).
LONGEST_DATA = 80
LONGEST_OTHER = 24
# "exception 0": modbus.EXCEPTIONS has its name.
INVALID_COMMAND = 0


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
        # Whether an echo is expected in this transaction, and how many were heard in a row.
        self.echoes = echo
        self._echoed = 0
        self._heard_echo = False
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
        self.foreign = False
        self.gap_us = GAP_US + 2 * self.char_us
        self._last_us = 0
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
        """Whether the reply says whose it is."""
        return dcon_text.names_sender(request, self._tail)

    def confusable(self, late: bytes, request: bytes) -> bool:
        """Whether a late reply to ``late``, of any unit, could pass for the reply to ``request``."""
        return dcon_text.confusable(late, request, self._tail)

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
        size = len(request) + self.reply_length(request)
        return size * self.char_us + timeout_us + self.gap_us + self.silence_us

    def overheard(self, heard: bytes) -> list:
        """Commands of another master in what was heard: (where each ends, its bytes)."""
        return dcon_text.commands_in(heard, self.checked)

    def named(self, request: bytes) -> str:
        """A command in words."""
        return "command " + request[:-1].decode()

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
        self._last_us = self.deadline_us + expected * self.gap_us
        self.foreign = False
        self._echoed = self._echoed + 1 if self._heard_echo else 0
        self._heard_echo = False
        self.echoes = self.echo or self._echoed >= ECHOES
        self.quiet_at_us = sent_us + self.silence_us
        self._echo = request if self.echo else b""
        # The shortest reply is ">" and a carriage return.
        self.listen_us = now_us + (len(request) + 2) * self._least_char_us

    def look(self, at_us: int):
        """Nobody looks for the reply before, if that is no later than the deadline."""
        if self.listen_us < at_us < self.deadline_us:
            self.listen_us = at_us

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
            sent = dcon_text.command_at_end(line, self.checked)
            if sent == self.request or line == self.request:
                # Own bytes that come back, as configured or not; no module answers with a command.
                self._echo = b""
                self._heard_echo = True
                self._stray(line)
                continue
            if line in self.request and not self._echo:
                # What is left of an echo.
                self._stray(line)
                continue
            if sent:
                # What follows may be for whoever has sent that.
                self.foreign = True
            if self._echo:
                line = self._without_remnant(line)
                if self._echo or not line:
                    self._stray(line)
                    continue
            answer = self._read(line[:-1]) if self.expected and not self.foreign else PENDING
            if answer != PENDING:
                self._stray(buffer)
                self.buffer = b""
                return answer
            self._stray(line)
        if now_us + self.gap_us > self.deadline_us and self._begun(buffer):
            self.deadline_us = min(now_us + self.gap_us, self._last_us)
        # What has no end is no reply, however much of it comes.
        self.buffer = buffer[-LONGEST_DATA:] if len(buffer) > LONGEST_DATA else buffer
        return PENDING

    def _without_remnant(self, line: bytes) -> bytes:
        """A line without what a turned line has left of our echo; that has been heard then."""
        request = self.request
        size = 1
        while size <= len(line) and line[:size] in request:
            if size == len(line) or line[size] in b">!?":
                self._echo = b""
                self._stray(line[:size])
                return line[size:]
            size += 1
        return line

    def _begun(self, buffer: bytes) -> bool:
        """Whether what was heard ends with the beginning of a reply."""
        return bool(self.expected) and (b">" in buffer or b"!" in buffer or b"?" in buffer)

    def _stray(self, data: bytes):
        if data:
            self.strays = (self.strays + data)[-2 * LONGEST_DATA :]

    def _read(self, line: bytes) -> int:
        """Judge one line without its carriage return; keeps what is wrong with it."""
        for start in range(len(line)):
            if line[start] in b">!?":
                text = dcon_text.plain(line[start:], self.checked)
                if text is not None:
                    answer = self._judge(text)
                    if answer != PENDING:
                        self._stray(line[:start])
                    return answer
                if not self.checked:
                    break
        self._why = "wrong checksum" if self.checked else "garbled"
        return PENDING

    def _judge(self, text: bytes) -> int:
        """Whether a sound reply is ours."""
        why = dcon_text.misfit(text, self.request, self._tail)
        if why:
            self._why = why
            return PENDING
        if text[0] == 0x3F:
            return REFUSED
        self.data = text
        return DONE

    # When the deadline has passed -----------------------------------------------------------------

    def why(self) -> str:
        """What was wrong when the deadline passed, in one or two words; "" after a command to all."""
        heard = self.strays + self.buffer
        if self._echo:
            if heard and heard in self.request:
                return "silence"
            return "garbled echo" if self.request[:1] in heard else "no echo"
        if self.expected == 0:
            return ""
        if self.foreign:
            return "another master asks"
        if self._why:
            return self._why
        if not heard or heard in self.request:
            # What is left of an echo is no answer.
            return "silence"
        return "truncated" if self.buffer else "garbled"

    def spent(self) -> bool:
        """Whether what came looks like the reply, damaged: a line that begins like one."""
        heard = self.strays + self.buffer
        if self.foreign or self._echo:
            return False
        return self._why in ("", "wrong checksum") and heard[:1] in (b">", b"!")

    def late_reply(self, heard: bytes, request: bytes) -> int:
        """Where the first reply to ``request``, which has timed out before, ends in ``heard``; 0: none."""
        end = 0
        for line in heard.split(CR)[:-1]:
            end += len(line) + 1
            for start in range(len(line)):
                if line[start] in b">!?":
                    text = dcon_text.plain(line[start:], self.checked)
                    if text is not None and not dcon_text.misfit(text, request, self._tail):
                        return end
                    break
        return 0
