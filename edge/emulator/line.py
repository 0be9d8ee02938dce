"""Between a port and the slaves in real time: paces what comes and goes at the line's speed."""

from edge.emulator.wire import RECEIVED, SENT, garbled
from edge.node.bus.master import silence_us

# A UART hands over what its FIFO holds; the last group of a frame ends on time.
GROUP = 8
# Nothing to do: how long to sleep at most.
IDLE_US = 1000000


class Line:
    """``paced``: bytes come at the line's speed already, as on a real line; a pseudo-terminal has none.

    ``taps``: each is called with (time in us of the last character, ">" or "<", bytes) for what the master
    and the slaves send, a whole frame at a time where it came so. ``violations`` of the silence and
    ``collisions`` are counted as by edge.emulator.wire.Wire. ``behind_us``: the most that a group of
    bytes has been written later than it was due; ``written`` groups, of which ``missed`` were so late that
    the line had fallen silent.
    """

    def __init__(self, bench, port, paced: bool, taps=()):
        self._slaves = bench.slaves
        self._port = port
        self._paced = paced
        self._taps = taps
        self._char_us = bench.slaves.char_us
        self._silence_us = silence_us(bench.baud, bench.plant.char_bits)
        # (write in us, last character out in us, bytes, the reply ends with these)
        self._groups = []
        self._sent_us = 0
        self._heard_us = 0
        # Pieces of a request, and of a reply, for the taps.
        self._asked = b""
        self._answered = b""
        self.violations = 0
        self.collisions = 0
        self.behind_us = 0
        self.written = 0
        self.missed = 0

    def step(self, now_us: int) -> int:
        """Move what there is to move; the next deadline in us."""
        if self._port.any():
            self._received(self._port.read(), now_us)
        while self._groups and self._groups[0][0] <= now_us:
            due_us, self._sent_us, group, last = self._groups.pop(0)
            self._port.write(group)
            self.written += 1
            behind_us = now_us - due_us
            if behind_us > self.behind_us:
                self.behind_us = behind_us
            if behind_us > self._silence_us:
                self.missed += 1
            if self._taps:
                self._answered += group
                if last:
                    self._tell(self._sent_us, RECEIVED, self._answered)
                    self._answered = b""
        return self._groups[0][0] if self._groups else now_us + IDLE_US

    def _received(self, data: bytes, now_us: int):
        duration_us = int(len(data) * self._char_us)
        if self._paced:
            end_us = now_us
            start_us = now_us - duration_us
        else:
            start_us = now_us if now_us > self._heard_us else self._heard_us
            end_us = start_us + duration_us
        if self._talked_over(start_us, end_us):
            self.collisions += 1
            data = garbled(data)
        elif start_us < self._quiet_us() and not self._slaves.partial():
            self.violations += 1
        paused = start_us - self._heard_us >= self._slaves.silence_us
        if self._taps and self._asked and paused:
            self._tell(self._heard_us, SENT, self._asked)
            self._asked = b""
        self._heard_us = end_us
        faults = self._slaves.faults
        echo = faults.echo(data, end_us) if faults.armed else b""
        if echo:
            self._groups.append((end_us, end_us, echo, False))
        replies = self._slaves.received(data, end_us)
        if self._taps:
            self._asked += data
            if not self._slaves.partial():
                self._tell(end_us, SENT, self._asked)
                self._asked = b""
        for reply_us, reply in replies:
            self._send(reply, reply_us)
        self._groups.sort()

    def _tell(self, at_us: int, direction: str, data: bytes):
        for tap in self._taps:
            tap(at_us, direction, data)

    def _quiet_us(self) -> int:
        """When the line has been silent for long enough, after the slaves and after the master."""
        last_us = self._sent_us if self._sent_us > self._heard_us else self._heard_us
        return last_us + self._silence_us if last_us else 0

    def _talked_over(self, start_us: int, end_us: int) -> bool:
        """Garble what a slave sends between these times; whether there is any."""
        overlap = False
        for i, (due_us, sent_us, group, last) in enumerate(self._groups):
            if sent_us - len(group) * self._char_us < end_us and start_us < sent_us:
                self._groups[i] = (due_us, sent_us, garbled(group), last)
                overlap = True
        return overlap

    def _send(self, reply: bytes, start_us: int):
        """Note what to write when; who answers while another does garbles both."""
        size = len(reply)
        if self._groups and self._talked_over(start_us, start_us + int(size * self._char_us)):
            self.collisions += 1
            reply = garbled(reply)
        if self._paced:
            self._groups.append((start_us, start_us + int(size * self._char_us), reply, True))
            return
        for first in range(0, size, GROUP):
            last = min(first + GROUP, size)
            end_us = start_us + int(last * self._char_us + 0.5)
            self._groups.append((end_us, end_us, reply[first:last], last == size))
