"""A real broker and an independent subscriber for the tests, and a wait with a deadline."""

import socket
import subprocess
import threading
import time

import paho.mqtt.client as paho

from tests.parts import require_command


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, timeout_s: float = 8.0, step=None) -> bool:
    """Call ``step`` (or sleep 10 ms) until ``condition()``; False when it never was true in the time."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        if step is None:
            time.sleep(0.01)
        else:
            step()
    return True


class Mosquitto:
    """mosquitto on a free port of 127.0.0.1; ``options``: more lines for its configuration."""

    def __init__(self, folder, *options):
        self._command = require_command("mosquitto")
        self._process = None
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "log_type none"]
        if not options:
            options = ("allow_anonymous true",)
        self._config.write_text("\n".join((*lines, *options)) + "\n")

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self):
        self._process = subprocess.Popen([self._command, "-c", str(self._config)], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(self._answers), "mosquitto did not start"
        return self

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True


class Subscriber:
    """paho-mqtt as an independent, reconnecting listener to ``topic``.

    ``messages`` are (topic, payload, retain).
    """

    def __init__(self, port: int, topic: str = "#"):
        self.messages = []
        self._topic = topic
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(0.1, 0.2)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_disconnect = lambda *_: self._subscribed.clear()
        self._client.on_message = self._keep
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        self.wait_subscribed()

    def _keep(self, _client, _userdata, message):
        self.messages.append((message.topic, message.payload, message.retain))

    def wait_subscribed(self):
        assert self._subscribed.wait(8), "the subscriber did not get through to the broker"

    def payloads(self, topic: str) -> list:
        return [payload for name, payload, _ in list(self.messages) if name == topic]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def password_broker(folder, username: str, password: str) -> Mosquitto:
    """A mosquitto, started, that lets only this user in."""
    passwords = folder / "mosquitto-passwords"
    subprocess.run([require_command("mosquitto_passwd"), "-c", "-b", str(passwords), username, password],
                   check=True, capture_output=True, timeout=10)
    # As root, mosquitto would become a user who can't read the file.
    return Mosquitto(folder, "allow_anonymous false", f"password_file {passwords}", "user root").start()


def retained(port: int, topic: str, timeout_s: float = 3.0):
    """The retained payload of ``topic``, or None."""
    subscriber = Subscriber(port, topic)
    try:
        wait_for(lambda: subscriber.messages, timeout_s)
        return next((payload for _, payload, retain in subscriber.messages if retain), None)
    finally:
        subscriber.close()
