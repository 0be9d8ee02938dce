"""MqttClient against a real mosquitto, with paho-mqtt as the independent subscriber, in real time."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest

from edge.node.clock import Clock
from edge.node.report import mqtt
from tests.node.report.brokers import Subscriber, free_port, password_broker, retained, wait_for
from tests.parts import require_command

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[".."] * 3))
SCRIPT = os.path.join(os.path.dirname(__file__), "publish_script.py")
STEP_LIMIT_MS = 250  # a loaded machine; the step itself takes well under one


class Driver:
    """Steps a client as the node does, and keeps the longest step."""

    def __init__(self, port, **options):
        self.clock = Clock()
        options.setdefault("will_topic", "n/state")
        options.setdefault("client_id", f"node-{port}")
        options.setdefault("host", "127.0.0.1")
        self.client = mqtt.MqttClient(port=port, clock=self.clock, **options)
        self.longest_ms = 0.0

    def step(self):
        begin = time.perf_counter()
        due_ms = self.client.step(self.clock.now_ms())
        self.longest_ms = max(self.longest_ms, (time.perf_counter() - begin) * 1000)
        wait_ms = min(max(due_ms - self.clock.now_ms(), 0), 20)
        pollable = self.client.pollable()
        select.select([] if pollable is None else [pollable], [], [], wait_ms / 1000)

    def until(self, condition, timeout_s=8.0):
        return wait_for(condition, timeout_s, self.step)

    def online(self):
        assert self.until(lambda: self.client.state == mqtt.ONLINE), self.client.last_error
        return self

    def close(self):
        self.client.close(self.clock.now_ms())


@pytest.fixture
def drive():
    drivers = []

    def make(port, **options):
        drivers.append(Driver(port, **options))
        return drivers[-1]

    yield make
    for driver in drivers:
        driver.close()


def test_qos_1_messages_arrive_once_and_in_order(mosquitto, subscriber, drive):
    driver = drive(mosquitto.port, queue_messages=300, queue_bytes=30000).online()
    sent = [b"%d" % number for number in range(300)]
    assert all(driver.client.publish("n/telemetry", payload) for payload in sent)
    assert driver.until(lambda: driver.client.stats["acked"] == 300)
    assert wait_for(lambda: subscriber.payloads("n/telemetry") == sent)
    assert driver.client.stats["queued"] == 0


def test_qos_0_message_arrives(mosquitto, subscriber, drive):
    driver = drive(mosquitto.port).online()
    driver.client.publish("n/live", b"\x00\xff", qos=0)
    assert driver.until(lambda: subscriber.payloads("n/live") == [b"\x00\xff"])


def test_online_and_offline_are_retained(mosquitto, drive):
    driver = drive(mosquitto.port).online()
    assert driver.until(lambda: not driver.client._queue.express_pending())
    assert retained(mosquitto.port, "n/state") == b"online"
    driver.close()
    assert driver.client.state == mqtt.CLOSED
    assert driver.client.last_error == ""
    assert retained(mosquitto.port, "n/state") == b"offline"


def test_close_flushes_what_is_queued(mosquitto, subscriber, drive):
    driver = drive(mosquitto.port).online()
    for number in range(50):
        driver.client.publish("n/event", b"%d" % number)
    driver.close()
    assert driver.client.stats["acked"] == 50
    assert wait_for(lambda: len(subscriber.payloads("n/event")) == 50)


def test_packet_ids_wrap_on_the_wire(mosquitto, subscriber, drive):
    driver = drive(mosquitto.port, last_id=65500, queue_messages=100).online()
    for number in range(100):
        driver.client.publish("n/telemetry", b"%d" % number)
    assert driver.until(lambda: driver.client.stats["acked"] == 100)
    assert driver.client.stats["reconnects"] == 0
    assert wait_for(lambda: len(subscriber.payloads("n/telemetry")) == 100)


def test_broker_restarted_the_queue_arrives(mosquitto, subscriber, drive):
    driver = drive(mosquitto.port).online()
    mosquitto.stop()
    for number in range(40):
        assert driver.client.publish("n/telemetry", b"%d" % number)
    assert driver.until(lambda: driver.client.state == mqtt.AWAY)
    mosquitto.start()
    subscriber.wait_subscribed()
    assert driver.until(lambda: driver.client.stats["acked"] == 40)
    sent = {b"%d" % number for number in range(40)}
    assert wait_for(lambda: sent <= set(subscriber.payloads("n/telemetry")))
    assert driver.client.stats["reconnects"] == 1
    assert driver.longest_ms < STEP_LIMIT_MS


def test_broker_by_name_each_address_in_turn(mosquitto, drive):
    drive(mosquitto.port, host="localhost").online()


def test_no_broker_at_all(drive):
    driver = drive(free_port())
    assert driver.until(lambda: driver.client.last_error)
    assert "ECONNREFUSED" in driver.client.last_error
    assert not driver.client.stats["connected"]
    driver.close()


def test_frozen_broker_never_holds_a_step_and_loses_nothing(mosquitto, subscriber, drive):
    driver = drive(mosquitto.port, response_ms=700, queue_messages=64, queue_bytes=1 << 20).online()
    os.kill(mosquitto.pid, signal.SIGSTOP)
    try:
        offered = 0
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            offered += driver.client.publish("n/telemetry", b"%d " % offered + bytes(8000))
            driver.step()
        assert driver.longest_ms < STEP_LIMIT_MS
        assert "no PUBACK" in driver.client.last_error or "no CONNACK" in driver.client.last_error
        assert driver.client.stats["dropped"] > 0
        assert driver.client.stats["queued"] == offered == 64
    finally:
        os.kill(mosquitto.pid, signal.SIGCONT)
    assert driver.until(lambda: driver.client.stats["queued"] == 0, 10)

    def numbers():
        return {int(payload.split()[0]) for payload in subscriber.payloads("n/telemetry")}

    assert wait_for(lambda: numbers() == set(range(64)))


def test_quiet_client_keeps_its_connection_alive(mosquitto, drive):
    driver = drive(mosquitto.port, keepalive_s=2).online()
    driver.until(lambda: False, 4.5)  # mosquitto would cut a silent client off after 3 s
    assert driver.client.state == mqtt.ONLINE
    assert driver.client.stats["reconnects"] == 0
    assert driver.client.last_error == ""


def test_password_is_presented(tmp_path, drive):
    broker = password_broker(tmp_path, "node", "secret")
    try:
        drive(broker.port, username="node", password=b"secret").online()
        wrong = drive(broker.port, client_id="other", username="node", password=b"wrong")
        assert wrong.until(lambda: "not authorised" in wrong.client.last_error)
    finally:
        broker.stop()


def script(interpreter, port, count, *more):
    environment = dict(os.environ, MICROPYPATH=ROOT, PYTHONPATH=ROOT)
    return subprocess.Popen([interpreter, SCRIPT, str(port), str(count), *more], stdout=subprocess.PIPE,
                            env=environment, text=True)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait(5)
    process.stdout.close()


def micropython():
    beside = os.path.join(os.path.dirname(sys.executable), "micropython")
    return beside if os.path.exists(beside) else require_command("micropython")


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_will_is_published_when_the_node_is_killed(mosquitto, runtime):
    process = script(sys.executable if runtime == "cpython" else micropython(), mosquitto.port, 1000000)
    try:
        watcher = Subscriber(mosquitto.port, "n/state")
        assert wait_for(lambda: b"online" in watcher.payloads("n/state"))
        process.kill()
        assert wait_for(lambda: watcher.payloads("n/state")[-1] == b"offline")
        watcher.close()
        assert retained(mosquitto.port, "n/state") == b"offline"
    finally:
        end(process)


def test_frozen_broker_never_holds_a_step_on_micropython(mosquitto):
    process = script(micropython(), mosquitto.port, 200, "5")
    try:
        time.sleep(0.3)
        os.kill(mosquitto.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(mosquitto.pid, signal.SIGCONT)
        assert wait_for(lambda: process.poll() is not None, 15)
        result = dict(pair.split("=") for pair in process.stdout.read().split())
        assert (result["acked"], result["reconnects"], result["dropped"]) == ("200", "0", "0")
        assert int(result["longest_ms"]) < STEP_LIMIT_MS
    finally:
        end(process)


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_two_hundred_messages_over_a_broker_restart(mosquitto, subscriber, runtime):
    process = script(sys.executable if runtime == "cpython" else micropython(), mosquitto.port, 200, "5")
    try:
        assert wait_for(lambda: len(subscriber.payloads("n/telemetry")) >= 50)
        mosquitto.stop()
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGSTOP)  # until somebody listens: the broker's own memory is gone
        mosquitto.start()
        subscriber.wait_subscribed()
        os.kill(process.pid, signal.SIGCONT)
        assert wait_for(lambda: process.poll() is not None, 15)
        assert process.returncode == 0
        result = dict(pair.split("=") for pair in process.stdout.read().split())
        assert (result["acked"], result["queued"], result["dropped"]) == ("200", "0", "0")
        assert result["reconnects"] == "1"
        wanted = set(range(200))
        assert wait_for(lambda: {int(number) for number in subscriber.payloads("n/telemetry")} == wanted)
        assert retained(mosquitto.port, "n/state") == b"offline"
    finally:
        end(process)
