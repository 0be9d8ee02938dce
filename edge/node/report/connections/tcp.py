"""A TCP connection that never makes its owner wait, on CPython and MicroPython."""

import errno
import select
import socket

CHUNK = 2048  # bytes per read: five hundred acknowledgements
LOOK_UP_AGAIN = 20  # failed attempts after which a name is looked up anew
_TCP = 6
_NODELAY = 1


class Untrusted(Exception):
    """The peer could not be verified, or our own files can't be used (tls.py); the text says why."""


class TcpStream:
    """One outgoing connection, opened as often as needed.

    ``host``: a numeric address or a name. A name is looked up by ``getaddrinfo``, which blocks for as long
    as the resolver does (seconds, when its server is away), until it has succeeded; the addresses are then
    kept and tried in turn, and looked up again when they have failed LOOK_UP_AGAIN times in a row. A node
    that must never wait names its broker by number.

    ``socket``: what to poll for bytes to read, or None.
    """

    def __init__(self, host: str, port: int):
        self.host = host
        self.port = port
        self.socket = None
        self._addresses = None
        self._attempts = 0
        self._failures = 0

    def open(self):
        """Begin to connect. Raises OSError when that fails at once."""
        if self._failures >= LOOK_UP_AGAIN:
            self._addresses = None
            self._failures = 0
        if self._addresses is None:
            self._addresses = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
        found = self._addresses[self._attempts % len(self._addresses)]
        self._attempts += 1
        self._failures += 1
        self.socket = socket.socket(found[0], socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self._send_at_once()
        try:
            self.socket.connect(found[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise

    def _send_at_once(self):
        """Without it TCP keeps a small packet back while another one is not acknowledged (RFC 896)."""
        try:
            self.socket.setsockopt(_TCP, _NODELAY, 1)
        except (AttributeError, OSError, ValueError):
            return  # a port without the option: its packets are whole writes, so only slower

    def connected(self) -> bool:
        """True once the connection stands. Raises OSError when the attempt has failed."""
        poller = select.poll()
        poller.register(self.socket, select.POLLOUT)
        ready = poller.poll(0)
        poller.unregister(self.socket)
        if not ready:
            return False
        if ready[0][1] & (select.POLLERR | select.POLLHUP):
            self.socket.send(b"")  # raises the error that the system keeps for it
            raise OSError("no connection")
        return True

    def worked(self):
        """The peer has proved to be the right one: keep its address."""
        self._failures = 0

    def hint(self, greeting: bool) -> str:
        """What to add to an error, "" mostly; ``greeting``: the broker has not accepted this client yet."""
        return ""

    def send(self, data: bytes) -> int:
        """Hand over as much of ``data`` as there is room for; returns how many bytes, perhaps 0."""
        try:
            return self.socket.send(data)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return 0
            raise

    def recv(self):
        """Up to CHUNK received bytes, None when there are none yet, b"" when the peer has closed."""
        try:
            return self.socket.recv(CHUNK)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise

    def close(self):
        """Close the connection, if there is one."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
