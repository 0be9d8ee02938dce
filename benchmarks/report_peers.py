"""paho-mqtt alone, where bench_report measures our reporting: its queue, and how it notices an outage."""

import threading
import time

import paho.mqtt.client as paho


def paho_queue(port: int, count: int, payload: str) -> dict:
    """Its own queue, one message for each sample at QoS 1, a window of 50."""
    done = threading.Event()
    left = [count]

    def published(*_):
        left[0] -= 1
        if not left[0]:
            done.set()

    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(50)
    client.on_publish = published
    client.connect("127.0.0.1", port)
    client.loop_start()
    begin = time.monotonic()
    for _ in range(count):
        client.publish("alone/samples", payload, 1)
    done.wait(120)
    took_s = time.monotonic() - begin
    client.disconnect()
    client.loop_stop()
    return {"samples": count, "per_s": round(count / took_s)}


class Alone:
    """A client with a keepalive and ``rate_hz`` messages a second, or none; ``connected`` as it sees it."""

    def __init__(self, port: int, keepalive_s: int, rate_hz: int):
        self._period_s = 1 / rate_hz if rate_hz else None
        self.connected = False
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda *_: self._set(True)
        self._client.on_disconnect = lambda *_: self._set(False)
        self._client.connect_async("127.0.0.1", port, keepalive_s)
        self._client.loop_start()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def _set(self, connected: bool):
        self.connected = connected

    def _publish(self):
        while self._period_s and not self._ended.wait(self._period_s):
            self._client.publish("alone", b"x", 1)

    def close(self):
        self._ended.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()
