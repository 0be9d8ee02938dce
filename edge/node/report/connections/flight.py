"""What an MQTT client has under way: messages not acknowledged, and bytes that the socket has not taken."""

PACKET_IDS = 65535


class InFlight:
    """Packet ids given and not yet acknowledged, each with the time of its sending.

    They are consecutive (1..65535, then 1 again), so a ring of times is enough: no packet id is stored, none
    is given twice while it is in flight, and nothing is allocated. ``window``: messages; two slots more are
    for subscriptions. ``last_id``: the packet id after which to count on.
    """

    def __init__(self, window: int, last_id: int = 0):
        if not 1 <= window <= 1000:
            raise ValueError(f"mqtt: window = {window}, expected 1..1000")
        self.window = window
        self._slots = window + 2
        self._sent_ms = [0] * self._slots  # -1 where the acknowledgement came out of turn
        self._head = 0
        self._last_id = last_id
        self.span = 0  # from the oldest one in flight to the newest

    def room(self) -> int:
        """How many more messages may be sent."""
        return max(self.window - self.span, 0)

    def new_id(self, now_ms: int) -> int:
        """The packet id of what is sent now; there must be a slot."""
        self._sent_ms[(self._head + self.span) % self._slots] = now_ms
        self.span += 1
        self._last_id = self._last_id % PACKET_IDS + 1
        return self._last_id

    def acknowledge(self, packet_id: int) -> bool:
        """False if nothing in flight has this packet id."""
        ahead = (packet_id - 1 - self._last_id + self.span) % PACKET_IDS
        if ahead >= self.span:
            return False
        slot = (self._head + ahead) % self._slots
        if self._sent_ms[slot] < 0:
            return False
        self._sent_ms[slot] = -1
        while self.span and self._sent_ms[self._head] < 0:
            self._head = (self._head + 1) % self._slots
            self.span -= 1
        return True

    def oldest_ms(self) -> int:
        """When the message that waits longest was sent, or -1."""
        return self._sent_ms[self._head] if self.span else -1

    def clear(self):
        """The connection is gone, and what was in flight with it; the packet ids go on."""
        self.span = 0


class Outgoing:
    """Packets, or the rest of one, that wait until the socket takes them. Each is one write, unless cut."""

    def __init__(self):
        self._packets = []
        self._at = 0  # bytes of the first packet that have gone
        self.bytes = 0

    def put(self, packet: bytes, stream) -> bool:
        """Write ``packet``, or as much of it as goes; True if anything went."""
        count = 0 if self._packets else stream.send(packet)
        if count < len(packet):
            if not self._packets:
                self._at = count
            self._packets.append(packet)
            self.bytes += len(packet) - count
        return count > 0

    def write(self, stream) -> bool:
        """Write on with what waits; True if anything went."""
        went = False
        while self._packets:
            packet = self._packets[0]
            count = stream.send(memoryview(packet)[self._at:] if self._at else packet)
            if not count:
                break
            went = True
            self._at += count
            self.bytes -= count
            if self._at == len(packet):
                self._packets.pop(0)
                self._at = 0
        return went

    def clear(self):
        self._packets = []
        self._at = 0
        self.bytes = 0
