"""A listening TCP socket and its connections, without waiting and of bounded size."""

import socket

from edge.box.descriptor import PortError

HOST = "127.0.0.1"
READ = 4096


class Listener:
    """``address``: "PORT", which listens on 127.0.0.1 only, or "HOST:PORT"; port 0: any that is free.

    ``most``: so many connections at once; who comes then is sent away. Raises PortError.
    """

    def __init__(self, address: str, most: int):
        host, _, port = address.rpartition(":")
        if not port.isdecimal() or not 0 <= int(port) <= 65535:
            raise PortError(f"{address!r} is no address to listen on; expected PORT or HOST:PORT")
        self._address = (host.strip("[]") or HOST, int(port))
        self._most = most
        self._socket = None
        self.connections = []
        self.open()

    def open(self):
        """Listen, at the same port as before. Raises PortError."""
        host, port = self._address
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._socket = socket.create_server((host, port), family=family, backlog=self._most)
        except OSError as error:
            raise PortError(f"can't listen on {host}:{port}: {error.strerror or error}") from None
        self._socket.setblocking(False)
        self._address = (host, self._socket.getsockname()[1])

    @property
    def path(self) -> str:
        host, port = self._address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def accept(self) -> list:
        """The connections that have come since."""
        found = []
        while self._socket is not None:
            try:
                connected, _ = self._socket.accept()
            except BlockingIOError:
                break
            except OSError:
                # It went away while it waited.
                continue
            if len(self.connections) >= self._most:
                connected.close()
                continue
            connected.setblocking(False)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(connected)
            self.connections.append(connection)
            found.append(connection)
        self.connections[:] = [connection for connection in self.connections if not connection.closed]
        return found

    def pollables(self) -> list:
        if self._socket is None:
            return []
        return [self._socket, *(one.socket for one in self.connections if one.wants())]

    def close(self):
        """Listen no more, and end all connections."""
        for connection in self.connections:
            connection.close()
        self.connections.clear()
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Connection:
    """One of them. ``kept``: bytes that have come and are not yet used; never more than ``READ``."""

    def __init__(self, connected):
        self.socket = connected
        self.kept = b""
        self.closed = False

    def wants(self) -> bool:
        """Whether it has room for more."""
        return not self.closed and len(self.kept) < READ

    def read(self):
        """Read what is there and there is room for."""
        if not self.wants():
            return
        try:
            data = self.socket.recv(READ - len(self.kept))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.kept += data
        else:
            self.close()

    def write(self, data: bytes):
        """Send it; who does not read what is sent is sent away."""
        if self.closed:
            return
        try:
            whole = self.socket.send(data) == len(data)
        except OSError:
            whole = False
        if not whole:
            self.close()

    def close(self):
        if not self.closed:
            self.closed = True
            self.socket.close()
