"""The reporter: publishes what the node says, in a process of its own, so that nothing of it delays a tick.

    python -m edge.box.reporter --fd 5 --config '{"client_id": "k1", "base": "furnace/bishkek/k1"}'

It reads datagrams (``edge.node.report.link``) from the socket pair it was started with, keeps them in a
bounded queue and publishes them with paho-mqtt. It ends when the node's end of the pair is closed, however
that came about, or at SIGTERM: it sends what it can within ``flush_s``, publishes offline and disconnects.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import random
import select
import signal
import socket
import stat
import subprocess
import sys
import threading

import paho.mqtt.client as paho

from edge.node.clock import Clock
from edge.node.report import messages
from edge.node.report.link import MESSAGE_MAX, STATS_PERIOD_MS, ReporterLink, unpack_message
from edge.node.report.packets import check_topic

RETRY_MIN_S = 0.5
RETRY_MAX_S = 30
CONNECT_TIMEOUT_S = 5.0
READS_PER_TURN = 500
FAREWELL_SHARE = 0.25  # of flush_s, kept for the offline message


class ConfigError(ValueError):
    """The configuration can't be used; the text says which key and what was expected."""


@dataclasses.dataclass(frozen=True)
class ReporterConfig:
    """What the reporter needs to know.

    ``base``: topic of the node, above <base>/state and <base>/reporter; ``client_id``: unique at the broker.
    ``queue_messages``: how many messages are kept while the broker is away; then the oldest is dropped.
    ``inflight``: messages sent and not yet acknowledged; ``flush_s``: the deadline for the end.
    ``password_file``: its first line is the password; only its owner may have access to it.
    """

    base: str
    client_id: str
    host: str = "127.0.0.1"
    port: int = 1883
    keepalive_s: int = 30
    username: str | None = None
    password_file: str | None = None
    queue_messages: int = 10000
    inflight: int = 20
    flush_s: float = 2.0

    def __post_init__(self):
        for key in ("base", "client_id", "host"):
            value = getattr(self, key)
            if not isinstance(value, str) or not value:
                raise ConfigError(f"reporter: {key} = {value!r}, expected a text that is not empty")
        for key in ("username", "password_file"):
            value = getattr(self, key)
            if value is not None and not isinstance(value, str):
                raise ConfigError(f"reporter: {key} = {value!r}, expected a text or nothing")
        try:
            check_topic(self.base)
        except ValueError as error:
            raise ConfigError(f"reporter: base: {error}") from error
        for key, low, high in (("port", 1, 65535), ("keepalive_s", 2, 65535), ("queue_messages", 1, 1000000),
                               ("inflight", 1, 1000), ("flush_s", 0.1, 60)):
            value = getattr(self, key)
            kinds = (int, float) if key == "flush_s" else (int,)
            if type(value) not in kinds or not low <= value <= high:
                kind = "a number" if key == "flush_s" else "an integer"
                raise ConfigError(f"reporter: {key} = {value!r}, expected {kind} from {low} to {high}")
        if self.password_file is not None and self.username is None:
            raise ConfigError("reporter: password_file without username, expected both or neither")

    @classmethod
    def from_dict(cls, values: dict) -> "ReporterConfig":
        """``values`` by the names of the fields."""
        known = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in known:
                raise ConfigError(f"reporter: unknown key {key!r}, expected {', '.join(known)}")
        try:
            return cls(**values)
        except TypeError as error:  # a key is missing
            raise ConfigError(f"reporter: configuration: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> "ReporterConfig":
        """``text`` is JSON, or @ and the path of a file that holds it."""
        try:
            if text.startswith("@"):
                with open(text[1:], encoding="utf-8") as file:
                    text = file.read()
            values = json.loads(text)
        except (OSError, ValueError) as error:
            raise ConfigError(f"reporter: configuration: {error}") from error
        if not isinstance(values, dict):
            raise ConfigError(f"reporter: configuration is a {type(values).__name__}, expected an object")
        return cls.from_dict(values)

    def password(self) -> str | None:
        """What the password file holds, or None if there is none."""
        return None if self.password_file is None else read_password(self.password_file)


def read_password(path: str) -> str:
    """The first line of ``path``, a file of this user that nobody else has access to (0600 or 0400)."""
    try:
        with open(path, encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            user, mode = os.geteuid(), stat.S_IMODE(status.st_mode)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != user or mode & 0o077:
                raise ConfigError(f"reporter: password_file {path} has mode {mode:04o} and owner "
                                  f"{status.st_uid}, expected a file with mode 0600 or 0400 and owner "
                                  f"{user}: chown {user} {path} && chmod 0600 {path}")
            return file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"reporter: password_file: {error}") from error


class Reporter:
    """The queue between the node's datagrams and paho-mqtt.

    paho runs in its own thread. Its callbacks only note what happened and wake the main thread, which alone
    keeps the books and publishes.
    """

    def __init__(self, config: ReporterConfig, node_end: socket.socket):
        self._config = config
        self._node_end = node_end
        self._clock = Clock()
        self._queue = collections.deque()
        self._inflight = set()  # packet ids of the node's QoS 1 messages at paho
        self._happened = collections.deque()  # noted by paho's thread: (what, detail)
        self._wake_read, self._wake_write = socket.socketpair()
        self._connected = False
        self._connections = 0
        self._node_gone = False
        self._stopping = False
        self._state_id = None  # packet id of the offline message
        self._next_stats_ms = 0
        self.sent = 0
        self.acked = 0
        self.dropped = 0
        self.malformed = 0
        self.stats_lost = 0
        self.last_error = ""
        for end in (node_end, self._wake_read, self._wake_write):
            end.setblocking(False)
        self._client = self._make_client()

    def _make_client(self) -> paho.Client:
        config = self._config
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, config.client_id)
        client.max_inflight_messages_set(config.inflight)
        client.connect_timeout = CONNECT_TIMEOUT_S
        # paho doubles the wait from its minimum on, without jitter: the minimum is this process's own.
        client.reconnect_delay_set(RETRY_MIN_S * (1 + random.random()), RETRY_MAX_S)
        client.will_set(self._topic(messages.STATE), messages.OFFLINE, 1, retain=True)
        if config.username is not None:
            client.username_pw_set(config.username, config.password())
        client.on_connect = lambda _client, _data, _flags, reason, _more: self._note("connect", reason)
        client.on_disconnect = lambda _client, _data, _flags, reason, _more: self._note("lost", reason)
        client.on_publish = lambda _client, _data, packet_id, _reason, _more: self._note("ack", packet_id)
        # paho calls this one while it handles the error.
        client.on_connect_fail = lambda _client, _data: self._note("no connection", sys.exc_info()[1])
        return client

    def _topic(self, name: str) -> str:
        return self._config.base + "/" + name

    def stop(self):
        """End as if the node had closed its end; may be called by a signal handler."""
        self._stopping = True
        self._wake()

    def stats(self) -> dict:
        """Counters since the start; the same names as in ``edge.node.report.mqtt``."""
        return {
            "connected": self._connected, "sent": self.sent, "acked": self.acked, "dropped": self.dropped,
            "queued": len(self._queue) + len(self._inflight), "reconnects": max(self._connections - 1, 0),
            "malformed": self.malformed, "stats_lost": self.stats_lost, "last_error": self.last_error,
        }

    def run(self) -> dict:
        """Work until the node is gone or ``stop`` is called, then flush. Returns the last statistics."""
        self._client.connect_async(self._config.host, self._config.port, self._config.keepalive_s)
        self._client.loop_start()
        while not (self._node_gone or self._stopping):
            self._wait(self._next_stats_ms)
            self._read_node()
            self._read_paho()
            self._publish_queue()
            if self._clock.now_ms() >= self._next_stats_ms:
                self._next_stats_ms = self._clock.now_ms() + STATS_PERIOD_MS
                self._report_stats()
        self._finish()
        return self.stats()

    def _wait(self, until_ms: int):
        ends = [self._wake_read] if self._node_gone else [self._wake_read, self._node_end]
        select.select(ends, [], [], max(until_ms - self._clock.now_ms(), 0) / 1000)

    def _read_node(self):
        for _ in range(READS_PER_TURN):
            try:
                datagram = self._node_end.recv(MESSAGE_MAX)
            except BlockingIOError:
                return
            except ConnectionResetError:
                continue  # the node ended with statistics unread; what it sent before is still to be read
            if not datagram:
                self._node_gone = True
                return
            if len(self._queue) >= self._config.queue_messages:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(datagram)

    def _read_paho(self):
        try:
            while self._wake_read.recv(4096):
                pass
        except BlockingIOError:
            pass  # all wake-ups are read
        while self._happened:
            what, detail = self._happened.popleft()
            if what == "ack":
                self._acknowledged(detail)
            elif what == "connect" and not detail.is_failure:
                self._connected = True
                self._connections += 1
                self._next_stats_ms = 0
                self._client.publish(self._topic(messages.STATE), messages.ONLINE, 1, retain=True)
            elif what != "lost" or self._connected:  # a refused connection is also lost: its reason is known
                self._connected = False
                self._next_stats_ms = 0
                self.last_error = f"{self._config.host}:{self._config.port}: {what}: {detail}"

    def _acknowledged(self, packet_id: int):
        if packet_id in self._inflight:
            self._inflight.remove(packet_id)
            self.acked += 1
        elif packet_id == self._state_id:
            self._state_id = None

    def _publish_queue(self):
        while self._connected and self._queue and len(self._inflight) < self._config.inflight:
            try:
                topic, payload, retain, qos = unpack_message(self._queue.popleft())
                packet_id = self._client.publish(topic, payload, qos, retain).mid
                self.sent += 1
                if qos:
                    self._inflight.add(packet_id)
            except ValueError as error:  # UnicodeDecodeError is one
                self.malformed += 1
                self.last_error = f"message of the node: {error}"

    def _report_stats(self):
        report = json.dumps(self.stats()).encode()
        try:
            self._node_end.send(report)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            self.stats_lost += 1  # the node does not read, or is gone: _read_node will see its end
        # Not queued while the broker is away: they would push the node's messages out.
        if self._connected and len(self._inflight) < self._config.inflight:
            self._client.publish(self._topic(messages.REPORTER), report, 1)

    def _finish(self):
        """Send what can be sent in time, say offline, disconnect."""
        begin_ms = self._clock.now_ms()
        end_ms = begin_ms + int(self._config.flush_s * 1000)
        if not self._node_gone:
            self._read_node()
        self._node_gone = True
        self._publish_queue()
        self._settle(end_ms - int(self._config.flush_s * 1000 * FAREWELL_SHARE),
                     lambda: not self._queue and not self._inflight)
        if self._connected:
            self._state_id = self._client.publish(self._topic(messages.STATE), messages.OFFLINE, 1,
                                                  retain=True).mid
            self._settle(end_ms, lambda: self._state_id is None)
        self._client.disconnect()
        # paho may be inside a connection attempt that lasts longer than our time; its thread is a daemon.
        leave = threading.Thread(target=self._client.loop_stop, daemon=True)
        leave.start()
        leave.join(max(end_ms - self._clock.now_ms(), 100) / 1000)

    def _settle(self, until_ms: int, done):
        while not done() and self._clock.now_ms() < until_ms:
            self._wait(until_ms)
            self._read_paho()
            self._publish_queue()

    def _note(self, what: str, detail):
        self._happened.append((what, detail))
        self._wake()

    def _wake(self):
        try:
            self._wake_write.send(b"w")
        except BlockingIOError:
            pass  # full of wake-ups: the main thread will come


def start_reporter(values: dict) -> tuple:
    """Start the reporter as a process of its own. Returns (subprocess.Popen, ReporterLink).

    ``values``: the fields of ReporterConfig; ConfigError when they, or the password file, are not right.
    The process is in a session of its own, so that the terminal's ctrl-C reaches the node alone, and ends by
    itself when the node does. Its last statistics are a line of JSON on its stdout: see ``stop_reporter``.
    """
    config = ReporterConfig.from_dict(values)
    config.password()
    node_end, reporter_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reporter_end:
        process = subprocess.Popen(
            [sys.executable, "-m", "edge.box.reporter", "--fd", str(reporter_end.fileno()), "--ignore-sigint",
             "--json", "--config", json.dumps(dataclasses.asdict(config))],
            pass_fds=[reporter_end.fileno()], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return process, ReporterLink(node_end)


def stop_reporter(process: subprocess.Popen, link: ReporterLink, flush_s: float = 2.0) -> dict:
    """Close the link, wait ``flush_s`` (of its configuration) and 2 s for the reporter to end, then kill it.

    Returns its last statistics, {} when it died without any.
    """
    link.close(0)
    try:
        said, _ = process.communicate(timeout=flush_s + 2)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
    return json.loads(said) if said.strip() else {}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m edge.box.reporter", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fd", type=int, required=True, help="the reporter's end of a SOCK_SEQPACKET pair")
    parser.add_argument("--config", required=True, help="JSON, or @FILE that holds it")
    parser.add_argument("--json", action="store_true", help="print the last statistics as one line of JSON")
    parser.add_argument("--ignore-sigint", action="store_true", help="leave ctrl-C to the parent")
    options = parser.parse_args(argv)
    try:
        node_end = socket.socket(fileno=options.fd)
        reporter = Reporter(ReporterConfig.from_json(options.config), node_end)
    except OSError as error:
        print(f"reporter: --fd {options.fd} is not a socket: {error}", file=sys.stderr)
        return 2
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: reporter.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN if options.ignore_sigint else lambda *_: reporter.stop())
    stats = reporter.run()
    if options.json:
        # A node that was killed does not read any more.
        with contextlib.suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), json.dumps(stats).encode() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
