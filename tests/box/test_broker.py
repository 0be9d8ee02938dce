"""The demonstration's broker: both clients against it, its start and its end."""

import importlib.util
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge.box import extras
from tests.node.report.brokers import Subscriber, retained, wait_for
from tests.node.report.connections.agents import KINDS, RemoteConnection
from tests.parts import missing_part


@pytest.fixture(autouse=True)
def amqtt():
    if importlib.util.find_spec("amqtt") is None:
        missing_part("the Python module amqtt is not installed")


class Broker:
    """The broker's process and its port."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, "-m", "edge.box.broker", "--port", "0", *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        word, port = self.process.stdout.readline().split()
        assert word == b"ready"
        self.port = int(port)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        self.process.wait(timeout=60)


@pytest.fixture
def broker():
    started = Broker("--lifeline")
    yield started
    started.end()


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_is_served_again_and_again_and_its_state_is_retained(broker, kind):
    """amqtt sends a new client the retained messages that others subscribed to; that must not disturb it."""
    subscriber = Subscriber(broker.port)
    for round_number in range(3):
        will = ["n/state", "offline %d", 1, True]
        with RemoteConnection(kind, broker.port, will=will) as node:
            node.up()
            node.order("publish", "n/state", "online", 1, True)
            node.order("burst", "n/telemetry", 20, 50)
            node.wait("burst")
            wanted = 20 * (round_number + 1)
            assert wait_for(lambda wanted=wanted: len(subscriber.payloads("n/telemetry")) == wanted)
            # The broker keeps what is retained beside its handing out, in no order with that.
            assert wait_for(lambda: retained(broker.port, "n/state") == b"online")
            states = len(subscriber.payloads("n/state"))
            node.process.kill()
            assert wait_for(lambda states=states: b"offline 1" in subscriber.payloads("n/state")[states:])
            assert wait_for(lambda: retained(broker.port, "n/state") == b"offline 1")
    subscriber.close()


def test_only_loopback_is_bound(broker):
    with open("/proc/net/tcp") as file:
        local = [line.split()[1] for line in file if line.split()[3] == "0A"]
    assert f"0100007F:{broker.port:04X}" in local
    with open("/proc/net/tcp6") as file:
        assert not any(line.split()[1].endswith(f":{broker.port:04X}") for line in file)


def test_port_in_use_is_one_sentence_and_exit_code_2(broker):
    done = subprocess.run([sys.executable, "-m", "edge.box.broker", "--port", str(broker.port)],
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"broker: can't listen on 127.0.0.1:{broker.port}: another program uses this "
                           "port; stop it, or choose another one (0: any free one)\n")


def test_port_out_of_range_is_one_sentence_and_exit_code_2():
    done = subprocess.run([sys.executable, "-m", "edge.box.broker", "--port", "70000"], capture_output=True,
                          text=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, "broker: port 70000, expected 0..65535\n")


def test_missing_amqtt_is_one_sentence_and_exit_code_2():
    script = ("import sys; sys.modules['amqtt'] = None\n"
              "from edge.box.broker import main; sys.exit(main(['--port', '0']))")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr == extras.missing("amqtt", "demo") + "\n"


@pytest.mark.parametrize("way", ["lifeline", "SIGTERM", "SIGINT"])
def test_it_ends_quietly_with_a_client_connected(broker, way):
    subscriber = Subscriber(broker.port)
    if way == "lifeline":
        broker.process.stdin.close()
    else:
        broker.process.send_signal(getattr(signal, way))
    assert broker.process.wait(timeout=60) == 0
    assert broker.process.stderr.read() == b""
    subscriber.close()
    socket.create_server(("127.0.0.1", broker.port)).close()


def test_without_lifeline_the_end_of_stdin_means_nothing():
    broker = Broker()
    try:
        broker.process.stdin.close()
        time.sleep(0.5)
        assert broker.process.poll() is None
    finally:
        broker.end()
