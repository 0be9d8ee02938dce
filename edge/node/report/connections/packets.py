"""MQTT 3.1.1 control packets as a client needs them at QoS 0 and 1: bytes in, bytes out, no socket.

Source: OASIS, MQTT Version 3.1.1 (29 October 2014). Section numbers below are its own.
"""

import struct

CONNECT = 0x10
CONNACK = 0x20
PUBLISH = 0x30
PUBACK = 0x40
SUBSCRIBE = 0x82  # with the flags that section 3.8.1 asks for
SUBACK = 0x90
PINGRESP = 0xD0

DUP = 0x08
QOS1 = 0x02
RETAIN = 0x01

PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"

PACKET_MAX = 262144  # bytes after the fixed header; a longer one ends the connection before it is read
REMAINING_LENGTH_MAX = 268435455  # section 2.2.3: four bytes of seven bits

_REFUSALS = (  # section 3.2.2.3, from return code 1 on
    "unacceptable protocol version",
    "client identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorised",
)
UNAVAILABLE = 3
SUBSCRIPTION_FAILED = 0x80


class ProtocolError(Exception):
    """The peer sent what MQTT 3.1.1 does not allow here; the connection can't be used any longer."""


def encode_length(length: int) -> bytes:
    """Remaining length, 0..268435455, as 1 to 4 bytes (section 2.2.3)."""
    if not 0 <= length <= REMAINING_LENGTH_MAX:
        raise ValueError(f"mqtt: remaining length {length}, expected 0..{REMAINING_LENGTH_MAX}")
    encoded = bytearray()
    while length > 127:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes(encoded)


def encode_text(text: str) -> bytes:
    """A UTF-8 string with its 16-bit length (section 1.5.3). U+0000 is not allowed in one."""
    encoded = text.encode()
    if len(encoded) > 65535 or b"\x00" in encoded:
        raise ValueError(f"mqtt: string of {len(encoded)} bytes, expected at most 65535, none of them 0")
    return struct.pack(">H", len(encoded)) + encoded


def encode_connect(client_id: str, keepalive_s: int, will=None, username=None, password=None) -> bytes:
    """CONNECT with a clean session (section 3.1).

    ``keepalive_s``: 0 (off) .. 65535. ``will``: None or (topic, payload, qos 0..1, retain).
    ``username`` is str or None, ``password`` is bytes or None.
    """
    if not 0 <= keepalive_s <= 65535:
        raise ValueError(f"mqtt: keepalive {keepalive_s} s, expected 0..65535")
    if password is not None and username is None:
        raise ValueError("mqtt: a password needs a user name")
    flags = 0x02
    body = encode_text(client_id)
    if will is not None:
        topic, payload, qos, retain = will
        check_publication(topic, payload, qos)
        flags |= 0x04 | qos << 3 | (0x20 if retain else 0)
        body += encode_text(topic) + struct.pack(">H", len(payload)) + payload
    if username is not None:
        flags |= 0x80
        body += encode_text(username)
    if password is not None:
        flags |= 0x40
        body += struct.pack(">H", len(password)) + password
    body = b"\x00\x04MQTT\x04" + struct.pack(">BH", flags, keepalive_s) + body
    return bytes((CONNECT,)) + encode_length(len(body)) + body


def check_topic(topic: str):
    """Raise ValueError unless ``topic`` is a name that can be published to (section 4.7)."""
    if not topic or "+" in topic or "#" in topic or "\x00" in topic:
        raise ValueError(f"mqtt: topic {topic!r}, expected a name without '+', '#' and U+0000")


def check_publication(topic: str, payload, qos: int):
    """Raise ValueError or TypeError for what can't be published."""
    check_topic(topic)
    if isinstance(payload, str):
        raise TypeError(f"mqtt: payload of {topic} is str, expected bytes")
    if qos not in (0, 1):
        raise ValueError(f"mqtt: QoS {qos}, expected 0 or 1")


def encode_publish(topic: str, payload: bytes, qos: int, retain: bool, packet_id: int = 0) -> bytes:
    """PUBLISH at QoS 0 or 1 (section 3.3); ``packet_id``: 1..65535 at QoS 1."""
    check_publication(topic, payload, qos)
    return assemble_publish(encode_text(topic), payload, qos, retain, packet_id)


def assemble_publish(name: bytes, payload: bytes, qos: int, retain: bool, packet_id: int) -> bytes:
    """``encode_publish`` of a topic that has been checked and encoded by ``encode_text``."""
    first = PUBLISH | (QOS1 if qos else 0) | (RETAIN if retain else 0)
    if qos:
        name += struct.pack(">H", packet_id)
    length = len(name) + len(payload)
    if length < 128:
        return bytes((first, length)) + name + payload
    return bytes((first,)) + encode_length(length) + name + payload


def encode_puback(packet_id: int) -> bytes:
    """PUBACK (section 3.4)."""
    return struct.pack(">BBH", PUBACK, 2, packet_id)


def encode_subscribe(packet_id: int, topics: list) -> bytes:
    """SUBSCRIBE (section 3.8) to one or more (filter, qos 0..1)."""
    if not topics:
        raise ValueError("mqtt: subscription to nothing, expected one or more topics")
    body = struct.pack(">H", packet_id)
    for topic, qos in topics:
        if not topic or qos not in (0, 1):
            raise ValueError(f"mqtt: subscription to {topic!r} at QoS {qos}, expected a topic and 0 or 1")
        body += encode_text(topic) + bytes((qos,))
    return bytes((SUBSCRIBE,)) + encode_length(len(body)) + body


def refusal(return_code: int) -> str:
    """What a CONNACK's return code, 1..255, means."""
    if return_code > len(_REFUSALS):
        return f"refused with return code {return_code}"
    return "refused: " + _REFUSALS[return_code - 1]


class Parser:
    """Cuts a stream of bytes into control packets.

    Holds at most one packet of ``limit`` bytes and what ``feed`` was last given. A PUBLISH may be longer, up
    to PACKET_MAX: what is over the limit is passed over as its bytes come.
    """

    def __init__(self, limit: int = 256):
        self._limit = limit
        self._buffer = b""
        self._at = 0
        self._skip = 0  # bytes to come that are passed over

    def feed(self, data: bytes):
        """Add received bytes; call ``take`` until it returns None before the next ``feed``."""
        self._buffer = self._buffer[self._at:] + data if self._at < len(self._buffer) else data
        self._at = min(self._skip, len(self._buffer))
        self._skip -= self._at

    def take(self):
        """The next packet as (first byte, body, bytes left out), or None when more bytes are needed.

        The body of a PUBLISH longer than ``limit`` is its first ``limit`` bytes. Raises ProtocolError for any
        other packet longer than ``limit``, for a PUBLISH beyond PACKET_MAX, and for a length that is not
        encoded by the rules.
        """
        buffer = self._buffer
        have = len(buffer)
        begin = self._at
        at = begin + 2
        if at > have:
            return None
        length = buffer[begin + 1]
        if length & 0x80:
            length &= 0x7F
            shift = 7
            while True:
                if at >= have:
                    return None
                byte = buffer[at]
                at += 1
                length |= (byte & 0x7F) << shift
                if not byte & 0x80:
                    break
                shift += 7
                if shift > 21:
                    raise ProtocolError("remaining length of more than 4 bytes")
        first = buffer[begin]
        end = at + length
        if length > self._limit:
            if first & 0xF0 != PUBLISH or length > PACKET_MAX:
                limit = PACKET_MAX if first & 0xF0 == PUBLISH else self._limit
                raise ProtocolError(f"packet 0x{first:02x} of {length} bytes, expected at most {limit}")
            if have - at < self._limit:
                return None
            body = buffer[at:at + self._limit]
            self._at = min(end, have)
            self._skip = end - self._at
            return first, body, length - self._limit
        if have < end:
            return None
        self._at = end
        return first, buffer[at:end], 0


def decode(first: int, body: bytes) -> tuple:
    """What a server may say other than PUBLISH, from a packet of Parser.

    Returns (CONNACK, return code), (PUBACK, packet id), (SUBACK, packet id, accepted: bool) or (PINGRESP, 0);
    anything else is a ProtocolError.
    """
    length = len(body)
    if first == PUBACK and length == 2:
        packet_id = body[0] << 8 | body[1]
        if packet_id:
            return PUBACK, packet_id
    elif first == PINGRESP and not length:
        return PINGRESP, 0
    elif first == SUBACK and length > 2:
        packet_id = body[0] << 8 | body[1]
        if packet_id:
            return SUBACK, packet_id, all(_granted(code) for code in body[2:])
    elif first == CONNACK and length == 2 and body[0] in (0, 1):
        return CONNACK, body[1]
    raise ProtocolError(f"packet 0x{first:02x} with {length} bytes was not expected")


def _granted(code: int) -> bool:
    """Section 3.9.3. QoS 2 is never asked for."""
    if code not in (0, 1, SUBSCRIPTION_FAILED):
        raise ProtocolError(f"SUBACK with return code {code}")
    return code != SUBSCRIPTION_FAILED


def _topic(encoded: bytes):
    """The topic, or None where section 4.7 allows no such name."""
    if not encoded or (max(encoded) > 0x7F and not well_formed(encoded)):
        return None
    topic = str(encoded, "utf-8")
    return None if "+" in topic or "#" in topic or "\x00" in topic else topic


def well_formed(encoded: bytes) -> bool:
    """Whether it is UTF-8 by RFC 3629 (section 1.5.3); MicroPython's decoder lets more pass than that.

    Overlong forms, surrogates and what is above U+10FFFF are refused by the range of the second byte.
    """
    follow = 0
    low, high = 0x80, 0xBF
    for byte in encoded:
        if follow:
            if not low <= byte <= high:
                return False
            low, high = 0x80, 0xBF
            follow -= 1
        elif byte > 0x7F:
            if not 0xC2 <= byte <= 0xF4:
                return False
            follow = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
            low = 0xA0 if byte == 0xE0 else 0x90 if byte == 0xF0 else 0x80
            high = 0x9F if byte == 0xED else 0x8F if byte == 0xF4 else 0xBF
    return not follow


def decode_publish(first: int, body: bytes) -> tuple:
    """(topic, payload, retain, packet id) of a PUBLISH at QoS 0 or 1; the packet id is 0 at QoS 0.

    ``body`` may be cut off after the packet id, see ``Parser.take``: then the payload is cut off, too.
    """
    qos = first >> 1 & 3
    if qos > 1:
        raise ProtocolError(f"PUBLISH at QoS {qos}, expected 0 or 1")
    if len(body) < 2:
        raise ProtocolError("PUBLISH without a topic")
    end = 2 + (body[0] << 8 | body[1])
    at = end + 2 if qos else end
    if at > len(body):
        raise ProtocolError("PUBLISH that ends in its topic or packet id")
    topic = _topic(body[2:end])
    if topic is None:
        raise ProtocolError("PUBLISH with a topic that is none: %r" % bytes(body[2:min(end, 42)]))
    packet_id = 0
    if qos:
        packet_id = body[end] << 8 | body[end + 1]
        if not packet_id:
            raise ProtocolError("PUBLISH with packet id 0")
    return topic, body[at:], bool(first & RETAIN), packet_id
