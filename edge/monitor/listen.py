"""What a node says over MQTT, kept as the latest state: for people to look at."""

import json
import threading

import paho.mqtt.client as mqtt

from edge.node.report import messages


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
        self._furnace = []
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
        """connected, state, telemetry (dict or None), events (newest last), count of telemetry messages."""
        with self._lock:
            return {
                "connected": self._connected,
                "state": self._state,
                "telemetry": self._telemetry,
                "events": list(self._events),
                "count": self._count,
                "furnace": list(self._furnace),
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
                self._events.append({"kind": "monitor", "name": kind, "text": "unreadable message"})
                return
            if kind == messages.TELEMETRY:
                self._telemetry = content
                self._count += 1
                reading = content["signals"].get("t_furnace")
                if reading and reading[0] is not None:
                    self._furnace.append(reading[0])
            elif kind == messages.EVENT:
                self._events.append(content)
                del self._events[: -self.EVENTS_KEPT]
