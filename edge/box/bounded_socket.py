"""Sockets for paho that end a connection at the fixed header of a packet that is too long.

paho keeps a packet of any length, up to 256 MB, until it is whole. It lets its user make the socket: what is
given to ``tls_set_context`` wraps the connection, with TLS and, here, without.
"""

import socket
import ssl

from edge.node.report.connections.packets import PACKET_MAX


class PacketTooLong(ConnectionAbortedError):
    """A packet of more than PACKET_MAX bytes; nothing of it but its fixed header has been read."""


class Headers:
    """Follows the fixed headers (OASIS, MQTT Version 3.1.1, section 2.2) in what is received, however cut."""

    def __init__(self):
        self._left = 0  # bytes of the present packet
        self._shift = -1  # of the next seven bits of its length; -1 before its first byte
        self._length = 0

    def follow(self, data: bytes):
        """PacketTooLong at the header of a packet that is."""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            byte = data[at]
            at += 1
            if self._shift < 0:
                self._shift = self._length = 0
                continue
            self._length |= (byte & 0x7F) << self._shift
            self._shift += 7
            if byte < 0x80 or self._shift == 28:
                if self._length > PACKET_MAX:
                    raise PacketTooLong(f"packet of {self._length} bytes, expected at most {PACKET_MAX}")
                self._left = self._length
                self._shift = -1


class _Bounded:
    _headers = None

    def recv(self, size: int) -> bytes:
        data = super().recv(size)
        if self._headers is None:
            self._headers = Headers()
        self._headers.follow(data)
        return data


class _PlainSocket(_Bounded, socket.socket):
    def do_handshake(self):
        """There is none; paho asks for one on what a context has made."""


class _TlsSocket(_Bounded, ssl.SSLSocket):
    pass


class _PlainContext(ssl.SSLContext):
    """A context whose sockets are bounded and not encrypted."""

    def wrap_socket(self, sock, **_how):
        return _PlainSocket(sock.family, sock.type, sock.proto, sock.detach())


def bounded(context) -> ssl.SSLContext:
    """What ``tls_set_context`` takes: ``context``, or one without TLS for None, with bounded sockets."""
    if context is None:
        return _PlainContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _TlsSocket
    return context
