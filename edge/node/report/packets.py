"""MQTT 3.1.1 packets, as far as a publisher needs them: bytes in, bytes out, no socket.

Source: OASIS, MQTT Version 3.1.1 (29 October 2014). Section numbers below are its own.
"""

import struct

CONNECT = 0x10
CONNACK = 0x20
PUBLISH = 0x30
PUBACK = 0x40
PINGRESP = 0xD0

DUP = 0x08
QOS1 = 0x02
RETAIN = 0x01

PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"

REMAINING_LENGTH_MAX = 268435455  # section 2.2.3: four bytes of seven bits

_REFUSALS = (  # section 3.2.2.3, from return code 1 on
    "unacceptable protocol version",
    "client identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorised",
)


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


def encode_connect(client_id: str, keepalive_s: int, will_topic=None, will_payload: bytes = b"",
                   username=None, password=None) -> bytes:
    """CONNECT with a clean session (section 3.1).

    ``keepalive_s``: 0 (off) .. 65535. The will, if any, is QoS 1 and retained.
    ``will_topic`` and ``username`` are str or None, ``password`` is bytes or None.
    """
    if not 0 <= keepalive_s <= 65535:
        raise ValueError(f"mqtt: keepalive {keepalive_s} s, expected 0..65535")
    if password is not None and username is None:
        raise ValueError("mqtt: a password needs a user name")
    flags = 0x02
    body = encode_text(client_id)
    if will_topic is not None:
        check_topic(will_topic)
        flags |= 0x04 | 0x08 | 0x20
        body += encode_text(will_topic) + struct.pack(">H", len(will_payload)) + will_payload
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


def encode_publish(topic: str, payload: bytes, qos: int, retain: bool) -> bytearray:
    """PUBLISH at QoS 0 or 1 (section 3.3). At QoS 1 its packet id is 0 until ``set_packet_id``."""
    check_topic(topic)
    if isinstance(payload, str):
        raise TypeError(f"mqtt: payload of {topic} is str, expected bytes")
    if qos not in (0, 1):
        raise ValueError(f"mqtt: QoS {qos}, expected 0 or 1")
    name = encode_text(topic)
    length = len(name) + 2 * qos + len(payload)
    first = PUBLISH | (QOS1 if qos else 0) | (RETAIN if retain else 0)
    packet = bytearray((first,)) + encode_length(length) + name
    if qos:
        packet += b"\x00\x00"
    packet += payload
    return packet


def set_packet_id(packet: bytearray, packet_id: int):
    """Write ``packet_id``, 1..65535, into a PUBLISH of QoS 1."""
    at = 2
    while packet[at - 1] & 0x80:
        at += 1
    name_length = packet[at] << 8 | packet[at + 1]
    struct.pack_into(">H", packet, at + 2 + name_length, packet_id)


def refusal(return_code: int) -> str:
    """What a CONNACK's return code, 1..255, means."""
    if return_code > len(_REFUSALS):
        return f"refused with return code {return_code}"
    return "refused: " + _REFUSALS[return_code - 1]


class Parser:
    """Cuts a stream of bytes into control packets.

    Holds at most one packet of ``limit`` bytes and what ``feed`` was last given. A PUBLISH may be longer: it
    is passed over as its bytes come.
    """

    def __init__(self, limit: int = 256):
        self._limit = limit
        self._buffer = b""
        self._at = 0
        self._skip = 0  # bytes to come that are passed over

    def feed(self, data: bytes):
        """Add received bytes; call ``take`` until it returns None before the next ``feed``."""
        self._buffer = self._buffer[self._at:] + data
        self._at = min(self._skip, len(self._buffer))
        self._skip -= self._at

    def take(self):
        """The next packet as (first byte, body), or None when more bytes are needed.

        The body of a PUBLISH longer than ``limit`` is None. Raises ProtocolError for any other packet longer
        than ``limit`` and for a length that is not encoded by the rules.
        """
        buffer = self._buffer
        at = self._at + 1
        length = 0
        shift = 0
        while True:
            if at >= len(buffer):
                return None
            byte = buffer[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
            shift += 7
            if shift > 21:
                raise ProtocolError("remaining length of more than 4 bytes")
        first = buffer[self._at]
        if length > self._limit:
            if first & 0xF0 != PUBLISH:
                raise ProtocolError(f"packet 0x{first:02x} of {length} bytes, expected at most {self._limit}")
            self._at = min(at + length, len(buffer))
            self._skip = at + length - self._at
            return first, None
        if len(buffer) - at < length:
            return None
        self._at = at + length
        return first, buffer[at:at + length]


def decode(first: int, body) -> tuple:
    """What a server may say to a client that only publishes, from a packet of Parser.

    Returns (CONNACK, return code), (PUBACK, packet id), (PINGRESP, 0) or, for a message at QoS 0,
    (PUBLISH, 0); anything else is a ProtocolError. No server should send the last one unasked, but amqtt
    0.12.1 does: each new client gets the retained messages of everybody's subscriptions.
    """
    if first & ~RETAIN == PUBLISH:
        return PUBLISH, 0
    if first == PUBACK and len(body) == 2:
        packet_id = body[0] << 8 | body[1]
        if packet_id:
            return PUBACK, packet_id
    elif first == PINGRESP and not body:
        return PINGRESP, 0
    elif first == CONNACK and len(body) == 2 and body[0] in (0, 1):
        return CONNACK, body[1]
    raise ProtocolError(f"packet 0x{first:02x} was not expected" if body is None else
                        f"packet 0x{first:02x} with {len(body)} bytes was not expected")
