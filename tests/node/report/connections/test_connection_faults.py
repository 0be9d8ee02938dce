"""Faults of the broker and of the line, for each connection on each runtime, against a real mosquitto."""

import time

import pytest

from tests.node.report.brokers import Mosquitto, wait_for
from tests.node.report.connections.agents import KINDS, RemoteConnection
from tests.node.report.proxy import Proxy

KEEPALIVE_S = 2
WATCHED_KEEPALIVE_S = 3


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_killed_broker_is_noticed_and_data_flow_after_its_return(mosquitto, kind):
    with RemoteConnection(kind, mosquitto.port) as node:
        node.up()
        mosquitto.kill()
        node.wait("down")
        node.order("burst", "n/sample", 10, 20)
        mosquitto.start()
        node.wait("burst")
        assert node.stats()["losses"] == 1


def test_everything_is_acknowledged_over_restarts_of_the_broker(mosquitto, kind):
    with Proxy(mosquitto.port) as proxy, RemoteConnection(kind, proxy.port) as node:
        proxy.bytes_per_s = 400000
        node.order("burst", "n/sample", 2000, 200)
        for count in (1, 2):
            node.up(count)
            time.sleep(0.2)
            mosquitto.restart()
        node.wait("burst")
        stats = node.stats()
        assert (stats["acked"], stats["losses"]) == (2000, 2)


def test_next_broker_takes_over_and_the_first_one_again(tmp_path, kind):
    with Mosquitto(tmp_path) as one, Mosquitto(tmp_path) as other:
        addresses = [("127.0.0.1", one.port), ("127.0.0.1", other.port)]
        with RemoteConnection(kind, brokers=addresses, client_id="n") as node:
            node.up()
            assert node.stats()["address"] == f"127.0.0.1:{one.port}"
            one.kill()
            node.up(2)
            assert node.stats()["address"] == f"127.0.0.1:{other.port}"
            one.start()
            other.kill()
            node.up(3)
            assert node.stats()["address"] == f"127.0.0.1:{one.port}"


def test_connection_cut_by_the_network_is_made_again(mosquitto, kind):
    with Proxy(mosquitto.port) as proxy, RemoteConnection(kind, proxy.port) as node:
        node.up()
        proxy.cut()
        node.wait("down")
        node.up(2)


def test_slow_line_is_left_in_peace(mosquitto, kind):
    with Proxy(mosquitto.port) as proxy, RemoteConnection(kind, proxy.port, keepalive_s=KEEPALIVE_S) as node:
        node.up()
        proxy.bytes_per_s = 16000
        node.order("burst", "n/sample", 50, 1000)  # 3 s of it in flight at once
        node.wait("burst")
        assert node.stats()["losses"] == 0


class Watched:
    """Three connections to one broker at the moment of a fault, idle or busy, and when each noticed it."""

    def __init__(self, port, busy):
        self.nodes = {}
        for kind in KINDS:
            node = RemoteConnection(kind, port, client_id=kind, keepalive_s=WATCHED_KEEPALIVE_S)
            self.nodes[kind] = node
            node.up()
            if busy:
                node.order("burst", "n/sample", 10000000, 20)
        time.sleep(0.3)

    def notice(self, begin):
        """Wait for each one's "down"; how soon it comes is measured by make bench."""
        for node in self.nodes.values():
            node.wait("down", since=begin)

    def close(self):
        for node in self.nodes.values():
            node.close()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_frozen_broker_is_noticed_and_left_until_it_is_back(mosquitto, busy):
    watched = Watched(mosquitto.port, busy)
    try:
        begin = time.monotonic()
        mosquitto.freeze()
        watched.notice(begin)
        mosquitto.thaw()
        for node in watched.nodes.values():
            node.wait("up", since=begin)
    finally:
        watched.close()


def test_silent_line_is_noticed_and_left(mosquitto):
    with Proxy(mosquitto.port) as proxy:
        watched = Watched(proxy.port, False)
        try:
            begin = time.monotonic()
            proxy.half_open()
            watched.notice(begin)
            assert wait_for(lambda: all(node.all("up", since=begin) for node in watched.nodes.values()))
        finally:
            watched.close()


def test_quiet_connection_is_kept(mosquitto):
    """mosquitto would cut a silent client off after one and a half keepalives."""
    watched = Watched(mosquitto.port, False)
    try:
        time.sleep(2 * WATCHED_KEEPALIVE_S)
        for kind, node in watched.nodes.items():
            assert not node.all("down"), kind
            assert node.stats()["generation"] == 1
    finally:
        watched.close()


def test_late_answers_are_waited_for(mosquitto):
    with Proxy(mosquitto.port) as proxy:
        proxy.delay_s = 0.4
        watched = Watched(proxy.port, False)
        try:
            for node in watched.nodes.values():
                node.order("burst", "n/sample", 60, 20)
            for node in watched.nodes.values():
                node.wait("burst")
                assert node.stats()["losses"] == 0
        finally:
            watched.close()
