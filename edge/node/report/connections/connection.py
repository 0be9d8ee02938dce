"""What a connection to an MQTT broker is to the node: the interface, and what its implementations share.

``mqtt.MqttClient`` (CPython and MicroPython) and ``edge.box.paho_connection.PahoConnection`` (CPython) are
connections. Both are made with

``Connection(brokers, client_id, clock, keepalive_s=30, tls=None, username=None, password=None, window=50)``
    ``brokers``: list of (host, port), at least one, tried in turn. ``client_id``: unique at the broker, or
    two clients throw each other out for ever. ``clock``: see edge.node.clock. ``keepalive_s``: 2..65535; the
    broker publishes the will when it has heard nothing for 1.5 times as long. ``tls``: None for plain TCP,
    or the paths {"ca", "cert", "key"}, see tls.py. ``username``: str, ``password``: bytes. ``window``: QoS 1
    messages in flight, 1..1000.

and have

``connected``  True from an accepted CONNECT on until the connection is given up.
``closed``     True from the end of ``disconnect`` on until ``connect``.
``generation`` counts connections; a packet id belongs to the generation in which it was given.
``address``    "host:port" of the present broker or of the one tried last.
``choices``    how many brokers it knows.
``window``     messages in flight at most.
``last_error`` what went wrong since the last CONNACK, with the address; "" when nothing did.
``stats``      dict: connected, address, generation, attempts, losses (of connections), sent, acked (QoS 1),
               heard, malformed, last_error.
``question``
    None, or (topic, payload): what is published at QoS 1, retained, to see whether the broker is still there,
    by a connection that has no better question.
``contested_until_ms``
    until then a connection that is lost comes back late: another client has the same id.
``before_connect``
    a callable without arguments, or None. Called in ``step`` just before each CONNECT, on a connection that
    stands (with TLS on MicroPython: whose handshake is about to begin), so it may call ``set_will``.
``set_will(topic, payload, qos, retain)``
    what the broker publishes if it loses this client; used by the next CONNECT. ``set_will(None)``: no will.
``publish(topic, payload: bytes, qos=1, retain=False) -> int``
    the packet id 1..65535 at QoS 1, 0 at QoS 0, -1 when there is no room now or no connection. Nothing is
    queued while the broker is away and nothing is ever sent twice: who keeps the message sends it again in
    the next generation. ValueError or TypeError for what MQTT can't carry.
``room() -> int``
    how many QoS 1 messages ``publish`` takes now.
``subscribe([(topic, qos), ...]) -> bool``
    False when there is no room now or no connection. An empty list is answered as if it had been accepted.
``events() -> list``
    what has happened since the last call, in order, as tuples: ("up", generation), ("subscribed", ok),
    ("ack", packet_id), ("heard", topic, payload, retain), ("down", reason). "down" follows an "up" only;
    whoever does not ask gets nothing more read, and in the end loses the connection.
``step(now_ms) -> next_deadline_ms``
    do what can be done at once; call it again at the deadline or when ``pollable()`` is readable.
``pollable()``
    the socket to wait on, or None. Ask before every wait.
``disconnect(now_ms)``
    begin the orderly end: what is in flight is waited for (half of CLOSE_MS), then DISCONNECT, so that the
    broker does not publish the will. ``step`` carries it out; ``closed`` after CLOSE_MS at the latest.
``connect(now_ms)``
    begin again after ``disconnect``. A new connection object begins by itself.
``drop(reason, clean=False)``
    give the connection up and go on to the next broker. Without ``clean`` at the next ``step`` and without
    DISCONNECT, so that the will fires; else as ``disconnect``, then again as ``connect``.

Sessions are clean: what is not acknowledged is its sender's to keep.

Every wait has a deadline, whatever TCP thinks of the connection; see deadlines.py.
"""

import os

from edge.node.report.connections import packets
from edge.node.report.connections.deadlines import BRIEF, Brokers, Watch

UP = "up"
SUBSCRIBED = "subscribed"
ACK = "ack"
HEARD = "heard"
DOWN = "down"

AWAY = "away"
CONNECTING = "connecting"
WAITING = "waiting for CONNACK"
ONLINE = "online"
LEAVING = "leaving"
CLOSED = "closed"

CONNECT_MS = 4000  # TCP repeats a lost SYN after 1 and 3 s; the fourth would come after 7
CLOSE_MS = 2000
STABLE_MS = 10000  # a connection that lasted this long clears the strikes
IDLE_MS = 60000
CONTESTED = 24  # strikes: 16 to 32 s at first, then up to a minute


class Connection:
    """What the implementations share: state, counters, events, and how a connection ends.

    They add ``step``, ``publish``, ``subscribe``, ``room``, ``pollable`` and ``_let_go``, which gives up the
    wire and all that was under way. Arguments beyond those above:

    ``response_ms``: the deadline of each answer, see deadlines.Watch; ``connect_ms``: of the connection by
    TCP (with TLS: and ``response_ms`` for its handshake); ``close_ms``: of ``disconnect``.
    ``receive_max``: bytes of the longest message that is heard; a longer one is acknowledged and counted.
    ``send_max``: bytes that may wait for the socket before ``publish`` has no room.
    ``random``: a function like os.urandom, for the jitter of the back-off.
    """

    def __init__(self, brokers: list, client_id: str, clock, keepalive_s: int = 30, tls=None, username=None,
                 password=None, window: int = 50, response_ms=None, connect_ms: int = CONNECT_MS,
                 close_ms: int = CLOSE_MS, receive_max: int = 4096, send_max: int = 16384,
                 random=os.urandom):
        if not 1 <= window <= 1000:
            raise ValueError("mqtt: window = %r, expected 1..1000" % window)
        self.state = AWAY
        self.generation = 0
        self.last_error = ""
        self.before_connect = None
        self.question = None
        self.contested_until_ms = -1
        self.window = window
        self.attempts = 0
        self.losses = 0
        self.sent = 0
        self.acked = 0
        self.heard = 0
        self.too_long = 0  # messages beyond receive_max
        self.malformed = 0
        self._clock = clock
        self._client_id = client_id
        self._keepalive_s = keepalive_s
        self._tls = tls
        self._username = username
        self._password = password
        self._will = None
        packets.encode_connect(client_id, keepalive_s, None, username, password)  # refuses what can't be
        self._watch = Watch(keepalive_s, response_ms)
        self._brokers = Brokers(brokers, random)
        self._at = 0  # the broker of the present attempt
        self._connect_ms = connect_ms + (self._watch.response_ms if tls else 0)
        self._close_ms = close_ms
        self._receive_max = receive_max
        self._send_max = send_max
        self._events = []
        self._ending = None  # (reason, strikes) for the next step
        self._due_ms = 0  # deadline of the connection, then of the CONNACK, then of leaving
        self._drain_until_ms = 0
        self._online_ms = 0
        self._closing = False
        self._again = False  # after closing

    @property
    def connected(self) -> bool:
        return self.state == ONLINE and self._ending is None

    @property
    def closed(self) -> bool:
        return self.state == CLOSED

    @property
    def address(self) -> str:
        host, port = self._brokers.addresses[self._at]
        return "%s:%d" % (host, port)

    @property
    def choices(self) -> int:
        return len(self._brokers.addresses)

    @property
    def stats(self) -> dict:
        return {
            "connected": self.connected, "address": self.address, "generation": self.generation,
            "attempts": self.attempts, "losses": self.losses, "sent": self.sent, "acked": self.acked,
            "heard": self.heard, "too_long": self.too_long, "malformed": self.malformed,
            "last_error": self.last_error,
        }

    def set_will(self, topic, payload: bytes = b"", qos: int = 1, retain: bool = False):
        """For the next CONNECT; topic None: no will. ValueError or TypeError for what MQTT can't carry."""
        if topic is not None:
            packets.check_publication(topic, payload, qos)
        self._will = None if topic is None else (topic, payload, qos, retain)

    def events(self) -> list:
        """What has happened since the last call; see above."""
        events = self._events
        if events:
            self._events = []
        return events

    def connect(self, now_ms: int):
        """Begin again after ``disconnect``."""
        self._again = True
        if self.state == CLOSED:
            self.state = AWAY
            self._closing = False

    def disconnect(self, now_ms: int):
        """Begin the orderly end; see above."""
        self._again = False
        if self._closing:
            return
        self._closing = True
        self._drain_until_ms = now_ms + self._close_ms // 2
        self._due_ms = now_ms + self._close_ms
        if self.state != ONLINE:
            self._finish(now_ms)  # the broker has published the will, or never knew of this client

    def drop(self, reason: str, clean: bool = False):
        """Give the connection up; no message is taken any more. See above."""
        if clean and self.connected:
            self.disconnect(self._clock.now_ms())
            self._again = True
            self.last_error = "%s: %s" % (self.address, reason)
        elif self.state in (CONNECTING, WAITING, ONLINE):
            self._ending = (reason, 0)

    # For the implementations -----------------------------------------------------------------

    def _choose(self, now_ms: int) -> bool:
        """Whether it is time for an attempt; then ``_at`` says at which broker."""
        index = self._brokers.choose(now_ms)
        if index < 0:
            return False
        self._at = index
        self.state = CONNECTING
        self.attempts += 1
        self._due_ms = now_ms + self._connect_ms
        return True

    def _await_connack(self, now_ms: int):
        """Just before CONNECT: its will may still change, its answer has a deadline."""
        if self.before_connect is not None:
            self.before_connect()
        self.state = WAITING
        self._due_ms = now_ms + self._watch.response_ms
        self._watch.begin(now_ms)

    def _is_up(self, now_ms: int):
        self.state = ONLINE
        self.generation += 1
        self._online_ms = now_ms
        self.last_error = ""
        self._watch.begin(now_ms)
        self._events.append((UP, self.generation))

    def _left_out(self, topic: str, length: int):
        """A message longer than ``receive_max``."""
        self.too_long += 1
        self.last_error = "%s: message of %d bytes on %s was left out" % (self.address, length, topic[:100])

    def _overdue(self, now_ms: int) -> bool:
        """Judge the deadlines of the connection and of CONNACK; True if one has passed."""
        if now_ms < self._due_ms or self.state not in (CONNECTING, WAITING):
            return False
        if self.state == CONNECTING:
            self._lose(now_ms, "no connection within %d ms" % self._connect_ms, 0)
        else:
            self._lose(now_ms, "no CONNACK within %d ms" % self._watch.response_ms, 0)
        return True

    def _lose(self, now_ms: int, reason: str, strikes: int):
        """The connection is of no more use; ``strikes``: see deadlines.Brokers.failed."""
        if self.state != LEAVING:
            self.last_error = "%s: %s (%s)" % (self.address, reason, self.state)
        if self.state == ONLINE:
            self.losses += 1
            if now_ms < self.contested_until_ms:
                strikes = CONTESTED
            elif now_ms - self._online_ms >= STABLE_MS:
                self._brokers.lasted(self._at)
                strikes = 0
            self._events.append((DOWN, reason))
            self.state = AWAY  # it has been said
        if self._closing:
            self._finish(now_ms)
        else:
            self._brokers.failed(self._at, now_ms, strikes)
            self._release(AWAY)

    def _finish(self, now_ms: int):
        """The end of ``disconnect`` or of a clean ``drop``."""
        if self.state in (ONLINE, LEAVING):
            self._events.append((DOWN, "disconnected"))
        if self._again:
            self._closing = False
            # Who goes round the brokers because none of them will do goes slower and slower.
            lasted = now_ms - self._online_ms >= STABLE_MS
            if lasted:
                self._brokers.lasted(self._at)
            self._brokers.failed(self._at, now_ms, 0 if lasted else BRIEF)
        self._release(AWAY if self._again else CLOSED)

    def _unfinished(self, in_flight: int):
        """``disconnect`` ran into its deadline."""
        self.last_error = "%s: closed with %d messages in flight" % (self.address, in_flight)

    def _release(self, state: str):
        self.state = state
        self._ending = None
        self._let_go()

    def _next_ms(self, now_ms: int, in_flight_ms: int, writing: bool) -> int:
        """The next deadline in the present state, at least 1 ms from now."""
        if self.state == CLOSED:
            return now_ms + IDLE_MS
        if self._ending is not None:
            return now_ms + 1
        if self.state == AWAY:
            due_ms = self._brokers.due_ms()
        elif self.state != ONLINE:
            due_ms = self._due_ms
        elif self._closing:
            due_ms = self._drain_until_ms
        else:
            due_ms = self._watch.due_ms(in_flight_ms, writing)
        return max(due_ms, now_ms + 1)


def finish(connection, clock):
    """``disconnect`` and wait for its end, at most CLOSE_MS."""
    connection.disconnect(clock.now_ms())
    while not connection.closed:
        due_ms = connection.step(clock.now_ms())
        connection.events()
        pollable = connection.pollable()
        if not connection.closed:
            clock.wait(due_ms * 1000, [] if pollable is None else [pollable])
