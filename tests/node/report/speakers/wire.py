"""What a Sparkplug edge node and its broker say to each other, as an observer of the wire takes it down."""

import dataclasses
import json

from tests.node.report.speakers import sparkplug_b

VERBS = ("NBIRTH", "NDEATH", "NDATA", "NCMD", "DBIRTH", "DDEATH", "DDATA", "DCMD", "STATE")


@dataclasses.dataclass
class Message:
    """A PUBLISH of the node, or its will."""

    topic: str
    data: bytes
    qos: int
    retain: bool
    verb: str = ""  # "" outside of Sparkplug's namespace
    group: str = ""
    node: str = ""
    device: str | None = None
    payload: object = None

    def __post_init__(self):
        parts = self.topic.split("/")
        if parts[0] != "spBv1.0":
            return
        self.group, self.verb, self.node = parts[1:4]
        assert self.verb in VERBS and len(parts) in (4, 5), self.topic
        self.device = parts[4] if len(parts) == 5 else None
        self.payload = sparkplug_b.read(self.data)

    @property
    def seq(self):
        return self.payload.seq if self.payload.HasField("seq") else None

    @property
    def metrics(self):
        return self.payload.metrics

    def metric(self, name: str):
        found = [metric for metric in self.metrics if metric.name == name]
        assert len(found) == 1, f"{len(found)} metrics {name} in {self.topic}"
        return found[0]


@dataclasses.dataclass
class Heard:
    """A PUBLISH of the broker."""

    topic: str
    data: bytes
    retain: bool

    @property
    def rebirth(self) -> bool:
        if "/NCMD/" not in self.topic or self.retain:
            return False
        metrics = sparkplug_b.Payload.FromString(self.data).metrics
        return any(metric.name == "Node Control/Rebirth" and metric.boolean_value for metric in metrics)

    @property
    def state(self):
        """(online, timestamp) of a STATE of the primary host, else None."""
        try:
            content = json.loads(self.data)
            return (content["online"], content["timestamp"]) if self.topic.endswith("/scada") else None
        except (ValueError, TypeError, KeyError):
            return None


class Session:
    """One connection: its CONNECT, then in order what was subscribed, published and heard."""

    def __init__(self, clean: bool, will):
        self.clean = clean
        self.will = will
        self.items = []  # ("subscribe", topic, QoS), Message, Heard, "disconnect" or "lost"

    @property
    def sent(self) -> list:
        return [item for item in self.items if isinstance(item, Message)]

    @property
    def spoken(self) -> list:
        """What was sent in Sparkplug's namespace."""
        return [message for message in self.sent if message.verb]

    @property
    def subscribed(self) -> list:
        return [item[1:] for item in self.items if isinstance(item, tuple)]

    @property
    def born(self) -> bool:
        return any(message.verb == "NBIRTH" for message in self.sent)

    def of(self, *verbs) -> list:
        return [message for message in self.sent if message.verb in verbs]


class Wire(list):
    """Sessions, in the order of their connections."""

    def of(self, *verbs) -> list:
        return [message for session in self for message in session.of(*verbs)]

    @property
    def born(self) -> list:
        return [session for session in self if session.born]


def from_lines(lines: list) -> Wire:
    """Of tests.node.report.speakers.sparkplug_session."""
    wire = Wire()
    for line in lines:
        what, *fields = line.split("\t")
        if what == "connect":
            clean, topic, data, qos, retain = fields
            will = Message(topic, bytes.fromhex(data), int(qos), retain == "1")
            wire.append(Session(clean == "1", will))
        elif what == "subscribe":
            wire[-1].items.append((what, fields[0], int(fields[1])))
        elif what == "publish":
            topic, data, qos, retain = fields
            wire[-1].items.append(Message(topic, bytes.fromhex(data), int(qos), retain == "1"))
        elif what == "heard":
            wire[-1].items.append(Heard(fields[0], bytes.fromhex(fields[1]), fields[2] == "1"))
        else:
            wire[-1].items.append(what)
    return wire


def from_bytes(stream: bytes) -> Wire:
    """Of what a client has sent over TCP: MQTT 3.1.1, one connection after the other."""
    wire = Wire()
    at = 0
    while at < len(stream):
        kind, flags = stream[at] >> 4, stream[at] & 15
        size, at = _length(stream, at + 1)
        body, at = stream[at:at + size], at + size
        if kind == 1:
            wire.append(_connect(body))
        elif kind == 3:
            topic, rest = _text(body)
            qos = flags >> 1 & 3
            wire[-1].items.append(Message(topic, rest[2 if qos else 0:], qos, bool(flags & 1)))
        elif kind == 8:
            rest = body[2:]
            while rest:
                topic, rest = _text(rest)
                wire[-1].items.append(("subscribe", topic, rest[0]))
                rest = rest[1:]
        elif kind == 14:
            wire[-1].items.append("disconnect")
    return wire


def _length(stream: bytes, at: int) -> tuple:
    number = shift = 0
    while True:
        byte = stream[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at


def _text(body: bytes) -> tuple:
    size = int.from_bytes(body[:2], "big")
    return body[2:2 + size].decode(), body[2 + size:]


def _connect(body: bytes) -> Session:
    protocol, rest = _text(body)
    level, flags = rest[0], rest[1]
    assert (protocol, level) == ("MQTT", 4), f"{protocol} of level {level}"
    _, rest = _text(rest[4:])
    will = None
    if flags & 4:
        topic, rest = _text(rest)
        size = int.from_bytes(rest[:2], "big")
        will = Message(topic, rest[2:2 + size], flags >> 3 & 3, bool(flags & 32))
    return Session(bool(flags & 2), will)
