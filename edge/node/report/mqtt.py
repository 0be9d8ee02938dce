"""A small MQTT 3.1.1 publisher that never makes the node wait: ``MqttClient``.

The interface of a reporting end, which MqttClient and link.ReporterLink share; the node knows nothing else:

``publish(topic: str, payload: bytes, retain=False, qos=1) -> bool``
    queue a message; False, and counted as dropped, when there is no room. Never blocks.
``step(now_ms) -> next_deadline_ms``
    do what can be done at once; call it again at the deadline or when ``pollable()`` has bytes to read.
``pollable()``
    the socket to wait on, or None. It changes with every connection: ask before every wait.
``stats``
    dict: ``connected`` (bool), ``sent`` messages given to the broker, each counted once, ``acked`` by the
    broker (QoS 1), ``dropped`` refused or lost for want of room, ``queued`` held now, ``reconnects``,
    ``last_error`` ("" when there was none) and what else the end can tell.
``close(now_ms)``
    say goodbye within a deadline; afterwards ``publish`` returns False.

Sessions are clean: a publisher has no state at the broker that would be worth keeping (a QoS 1 publication is
over with its PUBACK), amqtt keeps none for anonymous clients, and a client that never comes back leaves
nothing behind. What is not acknowledged stays in the client's own queue and is sent again, with DUP, on the
next connection; a receiver can get it twice.

The connection, the CONNACK, each PUBACK and each PINGRESP have a deadline. When one passes, the connection is
given up, whatever TCP thinks of it.
"""

import errno
import os

from edge.node.report import messages, packets
from edge.node.report.sendqueue import SendQueue
from edge.node.report.tcp import TcpStream

AWAY = "away"
CONNECTING = "connecting"
WAITING = "waiting for CONNACK"
ONLINE = "online"
CLOSED = "closed"

RETRY_MIN_MS = 1000  # the wait before an attempt is half of the back-off to all of it
RETRY_MAX_MS = 30000
STABLE_MS = 10000  # a connection that lasted this long makes the next wait short again
BUSY_MS = 20  # how soon to look again at a connection under way or a packet half written
READS_PER_STEP = 16
IDLE_MS = 60000


class _Ended(Exception):
    """The broker has ended the connection, by the rules."""


class MqttClient:
    """MQTT 3.1.1 over TCP at QoS 0 and 1, publishing only.

    ``host``: address or name of the broker (a name blocks, see tcp.TcpStream); ``port``: 1..65535.
    ``client_id``: unique at the broker, or two clients throw each other out for ever.
    ``clock``: waited on in ``close`` only.
    ``keepalive_s``: 2..65535; the broker publishes the will when it has heard nothing for 1.5 times as long.
    ``username`` (str), ``password`` (bytes): None for neither.
    ``will_topic``: retained there at QoS 1: ``online_payload`` on every connection, ``will_payload`` by
    the broker when the client is lost and by the client in ``close``. None for no such topic.
    ``queue_messages``, ``queue_bytes``: bounds of what is held; ``window``: messages in flight.
    ``response_ms``: the deadline of each answer; ``close_ms``: of ``close``.
    ``random``: a function like os.urandom, for the jitter of the back-off.
    ``stream``: the connection, TcpStream(host, port) unless given.
    ``last_id``: the packet id after which to count on.
    """

    def __init__(self, host: str, port: int, client_id: str, clock, keepalive_s: int = 30,
                 username=None, password=None, will_topic=None,
                 will_payload: bytes = messages.OFFLINE, online_payload: bytes = messages.ONLINE,
                 queue_messages: int = 64, queue_bytes: int = 16384, window: int = 20,
                 response_ms: int = 10000, close_ms: int = 2000, random=os.urandom, stream=None,
                 last_id: int = 0):
        if not 2 <= keepalive_s <= 65535:
            raise ValueError(f"mqtt: keepalive_s = {keepalive_s}, expected 2..65535")
        self.state = AWAY
        self.last_error = ""
        self.reconnects = 0
        self.malformed = 0
        self.unasked = 0  # messages received although nothing was subscribed to
        self.address = f"{host}:{port}"
        self._stream = TcpStream(host, port) if stream is None else stream
        self._clock = clock
        self._queue = SendQueue(queue_messages, queue_bytes, window, last_id)
        self._hello = packets.encode_connect(client_id, keepalive_s, will_topic, will_payload,
                                             username, password)
        self._online = None
        self._offline = None
        if will_topic is not None:
            self._online = packets.encode_publish(will_topic, online_payload, 1, True)
            self._offline = packets.encode_publish(will_topic, will_payload, 1, True)
        self._ping_after_ms = keepalive_s * 1000 // 2
        self._response_ms = response_ms
        self._close_ms = close_ms
        self._random = random
        self._parser = None
        self._out = None  # the packet being written, and how much of it has gone
        self._out_at = 0
        self._retry_ms = 0
        self._backoff_ms = RETRY_MIN_MS
        self._response_due_ms = 0  # of the connection, then of the CONNACK
        self._connections = 0
        self._online_ms = 0
        self._sent_ms = 0
        self._received_ms = 0
        self._ping_due_ms = -1  # deadline of the PINGRESP, -1 when none is awaited
        self._closing = False
        self._drain_until_ms = 0
        self._close_due_ms = 0
        self._farewell = None  # the DISCONNECT once it has been queued

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        """Queue a message. Raises ValueError or TypeError for what MQTT can't carry."""
        packet = packets.encode_publish(topic, payload, qos, retain)
        if self._closing:
            self._queue.dropped += 1
            return False
        if len(packet) > self._queue.bytes_max:
            limit = self._queue.bytes_max
            self.last_error = f"packet of {len(packet)} bytes on {topic}, expected at most {limit}"
        return self._queue.put(packet)

    def pollable(self):
        """The socket while there is something to hear on it, else None."""
        return self._stream.socket if self.state in (WAITING, ONLINE) else None

    @property
    def stats(self) -> dict:
        """Counters since the start; see the module's docstring."""
        queue = self._queue
        return {
            "connected": self.state == ONLINE, "sent": queue.sent, "acked": queue.acked,
            "dropped": queue.dropped, "queued": queue.queued, "reconnects": self.reconnects,
            "resent": queue.resent, "malformed": self.malformed, "unasked": self.unasked,
            "last_error": self.last_error,
        }

    def step(self, now_ms: int) -> int:
        """Connect, read, write and judge the deadlines, without waiting. Returns when to be called again."""
        try:
            if self.state == AWAY and now_ms >= self._retry_ms:
                self._connect(now_ms)
            if self.state == CONNECTING and self._stream.connected():
                self._greet(now_ms)
            if self.state in (WAITING, ONLINE):
                self._read(now_ms)
                self._write(now_ms)
            self._judge(now_ms)
        except OSError as error:
            self._lose(now_ms, _reason(error))
        except _Ended as error:
            self._lose(now_ms, str(error))
        except packets.ProtocolError as error:
            self.malformed += 1
            self._lose(now_ms, str(error))
        return self._deadline_ms(now_ms)

    def begin_close(self, now_ms: int):
        """Take no more messages, send what is queued, then the offline message and DISCONNECT.

        ``step`` carries it out; ``state`` is CLOSED at the end, at the latest after ``close_ms``.
        Half of that time is for the queue.
        """
        if self._closing:
            return
        self._closing = True
        self._drain_until_ms = now_ms + self._close_ms // 2
        self._close_due_ms = now_ms + self._close_ms
        if self.state != ONLINE:
            self._finish()  # the broker has published the will, or never knew of this client

    def close(self, now_ms: int):
        """``begin_close`` and wait for its end, at most ``close_ms``."""
        self.begin_close(now_ms)
        while self.state != CLOSED:
            due_ms = self.step(self._clock.now_ms())
            pollable = self.pollable()
            if self.state != CLOSED:
                self._clock.wait(due_ms * 1000, [] if pollable is None else [pollable])

    def _connect(self, now_ms: int):
        self.state = CONNECTING
        self._response_due_ms = now_ms + self._response_ms
        self._stream.open()

    def _greet(self, now_ms: int):
        self.state = WAITING
        self._response_due_ms = now_ms + self._response_ms
        self._parser = packets.Parser()
        self._out = self._hello
        self._out_at = 0

    def _read(self, now_ms: int):
        for _ in range(READS_PER_STEP):
            data = self._stream.recv()
            if data is None:
                return
            if not data:
                raise _Ended("closed by the broker")
            self._received_ms = now_ms
            self._parser.feed(data)
            packet = self._parser.take()
            while packet is not None:
                kind, value = packets.decode(packet[0], packet[1])
                self._receive(kind, value, now_ms)
                packet = self._parser.take()

    def _receive(self, kind: int, value: int, now_ms: int):
        if (kind == packets.CONNACK) != (self.state == WAITING):
            raise packets.ProtocolError(f"packet 0x{kind:02x} while {self.state}")
        if kind == packets.CONNACK:
            self._welcome(value, now_ms)
        elif kind == packets.PINGRESP:
            self._ping_due_ms = -1
        elif kind == packets.PUBLISH:
            self.unasked += 1
        elif not self._queue.acknowledge(value):
            self.malformed += 1
            self.last_error = f"{self.address}: PUBACK for packet id {value}, which is not in flight"

    def _welcome(self, return_code: int, now_ms: int):
        if return_code:
            raise _Ended(packets.refusal(return_code))
        self.state = ONLINE
        self._online_ms = now_ms
        self._sent_ms = now_ms
        self._ping_due_ms = -1
        if self._connections:
            self.reconnects += 1
        self._connections += 1
        if self._online is not None:
            self._queue.put_express(self._online)

    def _write(self, now_ms: int):
        while True:
            if self._out is None:
                self._out = self._next_packet(now_ms)
                self._out_at = 0
                if self._out is None:
                    return
            rest = memoryview(self._out)[self._out_at:] if self._out_at else self._out
            count = self._stream.send(rest)
            if not count:
                return
            self._sent_ms = now_ms
            self._out_at += count
            if self._out_at == len(self._out):
                self._out = None

    def _next_packet(self, now_ms: int):
        if self.state != ONLINE or self._farewell is not None:
            return None
        if self._ping_due_ms < 0 and now_ms >= self._ping_at_ms():
            self._ping_due_ms = now_ms + self._response_ms
            return packets.PINGREQ_PACKET
        if self._closing:
            self._take_leave(now_ms)
        if self._farewell is not None:
            return self._farewell
        return self._queue.take(now_ms)

    def _take_leave(self, now_ms: int):
        """Offline once the queue is empty or its time is over, DISCONNECT when offline is acknowledged."""
        pending = self._queue.express_pending()
        if self._offline is not None:
            if (not self._queue.queued and not pending) or now_ms >= self._drain_until_ms:
                self._queue.put_express(self._offline)
                self._offline = None
        elif not pending and (not self._queue.queued or now_ms >= self._drain_until_ms):
            self._farewell = packets.DISCONNECT_PACKET

    def _ping_at_ms(self) -> int:
        """Half of the keepalive after the last word of the side that has been silent longer."""
        return min(self._sent_ms, self._received_ms) + self._ping_after_ms

    def _judge(self, now_ms: int):
        """Give up what has passed its deadline."""
        if self._closing and self.state != CLOSED:
            if self._farewell is not None and self._out is None:
                self._finish()
            elif now_ms >= self._close_due_ms:
                self.last_error = f"{self.address}: closed with {self._queue.queued} messages queued"
                self._finish()
        elif self.state == CONNECTING and now_ms >= self._response_due_ms:
            self._lose(now_ms, f"no connection within {self._response_ms} ms")
        elif self.state == WAITING and now_ms >= self._response_due_ms:
            self._lose(now_ms, f"no CONNACK within {self._response_ms} ms")
        elif self.state == ONLINE:
            oldest_ms = self._queue.oldest_sent_ms()
            if oldest_ms >= 0 and now_ms >= oldest_ms + self._response_ms:
                self._lose(now_ms, f"no PUBACK within {self._response_ms} ms")
            elif 0 <= self._ping_due_ms <= now_ms:
                self._lose(now_ms, f"no PINGRESP within {self._response_ms} ms")

    def _lose(self, now_ms: int, reason: str):
        """The connection is of no more use: keep what is not acknowledged, and try again later."""
        self.last_error = f"{self.address}: {reason} ({self.state})"
        if self.state == ONLINE and now_ms - self._online_ms >= STABLE_MS:
            self._backoff_ms = RETRY_MIN_MS
        if self._closing:
            self._finish()
            return
        self.state = AWAY
        self._drop_connection()
        self._retry_ms = now_ms + self._backoff_ms * (256 + self._random(1)[0]) // 512
        self._backoff_ms = min(self._backoff_ms * 2, RETRY_MAX_MS)

    def _finish(self):
        self.state = CLOSED
        self._drop_connection()

    def _drop_connection(self):
        self._stream.close()
        self._queue.rewind()
        self._parser = None
        self._out = None

    def _deadline_ms(self, now_ms: int) -> int:
        if self.state == CLOSED:
            return now_ms + IDLE_MS
        if self.state == AWAY:
            return self._retry_ms
        busy = self.state == CONNECTING or self._out is not None
        due_ms = now_ms + (BUSY_MS if busy else IDLE_MS)
        if self.state != ONLINE:
            return min(due_ms, self._response_due_ms)
        due_ms = min(due_ms, self._ping_at_ms() if self._ping_due_ms < 0 else self._ping_due_ms)
        oldest_ms = self._queue.oldest_sent_ms()
        if oldest_ms >= 0:
            due_ms = min(due_ms, oldest_ms + self._response_ms)
        if self._closing:
            draining = now_ms < self._drain_until_ms
            due_ms = min(due_ms, self._drain_until_ms if draining else self._close_due_ms)
        return due_ms


def _reason(error: OSError) -> str:
    """The name of an error number, where the runtime knows names."""
    names = getattr(errno, "errorcode", {})
    return str(names.get(error.errno, error))
