"""A TCP connection that never makes its owner wait, on CPython and MicroPython."""

import errno
import select
import socket

_CHUNK = 256  # bytes per read: what a publisher receives is acknowledgements of 4 bytes


class TcpStream:
    """One outgoing connection, opened as often as needed.

    ``host``: a numeric address or a name. A name is looked up by ``getaddrinfo``, which blocks for as long
    as the resolver does (seconds, when its server is away), until it has succeeded once; the addresses
    are then kept and tried in turn. A node that must never wait names its broker by number.
    """

    def __init__(self, host: str, port: int):
        self.host = host
        self.port = port
        self.socket = None
        self._addresses = None
        self._attempts = 0

    def open(self):
        """Begin to connect. Raises OSError when that fails at once."""
        if self._addresses is None:
            self._addresses = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
        found = self._addresses[self._attempts % len(self._addresses)]
        self._attempts += 1
        self.socket = socket.socket(found[0], socket.SOCK_STREAM)
        self.socket.setblocking(False)
        try:
            self.socket.connect(found[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise

    def connected(self) -> bool:
        """True once the attempt is over; if it failed, the next ``send`` raises its error."""
        poller = select.poll()
        poller.register(self.socket, select.POLLOUT)
        ready = poller.poll(0)
        poller.unregister(self.socket)
        return bool(ready)

    def send(self, data: bytes) -> int:
        """Hand over as much of ``data`` as there is room for; returns how many bytes, perhaps 0."""
        try:
            return self.socket.send(data)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return 0
            raise

    def recv(self):
        """Up to 256 received bytes, None when there are none yet, b"" when the peer has closed."""
        try:
            return self.socket.recv(_CHUNK)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise

    def close(self):
        """Close the connection, if there is one."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
