"""A real broker and an independent subscriber for the tests, and a wait with a deadline."""

import fcntl
import os
import random
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import paho.mqtt.client as paho

from tests.parts import require_command

# Below the ports that the system gives to outgoing connections (32768 and up): while a broker is away, a
# connection attempt to its port could otherwise meet itself.
PORTS = (20000, 32000)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    choose = random.SystemRandom()
    while True:
        port = choose.randrange(*PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue  # taken: another one


def wait_for(condition, timeout_s: float = 60.0, step=None) -> bool:
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
    """mosquitto on a free port of 127.0.0.1, one process, known by its own pid.

    ``folder``: where its files go; ``options``: more lines for its configuration.
    ``users``: {name: password}; without any, everybody is let in.
    ``acl``: the text of an ACL file.
    ``persistence``: what it holds for others (retained messages, sessions, queues) survives ``stop``, not
    ``kill``, unless its ``autosave_interval`` (seconds, in ``options``) has come.
    ``tls``: {"ca", "cert", "key"} are paths; with "client_certificates": True it asks for them, and with
    "user_from_certificate": True a client's user name is the common name in its certificate.
    """

    def __init__(self, folder, *options, users=None, acl=None, persistence=False, tls=None, port=None):
        self._command = require_command("mosquitto")
        self._process = None
        self._frozen = False
        self._folder = folder
        self.port = free_port() if port is None else port
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._database = folder / f"mosquitto-{self.port}.db"
        lines = [f"listener {self.port} 127.0.0.1", "log_type none"]
        if tls is not None:
            lines += [f"cafile {tls['ca']}", f"certfile {tls['cert']}", f"keyfile {tls['key']}"]
            lines += ["require_certificate true"] if tls.get("client_certificates") else []
            lines += ["use_identity_as_username true"] if tls.get("user_from_certificate") else []
        lines.append(f"persistence {'true' if persistence else 'false'}")
        if persistence:
            lines += [f"persistence_location {folder}/", f"persistence_file {self._database.name}"]
        if users:
            lines += ["allow_anonymous false", f"password_file {self._passwords(users)}"]
        elif not any("allow_anonymous" in line for line in options):
            lines.append("allow_anonymous true")
        if acl is not None:
            path = folder / f"mosquitto-{self.port}.acl"
            path.write_text(acl)
            path.chmod(0o600)
            lines.append(f"acl_file {path}")
        if os.geteuid() == 0 and not any(line.startswith("user ") for line in options):
            lines.append("user root")  # mosquitto would become a user who can't read these files
        self._config.write_text("\n".join((*lines, *options)) + "\n")

    def _passwords(self, users: dict):
        path = self._folder / f"mosquitto-{self.port}.passwords"
        path.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        subprocess.run([require_command("mosquitto_passwd"), "-U", str(path)], check=True,
                       capture_output=True, timeout=120)
        return path

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self):
        self._process = subprocess.Popen([self._command, "-c", str(self._config)], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(lambda: self._answers() or not self.running), "mosquitto did not start"
        assert self.running, f"mosquitto ended at once with {self._process.returncode}: see {self._config}"
        return self

    def kill(self):
        """As ``kill -9``; it need not be running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=60)
            self._process = None
            self._frozen = False

    stop = kill

    def terminate(self):
        """The orderly end; with ``persistence`` it saves what it holds."""
        self.thaw()
        self._process.terminate()
        self._process.wait(timeout=60)
        self._process = None

    def freeze(self):
        """SIGSTOP: connections stay open and silent, new ones are accepted by the system alone."""
        os.kill(self.pid, signal.SIGSTOP)
        self._frozen = True
        assert wait_for(lambda: process_state(self.pid) == "T"), "mosquitto did not stop"

    def thaw(self):
        """SIGCONT, if it is frozen."""
        if self._frozen:
            os.kill(self.pid, signal.SIGCONT)
            self._frozen = False

    def restart(self, empty: bool = True):
        """``empty``: killed and started with nothing; else ended in order and started with what it saved."""
        if empty:
            self.kill()
            self._database.unlink(missing_ok=True)
        else:
            self.terminate()
        return self.start()

    def __enter__(self):
        return self if self.running else self.start()

    def __exit__(self, *_):
        self.kill()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True


def process_state(pid: int) -> str:
    """The letter of proc(5): R running, S sleeping, T stopped, Z a zombie …"""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


class Subscriber:
    """paho-mqtt as an independent, reconnecting listener to ``topic``.

    ``messages`` are (topic, payload, retain). ``username``, ``password``, ``tls`` (an ssl.SSLContext) and
    ``client_id`` as the broker wants them.
    """

    def __init__(self, port: int, topic: str = "#", username=None, password=None, tls=None, client_id=""):
        self.messages = []
        self._topic = topic
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id)
        self._client.reconnect_delay_set(0.1, 0.2)
        if username is not None:
            self._client.username_pw_set(username, password)
        if tls is not None:
            self._client.tls_set_context(tls)
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
        assert self._subscribed.wait(60), "the subscriber did not get through to the broker"

    def read_all(self):
        """Wait until it has read what a frozen broker had written to it.

        When its connection breaks, paho drops what it has not read.
        """
        assert wait_for(lambda: not self._unread(), 60), "the subscriber does not read what the broker wrote"

    def _unread(self) -> int:
        """Bytes that wait in its socket."""
        sock = self._client.socket()
        if sock is None:
            return 0
        waiting = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))[0]
        return waiting + (sock.pending() if hasattr(sock, "pending") else 0)

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False):
        """Publish as this client; at QoS 1 it waits for the acknowledgement."""
        sent = self._client.publish(topic, payload, qos, retain)
        sent.wait_for_publish(5)
        assert sent.is_published(), f"{topic} was not acknowledged"

    def payloads(self, topic: str) -> list:
        return [payload for name, payload, _ in list(self.messages) if name == topic]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def password_broker(folder, username: str, password: str) -> Mosquitto:
    """A mosquitto, started, that lets only this user in."""
    return Mosquitto(folder, users={username: password}).start()


def retained(port: int, topic: str, timeout_s: float = 30.0):
    """The retained payload of ``topic``, or None."""
    subscriber = Subscriber(port, topic)
    try:
        wait_for(lambda: subscriber.messages, timeout_s)
        return next((payload for _, payload, retain in subscriber.messages if retain), None)
    finally:
        subscriber.close()
