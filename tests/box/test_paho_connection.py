"""What PahoConnection adds to paho-mqtt: it decides in its owner's thread and outlives every end of paho's.

What it has in common with MqttClient is tested for both in tests/node/report/connections/test_connection*.py.
"""

import random
import socket
import threading
import time

import pytest

from edge.box import paho_attempt, paho_connection
from edge.box.paho_connection import PahoConnection
from edge.node.clock import Clock
from edge.node.report.connections.connection import finish
from edge.node.report.connections.packets import PACKET_MAX
from tests.node.report.brokers import Mosquitto, Subscriber, free_port, wait_for

CONNACK = b"\x20\x02\x00\x00"
TOO_LONG = "packet of 268435455 bytes, expected at most 262144"


class Driver:
    """Steps a connection as its owner does."""

    def __init__(self, port, **options):
        self.clock = Clock()
        options.setdefault("keepalive_s", 10)
        self.connection = PahoConnection([("127.0.0.1", port)], "paho", self.clock, **options)
        self.events = []

    def step(self):
        due_ms = self.connection.step(self.clock.now_ms())
        self.events += self.connection.events()
        until_ms = min(due_ms, self.clock.now_ms() + 20)
        self.clock.wait(until_ms * 1000, [self.connection.pollable()])

    def until(self, condition, timeout_s=60.0):
        return wait_for(condition, timeout_s, self.step)

    def up(self, count=1):
        assert self.until(lambda: self.names().count("up") >= count), self.connection.last_error
        return self

    def names(self):
        return [event[0] for event in self.events]


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def drive():
    drivers = []

    def make(port, **options):
        drivers.append(Driver(port, **options))
        return drivers[-1]

    yield make
    for driver in drivers:
        finish(driver.connection, driver.clock)
        assert wait_for(lambda driver=driver: not any(
            attempt.running for attempt in driver.connection._lingering)), "a thread of paho did not end"


class Hostile:
    """A broker that says CONNACK and then ``say(n)`` to its n-th client, and ends the connection."""

    def __init__(self, say, taken=None):
        self._say = say
        self._taken = [] if taken is None else taken  # bytes that each client took
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.clients = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed at the end of the test
            with client:
                client.settimeout(2)
                try:
                    client.recv(1000)
                    self._send(client, CONNACK + self._say(self.clients))
                    time.sleep(0.005)
                except OSError:
                    continue  # it has gone already
                finally:
                    self.clients += 1

    def _send(self, client, data: bytes):
        self._taken.append(0)
        while data:
            sent = client.send(data)
            self._taken[-1] += sent
            data = data[sent:]

    def close(self):
        self._listener.close()


def test_before_connect_is_called_in_the_owners_thread_with_the_connection_standing(mosquitto, drive):
    driver = drive(mosquitto.port)
    called = []
    driver.connection.before_connect = lambda: called.append(threading.current_thread())
    driver.up()
    assert called == [threading.main_thread()]


def test_no_will_is_made_for_a_broker_that_is_away(drive):
    driver = drive(free_port())
    called = []
    driver.connection.before_connect = lambda: called.append(1)
    assert driver.until(lambda: driver.connection.attempts >= 2)
    assert called == [] and "ECONNREFUSED" in driver.connection.last_error


@pytest.mark.parametrize("junk", [
    b"\x40\x01\x00", b"\x90\x01\x00", b"\x32\x01\x00", b"\xff\xff\xff\xff\xff\xff", b"\x00", b"\xb0\x00",
    b"\x62\x02\x00\x01", b"\x50\x02\x00\x07", b"\x30\x02\x00\x00", b"\x30\x05\x00\x03\xff\xff\xff", CONNACK,
    b"\x40\x02\x00\x09",
], ids=lambda junk: junk.hex())
def test_packet_that_is_none_ends_a_connection_at_most(drive, junk):
    broker = Hostile(lambda _: junk)
    try:
        driver = drive(broker.port)
        driver.up(2)
        assert driver.names().count("down") >= 1
    finally:
        broker.close()


def test_random_bytes_of_a_broker_are_survived(drive):
    dice = random.Random(1)
    broker = Hostile(lambda _: bytes(dice.randrange(256) for _ in range(dice.randrange(40))))
    try:
        driver = drive(broker.port, random=bytes)
        driver.connection._brokers.failed = lambda index, now_ms, strikes: None  # at once again
        assert driver.until(lambda: driver.connection.generation >= 100, 60)
    finally:
        broker.close()


def test_thread_that_dies_is_noticed_at_once(mosquitto, drive, monkeypatch):
    driver = drive(mosquitto.port).up()

    def die():
        raise ZeroDivisionError("for the test")

    monkeypatch.setattr(driver.connection._attempt.client, "loop_misc", die)
    assert driver.until(lambda: ("down", "for the test") in driver.events)
    driver.up(2)


def test_attempts_that_hang_do_not_pile_up(drive, monkeypatch):
    """A resolver that does not answer holds paho's thread; only a few such threads are left behind."""
    hanging = threading.Event()

    def resolve(*_arguments, **_more):
        hanging.wait(timeout=60)
        raise OSError("no such host")

    monkeypatch.setattr("paho.mqtt.client.socket.create_connection", resolve)
    driver = drive(1883, connect_ms=50, random=bytes)
    try:
        assert driver.until(lambda: driver.connection.attempts == paho_connection.LINGERING_MAX + 1)
        driver.until(lambda: False, 1.5)
        assert driver.connection.attempts == paho_connection.LINGERING_MAX + 1
        assert "no connection within 50 ms" in driver.connection.last_error
    finally:
        hanging.set()
    assert driver.until(lambda: driver.connection.attempts > paho_connection.LINGERING_MAX + 1)


def test_a_packet_too_long_ends_the_connection_before_it_is_read(drive):
    """A PUBLISH of 256 MB, of which a hostile broker sends as much as is taken."""
    taken = []

    def say(_number):
        return b"\x30\xff\xff\xff\x7f\x00\x01t" + bytes(8000000)

    broker = Hostile(say, taken)
    try:
        driver = drive(broker.port)
        assert driver.until(lambda: ("down", TOO_LONG) in driver.events), driver.events
        driver.up(2)
        assert driver.until(lambda: taken and taken[0] < 8000000)  # what the sockets' own buffers hold
    finally:
        broker.close()


def test_a_packet_as_long_as_may_be_is_passed_over(mosquitto, drive):
    driver = drive(mosquitto.port).up()
    driver.connection.subscribe([("t", 0)])
    assert driver.until(lambda: "subscribed" in driver.names())
    with Subscriber(mosquitto.port, "other") as flood:
        flood.publish("t", bytes(PACKET_MAX - 3))
        flood.publish("t", b"after it")
    assert driver.until(lambda: ("heard", "t", b"after it", False) in driver.events)
    assert driver.connection.stats["too_long"] == 1 and "down" not in driver.names()


def test_whether_the_broker_is_there_is_asked_by_publishing_on_a_topic_of_its_own(mosquitto, drive):
    driver = drive(mosquitto.port, keepalive_s=2)
    driver.connection.question = ("n/alive", b"token")
    with Subscriber(mosquitto.port, "#") as subscriber:
        driver.up()
        assert driver.until(lambda: subscriber.payloads("n/alive").count(b"token") >= 3, 20)
    assert "down" not in driver.names() and driver.connection.stats["acked"] == 0
    mosquitto.freeze()
    assert driver.until(lambda: "down" in driver.names(), 20)
    mosquitto.thaw()


def test_an_owner_that_hangs_is_given_up_so_that_the_broker_publishes_the_will(mosquitto, drive, monkeypatch):
    monkeypatch.setattr(paho_attempt, "HANG_S", 0.3)
    driver = drive(mosquitto.port, keepalive_s=60)
    driver.connection.set_will("n/state", b"offline")
    driver.up()
    with Subscriber(mosquitto.port, "n/state") as subscriber:
        assert wait_for(lambda: subscriber.payloads("n/state") == [b"offline"], 20)
    monkeypatch.undo()
    driver.up(2)
    assert any("stood still" in event[1] for event in driver.events if event[0] == "down")


def test_qos_0_to_a_broker_that_takes_nothing_has_a_bound(mosquitto, drive):
    driver = drive(mosquitto.port, keepalive_s=60, send_max=100000).up()
    mosquitto.freeze()
    taken = 0
    while driver.connection.publish("t", bytes(50000), 0) == 0:
        taken += 1
        driver.step()
        assert taken < 2000  # what the system's own buffers take, and no more
    assert driver.connection._unwritten_bytes <= 100000
    assert driver.connection.publish("t", b"1") > 0  # QoS 1 has a bound of its own
    mosquitto.thaw()
    assert driver.until(lambda: not driver.connection._unwritten and "ack" in driver.names())


def test_flood_of_messages_waits_in_the_socket_and_not_in_memory(mosquitto, drive, monkeypatch):
    monkeypatch.setattr(paho_attempt, "NOTES_MAX", 50)
    driver = drive(mosquitto.port).up()
    driver.connection.subscribe([("t", 0)])
    assert driver.until(lambda: "subscribed" in driver.names())
    with Subscriber(mosquitto.port, "other") as flood:
        for number in range(2000):
            flood.publish("t", b"%d" % number, qos=0) if number < 1999 else flood.publish("t", b"1999")
    time.sleep(0.3)
    assert len(driver.connection._attempt.notes) <= 51
    assert driver.until(lambda: driver.names().count("heard") >= 500)
    heard = [int(event[2]) for event in driver.events if event[0] == "heard"]
    assert heard == sorted(heard)


def test_packet_id_that_comes_round_while_in_flight_is_not_given_again(mosquitto, drive):
    driver = drive(mosquitto.port).up()
    mosquitto.freeze()
    packet_id = driver.connection.publish("t", b"1")
    driver.connection._attempt.client._last_mid = packet_id - 1
    assert driver.connection.publish("t", b"2") == -1
    assert driver.connection.publish("t", b"2") == packet_id + 1
    mosquitto.thaw()
    assert driver.until(lambda: driver.names().count("ack") == 2)


def test_password_is_nowhere_to_be_read(mosquitto, drive):
    driver = drive(mosquitto.port, username="node", password=b"geheim").up()
    assert "geheim" not in repr(driver.connection.stats) + repr(driver.events)
