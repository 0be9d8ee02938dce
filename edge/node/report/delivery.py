"""The way of messages over one connection: what must go next, what is under way, what has arrived.

What became messages together is a ``Batch``, and is done together. At QoS 1 that is when each message has its
PUBACK; at QoS 0 when a barrier has it, a message at QoS 1 that was sent after them on the same connection.

Live data must not wait behind the backlog, which has at most three quarters of the window and less where its
acknowledgements queue up: then its share is halved, down to one batch, and then the batches; when answers
are so quick that they would still be with more, they grow: first the batches, doubled each time, then the
share by one. A connection begins with the smallest, for nobody knows what the line carries: fifty entries at
once would never arrive on a slow one, whose connection seems dead before they are through, and would be
tried again for ever.
"""

BARRIER_MS = 1000  # the longest that something sent waits for its barrier
BARRIER_BYTES = 4096  # and the most, so that on a slow line an answer comes before the connection seems dead
QUEUEING_MS = 250  # beyond twice the quickest answer: so long may the backlog make live data wait
THIN_MAX = 6  # halvings of a batch

# In place of a batch, for what is not from the outbox.
OWN = None
LIVE = False


class Batch:
    """Entries ``first_id`` to ``last_id`` of a lane, said in so many ``messages``."""

    def __init__(self, lane: int, first_id: int, last_id: int, messages: int, backlog: bool):
        self.lane = lane
        self.first_id = first_id
        self.last_id = last_id
        self.messages = messages
        self.left = messages  # not yet acknowledged
        self.backlog = backlog


class Delivery:
    """Messages over one ``connection``; ``done(batch)`` is called for each batch that has arrived.

    ``acknowledged``: whether batches are sent at QoS 1. The window is the connection's.
    """

    def __init__(self, connection, acknowledged: bool, done):
        self.sent = 0  # messages given to the broker, each counted once
        self.acked = 0  # of these, acknowledged
        self.resent = 0  # given again after a connection was lost
        self.skipped = 0  # live messages for which there was no connection or no room
        self.refused = 0  # messages that the connection can never send
        self.last_error = ""
        self._connection = connection
        self._acknowledged = acknowledged
        self._done = done
        self._window = connection.window
        self._share_max = max(self._window * 3 // 4, 1)
        self.forget()

    def forget(self):
        """As it is at the beginning of a connection."""
        self._out = []  # messages that must go next: (topic, payload, qos, retain, batch)
        self._flight = {}  # packet id -> (batch, when it was sent)
        self._waiting = 0  # batches under way
        self._backlog = 0  # of these, of the backlog
        self._unconfirmed = []  # batches since the last barrier
        self._unconfirmed_ms = 0
        self._unconfirmed_bytes = 0
        self._barriers = {}  # packet id -> (batches before it, when it was sent)
        self._share = 1  # batches of the backlog that may be under way
        self._thin = THIN_MAX  # halvings of a batch
        self._best_ms = -1  # the quickest answer
        self._paced_ms = 0  # when the share was last made smaller

    def take_over(self, old):
        """Count on from another one, whose connection is over."""
        old.lose()
        self.sent = old.sent
        self.acked = old.acked
        self.resent = old.resent
        self.skipped = old.skipped
        self.refused = old.refused

    def lose(self):
        """The connection is lost: what has not arrived does not count as sent."""
        for batch, _ in self._flight.values():
            if batch is LIVE:
                self.skipped += 1
            if batch is LIVE or batch is OWN:
                self.sent -= 1
        self.resent += self.sent - self.acked
        self.sent = self.acked
        self.forget()

    def idle(self) -> bool:
        """Whether nothing is under way or waits to be."""
        return not (self._out or self._flight or self._unconfirmed or self._barriers)

    def may_send(self, backlog: bool) -> bool:
        """Whether another batch may be put."""
        if self._out or (backlog and self._backlog >= self._share):
            return False
        if self._acknowledged:
            return self._connection.room() > 0
        return self._waiting < self._window and not self._barrier_first()

    def batch_size(self, most: int) -> int:
        """How many entries of the backlog a batch shall hold, of the ``most`` that the speaker takes."""
        return max(most >> self._thin, 1)

    def put(self, messages, batch):
        """Messages that go next, in this order; ``batch`` is OWN for what is not from the outbox."""
        for message in messages:
            self._out.append((message[0], message[1], message[2], message[3], batch))
        if batch is not OWN:
            self._waiting += 1
            if batch.backlog:
                self._backlog += 1

    def withdraw(self):
        """Take back what is from the outbox and has not gone."""
        self._out = [message for message in self._out if message[4] is OWN]

    def live(self, topic: str, payload: bytes, retain: bool, qos: int, now_ms: int) -> bool:
        """Send a message at once; False, and counted, where that can't be done."""
        if not self._out and self._connection.room() > 0:
            packet_id = self._connection.publish(topic, payload, qos, retain)
            if packet_id >= 0:
                if packet_id > 0:
                    self._flight[packet_id] = (LIVE, now_ms)
                    self.sent += 1
                return True
        self.skipped += 1
        return False

    def flush(self, now_ms: int) -> bool:
        """Publish what must go next; False while some of it has to wait for room."""
        out = self._out
        while out:
            topic, payload, qos, retain, batch = out[0]
            try:
                packet_id = self._connection.publish(topic, payload, qos, retain)
            except ValueError as error:
                # It could never be sent: the next one can.
                self.refused += 1
                self.last_error = "%s: %s" % (topic, error)
                out.pop(0)
                self._published(0, batch, now_ms)
                continue
            if packet_id < 0:
                return False
            out.pop(0)
            if packet_id > 0 or batch is not OWN:
                self.sent += 1
                self._unconfirmed_bytes += len(payload)
            self._published(packet_id, batch, now_ms)
        return True

    def _published(self, packet_id: int, batch, now_ms: int):
        if packet_id > 0:
            self._flight[packet_id] = (batch, now_ms)
        elif batch is OWN:
            return
        elif self._acknowledged:
            self._arrived(batch, now_ms, now_ms)
        elif not self._out or self._out[0][4] is not batch:
            # It was the batch's last message: now it waits for a barrier.
            if not self._unconfirmed:
                self._unconfirmed_ms = now_ms
            self._unconfirmed.append(batch)

    def barrier_due_ms(self) -> int:
        """When the next barrier has to be sent at the latest; -1 when none is needed."""
        return self._unconfirmed_ms + BARRIER_MS if self._unconfirmed else -1

    def barrier(self, message, now_ms: int, at_once: bool) -> bool:
        """Send ``message`` as the barrier, if it is time for one; True when it was sent."""
        if not self._unconfirmed:
            return False
        if not at_once and now_ms < self._unconfirmed_ms + BARRIER_MS:
            waited_for = self._backlog >= self._share and self._unconfirmed[-1].backlog
            many = len(self._unconfirmed) >= self._window // 4
            if not (waited_for or many or self._barrier_first()):
                return False
        packet_id = self._connection.publish(message[0], message[1], message[2], message[3])
        if packet_id <= 0:
            return False
        self._barriers[packet_id] = (self._unconfirmed, now_ms)
        self._unconfirmed = []
        self._unconfirmed_bytes = 0
        return True

    def _barrier_first(self) -> bool:
        """Whether so much is unconfirmed that a barrier must go before anything else."""
        return self._unconfirmed_bytes >= BARRIER_BYTES and len(self._unconfirmed) > 0

    def acknowledge(self, packet_id: int, now_ms: int):
        """A PUBACK; one that nobody waits for is passed over."""
        if packet_id in self._barriers:
            batches, sent_ms = self._barriers.pop(packet_id)
            self._note_answer(now_ms - sent_ms)
            for batch in batches:
                self.acked += batch.messages
                batch.left = 1
                self._arrived(batch, sent_ms, now_ms)
        elif packet_id in self._flight:
            batch, sent_ms = self._flight.pop(packet_id)
            self._note_answer(now_ms - sent_ms)
            self.acked += 1
            if batch is not OWN and batch is not LIVE:
                self._arrived(batch, sent_ms, now_ms)

    def _note_answer(self, took_ms: int):
        if self._best_ms < 0 or took_ms < self._best_ms:
            self._best_ms = took_ms

    def _arrived(self, batch, sent_ms: int, now_ms: int):
        batch.left -= 1
        if batch.left == 0:
            self._waiting -= 1
            if batch.backlog:
                self._backlog -= 1
                self._pace(sent_ms, now_ms)
            self._done(batch)

    def _pace(self, sent_ms: int, now_ms: int):
        """Judge the backlog's share by an answer to what was sent at ``sent_ms``."""
        took_ms = now_ms - sent_ms
        most_ms = 2 * self._best_ms + QUEUEING_MS
        if took_ms > most_ms:
            if sent_ms < self._paced_ms:
                return  # it was under way when the share was made smaller
            self._paced_ms = now_ms
            if self._share > 1:
                self._share //= 2
            elif self._thin < THIN_MAX:
                self._thin += 1
            else:
                # It is not the backlog that queues up: the line answers no quicker now.
                self._best_ms = took_ms
        elif took_ms + (took_ms - self._best_ms) // self._share > most_ms:
            return  # with one batch more, or one twice as large, it would take too long
        elif self._thin:
            self._thin -= 1
        elif self._share < self._share_max:
            self._share += 1
