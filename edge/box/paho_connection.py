"""A connection (edge.node.report.connections.connection) by paho-mqtt: ``PahoConnection``, for the box.

paho does the protocol in a thread per connection (paho_attempt.py). What it can't be trusted with is done
here: deadlines of our own (paho alone notices a silent broker after up to twice the keepalive), back-off with
jitter, several brokers, and no queue behind the outbox's back.
"""

import errno

from edge.box import paho_attempt as attempts
from edge.box.paho_attempt import Attempt, Bell
from edge.node.report.connections import packets
from edge.node.report.connections.connection import (
    ACK,
    AWAY,
    CONNECTING,
    HEARD,
    LEAVING,
    ONLINE,
    SUBSCRIBED,
    WAITING,
    Connection,
)
from edge.node.report.connections.deadlines import BRIEF, REFUSED
from edge.node.report.connections.tcp import Untrusted
from edge.node.report.connections.tls import context_of

LOOK_AGAIN_MS = 1000
LEAVE_MS = 500  # for the broker to close after DISCONNECT
BUSY_MS = 20  # how soon to look whether it has
LINGERING_MAX = 4  # threads of attempts given up, which their resolver or TCP still holds
QUESTION = ("furnace-edge/alive", b"")  # where the owner has none of its own
SERVER_UNAVAILABLE = 0x88  # paho tells return code 3 by this reason code of MQTT 5


class PahoConnection(Connection):
    """Arguments: those of connection.Connection, by position or name."""

    def __init__(self, *arguments, receive_max: int = 16384, send_max: int = 262144, **more):
        super().__init__(*arguments, receive_max=receive_max, send_max=send_max, **more)
        if self._tls is not None:
            context_of(self._tls)  # a wrong file is said at the start
        self._bell = Bell()
        self._attempt = None
        self._lingering = []
        self._flight = {}  # packet id -> when it was sent
        self._unwritten = {}  # packet id of a QoS 0 message -> its bytes
        self._unwritten_bytes = 0
        self._subscribing_ms = -1
        self._asked_id = 0
        self._said_goodbye = False

    def room(self) -> int:
        """How many QoS 1 messages ``publish`` takes now."""
        if not self.connected or self._closing:
            return 0
        return max(self.window - len(self._flight), 0)

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> int:
        """Packet id, 0 at QoS 0, or -1; see connection.py."""
        packets.check_publication(topic, payload, qos)
        if not self.connected or self._closing or (qos and len(self._flight) >= self.window):
            return -1
        if not qos and self._unwritten and self._unwritten_bytes + len(payload) > self._send_max:
            return -1
        given = self._attempt.client.publish(topic, payload, qos, retain)
        if given.rc != 0:
            return -1  # its thread has just found the connection lost, or the packet id is in flight
        self.sent += 1
        now_ms = self._clock.now_ms()
        if not self._unwritten:
            self._watch.wrote_ms = now_ms
        if qos:
            self._flight[given.mid] = now_ms
            return given.mid
        self._unwritten[given.mid] = len(payload)
        self._unwritten_bytes += len(payload)
        return 0

    def subscribe(self, topics: list) -> bool:
        """One subscription at a time; its answer is the event "subscribed"."""
        if topics:
            packets.encode_subscribe(1, topics)  # refuses what MQTT can't carry
        if not self.connected or self._closing or self._subscribing_ms >= 0:
            return False
        if not topics:
            self._events.append((SUBSCRIBED, True))
            return True
        self._attempt.client.subscribe(list(topics))
        self._subscribing_ms = self._clock.now_ms()
        return True

    def pollable(self):
        """The end of a socket pair on which paho's thread rings."""
        return self._bell.pollable

    def step(self, now_ms: int) -> int:
        """Take note of what paho's thread has done, judge the deadlines. Returns when to be called again."""
        self._bell.heard()
        if self._attempt is not None:
            self._attempt.owner_runs()
        if self._ending is not None:
            self._lose(now_ms, *self._ending)
        if self.state == AWAY:
            self._begin(now_ms)
        if self._attempt is not None:
            self._take_notes(now_ms)
        if self._attempt is not None:
            self._judge(now_ms)
        return self._deadline_ms(now_ms)

    def _begin(self, now_ms: int):
        self._lingering = [attempt for attempt in self._lingering if attempt.running]
        if len(self._lingering) > LINGERING_MAX or not self._choose(now_ms):
            return
        try:
            context = None if self._tls is None else context_of(self._tls)
        except Untrusted as error:
            self._lose(now_ms, str(error), REFUSED)
            return
        address = self._brokers.addresses[self._at]
        self._attempt = Attempt(address, self._client_id, self._keepalive_s, context, self._username,
                                self._password, self.window, self._receive_max, self._bell)

    def _take_notes(self, now_ms: int):
        attempt = self._attempt
        while attempt.notes and len(self._events) <= 2 * self.window + 8:
            what, detail = attempt.notes.popleft()
            if what != attempts.ENDED:
                self._watch.heard_ms = now_ms
            if what == attempts.ACKED:
                self._acknowledged(detail, now_ms)
            elif what == attempts.MESSAGE:
                self.heard += 1
                self._events.append((HEARD, *detail))
            elif what == attempts.GRANTED:
                self._subscribing_ms = -1
                self._watch.acked_ms = now_ms
                self._events.append((SUBSCRIBED, detail))
            elif what == attempts.TOO_LONG:
                self._left_out(*detail)
            elif what == attempts.OPENED:
                self._await_connack(now_ms)
                attempt.proceed(self._will)
            elif what == attempts.ACCEPTED and self.state == WAITING:
                self._is_up(now_ms)
            elif what == attempts.ACCEPTED:
                self._lose(now_ms, f"CONNACK while {self.state}", BRIEF)
                return
            elif what == attempts.REFUSED:
                strikes = 0 if detail.value == SERVER_UNAVAILABLE else REFUSED
                self._lose(now_ms, f"refused: {str(detail).lower()}", strikes)
                return
            else:
                self._ended(detail, now_ms)
                return

    def _acknowledged(self, packet_id: int, now_ms: int):
        if packet_id == self._asked_id:
            self._asked_id = 0
            self._watch.answered()
        elif packet_id in self._flight:
            del self._flight[packet_id]
            self._watch.acked_ms = now_ms
            self.acked += 1
            self._events.append((ACK, packet_id))
        else:
            self._unwritten_bytes -= self._unwritten.pop(packet_id, 0)
            self._watch.wrote_ms = now_ms

    def _ended(self, how, now_ms: int):
        """paho's thread is at its end."""
        if self.state == LEAVING:
            self._said_goodbye = True
            self._due_ms = min(self._due_ms, now_ms + LEAVE_MS)
        elif isinstance(how, Untrusted):
            self._lose(now_ms, str(how), REFUSED)
        else:
            number = getattr(how, "errno", None)
            reason = errno.errorcode.get(number) or str(how) or type(how).__name__
            self._lose(now_ms, reason, 0 if self.state == CONNECTING else BRIEF)

    def _in_flight_ms(self) -> int:
        """When the message, or the subscription, that waits longest for its answer was sent, or -1."""
        oldest = next(iter(self._flight.values()), -1)
        if self._subscribing_ms < 0 or 0 <= oldest < self._subscribing_ms:
            return oldest
        return self._subscribing_ms

    def _judge(self, now_ms: int):
        """Give up what has passed its deadline, ask whether the broker is still there, or take leave."""
        if self._overdue(now_ms):
            return
        if self.state == LEAVING:
            if now_ms >= self._due_ms or (self._said_goodbye and self._attempt.closed_by_broker()):
                if self._flight or not self._said_goodbye:
                    self._unfinished(len(self._flight))
                self._finish(now_ms)
        elif self.state == ONLINE and self._closing:
            if not (self._flight or self._unwritten) or now_ms >= self._drain_until_ms:
                self.state = LEAVING
                self._attempt.client.disconnect()
        elif self.state == ONLINE:
            why = self._watch.verdict(now_ms, self._in_flight_ms(), bool(self._unwritten))
            if why:
                self._lose(now_ms, why, BRIEF)
            elif 0 <= self._watch.ask_at_ms() <= now_ms:
                self._ask(now_ms)

    def _ask(self, now_ms: int):
        """paho sends PINGREQ by its own time and tells nobody of the answer, but each PUBACK is told."""
        topic, payload = self.question or QUESTION
        given = self._attempt.client.publish(topic, payload, 1, True)
        if given.rc == 0:
            self._asked_id = given.mid
            self._watch.asked(now_ms)
            self._watch.wrote_ms = now_ms

    def _let_go(self):
        if self._attempt is not None:
            self._attempt.give_up()
            self._lingering.append(self._attempt)
            self._attempt = None
        self._flight.clear()
        self._unwritten.clear()
        self._unwritten_bytes = 0
        self._subscribing_ms = -1
        self._asked_id = 0
        self._said_goodbye = False

    def _deadline_ms(self, now_ms: int) -> int:
        if self._attempt is not None and self._attempt.notes:
            return now_ms + 1
        if self.state == AWAY and len(self._lingering) > LINGERING_MAX:
            return now_ms + LOOK_AGAIN_MS
        due_ms = self._next_ms(now_ms, self._in_flight_ms(), bool(self._unwritten))
        return min(due_ms, now_ms + BUSY_MS) if self._said_goodbye else due_ms
