"""Between a port and the slaves in real time: paces what comes and goes at the line's speed."""

from edge.emulator.wire import ECHO, FOREIGN, RECEIVED, SENT, garbled
from edge.node.bus.master import silence_us

# A UART hands over what its FIFO holds; the last group of a frame ends on time.
GROUP = 8
# Nothing to do: how long to sleep at most.
IDLE_US = 1000000


class _Frame:
    """A frame on its way out: ``left`` bytes of it are still to be written, ``data`` has been."""

    def __init__(self, size: int, direction: str = RECEIVED):
        self.left = size
        self.direction = direction
        self.data = b""


class Line:
    """``bus``: an edge.emulator.lines.BusLine. ``paced``: bytes come at the line's speed already, as on a real
    line; a pseudo-terminal has none.

    ``taps``: each is called with (time in us of the last character, direction as of Wire, bytes) for what the
    master and the slaves send, a whole frame at a time where it came so. ``violations`` of the silence and
    ``collisions`` are counted as by edge.emulator.wire.Wire. ``behind_us``: the most that a group of
    bytes has been written later than it was due; ``written`` groups, of which ``missed`` were so late that
    the line had fallen silent.
    """

    def __init__(self, bus, port, paced: bool, taps=()):
        self._slaves = bus.slaves
        self._port = port
        self._paced = paced
        self._taps = list(taps)
        self._char_us = bus.slaves.char_us
        self._silence_us = silence_us(bus.baud, bus.char_bits)
        # (write in us, last character out in us, its place among all groups, bytes, the frame they are of)
        self._groups = []
        self._made = 0
        bus.slaves.faults.say = self._say
        self._sent_us = 0
        self._heard_us = 0
        # Pieces of a request, for the taps.
        self._asked = b""
        self.violations = 0
        self.collisions = 0
        self.behind_us = 0
        self.written = 0
        self.missed = 0

    def add_tap(self, tap):
        """One more that is called for every frame."""
        self._taps.append(tap)

    def idle(self) -> bool:
        """Nothing is on its way to the master."""
        return not self._groups

    def cut(self):
        """The line has been interrupted: what is on its way is lost."""
        self._groups.clear()
        self._asked = b""

    def step(self, now_us: int) -> int:
        """Move what there is to move; the next deadline in us."""
        if self._port.any():
            self._received(self._port.read(), now_us)
        while self._groups and self._groups[0][0] <= now_us:
            due_us, self._sent_us, _, group, frame = self._groups.pop(0)
            self._port.write(group)
            self.written += 1
            behind_us = now_us - due_us
            if behind_us > self.behind_us:
                self.behind_us = behind_us
            if behind_us > self._silence_us:
                self.missed += 1
            frame.data += group
            frame.left -= len(group)
            if self._taps and not frame.left:
                self._tell(self._sent_us, frame.direction, frame.data)
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
        elif start_us < self.free_us() and not self._slaves.partial():
            self.violations += 1
        paused = start_us - self._heard_us >= self._slaves.silence_us
        if self._taps and self._asked and paused:
            self._tell(self._heard_us, SENT, self._asked)
            self._asked = b""
        self._heard_us = end_us
        faults = self._slaves.faults
        echo = faults.echo(data, end_us) if faults.armed else b""
        if echo:
            self._put(end_us, end_us, echo, _Frame(len(echo), ECHO))
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

    def free_us(self) -> int:
        """When the line has been silent for long enough, after the slaves and after the master."""
        last_us = self._sent_us if self._sent_us > self._heard_us else self._heard_us
        return last_us + self._silence_us if last_us else 0

    def _talked_over(self, start_us: int, end_us: int) -> bool:
        """Garble what a slave sends between these times; whether there is any."""
        overlap = False
        for i, (due_us, sent_us, place, group, frame) in enumerate(self._groups):
            if sent_us - len(group) * self._char_us < end_us and start_us < sent_us:
                self._groups[i] = (due_us, sent_us, place, garbled(group), frame)
                overlap = True
        return overlap

    def _say(self, start_us: int, data: bytes, request: bool):
        """Somebody talks unasked; where it is a request, who is asked answers it."""
        heard = self._send(data, start_us, FOREIGN)
        for reply_us, reply in self._slaves.received(heard, start_us + int(len(data) * self._char_us)):
            if request:
                self._send(reply, reply_us, FOREIGN)
        self._groups.sort()

    def _send(self, reply: bytes, start_us: int, direction: str = RECEIVED) -> bytes:
        """Note what to write when; who talks while another does garbles both. Returns what is heard of it."""
        size = len(reply)
        if self._groups and self._talked_over(start_us, start_us + int(size * self._char_us)):
            self.collisions += 1
            reply = garbled(reply)
        frame = _Frame(size, direction)
        if self._paced:
            self._put(start_us, start_us + int(size * self._char_us), reply, frame)
            return reply
        for first in range(0, size, GROUP):
            last = min(first + GROUP, size)
            end_us = start_us + int(last * self._char_us + 0.5)
            self._put(end_us, end_us, reply[first:last], frame)
        return reply

    def _put(self, due_us: int, sent_us: int, group: bytes, frame: _Frame):
        self._made += 1
        self._groups.append((due_us, sent_us, self._made, group, frame))
