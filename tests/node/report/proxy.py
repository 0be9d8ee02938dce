"""A TCP proxy on loopback that does to a connection what networks do: delay it, hold it, halve it, cut it.

    with Proxy(broker.port) as proxy:
        client connects to proxy.port
        proxy.hold()

One thread of its own carries the bytes; what is set applies from the next bytes on.
"""

import collections
import contextlib
import selectors
import socket
import struct
import threading
import time

TICK_S = 0.005
CHUNK = 16384
HELD_MAX = 262144  # of one direction of one connection; then the sender is left to feel it


class _Flow:
    """One direction of a connection: bytes on their way, each chunk with the time when it may go on."""

    def __init__(self, source, target):
        self.source = source
        self.target = target
        self.chunks = collections.deque()
        self.held = 0
        self.ended = False  # the source has said all
        self.credit = 0.0  # bytes that a throttle allows now
        self.credited = time.monotonic()


class _Pair:
    def __init__(self, client, server):
        self.client = client
        self.server = server
        self.up = _Flow(client, server)
        self.down = _Flow(server, client)
        self.halved = False

    def flows(self):
        return (self.up, self.down)


class Proxy:
    """Forwards 127.0.0.1:``port`` to 127.0.0.1:``behind``. "up" is towards ``behind``.

    ``delay_s``: every chunk is that late; ``bytes_per_s``: the pace of each direction, None for any.
    ``connections``: accepted so far; ``bytes_up``, ``bytes_down``: forwarded; ``heard``: the first 64 KiB
    that clients sent.
    """

    def __init__(self, behind: int):
        self.behind = behind
        self.delay_s = 0.0
        self.bytes_per_s = None
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.heard = bytearray()
        self._held = set()
        self._accepting = True
        self._pairs = []
        self._ended = False
        self._lock = threading.Lock()
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _listen(port: int):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        listener.setblocking(False)
        return listener

    @property
    def open(self) -> int:
        """Connections open now."""
        return len(self._pairs)

    def hold(self, up: bool = True, down: bool = True):
        """Forward nothing in these directions until ``release``: packets dropped and sent again by TCP."""
        self._held = ({"up"} if up else set()) | ({"down"} if down else set())

    def release(self):
        self._held = set()

    def half_open(self):
        """The far end of each connection is gone without a word: the client's stays open and silent.

        New connections are forwarded, see ``refuse``.
        """
        with self._lock:
            for pair in self._pairs:
                pair.halved = True
                pair.server.close()

    def cut(self):
        """Reset every connection at both ends."""
        with self._lock:
            for pair in self._pairs:
                self._reset(pair)
            self._pairs = []

    def refuse(self):
        """No new connections until ``accept``."""
        with self._lock:
            if self._accepting:
                self._accepting = False
                self._listener.close()

    def accept(self):
        with self._lock:
            if not self._accepting:
                self._listener = self._listen(self.port)
                self._accepting = True

    def close(self):
        self._ended = True
        self._thread.join(timeout=60)
        assert not self._thread.is_alive(), "the proxy's thread did not end"
        self.refuse()
        self.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @staticmethod
    def _reset(pair):
        for end in (pair.client, pair.server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()

    def _run(self):
        while not self._ended:
            with self._lock:
                ready = self._wait()
                if self._accepting and self._listener in ready:
                    self._take()
                for pair in list(self._pairs):
                    self._carry(pair, ready)
            if not ready:
                time.sleep(0.001)

    def _wait(self) -> set:
        """The sockets with something to read now, within a tick; the lock is held, so it must be short."""
        with selectors.DefaultSelector() as selector:
            if self._accepting:
                selector.register(self._listener, selectors.EVENT_READ)
            for pair in self._pairs:
                for name, flow in (("up", pair.up), ("down", pair.down)):
                    blocked = name in self._held or flow.ended or pair.halved or flow.held >= HELD_MAX
                    if not blocked:
                        selector.register(flow.source, selectors.EVENT_READ)
            if not selector.get_map():
                return set()
            return {key.fileobj for key, _ in selector.select(0 if self._moving() else TICK_S)}

    def _moving(self) -> bool:
        return any(flow.held for pair in self._pairs for flow in pair.flows())

    def _take(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # it has gone again
        try:
            server = socket.create_connection(("127.0.0.1", self.behind), 1)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        self._pairs.append(_Pair(client, server))

    def _carry(self, pair, ready: set):
        try:
            for name, flow in (("up", pair.up), ("down", pair.down)):
                if flow.source in ready and not pair.halved:
                    self._read(name, flow)
                if name not in self._held and not pair.halved:
                    self._write(name, flow)
        except OSError:
            self._pairs.remove(pair)  # one end has reset it: so is the other
            self._reset(pair)
            return
        if pair.up.ended and pair.down.ended and not pair.up.held and not pair.down.held:
            self._pairs.remove(pair)
            pair.client.close()
            pair.server.close()

    def _read(self, name: str, flow):
        data = flow.source.recv(CHUNK)
        if not data:
            flow.ended = True
        elif name == "up" and len(self.heard) < 65536:
            self.heard += data
        flow.chunks.append((time.monotonic() + self.delay_s, data))
        flow.held += len(data)

    def _write(self, name: str, flow):
        now = time.monotonic()
        if self.bytes_per_s is not None:
            earned = self.bytes_per_s * (now - flow.credited)
            flow.credit = min(flow.credit + earned, self.bytes_per_s * 0.05 + 1)
        flow.credited = now
        while flow.chunks and flow.chunks[0][0] <= now:
            due, data = flow.chunks[0]
            if not data:
                flow.chunks.popleft()
                flow.target.shutdown(socket.SHUT_WR)
                return
            size = len(data) if self.bytes_per_s is None else min(len(data), int(flow.credit))
            if not size:
                return
            try:
                sent = flow.target.send(data[:size])
            except BlockingIOError:
                return
            flow.credit -= sent
            flow.held -= sent
            if name == "up":
                self.bytes_up += sent
            else:
                self.bytes_down += sent
            if sent == len(data):
                flow.chunks.popleft()
            else:
                flow.chunks[0] = (due, data[sent:])
                return
