"""The demonstration's broker: the reporter and the node's own client against it, its start and its end."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge.box import reporter
from tests.node.report.brokers import Subscriber, retained, wait_for
from tests.parts import missing_part

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.join(ROOT, "tests", "node", "report", "publish_script.py")


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
        self.process.wait(5)


@pytest.fixture
def broker():
    started = Broker("--lifeline")
    yield started
    started.end()


def test_reporter_delivers_and_its_state_is_retained(broker):
    subscriber = Subscriber(broker.port)
    process, end = reporter.start_reporter({"base": "f/k1", "client_id": "k1", "port": broker.port})
    sent = [b"%d" % number for number in range(50)]
    for payload in sent:
        assert end.publish("f/k1/telemetry", payload)
    assert wait_for(lambda: subscriber.payloads("f/k1/telemetry") == sent)
    assert wait_for(lambda: subscriber.payloads("f/k1/state") == [b"online"])
    process.kill()
    assert wait_for(lambda: subscriber.payloads("f/k1/state") == [b"online", b"offline"])
    reporter.stop_reporter(process, end)
    subscriber.close()
    assert retained(broker.port, "f/k1/state") == b"offline"


def test_the_nodes_own_client_is_served_again_and_again(broker):
    """amqtt sends a new client the retained messages that others subscribed to; that must not disturb it."""
    subscriber = Subscriber(broker.port)
    for round_number in range(3):
        subprocess.run([sys.executable, SCRIPT, str(broker.port), "20"], check=True, timeout=10,
                       env=dict(os.environ, PYTHONPATH=ROOT), stdout=subprocess.DEVNULL)
        wanted = 20 * (round_number + 1)
        assert wait_for(lambda wanted=wanted: len(subscriber.payloads("n/telemetry")) == wanted)
    subscriber.close()


def test_only_loopback_is_bound(broker):
    with open("/proc/net/tcp") as file:
        local = [line.split()[1] for line in file if line.split()[3] == "0A"]
    assert f"0100007F:{broker.port:04X}" in local
    with open("/proc/net/tcp6") as file:
        assert not any(line.split()[1].endswith(f":{broker.port:04X}") for line in file)


def test_port_in_use_is_one_sentence_and_exit_code_2(broker):
    done = subprocess.run([sys.executable, "-m", "edge.box.broker", "--port", str(broker.port)],
                          capture_output=True, text=True, timeout=15)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"broker: can't listen on 127.0.0.1:{broker.port}: another program uses this "
                           "port; stop it, or choose another one with --port (0: any free one)\n")


def test_port_out_of_range_is_one_sentence_and_exit_code_2():
    done = subprocess.run([sys.executable, "-m", "edge.box.broker", "--port", "70000"], capture_output=True,
                          text=True, timeout=15)
    assert (done.returncode, done.stderr) == (2, "broker: port 70000, expected 0..65535\n")


def test_missing_amqtt_is_one_sentence_and_exit_code_2():
    script = ("import sys; sys.modules['amqtt'] = None\n"
              "from edge.box.broker import main; sys.exit(main(['--port', '0']))")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=15)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'furnace-edge[demo]'" in done.stderr


@pytest.mark.parametrize("way", ["lifeline", "SIGTERM", "SIGINT"])
def test_it_ends_quietly_with_a_client_connected(broker, way):
    subscriber = Subscriber(broker.port)
    if way == "lifeline":
        broker.process.stdin.close()
    else:
        broker.process.send_signal(getattr(signal, way))
    assert broker.process.wait(8) == 0
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
