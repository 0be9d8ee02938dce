"""What a node says over MQTT, kept as the latest state: for people to look at."""

import json
import threading
import time

import paho.mqtt.client as mqtt

from edge.node.report import messages

# The parts of telemetry that are tables.
TABLES = ("signals", "outputs", "loops", "bus", "tick", "report")
TICK_KEYS = {"ticks", "missed", "late_p99_ms", "late_max_ms"}
BUS_KEYS = {"requests", "errors", "late", "stray_bytes", "busy_pct"}
FIRST_OUT_KEYS = {"trip", "value", "ago_s"}


class Listener:
    """Subscribes to one node; ``latest()`` gives what was heard last. Network runs in paho's thread."""

    EVENTS_KEPT = 50

    def __init__(self, host: str, port: int, base: str):
        self._base = base
        self._lock = threading.Lock()
        self._state = "not heard yet"
        self._telemetry = None
        self._events = []
        self._count = 0
        self._connected = False
        self._furnace = None
        self._heard = None
        self._unreadable = 0
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
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

        connected, state, telemetry (dict or None), age_s of it, events (newest last), count of telemetry
        messages, unreadable ones, furnace (lowest, highest, last temperature in degC, or None).
        """
        with self._lock:
            return {
                "connected": self._connected,
                "state": self._state,
                "telemetry": self._telemetry,
                "events": list(self._events),
                "count": self._count,
                "furnace": self._furnace,
                "unreadable": self._unreadable,
                "age_s": None if self._heard is None else time.monotonic() - self._heard,
            }

    def _on_connect(self, client, userdata, flags, reason_code, properties):
        self._connected = not reason_code.is_failure
        client.subscribe(self._base + "/#", qos=1)

    def _on_disconnect(self, client, userdata, flags, reason_code, properties):
        self._connected = False

    def _on_message(self, client, userdata, message):
        kind = message.topic[len(self._base) + 1 :]
        with self._lock:
            if kind == messages.STATE:
                self._state = message.payload.decode(errors="replace")
                return
            try:
                content = json.loads(message.payload)
            except ValueError:
                content = None
            if kind == messages.TELEMETRY:
                if shaped(content):
                    self._take(content)
                else:
                    self._unreadable += 1
            elif kind == messages.EVENT:
                if isinstance(content, dict) and {"t", "kind", "name", "text"} <= content.keys():
                    self._events.append(content)
                    del self._events[: -self.EVENTS_KEPT]
                else:
                    self._unreadable += 1

    def _take(self, content: dict):
        self._telemetry = content
        self._count += 1
        self._heard = time.monotonic()
        reading = content["signals"].get("t_furnace")
        if reading and isinstance(reading[0], (int, float)):
            low, high, _ = self._furnace or (reading[0], reading[0], reading[0])
            self._furnace = (min(low, reading[0]), max(high, reading[0]), reading[0])


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
    known = content["signals"].keys() | {"output." + name for name in content["outputs"]}
    return all(_is_loop(loop, known, content["outputs"]) for loop in content["loops"].values())


def _is_pair(pair) -> bool:
    """[value or None, quality or state, ...]"""
    if not isinstance(pair, list) or len(pair) < 2 or not all(isinstance(text, str) for text in pair[1:]):
        return False
    return pair[0] is None or isinstance(pair[0], (int, float))


def _is_loop(loop, known, outputs: dict) -> bool:
    """[set-point, process value, output]"""
    if not isinstance(loop, list) or len(loop) != 3 or not isinstance(loop[0], (int, float)):
        return False
    return loop[1] in known and loop[2] in outputs
