"""MQTT connections against mosquitto: messages a second, and how soon a frozen broker is noticed.

Messages: QoS 1, 200 bytes, at most 50 in flight, each counted when it is acknowledged, over loopback. Outage:
the broker is stopped by SIGSTOP; seconds until the connection is given up, idle and publishing. The peer is
paho-mqtt alone, as a program uses it: a queue, its own thread, its own keepalive. umqtt.simple, MicroPython's
usual client, is on PyPI in a form that pip can't install, so it is not here.
"""

import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho

from benchmarks import budget
from tests.node.report.brokers import Mosquitto
from tests.node.report.connections.agents import ROOT, RemoteConnection, environment, interpreter

RATE_MIN = 2000
WINDOW = 50
PAYLOAD = b"x" * 200
TOPIC = "furnace/site/node/samples"
SCRIPT = os.path.join(ROOT, "tests", "node", "report", "connections", "publish_many.py")
OURS = {"MqttClient, MicroPython": "micropython", "MqttClient, CPython": "cpython", "PahoConnection": "paho"}
PEER = "paho-mqtt alone"


def measure(quick: bool = False) -> dict:
    """Figures of each connection; ``quick``: shorter runs with a shorter keepalive."""
    count, keepalive_s = (20_000, 2) if quick else (200_000, 5)
    with tempfile.TemporaryDirectory() as folder:
        rates = _rates(Path(folder), count)
        outages = {kind: _outage(Path(folder), keepalive_s, kind == "publishing")
                   for kind in ("idle", "publishing")}
    return {"rate_min": RATE_MIN, "per_s": rates, "keepalive_s": keepalive_s,
            "limit_s": 1.5 * keepalive_s, "noticed_s": outages}


def missed(figures: dict) -> list:
    name = "MqttClient, MicroPython"
    misses = budget.at_least(f"{name}, messages/s", figures["per_s"][name], figures["rate_min"])
    for kind, times in figures["noticed_s"].items():
        for ours in OURS:
            what = f"{ours}, a frozen broker noticed after s, {kind}"
            misses += budget.at_most(what, times[ours], figures["limit_s"])
    return misses


def told(figures: dict) -> str:
    """The figures as text."""
    lines = [f"mqtt: QoS 1 messages/s against mosquitto, on MicroPython at least {figures['rate_min']}"]
    lines += [f"  {name:28s}{rate:10.0f}" for name, rate in figures["per_s"].items()]
    lines.append(f"mqtt: seconds until a frozen broker is noticed, keepalive {figures['keepalive_s']} s, "
                 f"limit {figures['limit_s']:.1f}")
    for name in (*OURS, PEER):
        found = "".join(f"{kind:>12s} {times[name]:5.2f}" for kind, times in figures["noticed_s"].items())
        lines.append(f"  {name:28s}{found}")
    return "\n".join(lines)


def _rates(folder: Path, count: int) -> dict:
    with Mosquitto(folder) as broker:
        rates = {name: _own(kind, broker.port, count) for name, kind in OURS.items() if kind != "paho"}
        with RemoteConnection("paho", broker.port) as connection:
            connection.up()
            begin = time.monotonic()
            connection.order("burst", TOPIC, count, len(PAYLOAD))
            rates["PahoConnection"] = count / (connection.wait("burst", timeout_s=120)[0] - begin)
        rates[PEER] = _paho(broker.port, count)
    return rates


def _own(kind: str, port: int, count: int) -> float:
    command = [*interpreter(kind, "-X", "heapsize=512k"), SCRIPT, str(port), str(count)]
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=120,
                          check=True)
    said = dict(line.split("=", 1) for line in done.stdout.split())
    return count * 1000 / int(said["took_ms"])


def _client(port: int, keepalive_s: int = 60) -> paho.Client:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(WINDOW)
    client.connect("127.0.0.1", port, keepalive_s)
    client.loop_start()
    return client


def _paho(port: int, count: int) -> float:
    client = _client(port)
    free = threading.Semaphore(WINDOW)
    client.on_publish = lambda *_: free.release()
    begin = time.monotonic()
    for _ in range(count):
        free.acquire(timeout=10)
        client.publish(TOPIC, PAYLOAD, 1)
    for _ in range(WINDOW):
        free.acquire(timeout=10)
    took_s = time.monotonic() - begin
    client.disconnect()
    client.loop_stop()
    return count / took_s


def _outage(folder: Path, keepalive_s: int, publishing: bool) -> dict:
    """Seconds from the broker's last sign of life until each connection was given up."""
    with Mosquitto(folder) as broker:
        ours = {name: RemoteConnection(kind, broker.port, client_id=kind, keepalive_s=keepalive_s)
                for name, kind in OURS.items()}
        lost = threading.Event()
        peer = _client(broker.port, keepalive_s)
        peer.on_disconnect = lambda *_: lost.set()
        try:
            for connection in ours.values():
                connection.up()
            time.sleep(keepalive_s / 2 + 0.3)  # somewhere within everybody's own rhythm
            for _ in range(5):
                _say(ours, peer)
                time.sleep(0.1)
            broker.freeze()
            begin = time.monotonic()
            while publishing and time.monotonic() - begin < 0.5:
                _say(ours, peer)
                time.sleep(0.1)
            found = {name: connection.wait("down", timeout_s=3 * keepalive_s)[0] - begin
                     for name, connection in ours.items()}
            while not lost.wait(0.01) and time.monotonic() - begin < 4 * keepalive_s:
                if publishing:
                    peer.publish(TOPIC, PAYLOAD, 1)
                    time.sleep(0.1)
            found[PEER] = time.monotonic() - begin
            return found
        finally:
            broker.thaw()
            for connection in ours.values():
                connection.close()
            peer.disconnect()
            peer.loop_stop()


def _say(ours: dict, peer):
    for connection in ours.values():
        connection.order("publish", TOPIC, "x", 1, False)
    peer.publish(TOPIC, PAYLOAD, 1)
