"""What a node says over MQTT, kept as the latest state: for people to look at."""

import json
import sys
import threading
import time

import paho.mqtt.client as mqtt

from edge.box.bounded_socket import bounded
from edge.box.config.problems import printable
from edge.node.report import messages
from edge.node.report.connections.tls import context_of

# The parts of telemetry that are tables.
TABLES = ("signals", "outputs", "loops", "bus", "tick", "report")
TICK_KEYS = {"ticks", "missed", "late_p99_ms", "late_max_ms"}
BUS_KEYS = {"requests", "errors", "late", "stray_bytes", "busy_pct"}
FIRST_OUT_KEYS = {"trip", "value", "ago_s"}
NUMBER_MAX = 1.0e12
TIME_MAX_MS = 1.0e14  # since 1970; what a calendar can show
STATE_MAX = 32  # bytes


class Listener:
    """Subscribes to one node; ``latest()`` gives what was heard last. Network runs in paho's thread.

    ``access``: what edge.box.credentials.of() gives, None for a broker that asks nobody who he is.
    """

    EVENTS_KEPT = 50

    def __init__(self, host: str, port: int, base: str, access=None):
        self._base = base
        self._lock = threading.Lock()
        self._state = "not heard yet"
        self._telemetry = None
        self._events = []
        self._count = 0
        self._connected = False
        self._trouble = ""
        self._spans = {}
        self._heard = None
        self._unreadable = 0
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if access is not None and access.username is not None:
            client.username_pw_set(access.username, access.password)
        encrypted = access is not None and access.tls is not None
        client.tls_set_context(bounded(context_of(access.tls) if encrypted else None))
        # Called while the exception is being handled; paho tells it nobody else.
        client.on_connect_fail = lambda *_: self._note(str(sys.exception() or "no connection"))
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.reconnect_delay_set(1, 5)
        client.connect_async(host, port, keepalive=15)
        self._client = client

    def start(self):
        self._client.loop_start()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    def latest(self) -> dict:
        """What was heard last.

        connected, trouble (why not, where that is known), state, telemetry (dict or None), age_s of it,
        events (newest last), count of telemetry messages, unreadable ones, spans: process value of a loop
        -> (lowest, highest, last).
        """
        with self._lock:
            return {
                "connected": self._connected,
                "trouble": "" if self._connected else self._trouble,
                "state": self._state,
                "telemetry": self._telemetry,
                "events": list(self._events),
                "count": self._count,
                "spans": dict(self._spans),
                "unreadable": self._unreadable,
                "age_s": None if self._heard is None else time.monotonic() - self._heard,
            }

    def _on_connect(self, client, userdata, flags, reason_code, properties):
        self._connected = not reason_code.is_failure
        if reason_code.is_failure:
            self._note(f"refused: {reason_code}")
        else:
            self._trouble = ""
            client.subscribe(self._base + "/#", qos=1)

    def _note(self, trouble: str):
        self._trouble = printable(trouble)

    def _on_disconnect(self, client, userdata, flags, reason_code, properties):
        self._connected = False
        if reason_code.is_failure and not self._trouble:
            self._note("the broker has ended the connection")

    def _on_message(self, client, userdata, message):
        kind = message.topic[len(self._base) + 1 :]
        with self._lock:
            if kind == messages.STATE:
                self._state = printable(message.payload[:STATE_MAX].decode(errors="replace"))
                return
            try:
                content = _printable(json.loads(message.payload))
            except (ValueError, RecursionError):
                content = None
            if kind == messages.TELEMETRY:
                if shaped(content):
                    self._take(content)
                else:
                    self._unreadable += 1
            elif kind == messages.EVENT:
                if (
                    isinstance(content, dict)
                    and {"t", "kind", "name", "text"} <= content.keys()
                    and _is_number(content["t"], TIME_MAX_MS)
                ):
                    self._events.append(content)
                    del self._events[: -self.EVENTS_KEPT]
                else:
                    self._unreadable += 1

    def _take(self, content: dict):
        self._telemetry = content
        self._count += 1
        self._heard = time.monotonic()
        for _, pv, _, _ in content["loops"].values():
            reading = content["signals"].get(pv)
            if reading and reading[0] is not None:
                low, high, _ = self._spans.get(pv, (reading[0], reading[0], reading[0]))
                self._spans[pv] = (min(low, reading[0]), max(high, reading[0]), reading[0])


def shaped(content) -> bool:
    """Whether a message has all parts of telemetry in their form: a broker may hand out anything."""
    if not isinstance(content, dict) or content.get("v") != messages.VERSION:
        return False
    if not all(isinstance(content.get(key), dict) for key in TABLES):
        return False
    if not isinstance(content.get("alarms"), list) or not TICK_KEYS <= content["tick"].keys():
        return False
    if not all(isinstance(line, dict) and BUS_KEYS <= line.keys() for line in content["bus"].values()):
        return False
    if not all(_is_pair(pair) for pair in [*content["signals"].values(), *content["outputs"].values()]):
        return False
    first_out = content.get("first_out")
    if first_out is not None and not (isinstance(first_out, dict) and FIRST_OUT_KEYS <= first_out.keys()):
        return False
    return all(_is_loop(loop, content["outputs"]) for loop in content["loops"].values())


def _is_number(value, most: float = NUMBER_MAX) -> bool:
    return type(value) in (int, float) and -most < value < most


def _printable(content):
    """JSON whose texts can't move, colour or clear a terminal."""
    if isinstance(content, str):
        return printable(content)
    if isinstance(content, list):
        return [_printable(element) for element in content]
    if isinstance(content, dict):
        return {printable(key): _printable(element) for key, element in content.items()}
    return content


def _is_pair(pair) -> bool:
    """[value or None, quality or state, ...]"""
    if not isinstance(pair, list) or len(pair) < 2 or not all(isinstance(text, str) for text in pair[1:]):
        return False
    return pair[0] is None or _is_number(pair[0])


def _is_loop(loop, outputs: dict) -> bool:
    """[set-point or None, process value, output at the end of its chain or "", mode]"""
    if not isinstance(loop, list) or len(loop) != 4 or not all(isinstance(text, str) for text in loop[1:]):
        return False
    return (loop[0] is None or _is_number(loop[0])) and (not loop[2] or loop[2] in outputs)
