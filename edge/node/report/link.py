"""The node's end of the socket pair to the reporter process, and the datagrams that cross it.

``ReporterLink`` is a reporting end like that of edge.node.report.local. The first byte of a datagram says
what it is:

    node to reporter
    C  the catalogue as JSON; the first thing that a reporter hears
    R  a record
    M  a live message: flags (bit 0 retain, bit 1 QoS 1), length of the topic (16 bits, big endian), topic,
       payload
    A  the answer to a command: length of the speaker's name (8 bits), name, payload
    F  please make what you have durable now: the node's ring fills up
    B  nothing: the node is there. Sent when it has said nothing else for a second
    reporter to node
    S  its statistics as JSON, once a second; "stored": [boot, seq] confirms all records up to there
    Q  please tell all values
    K  a command: flags (bit 0 retained), length of the speaker's name (8 bits), name, payload

The pair is AF_UNIX SOCK_SEQPACKET: a datagram arrives whole or not at all, and a closed end is seen at once.
The node never waits for the reporter. Its bound is the socket's own send buffer (Linux by default: 212,992
bytes including its bookkeeping). Live messages that do not fit are dropped and counted; records wait in a
ring until the reporter confirms that they are stored, and go to its successor if it dies before.
"""

import errno
import json
import struct

from edge.node.report.ring import RING_BYTES, Ring

MESSAGE_MAX = 65536  # bytes of a datagram
STATS_PERIOD_MS = 1000
STATS_STALE_MS = 5000
BEAT_PERIOD_MS = 1000
RETRY_MS = 50
CLOSE_WAIT_S = 0.5
# While records go on being lost they are told so often, as alarms that take room themselves.
LOSSES_PERIOD_MS = 600000
COMMANDS_MAX = 32
COMMAND_BYTES = 2048

CATALOGUE = b"C"
RECORD = b"R"
LIVE = b"M"
ANSWER = b"A"
FLUSH = b"F"
BEAT = b"B"
STATS = b"S"
SNAPSHOT = b"Q"
COMMAND = b"K"

_RETAIN = 0x01
_QOS1 = 0x02
_HEADER = ">BH"
_HEADER_SIZE = 3
_NO_STATS = {
    "connected": False,
    "sent": 0,
    "acked": 0,
    "dropped": 0,
    "queued": 0,
    "reconnects": 0,
    "last_error": "",
}


def pack_message(topic: str, payload: bytes, retain: bool, qos: int) -> bytes:
    """One live message, as it follows LIVE; ``qos`` is 0 or 1."""
    if qos not in (0, 1):
        raise ValueError("reporter link: QoS %s on %s, expected 0 or 1" % (qos, topic))
    name = topic.encode()
    flags = (_RETAIN if retain else 0) | (_QOS1 if qos else 0)
    return struct.pack(_HEADER, flags, len(name)) + name + payload


def unpack_message(data: bytes) -> tuple:
    """(topic, payload, retain, qos) of what follows LIVE; ValueError when it is not of ``pack_message``."""
    if len(data) < _HEADER_SIZE:
        raise ValueError("reporter link: message of %d bytes, expected 3 or more" % len(data))
    flags, length = struct.unpack_from(_HEADER, data)
    if flags & ~(_RETAIN | _QOS1) or len(data) < _HEADER_SIZE + length:
        raise ValueError(
            "reporter link: flags 0x%02x and a topic of %d bytes in %d bytes" % (flags, length, len(data))
        )
    name = data[_HEADER_SIZE : _HEADER_SIZE + length]
    return name.decode(), data[_HEADER_SIZE + length :], bool(flags & _RETAIN), 1 if flags & _QOS1 else 0


def pack_answer(speaker: str, payload: bytes) -> bytes:
    """An answer, as it follows ANSWER; ``speaker``: who brought the command, "" for all."""
    name = speaker.encode()
    return bytes([len(name)]) + name + payload


def unpack_answer(data: bytes) -> tuple:
    """(speaker, payload) of what follows ANSWER; ValueError when it is not of ``pack_answer``."""
    if not data or len(data) < 1 + data[0]:
        raise ValueError("reporter link: answer of %d bytes is cut off" % len(data))
    end = 1 + data[0]
    return data[1:end].decode(), data[end:]


def pack_command(speaker: str, payload: bytes, retained: bool) -> bytes:
    """A command from afar, as it follows COMMAND."""
    return bytes([_RETAIN if retained else 0]) + pack_answer(speaker, payload)


def unpack_command(data: bytes) -> tuple:
    """(speaker, payload, retained) of what follows COMMAND; ValueError when it is not of ``pack_command``."""
    if not data or data[0] & ~_RETAIN:
        raise ValueError("reporter link: command of %d bytes with unknown flags" % len(data))
    speaker, payload = unpack_answer(data[1:])
    return speaker, payload, bool(data[0] & _RETAIN)


class ReporterLink:
    """Sends what the node reports to the reporter process, and never waits for it.

    ``sock``: the node's end of the pair, None while there is no reporter. ``alive`` is False once the
    reporter's end is closed: then live messages are dropped and counted, and records wait for ``attach``.
    """

    def __init__(self, sock=None, ring_bytes: int = RING_BYTES):
        self.alive = False
        self.sent = 0  # datagrams handed over, of all reporters
        self.dropped = 0  # live messages, on this side of the pair
        self.lost = 0  # records, on this side, that have been told by losses()
        self.unheard = 0  # commands that were dropped on this side
        self.last_error = ""
        self.heard_ms = -1  # when the present reporter last sent statistics
        self.ring = Ring(ring_bytes)
        self._socket = None
        self._catalogue = b""
        self._catalogue_due = False
        self._reporter = _NO_STATS
        self._fresh = False
        self._snapshot = False
        self._commands = []
        self._flush_asked = False
        self._now_ms = 0
        self._spoke_ms = 0
        self._tell_losses_ms = 0
        if sock is not None:
            self.attach(sock)

    def attach(self, sock):
        """Speak to a reporter that has just started: it gets the catalogue and everything unconfirmed."""
        if self.alive:
            self._die("another reporter takes over")
        sock.setblocking(False)
        self._socket = sock
        self.alive = True
        self.last_error = ""
        self.heard_ms = -1
        self._catalogue_due = bool(self._catalogue)
        self._flush_asked = False

    # What the node calls --------------------------------------------------------------------------

    def begin(self, catalogue):
        """``catalogue``: what the sample records that follow speak of; ValueError where it does not fit."""
        data = CATALOGUE + catalogue.to_json()
        if len(data) > MESSAGE_MAX:
            raise ValueError(
                "reporter link: catalogue of %d bytes, at most %d fit" % (len(data), MESSAGE_MAX)
            )
        self._catalogue = data
        self._catalogue_due = True
        self._push()

    def record(self, record: bytes) -> bool:
        """Keep a record until it is stored; False, and counted as lost, where it can't be kept at all."""
        kept = self.ring.put(record)
        self._push()
        return kept

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        """Hand over a live message; False, and counted as dropped, when that can't be done at once."""
        datagram = LIVE + pack_message(topic, payload, retain, qos)
        if len(datagram) > MESSAGE_MAX:
            self.last_error = "reporter link: %d bytes on %s, at most %d fit" % (
                len(datagram),
                topic,
                MESSAGE_MAX,
            )
        elif self._send(datagram):
            return True
        self.dropped += 1
        return False

    def snapshot_wanted(self) -> bool:
        """Whether the far side has asked for all values since the last call."""
        wanted = self._snapshot
        self._snapshot = False
        return wanted

    def commands(self) -> list:
        """(speaker, payload, retained) since the last call, at most COMMANDS_MAX."""
        commands = self._commands
        if commands:
            self._commands = []
        return commands

    def reply(self, speaker: str, payload: bytes):
        """The answer to a command; like a live message, it does not wait for anybody."""
        if not self._send(ANSWER + pack_answer(speaker, payload)):
            self.dropped += 1

    def losses(self) -> list:
        """(count, why) of the records that were lost since this last told any.

        That is at once for the first, then every ten minutes, or when the ring has been emptied.
        """
        ring = self.ring
        if not ring.lost or (ring.unsent and self._now_ms < self._tell_losses_ms):
            return []
        self._tell_losses_ms = self._now_ms + LOSSES_PERIOD_MS
        lost, alarms = ring.take_losses()
        self.lost += lost
        why = "the reporter did not store them, and the node's ring of %d kB was full" % (
            ring.bytes_max // 1024
        )
        return [(lost, why + (", %d of them alarms" % alarms if alarms else ""))]

    def step(self, now_ms: int) -> int:
        """Hear the reporter, and send what waits. Returns when to be called again."""
        self._now_ms = now_ms
        self._hear(now_ms)
        self._push()
        if now_ms - self._spoke_ms >= BEAT_PERIOD_MS:
            self._send(BEAT)
        self._fresh = self.heard_ms >= 0 and now_ms - self.heard_ms < STATS_STALE_MS
        waiting = self.alive and (self._catalogue_due or self.ring.unsent)
        return now_ms + (RETRY_MS if waiting else STATS_PERIOD_MS)

    def pollable(self):
        """The socket, or None once it is closed or the reporter is gone."""
        return self._socket if self.alive else None

    def pollables(self) -> list:
        return [self._socket] if self.alive else []

    @property
    def stats(self) -> dict:
        """The reporter's newest statistics and this side's.

        ``dropped`` and ``unheard`` are the sums of both sides; ``alive``, ``handed_over`` (datagrams),
        ``unconfirmed`` and ``lost`` (records) are of this side. ``connected`` is False when the reporter has
        been silent for 5 s.
        """
        stats = dict(self._reporter)
        stats["connected"] = bool(self.alive and self._fresh and stats.get("connected"))
        stats["dropped"] = stats.get("dropped", 0) + self.dropped
        stats["unheard"] = stats.get("unheard", 0) + self.unheard
        stats["alive"] = self.alive
        stats["handed_over"] = self.sent
        stats["lost"] = self.lost + self.ring.lost
        stats["unconfirmed"] = len(self.ring.sent) + len(self.ring.unsent)
        if self.last_error:
            stats["last_error"] = self.last_error
        return stats

    def close(self, now_ms: int):
        """Close this end: the reporter stores and sends what it has, says goodbye and ends.

        Now the node may wait, and does so for half a second at a time while the reporter takes records.
        """
        if self.alive and self.ring.unsent:
            self._socket.settimeout(CLOSE_WAIT_S)
            self._push()
        self._die("closed")

    def drop(self, reason: str):
        """Close this end because the reporter is of no use any more."""
        self._die(reason)

    # Inside ---------------------------------------------------------------------------------------

    def _push(self):
        """Send what waits, as far as it goes: the catalogue, then records in their order."""
        ring = self.ring
        if self._catalogue_due:
            if not self._send(self._catalogue):
                return
            self._catalogue_due = False
        if not self._catalogue:
            return
        if ring.unsent:
            count = 0
            for record in ring.unsent:
                if not self._send(RECORD + record):
                    break
                count += 1
            # If the reporter has died meanwhile, all of them are unsent again.
            if self.alive:
                ring.handed_over(count)
        if not self._flush_asked and 2 * ring.bytes > ring.bytes_max:
            self._flush_asked = self._send(FLUSH)

    def _send(self, datagram: bytes) -> bool:
        if not self.alive:
            return False
        try:
            self._socket.send(datagram)
        except OSError as error:
            self._judge(error)
            return False
        self.sent += 1
        self._spoke_ms = self._now_ms
        return True

    def _hear(self, now_ms: int):
        newest = None
        while self.alive:
            try:
                datagram = self._socket.recv(MESSAGE_MAX)
            except OSError as error:
                self._judge(error)
                break
            if not datagram:
                self._die("the reporter has closed its end")
                break
            kind = datagram[:1]
            if kind == STATS:
                newest = datagram[1:]
            elif kind == SNAPSHOT:
                self._snapshot = True
            elif kind == COMMAND:
                self._take_command(datagram[1:])
            else:
                self.last_error = "reporter link: datagram of unknown kind %s" % kind
        if newest is not None:
            self._take_stats(newest, now_ms)

    def _take_command(self, data: bytes):
        if len(data) > COMMAND_BYTES + 258 or len(self._commands) >= COMMANDS_MAX:
            self.last_error = "reporter link: a command was dropped: too large, or too many at once"
            self.unheard += 1
            return
        try:
            self._commands.append(unpack_command(data))
        except ValueError as error:
            self.last_error = "reporter link: %s" % error

    def _take_stats(self, data: bytes, now_ms: int):
        try:
            stats = json.loads(data)
            if not isinstance(stats, dict):
                raise ValueError("not an object")
            stored = stats.pop("stored", None)
            boot, seq = stored if stored else (0, 0)
            if not isinstance(boot, int) or not isinstance(seq, int):
                raise ValueError("stored is %s" % stored)
        except (TypeError, ValueError) as error:
            self.last_error = "reporter link: statistics are not JSON as expected: %s" % error
            return
        self.heard_ms = now_ms
        self._reporter = stats
        if seq:
            self.ring.confirm(boot, seq)
        self._flush_asked = False

    def _judge(self, error: OSError):
        if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
            self._die("the reporter is gone: %s" % error)

    def _die(self, reason: str):
        if self.alive:
            self.alive = False
            self.last_error = "reporter link: %s" % reason
            self._socket.close()
            self.ring.again()
