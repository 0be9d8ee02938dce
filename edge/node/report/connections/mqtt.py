"""A small MQTT 3.1.1 client that never makes its owner wait: ``MqttClient``, a connection (connection.py).

It has no queue of its own: a message is written when it is published, and a packet that the socket does not
take whole waits in a bounded buffer. Of what is in flight it keeps the packet ids and the times, nothing
else: the message is its sender's.
"""

import errno

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
from edge.node.report.connections.flight import InFlight, Outgoing
from edge.node.report.connections.tcp import TcpStream, Untrusted

EPIPE = 32  # MicroPython's errno does not know it
BUSY_MS = 20  # how soon to look again at a connection under way or a packet half written
LEAVE_MS = 500  # for the broker to close after DISCONNECT: a close with bytes unread would destroy it
READS_PER_STEP = 8
NAMES_MAX = 64  # topics kept in the form in which they are sent


class _Ended(Exception):
    """The connection is over, by the rules: reason, strikes."""


def make_stream(host: str, port: int, tls):
    """The stream to a broker; the module for TLS is imported only where it is wanted."""
    if tls is None:
        return TcpStream(host, port)
    from edge.node.report.connections.tls import TlsStream

    return TlsStream(host, port, tls)


class MqttClient(Connection):
    """MQTT 3.1.1 over TCP or TLS at QoS 0 and 1. Arguments: those of connection.Connection, by position or
    name, and ``stream``, which makes the stream from (host, port, tls), see make_stream, and ``last_id``, the
    packet id after which to count on.
    """

    def __init__(self, brokers: list, client_id: str, clock, *arguments, stream=make_stream, last_id: int = 0,
                 **more):
        super().__init__(brokers, client_id, clock, *arguments, **more)
        self._flight = InFlight(self.window, last_id)
        self._streams = [stream(host, port, self._tls) for host, port in brokers]
        self._stream = self._streams[0]
        self._parser = None
        self._outgoing = Outgoing()
        self._names = {}
        self._heard_bytes = 0  # of the events
        self._busy = False  # there is more to read
        self._fault = None  # an error that publish met
        self._subscription_id = 0

    @property
    def connected(self) -> bool:
        return self.state == ONLINE and self._ending is None and self._fault is None

    def room(self) -> int:
        """How many QoS 1 messages ``publish`` takes now."""
        if not self.connected or self._closing or self._outgoing.bytes >= self._send_max:
            return 0
        return self._flight.room()

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> int:
        """Packet id, 0 at QoS 0, or -1; see connection.py."""
        name = self._names.get(topic)
        if name is None:
            name = self._name_of(topic)
        if isinstance(payload, str) or qos not in (0, 1):
            packets.check_publication(topic, payload, qos)
        if not self.connected or self._closing or (qos and not self._flight.room()):
            return -1
        waiting = self._outgoing.bytes
        if waiting and waiting + len(payload) > self._send_max:
            return -1
        now_ms = self._clock.now_ms()
        packet_id = self._flight.new_id(now_ms) if qos else 0
        self.sent += 1
        self._put(packets.assemble_publish(name, payload, qos, retain, packet_id), now_ms)
        return packet_id

    def subscribe(self, topics: list) -> bool:
        """One subscription at a time; its answer is the event "subscribed"."""
        if topics:
            packets.encode_subscribe(1, topics)  # refuses what MQTT can't carry
        if not self.connected or self._closing or self._subscription_id:
            return False
        if not topics:
            self._events.append((SUBSCRIBED, True))
            return True
        now_ms = self._clock.now_ms()
        self._subscription_id = self._flight.new_id(now_ms)
        self._put(packets.encode_subscribe(self._subscription_id, topics), now_ms)
        return True

    def events(self) -> list:
        self._heard_bytes = 0
        return super().events()

    def pollable(self):
        """The socket while there is something to hear on it, else None."""
        return self._stream.socket if self.state in (WAITING, ONLINE, LEAVING) else None

    def step(self, now_ms: int) -> int:
        """Connect, read, write and judge the deadlines, without waiting. Returns when to be called again."""
        self._busy = False
        try:
            if self._ending is not None:
                raise _Ended(*self._ending)
            if self._fault is not None:
                raise self._fault
            if self.state == AWAY and self._choose(now_ms):
                self._stream = self._streams[self._at]
                self._stream.open()
            if self.state == CONNECTING and self._stream.connected():
                self._greet(now_ms)
            if self.state in (WAITING, ONLINE):
                self._read(now_ms)
                self._write(now_ms)
            self._judge(now_ms)
        except _Ended as error:
            self._lose(now_ms, error.args[0], error.args[1])
        except packets.ProtocolError as error:
            self.malformed += 1
            self._lose(now_ms, str(error), BRIEF)
        except Untrusted as error:
            self._lose(now_ms, str(error), REFUSED)
        except OSError as error:
            self._lose(now_ms, self._reason(error), 0 if self.state == CONNECTING else BRIEF)
        return self._deadline_ms(now_ms)

    def _greet(self, now_ms: int):
        self._await_connack(now_ms)
        self._parser = packets.Parser(self._receive_max)
        self._put(packets.encode_connect(self._client_id, self._keepalive_s, self._will, self._username,
                                         self._password), now_ms)

    def _read(self, now_ms: int):
        """At most READS_PER_STEP reads, and no more messages than the owner may be expected to keep."""
        reads = 0
        acknowledgements = b""
        while not self._full():
            packet = self._parser.take()
            if packet is not None:
                if packet[0] & 0xF0 == packets.PUBLISH:
                    acknowledgements += self._hear(packet)
                else:
                    self._receive(packet, now_ms)
                continue
            if reads == READS_PER_STEP:
                self._busy = True
                break
            data = self._stream.recv()
            if data is None:
                break
            if not data:
                raise _Ended("closed by the broker" + self._stream.hint(self.state == WAITING), BRIEF)
            reads += 1
            self._watch.heard_ms = now_ms
            self._parser.feed(data)
        if acknowledgements:
            self._put(acknowledgements, now_ms)

    def _full(self) -> bool:
        full = (self._heard_bytes > self._receive_max or len(self._events) > 2 * self.window + 8
                or self._outgoing.bytes > self._send_max)
        self._busy = self._busy or full
        return full

    def _hear(self, packet: tuple) -> bytes:
        """Note a message; returns its PUBACK, b"" at QoS 0."""
        if self.state != ONLINE:
            raise packets.ProtocolError("PUBLISH while %s" % self.state)
        topic, payload, retain, packet_id = packets.decode_publish(packet[0], packet[1])
        if packet[2]:
            self._left_out(topic, len(payload) + packet[2])
        else:
            self.heard += 1
            self._heard_bytes += len(topic) + len(payload)
            self._events.append((HEARD, topic, payload, retain))
        return packets.encode_puback(packet_id) if packet_id else b""

    def _receive(self, packet: tuple, now_ms: int):
        answer = packets.decode(packet[0], packet[1])
        kind = answer[0]
        if (kind == packets.CONNACK) != (self.state == WAITING):
            raise packets.ProtocolError("packet 0x%02x while %s" % (kind, self.state))
        if kind == packets.PUBACK:
            self._acknowledged(answer[1], now_ms)
        elif kind == packets.PINGRESP:
            self._watch.answered()
        elif kind == packets.CONNACK:
            self._welcome(answer[1], now_ms)
        elif answer[1] == self._subscription_id:
            self._subscription_id = 0
            self._flight.acknowledge(answer[1])
            self._watch.acked_ms = now_ms
            self._events.append((SUBSCRIBED, answer[2]))
        else:
            raise packets.ProtocolError("SUBACK for packet id %d, which is no subscription" % answer[1])

    def _acknowledged(self, packet_id: int, now_ms: int):
        if packet_id != self._subscription_id and self._flight.acknowledge(packet_id):
            self._watch.acked_ms = now_ms
            self.acked += 1
            self._events.append((ACK, packet_id))
        else:
            self.malformed += 1
            self.last_error = "%s: PUBACK for packet id %d, not in flight" % (self.address, packet_id)

    def _welcome(self, return_code: int, now_ms: int):
        if return_code:
            strikes = 0 if return_code == packets.UNAVAILABLE else REFUSED
            raise _Ended(packets.refusal(return_code), strikes)
        self._stream.worked()
        self._is_up(now_ms)

    def _name_of(self, topic: str) -> bytes:
        packets.check_topic(topic)
        name = packets.encode_text(topic)
        if len(self._names) >= NAMES_MAX:
            self._names.clear()
        self._names[topic] = name
        return name

    def _put(self, packet: bytes, now_ms: int):
        """Send or keep a packet. An error is kept for the next step: ``publish`` reports none."""
        if not self._outgoing.bytes:
            self._watch.wrote_ms = now_ms
        try:
            self._outgoing.put(packet, self._stream)
        except (OSError, Untrusted) as error:
            self._fault = error

    def _write(self, now_ms: int):
        if self._outgoing.bytes and self._outgoing.write(self._stream):
            self._watch.wrote_ms = now_ms

    def _judge(self, now_ms: int):
        """Give up what has passed its deadline, ask whether the broker is still there, or take leave."""
        if self._overdue(now_ms):
            return
        waiting = self._outgoing.bytes > 0
        if self.state == LEAVING:
            self._leave(now_ms)
        elif self.state == ONLINE and self._closing:
            if (not self._flight.span and not waiting) or now_ms >= self._drain_until_ms:
                self.state = LEAVING
                self._put(packets.DISCONNECT_PACKET, now_ms)
                if not self._outgoing.bytes:
                    self._due_ms = min(self._due_ms, now_ms + LEAVE_MS)
        elif self.state == ONLINE:
            why = self._watch.verdict(now_ms, self._flight.oldest_ms(), waiting)
            if why:
                raise _Ended(why, BRIEF)
            if 0 <= self._watch.ask_at_ms() <= now_ms and not waiting:
                self._watch.asked(now_ms)
                self._put(packets.PINGREQ_PACKET, now_ms)

    def _leave(self, now_ms: int):
        """DISCONNECT is on its way: read on until the broker closes."""
        self._write(now_ms)
        data = self._stream.recv()
        for _ in range(READS_PER_STEP):
            if not data:
                break
            data = self._stream.recv()
        if data == b"" or now_ms >= self._due_ms:
            if self._flight.span or self._outgoing.bytes:
                self._unfinished(self._flight.span)
            self._finish(now_ms)

    def _let_go(self):
        self._stream.close()
        self._parser = None
        self._outgoing.clear()
        self._flight.clear()
        self._subscription_id = 0
        self._fault = None

    def _deadline_ms(self, now_ms: int) -> int:
        if self._busy or self._fault is not None:
            return now_ms + 1
        due_ms = self._next_ms(now_ms, self._flight.oldest_ms(), False)
        if self._outgoing.bytes or self.state == CONNECTING:
            due_ms = min(due_ms, now_ms + BUSY_MS)
        return due_ms

    def _reason(self, error: OSError) -> str:
        """The name of an error number, where the runtime knows names."""
        names = getattr(errno, "errorcode", {})
        name = "EPIPE" if error.errno == EPIPE else str(names.get(error.errno, error))
        return name + self._stream.hint(self.state == WAITING)
