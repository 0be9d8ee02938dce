"""The node's end of the socket pair to the reporter process, and the datagrams that cross it.

``ReporterLink`` is a reporting end as described in ``edge.node.report.mqtt``.

node to reporter: flags (bit 0 retain, bit 1 QoS 1), length of the topic (16 bits, big endian), topic, payload
reporter to node: its statistics as JSON, once a second

The pair is AF_UNIX SOCK_SEQPACKET: a datagram arrives whole or not at all, and a closed end is seen at once.
The bound is the socket's own send buffer (Linux by default: 212,992 bytes including its bookkeeping, 167
messages of 350 bytes). What does not fit is dropped and counted: the node never waits for the reporter.
"""

import errno
import json
import struct

MESSAGE_MAX = 65536  # bytes of a datagram
STATS_PERIOD_MS = 1000
STATS_STALE_MS = 5000

_RETAIN = 0x01
_QOS1 = 0x02
_HEADER = ">BH"
_HEADER_SIZE = 3
_NO_STATS = {
    "connected": False, "sent": 0, "acked": 0, "dropped": 0, "queued": 0, "reconnects": 0, "last_error": "",
}


def pack_message(topic: str, payload: bytes, retain: bool, qos: int) -> bytes:
    """One message as a datagram; ``qos`` is 0 or 1."""
    if qos not in (0, 1):
        raise ValueError(f"reporter link: QoS {qos} on {topic}, expected 0 or 1")
    name = topic.encode()
    flags = (_RETAIN if retain else 0) | (_QOS1 if qos else 0)
    return struct.pack(_HEADER, flags, len(name)) + name + payload


def unpack_message(datagram: bytes) -> tuple:
    """(topic, payload, retain, qos) of a datagram; ValueError when it is not one of ``pack_message``."""
    if len(datagram) < _HEADER_SIZE:
        raise ValueError(f"reporter link: datagram of {len(datagram)} bytes, expected {_HEADER_SIZE} or more")
    flags, length = struct.unpack_from(_HEADER, datagram)
    if flags & ~(_RETAIN | _QOS1) or len(datagram) < _HEADER_SIZE + length:
        raise ValueError(f"reporter link: flags 0x{flags:02x} and a topic of {length} bytes "
                         f"in a datagram of {len(datagram)} bytes")
    name = datagram[_HEADER_SIZE:_HEADER_SIZE + length]
    return name.decode(), datagram[_HEADER_SIZE + length:], bool(flags & _RETAIN), 1 if flags & _QOS1 else 0


class ReporterLink:
    """Sends what the node reports to the reporter process, and never waits for it.

    ``sock``: the node's end of the pair; it is made non-blocking. ``alive`` is False once the reporter's end
    is closed: from then on everything is dropped and counted.
    """

    def __init__(self, sock):
        sock.setblocking(False)
        self.alive = True
        self.sent = 0  # datagrams handed over
        self.dropped = 0  # on this side of the pair
        self.last_error = ""
        self._socket = sock
        self._reporter = _NO_STATS
        self._reporter_ms = -1
        self._fresh = False

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        """Hand a message to the reporter; False, and counted as dropped, when that can't be done at once."""
        datagram = pack_message(topic, payload, retain, qos)
        if len(datagram) > MESSAGE_MAX:
            self.last_error = f"reporter link: {len(datagram)} bytes on {topic}, at most {MESSAGE_MAX} fit"
        elif self.alive:
            try:
                self._socket.send(datagram)
                self.sent += 1
                return True
            except OSError as error:
                self._judge(error)
        self.dropped += 1
        return False

    def poll_stats(self):
        """The newest statistics that the reporter has sent since the last call, as a dict, or None."""
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
            newest = datagram
        if newest is None:
            return None
        try:
            return json.loads(newest)
        except ValueError as error:
            self.last_error = f"reporter link: statistics are not JSON: {error}"
            return None

    def step(self, now_ms: int) -> int:
        """Take in the reporter's statistics. Returns when to be called again."""
        stats = self.poll_stats()
        if stats is not None:
            self._reporter = stats
            self._reporter_ms = now_ms
        self._fresh = self._reporter_ms >= 0 and now_ms - self._reporter_ms < STATS_STALE_MS
        return now_ms + STATS_PERIOD_MS

    def pollable(self):
        """The socket, or None once it is closed or the reporter is gone."""
        return self._socket if self.alive else None

    @property
    def stats(self) -> dict:
        """The reporter's newest statistics and this side's.

        ``dropped`` is the sum of both sides; ``alive`` and ``handed_over`` (messages) are of this side.
        ``connected`` is False when the reporter has been silent for 5 s.
        """
        stats = dict(self._reporter)
        stats["connected"] = bool(self.alive and self._fresh and stats["connected"])
        stats["dropped"] += self.dropped
        stats["alive"] = self.alive
        stats["handed_over"] = self.sent
        if self.last_error:
            stats["last_error"] = self.last_error
        return stats

    def close(self, now_ms: int):
        """Close this end: the reporter sends what it has, publishes offline and ends."""
        self._die("closed")

    def _judge(self, error: OSError):
        if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
            self._die(f"the reporter is gone: {error}")

    def _die(self, reason: str):
        if self.alive:
            self.alive = False
            self.last_error = f"reporter link: {reason}"
            self._socket.close()
