"""The messages of a publisher from ``put`` to their acknowledgement, in order, in a ring of fixed size."""

from edge.node.report import packets


class SendQueue:
    """Bounded queue and in-flight window of an MQTT publisher.

    ``messages_max``: slots; ``bytes_max``: bytes of all packets together; ``window``: how many messages, from
    the first one not acknowledged on, may be sent; ``last_id``: packet id after which to count on.

    One more slot, the express slot, holds a message that goes out before all others (online, offline).
    """

    def __init__(self, messages_max: int, bytes_max: int, window: int = 20, last_id: int = 0):
        if not 1 <= window <= 65535 or messages_max < 1:
            raise ValueError(f"mqtt: window {window} and queue {messages_max}, expected 1 or more")
        self._slots = messages_max
        self.bytes_max = bytes_max
        self._window = window
        self._packets = [None] * (messages_max + 1)
        self._ids = [0] * (messages_max + 1)
        self._sent_ms = [0] * (messages_max + 1)
        self._head = 0
        self._span = 0  # slots in use from the head on
        self._taken = 0  # of these, sent on the present connection
        self._express_taken = False
        self._bytes = 0
        self._last_id = last_id
        self.queued = 0
        self.sent = 0
        self.resent = 0
        self.acked = 0
        self.dropped = 0

    def put(self, packet: bytearray) -> bool:
        """Queue a PUBLISH packet; False, and counted as dropped, when there is no room."""
        if self._span == self._slots or self._bytes + len(packet) > self.bytes_max:
            self.dropped += 1
            return False
        self._packets[(self._head + self._span) % self._slots] = packet
        self._span += 1
        self._bytes += len(packet)
        self.queued += 1
        return True

    def put_express(self, packet: bytearray):
        """Send ``packet`` (QoS 1) next; it takes the place of an express message that is still there."""
        self._packets[self._slots] = packet
        self._ids[self._slots] = 0
        self._express_taken = False

    def express_pending(self) -> bool:
        """Whether the express message still waits for its acknowledgement."""
        return self._packets[self._slots] is not None

    def take(self, now_ms: int):
        """The next packet to send, with its packet id in it, or None if the window is full or all is sent."""
        express = self._slots
        if self._packets[express] is not None and not self._express_taken:
            self._express_taken = True
            return self._stamp(express, now_ms)
        while self._taken < self._span and self._taken < self._window:
            slot = (self._head + self._taken) % self._slots
            self._taken += 1
            packet = self._packets[slot]
            if packet is None:
                continue
            if not packet[0] & packets.QOS1:
                self.sent += 1
                self._free(slot)
                return packet
            if self._ids[slot]:
                self.resent += 1
            else:
                self.sent += 1
            return self._stamp(slot, now_ms)
        return None

    def acknowledge(self, packet_id: int) -> bool:
        """A PUBACK has come. False if no message has this packet id."""
        if packet_id not in self._ids:
            return False
        slot = self._ids.index(packet_id)
        if slot == self._slots:
            self._ids[slot] = 0
            self._packets[slot] = None
        else:
            self.acked += 1
            self._free(slot)
        return True

    def rewind(self):
        """The connection is gone: what is not acknowledged will be sent again. An express message is not."""
        self._taken = 0
        self._packets[self._slots] = None
        self._ids[self._slots] = 0

    def oldest_sent_ms(self) -> int:
        """When the message that waits longest for its acknowledgement was sent, or -1."""
        oldest = -1
        if self._taken and self._packets[self._head] is not None:
            oldest = self._sent_ms[self._head]
        express = self._slots
        waits = self._packets[express] is not None and self._express_taken
        if waits and (oldest < 0 or self._sent_ms[express] < oldest):
            oldest = self._sent_ms[express]
        return oldest

    def _stamp(self, slot: int, now_ms: int) -> bytearray:
        packet = self._packets[slot]
        if self._ids[slot]:
            packet[0] |= packets.DUP
        else:
            self._ids[slot] = self._next_id()
            packets.set_packet_id(packet, self._ids[slot])
        self._sent_ms[slot] = now_ms
        return packet

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % 65535 + 1
            if self._last_id not in self._ids:
                return self._last_id

    def _free(self, slot: int):
        self._bytes -= len(self._packets[slot])
        self._packets[slot] = None
        self._ids[slot] = 0
        self.queued -= 1
        while self._span and self._packets[self._head] is None:
            self._head = (self._head + 1) % self._slots
            self._span -= 1
            self._taken = max(self._taken - 1, 0)
