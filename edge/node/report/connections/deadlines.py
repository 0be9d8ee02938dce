"""How long an MQTT connection waits, and where it tries next: ``Watch`` and ``Brokers``."""

RESPONSE_MAX_MS = 10000

REFUSED = 4  # strikes: for a refusal, which will not mend itself soon
BRIEF = 1  # for a connection that the broker ended early


class Brokers:
    """Which of several brokers is tried next, and when.

    A broker that can't be reached is tried again after 0.3 to 1.5 s, at random, so that data flow again soon
    after its return and a thousand nodes do not come at once. One that refuses (password, certificate), or
    ends every connection early, is left alone for 1 s, then twice as long each time up to 60 s, of which half
    is random. After a failure the next address is taken, if its own wait is over.
    """

    def __init__(self, addresses: list, random):
        if not addresses:
            raise ValueError("mqtt: no broker, expected a list of (host, port)")
        for host, port in addresses:
            if not host or not 1 <= port <= 65535:
                raise ValueError("mqtt: broker %r:%r, expected a name or address and a port 1..65535"
                                 % (host, port))
        self.addresses = addresses
        self._random = random
        self._next = 0
        self._due_ms = [None] * len(addresses)  # None: at once
        self._strikes = [0] * len(addresses)

    def choose(self, now_ms: int) -> int:
        """Index of the broker to try now, or -1 when it is too early for each."""
        count = len(self.addresses)
        for ahead in range(count):
            index = (self._next + ahead) % count
            if self._due_ms[index] is None or now_ms >= self._due_ms[index]:
                self._next = (index + 1) % count
                return index
        return -1

    def due_ms(self) -> int:
        """When ``choose`` has an answer; not before 0."""
        due = [0 if due is None else due for due in self._due_ms]
        return min(due)

    def failed(self, index: int, now_ms: int, strikes: int):
        """The attempt at or the connection to broker ``index`` is over; ``strikes``: 0, BRIEF or REFUSED."""
        self._strikes[index] += strikes
        chance = self._random(1)[0]
        doublings = min(self._strikes[index] // REFUSED - 1, 6)
        if strikes and doublings >= 0:
            wait_ms = min(1000 << doublings, 60000) * (256 + chance) // 512
        else:
            wait_ms = 300 + chance * 1200 // 255
        self._due_ms[index] = now_ms + wait_ms
        # The others are free at once, but not for everybody in the same millisecond.
        soon_ms = now_ms + chance * 300 // 255
        for other in range(len(self.addresses)):
            if other != index and (self._due_ms[other] is None or self._due_ms[other] < soon_ms):
                self._due_ms[other] = soon_ms

    def lasted(self, index: int):
        """The connection to broker ``index`` has proved stable."""
        self._strikes[index] = 0


class Watch:
    """The deadlines of one connection: whether the broker is still there.

    A question (PINGREQ) is due when one side has been silent for half of the keepalive. The connection is
    given up when, for ``response_ms``, at most three quarters of the keepalive, and 10 s,

    - nothing has been received while a question is open,
    - no acknowledgement has come while messages are in flight,
    - nothing could be written while bytes wait to be.

    So an outage is noticed 1.25 times the keepalive after the last sign of life, or sooner. A slow but
    working line is left in peace: each acknowledgement starts the time anew.
    """

    def __init__(self, keepalive_s: int, response_ms=None):
        if not 2 <= keepalive_s <= 65535:
            raise ValueError("mqtt: keepalive_s = %r, expected 2..65535" % keepalive_s)
        self.response_ms = min(keepalive_s * 750, RESPONSE_MAX_MS if response_ms is None else response_ms)
        self._ask_after_ms = keepalive_s * 500
        self.begin(0)

    def begin(self, now_ms: int):
        """A new connection."""
        self.heard_ms = now_ms  # bytes received
        self.wrote_ms = now_ms  # bytes written
        self.acked_ms = now_ms  # something in flight acknowledged
        self._asked_ms = -1

    def ask_at_ms(self) -> int:
        """When the next question is due; -1 while one is open."""
        if self._asked_ms >= 0:
            return -1
        return min(self.heard_ms, self.wrote_ms) + self._ask_after_ms

    def asked(self, now_ms: int):
        self._asked_ms = now_ms

    def answered(self):
        self._asked_ms = -1

    def verdict(self, now_ms: int, in_flight_ms: int, writing: bool) -> str:
        """Why the connection must be given up, or "".

        ``in_flight_ms``: when the oldest message in flight was sent, -1 for none; ``writing``: bytes wait.
        """
        late_ms = now_ms - self.response_ms
        if in_flight_ms >= 0 and late_ms >= max(in_flight_ms, self.acked_ms):
            return "no acknowledgement within %d ms" % self.response_ms
        if self._asked_ms >= 0 and late_ms >= max(self._asked_ms, self.heard_ms):
            return "no sign of life within %d ms" % self.response_ms
        if writing and late_ms >= self.wrote_ms:
            return "nothing could be sent within %d ms" % self.response_ms
        return ""

    def due_ms(self, in_flight_ms: int, writing: bool) -> int:
        """When to look again: the next question or verdict."""
        if self._asked_ms >= 0:
            due = max(self._asked_ms, self.heard_ms) + self.response_ms
        else:
            due = self.ask_at_ms()
        if in_flight_ms >= 0:
            due = min(due, max(in_flight_ms, self.acked_ms) + self.response_ms)
        if writing:
            due = min(due, self.wrote_ms + self.response_ms)
        return due
