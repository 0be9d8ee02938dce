"""The reporter process against a real mosquitto: delivery, every way to end, and its bounds."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge.box import reporter
from edge.node.report import link
from tests.node.report.brokers import (
    Mosquitto,
    Subscriber,
    free_port,
    password_broker,
    retained,
    wait_for,
)

SEND_LIMIT_MS = 250  # a loaded machine; a send itself takes some microseconds


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path).start()
    yield broker
    broker.stop()


@pytest.fixture
def subscriber(mosquitto):
    listener = Subscriber(mosquitto.port)
    yield listener
    listener.close()


@pytest.fixture
def start():
    started = []

    def make(port, **more):
        config = {"base": "furnace/bench/k1", "client_id": f"k1-{port}", "port": port, **more}
        started.append(reporter.start_reporter(config))
        return started[-1]

    yield make
    for process, end in started:
        if not process.stdout.closed:
            reporter.stop_reporter(process, end)


def stats_where(end, condition, timeout_s=8.0):
    """The link's statistics once ``condition(stats)`` holds."""

    def holds():
        end.step(int(time.monotonic() * 1000))
        return condition(end.stats)

    assert wait_for(holds, timeout_s), end.stats
    return end.stats


def test_messages_arrive_in_order_and_are_counted(mosquitto, subscriber, start):
    _, end = start(mosquitto.port)
    sent = [b'{"seq": %d}' % number for number in range(500)]
    for payload in sent:
        assert wait_for(lambda payload=payload: end.publish("furnace/bench/k1/telemetry", payload))
    assert wait_for(lambda: subscriber.payloads("furnace/bench/k1/telemetry") == sent)
    stats = stats_where(end, lambda stats: stats["acked"] == 500)
    assert (stats["connected"], stats["sent"], stats["queued"], stats["reconnects"]) == (True, 500, 0, 0)
    assert wait_for(lambda: subscriber.payloads("furnace/bench/k1/reporter"))
    assert set(json.loads(subscriber.payloads("furnace/bench/k1/reporter")[0])) >= {
        "sent", "acked", "dropped", "queued", "reconnects"}


def test_retained_flag_and_qos_0_are_kept(mosquitto, subscriber, start):
    _, end = start(mosquitto.port)
    end.publish("furnace/bench/k1/config", b"\x00\xff", retain=True, qos=0)
    assert wait_for(lambda: subscriber.payloads("furnace/bench/k1/config") == [b"\x00\xff"])
    assert retained(mosquitto.port, "furnace/bench/k1/config") == b"\x00\xff"


def test_online_then_offline_when_the_node_closes(mosquitto, start):
    process, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    assert retained(mosquitto.port, "furnace/bench/k1/state") == b"online"
    assert reporter.stop_reporter(process, end)["connected"]
    assert process.returncode == 0
    assert retained(mosquitto.port, "furnace/bench/k1/state") == b"offline"


def test_will_when_the_reporter_is_killed_and_the_node_sees_it(mosquitto, start):
    process, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    process.kill()
    process.wait(5)
    assert wait_for(lambda: retained(mosquitto.port, "furnace/bench/k1/state") == b"offline")
    assert not end.publish("t", b"x")
    assert not end.alive
    assert end.pollable() is None
    assert (end.stats["dropped"], end.stats["connected"]) == (1, False)
    assert "the reporter is gone" in end.last_error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_reporter_ends_when_the_node_is_killed(mosquitto, number, tmp_path):
    node = ("import sys, time\n"
            "from edge.box.reporter import start_reporter\n"
            f"process, end = start_reporter(dict(base='b', client_id='c', port={mosquitto.port}))\n"
            "end.publish('b/event', b'last words')\n"
            "print(process.pid, flush=True)\n"
            "time.sleep(60)\n")
    parent = subprocess.Popen([sys.executable, "-c", node], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(parent.stdout.readline())
        assert wait_for(lambda: retained(mosquitto.port, "b/state") == b"online")
        parent.send_signal(number)
        parent.wait(5)
        assert wait_for(lambda: not alive(pid), 5)
        assert retained(mosquitto.port, "b/state") == b"offline"
    finally:
        parent.kill()
        parent.wait(5)
        parent.stdout.close()


def alive(pid):
    """Whether the process still runs; a zombie waits for its new parent only."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigterm_flushes_and_says_offline(mosquitto, subscriber, start):
    process, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    for number in range(50):
        end.publish("furnace/bench/k1/event", b"%d" % number)
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert wait_for(lambda: len(subscriber.payloads("furnace/bench/k1/event")) == 50)
    assert wait_for(lambda: subscriber.payloads("furnace/bench/k1/state")[-1] == b"offline")


def test_sigint_is_the_parents(mosquitto, start):
    process, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None


def test_broker_restarted_the_queue_arrives(mosquitto, subscriber, start):
    _, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    mosquitto.stop()
    stats_where(end, lambda stats: not stats["connected"])
    for number in range(100):
        assert end.publish("furnace/bench/k1/telemetry", b"%d" % number)
    stats = stats_where(end, lambda stats: stats["queued"] == 100)
    assert f":{mosquitto.port}" in stats["last_error"]
    mosquitto.start()
    subscriber.wait_subscribed()
    wanted = [b"%d" % number for number in range(100)]
    assert wait_for(lambda: subscriber.payloads("furnace/bench/k1/telemetry") == wanted, 15)
    assert stats_where(end, lambda stats: stats["acked"] == 100)["reconnects"] == 1


def test_queue_drops_the_oldest_and_counts(mosquitto, start):
    mosquitto.stop()
    _, end = start(mosquitto.port, queue_messages=10)
    for number in range(30):
        end.publish("furnace/bench/k1/telemetry", b"%d" % number)
    stats = stats_where(end, lambda stats: stats["dropped"] == 20)
    assert stats["queued"] == 10
    mosquitto.start()
    subscriber = Subscriber(mosquitto.port)
    assert wait_for(lambda: len(subscriber.payloads("furnace/bench/k1/telemetry")) == 10)
    subscriber.close()
    assert subscriber.payloads("furnace/bench/k1/telemetry") == [b"%d" % number for number in range(20, 30)]


def test_frozen_broker_never_holds_the_node(mosquitto, start):
    _, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    os.kill(mosquitto.pid, signal.SIGSTOP)
    try:
        assert longest_send_ms(end, 2000) < SEND_LIMIT_MS
    finally:
        os.kill(mosquitto.pid, signal.SIGCONT)
    stats_where(end, lambda stats: stats["acked"] == end.sent)


def test_frozen_reporter_never_holds_the_node_and_losses_are_counted(mosquitto, start):
    process, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert longest_send_ms(end, 2000) < SEND_LIMIT_MS
        assert end.dropped > 0
        assert end.sent + end.dropped == 2000
        assert end.alive
    finally:
        os.kill(process.pid, signal.SIGCONT)
    stats_where(end, lambda stats: stats["acked"] == end.sent)


def longest_send_ms(end, count):
    longest = 0.0
    for number in range(count):
        begin = time.perf_counter()
        end.publish("furnace/bench/k1/telemetry", b"%d " % number + bytes(350))
        longest = max(longest, time.perf_counter() - begin)
    return longest * 1000


def test_silent_reporter_is_not_connected(mosquitto, start):
    process, end = start(mosquitto.port)
    stats_where(end, lambda stats: stats["connected"])
    os.kill(process.pid, signal.SIGSTOP)
    try:
        end.step(int(time.monotonic() * 1000) + link.STATS_STALE_MS)
        assert not end.stats["connected"]
    finally:
        os.kill(process.pid, signal.SIGCONT)


def run_by_hand(fd, config, **more):
    command = [sys.executable, "-m", "edge.box.reporter", "--json", "--fd", str(fd)]
    return subprocess.run([*command, "--config", json.dumps(config)], capture_output=True, text=True,
                          timeout=15, **more)


def test_json_line_at_the_end(mosquitto):
    node_end, reporter_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reporter_end:
        node_end.send(link.pack_message("b/event", b"x", False, 1))
        node_end.send(b"\xff")
        node_end.close()
        config = {"base": "b", "client_id": "c", "port": mosquitto.port}
        done = run_by_hand(reporter_end.fileno(), config, pass_fds=[reporter_end.fileno()])
    assert done.returncode == 0, done.stderr
    stats = json.loads(done.stdout)
    assert (stats["acked"], stats["queued"], stats["malformed"]) == (1, 0, 1)
    assert "datagram of 1 bytes" in stats["last_error"]


def test_last_words_of_a_node_that_left_statistics_unread(mosquitto, subscriber):
    node_end, reporter_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reporter_end:
        config = json.dumps({"base": "b", "client_id": "c", "port": mosquitto.port})
        process = subprocess.Popen([sys.executable, "-m", "edge.box.reporter", "--config", config,
                                    "--fd", str(reporter_end.fileno())], pass_fds=[reporter_end.fileno()])
    try:
        assert wait_for(lambda: subscriber.payloads("b/state") == [b"online"])
        os.kill(process.pid, signal.SIGSTOP)
        for number in range(50):
            node_end.send(link.pack_message("b/event", b"%d" % number, False, 1))
        assert node_end.recv(link.MESSAGE_MAX, socket.MSG_PEEK)
        node_end.close()
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(5) == 0
        assert wait_for(lambda: subscriber.payloads("b/event") == [b"%d" % number for number in range(50)])
    finally:
        process.kill()
        process.wait(5)


def test_end_is_in_time_without_a_broker():
    node_end, reporter_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reporter_end:
        node_end.send(link.pack_message("b/event", b"x", False, 1))
        node_end.close()
        config = {"base": "b", "client_id": "c", "port": free_port(), "flush_s": 0.5}
        begin = time.monotonic()
        done = run_by_hand(reporter_end.fileno(), config, pass_fds=[reporter_end.fileno()])
    assert time.monotonic() - begin < 5
    stats = json.loads(done.stdout)
    assert stats["queued"] == 1
    assert "Connection refused" in stats["last_error"]


def test_password_file(tmp_path, start):
    broker = password_broker(tmp_path, "node", "secret")
    try:
        for name, password in (("right", "secret\n"), ("wrong", "sesame")):
            (tmp_path / name).write_text(password)
            (tmp_path / name).chmod(0o600)
        _, end = start(broker.port, username="node", password_file=str(tmp_path / "right"))
        stats_where(end, lambda stats: stats["connected"])
        _, end = start(broker.port, username="node", password_file=str(tmp_path / "wrong"))
        stats_where(end, lambda stats: "Not authorized" in stats["last_error"])
    finally:
        broker.stop()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_password_file_that_others_can_read_is_refused(tmp_path, mode):
    path = tmp_path / "password"
    path.write_text("secret")
    path.chmod(mode)
    with pytest.raises(reporter.ConfigError, match="expected a file with mode 0600 or 0400"):
        reporter.read_password(str(path))


def test_reporter_is_not_started_with_a_wrong_password_file():
    config = {"base": "b", "client_id": "c", "username": "u", "password_file": "no-such-file"}
    with pytest.raises(reporter.ConfigError, match="no-such-file"):
        reporter.start_reporter(config)


def test_missing_password_file_is_refused_by_name(tmp_path):
    with pytest.raises(reporter.ConfigError, match="no-such-file"):
        reporter.read_password(str(tmp_path / "no-such-file"))


@pytest.mark.parametrize(("text", "reason"), [
    ("{", "configuration"),
    ("[]", "expected an object"),
    ("@/no/such/file", "No such file"),
    ('{"base": "b"}', "client_id"),
    ('{"base": "b", "client_id": "c", "keepalive": 3}', "unknown key 'keepalive'"),
    ('{"base": "b/#", "client_id": "c"}', "topic 'b/#'"),
    ('{"base": "b", "client_id": ""}', "client_id = ''"),
    ('{"base": "b", "client_id": "c", "port": 0}', "port = 0, expected an integer from 1 to 65535"),
    ('{"base": "b", "client_id": "c", "inflight": true}', "inflight = True"),
    ('{"base": "b", "client_id": "c", "inflight": 20.5}', "inflight = 20.5"),
    ('{"base": "b", "client_id": "c", "username": 5}', "username = 5"),
    ('{"base": "b", "client_id": "c", "password_file": "p"}', "without username"),
])
def test_wrong_configuration_is_explained(text, reason):
    with pytest.raises(reporter.ConfigError, match="reporter") as caught:
        reporter.ReporterConfig.from_json(text)
    assert reason in str(caught.value)


def test_configuration_from_a_file(tmp_path):
    path = tmp_path / "reporter.json"
    path.write_text('{"base": "b", "client_id": "c", "host": "192.0.2.1"}')
    assert reporter.ReporterConfig.from_json(f"@{path}").host == "192.0.2.1"


def test_wrong_start_is_one_sentence_and_exit_code_2():
    done = run_by_hand(99, {})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--fd 99 is not a socket" in done.stderr
