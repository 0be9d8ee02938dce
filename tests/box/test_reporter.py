"""The reporter process against a real mosquitto: delivery, every way to end, and what the node tells it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge.box import reporter
from edge.box.config import describe, find
from edge.node.report import link, messages, records
from edge.node.report.catalogue import Catalogue, Metric
from tests.faults.observer import Observer
from tests.faults.rig import alive, description
from tests.node.report.brokers import Mosquitto, Subscriber, free_port, password_broker, retained, wait_for
from tests.node.report.proxy import Proxy

SEND_LIMIT_MS = 10000  # a machine that is busy; a send that waits for the reporter never ends
BASE = "furnace/bench/k1"
CATALOGUE = Catalogue([Metric("s", "K")], "bench", "k1")
BOOT = 77


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def proxy(mosquitto):
    with Proxy(mosquitto.port) as proxy:
        yield proxy


@pytest.fixture
def observer(mosquitto):
    observer = Observer(mosquitto.port)
    yield observer
    observer.close()


def values(folder, port, speakers=("json",), commands=False, flush_s=2.0, **more) -> dict:
    config = reporter.config_of(description(folder, [["127.0.0.1", port]], speakers, **more))
    return {**config, "commands": commands, "flush_s": flush_s}


@pytest.fixture
def start(tmp_path):
    started = []

    def make(port, **more):
        process, end = reporter.start_reporter(values(tmp_path, port, **more))
        started.append((process, end))
        end.begin(CATALOGUE)
        end.record(sample(1))
        return process, end

    yield make
    for process, end in started:
        if not process.stdout.closed:
            reporter.stop_reporter(process, end)


def sample(seq: int) -> bytes:
    utc_ms = int(time.time() * 1000)
    return records.encode_sample(BOOT, seq, utc_ms, seq, True, CATALOGUE.number, [(0, 0, float(seq))])


def event(seq: int, alarm=False) -> bytes:
    utc_ms = int(time.time() * 1000)
    return records.encode_event(BOOT, seq, utc_ms, seq, True, "signal", "s", "came", alarm)


def now_ms() -> int:
    return int(time.monotonic() * 1000)


def stats_where(end, condition, timeout_s=60.0):
    """The link's statistics once ``condition(stats)`` holds."""

    def holds():
        end.step(now_ms())
        return condition(end.stats)

    assert wait_for(holds, timeout_s), end.stats
    return end.stats


def born(end) -> dict:
    """The link's statistics once the births have arrived: what comes then is live."""
    return stats_where(end, lambda stats: stats["connected"] and stats["acked"])


def arrive(observer, end, last_seq: int, timeout_s=60.0) -> bool:
    def step():
        end.step(now_ms())
        time.sleep(0.01)

    return wait_for(lambda: not observer.read().missing(BOOT, last_seq), timeout_s, step)


def test_records_arrive_in_order_once_and_are_confirmed_to_the_node(mosquitto, observer, start):
    _, end = start(mosquitto.port)
    born(end)  # what comes now is live
    for seq in range(2, 501):
        end.record(event(seq) if seq % 20 == 0 else sample(seq))
        end.step(now_ms())
    assert arrive(observer, end, 500)
    stats = stats_where(end, lambda stats: stats["unconfirmed"] == 0 and stats["queued"] == 0)
    assert (stats["connected"], stats["dropped"], stats["reconnects"]) == (True, 0, 0)
    assert stats["sent"] == stats["acked"] > 50
    assert observer.duplicates == 0
    for lane in ("samples", "event"):
        ids = [number for kind, number, _ in observer.order if kind == lane]
        assert ids == sorted(ids)
    assert observer.contradictions == observer.twice() == []


def test_all_three_speakers_speak_on_connections_of_their_own(mosquitto, start):
    with Subscriber(mosquitto.port) as subscriber:
        _, end = start(mosquitto.port, speakers=("json", "sparkplug", "home_assistant"))
        stats = born(end)
        assert sorted(stats["speakers"]) == ["home_assistant", "json", "sparkplug"]
        end.record(sample(2))
        wanted = (f"{BASE}/samples", "spBv1.0/bench/NBIRTH/k1", "spBv1.0/bench/NDATA/k1",
                  f"{BASE}/home_assistant/state")
        for topic in wanted:
            assert wait_for(lambda topic=topic: subscriber.payloads(topic)), topic


def test_live_messages_are_passed_on_as_they_are(mosquitto, start):
    _, end = start(mosquitto.port)
    with Subscriber(mosquitto.port) as subscriber:
        born(end)
        assert end.publish(f"{BASE}/session", b"\x00\xff", retain=True, qos=0)
        end.publish(f"{BASE}/telemetry", b"{}")
        assert wait_for(lambda: subscriber.payloads(f"{BASE}/telemetry") == [b"{}"])
        assert retained(mosquitto.port, f"{BASE}/session") == b"\x00\xff"
        assert wait_for(lambda: subscriber.payloads(f"{BASE}/reporter"))
        told = json.loads(subscriber.payloads(f"{BASE}/reporter")[0])
        assert set(told) >= {"sent", "acked", "dropped", "queued", "reconnects", "connected", "speakers"}


@pytest.mark.parametrize(("every_ms", "more"), [(1000, True), (86400000, False), (0, False)])
def test_counters_go_out_as_often_as_the_node_file_says(mosquitto, tmp_path, every_ms, more):
    config = values(tmp_path, mosquitto.port)
    config["report"]["reporter_ms"] = every_ms
    process, end = reporter.start_reporter(config)
    try:
        with Subscriber(mosquitto.port, f"{BASE}/#") as subscriber:
            end.begin(CATALOGUE)
            end.record(sample(1))
            topic = f"{BASE}/{messages.REPORTER}"
            wanted = 3 if more else min(every_ms, 1)
            assert stats_where(end, lambda _: len(subscriber.payloads(topic)) >= wanted, 20)
            for _ in range(4):  # the node gets them every second all the same
                heard_ms = end.heard_ms
                stats_where(end, lambda _, heard_ms=heard_ms: end.heard_ms > heard_ms, 20)
            assert more or len(subscriber.payloads(topic)) == wanted
    finally:
        reporter.stop_reporter(process, end)


def test_commands_go_to_the_node_and_its_answers_back(mosquitto, start):
    _, end = start(mosquitto.port, commands=True)
    born(end)
    with Subscriber(mosquitto.port) as subscriber:
        subscriber.publish(f"{BASE}/command", b"do it")
        subscriber.publish(f"{BASE}/command", b"x" * 3000)
        heard = []

        def hear():
            end.step(now_ms())
            heard.extend(end.commands())
            time.sleep(0.01)

        assert wait_for(lambda: heard, 60, hear)
        assert heard[0] == ("json", b"do it", False)
        end.reply("json", b"done")
        assert wait_for(lambda: subscriber.payloads(f"{BASE}/answer") == [b"done"])
        hear()
        assert all(len(payload) <= link.COMMAND_BYTES + 1 for _, payload, _ in heard)


def test_nothing_is_heard_where_commands_are_off(mosquitto, start):
    _, end = start(mosquitto.port)
    born(end)
    with Subscriber(mosquitto.port) as subscriber:
        subscriber.publish(f"{BASE}/command", b"do it")
        time.sleep(0.3)
        end.step(now_ms())
        assert end.commands() == []


def test_all_values_are_asked_for_while_a_speaker_lacks_one(mosquitto, tmp_path):
    two = Catalogue([Metric("s", "K"), Metric("t", "K")], "bench", "k1")
    process, end = reporter.start_reporter(values(tmp_path, mosquitto.port, ("sparkplug",)))
    try:
        end.begin(two)

        def told(metrics):
            return records.encode_sample(BOOT, 1 + len(metrics), 1, 1, True, two.number, metrics)

        asked = []

        def step():
            end.step(now_ms())
            if end.snapshot_wanted():
                asked.append(1)
            time.sleep(0.01)

        end.record(told([(0, 0, 1.0)]))
        assert wait_for(lambda: asked, 60, step)
        with Subscriber(mosquitto.port) as subscriber:
            time.sleep(0.3)
            assert not subscriber.payloads("spBv1.0/bench/NBIRTH/k1")
            end.record(told([(0, 0, 1.0), (1, 0, 2.0)]))
            assert wait_for(lambda: subscriber.payloads("spBv1.0/bench/NBIRTH/k1"), 60, step)
    finally:
        reporter.stop_reporter(process, end)


# Endings -----------------------------------------------------------------------------------


def test_online_then_offline_when_the_node_closes(mosquitto, start):
    process, end = start(mosquitto.port)
    born(end)
    assert retained(mosquitto.port, f"{BASE}/state") == b"online"
    assert reporter.stop_reporter(process, end)["acked"] > 0
    assert process.returncode == 0
    assert retained(mosquitto.port, f"{BASE}/state") == b"offline"


def test_will_when_the_reporter_is_killed_and_the_node_sees_it(mosquitto, start):
    process, end = start(mosquitto.port)
    born(end)
    process.kill()
    process.wait(timeout=60)
    assert wait_for(lambda: retained(mosquitto.port, f"{BASE}/state") == b"offline")
    assert not end.publish("t", b"x")
    assert not end.alive
    assert end.pollable() is None
    assert (end.stats["dropped"], end.stats["connected"]) == (1, False)
    assert "the reporter" in end.last_error


def test_the_next_reporter_gets_what_the_killed_one_had_not_stored(mosquitto, observer, start, tmp_path):
    process, end = start(mosquitto.port, commit_s=60)
    born(end)
    mosquitto.kill()
    stats_where(end, lambda stats: not stats["connected"])
    for seq in range(2, 101):
        end.record(event(seq) if seq % 20 == 0 else sample(seq))
        end.step(now_ms())
    time.sleep(0.3)
    process.kill()
    process.wait(timeout=60)
    process.stdout.close()
    end.step(now_ms())
    mosquitto.start()
    observer.subscriber.wait_subscribed()
    again, _ = reporter.start_reporter(values(tmp_path, mosquitto.port), end)
    try:
        assert arrive(observer, end, 100)
        assert observer.twice() == []
    finally:
        reporter.stop_reporter(again, end)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_reporter_ends_when_the_node_is_killed(mosquitto, number, tmp_path):
    config = values(tmp_path, mosquitto.port)
    node = ("import time\n"
            "from edge.box.reporter import start_reporter\n"
            "from tests.box.test_reporter import CATALOGUE, event\n"
            f"process, end = start_reporter({config!r})\n"
            "end.begin(CATALOGUE)\n"
            "end.record(event(1, True))\n"
            "print(process.pid, flush=True)\n"
            "time.sleep(60)\n")
    parent = subprocess.Popen([sys.executable, "-c", node], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(parent.stdout.readline())
        assert wait_for(lambda: retained(mosquitto.port, f"{BASE}/state") == b"online")
        parent.send_signal(number)
        parent.wait(timeout=60)
        assert wait_for(lambda: not alive(pid), 60)
        assert retained(mosquitto.port, f"{BASE}/state") == b"offline"
    finally:
        parent.kill()
        parent.wait(timeout=60)
        parent.stdout.close()


def test_sigterm_flushes_and_says_offline(mosquitto, observer, start):
    process, end = start(mosquitto.port)
    born(end)
    for seq in range(2, 51):
        end.record(event(seq))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert arrive(observer, end, 50)
    assert wait_for(lambda: observer.read().states[-1] == b"offline")


def test_sigint_is_the_parents(mosquitto, start):
    process, end = start(mosquitto.port)
    born(end)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None


def run_by_hand(fd, config, **more):
    command = [sys.executable, "-m", "edge.box.reporter", "--json", "--fd", str(fd)]
    return subprocess.run([*command, "--config", json.dumps(config)], capture_output=True, text=True,
                          timeout=120, **more)


def pair_with(*datagrams):
    """The reporter's end of a pair whose node has said this and is gone."""
    node_end, reporter_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for datagram in datagrams:
        node_end.send(datagram)
    node_end.close()
    return reporter_end


def test_json_line_at_the_end(mosquitto, tmp_path):
    hello = link.CATALOGUE + CATALOGUE.to_json()
    with pair_with(hello, link.RECORD + event(1), b"\xff", link.RECORD + b"x") as reporter_end:
        config = values(tmp_path, mosquitto.port)
        done = run_by_hand(reporter_end.fileno(), config, pass_fds=[reporter_end.fileno()])
    assert done.returncode == 0, done.stderr
    stats = json.loads(done.stdout)
    assert (stats["queued"], stats["malformed"]) == (0, 2)
    assert stats["acked"] >= 2
    assert "reporter link: datagram of unknown kind" in stats["last_error"]


def test_last_words_of_a_node_that_left_statistics_unread(mosquitto, observer, tmp_path):
    node_end, reporter_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reporter_end:
        config = json.dumps(values(tmp_path, mosquitto.port))
        process = subprocess.Popen([sys.executable, "-m", "edge.box.reporter", "--config", config,
                                    "--fd", str(reporter_end.fileno())], pass_fds=[reporter_end.fileno()])
    try:
        node_end.send(link.CATALOGUE + CATALOGUE.to_json())
        node_end.send(link.RECORD + sample(1))
        assert wait_for(lambda: observer.read().states == [b"online"])
        os.kill(process.pid, signal.SIGSTOP)
        for seq in range(2, 50):
            node_end.send(link.RECORD + event(seq))
        assert node_end.recv(link.MESSAGE_MAX, socket.MSG_PEEK)
        node_end.close()
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(timeout=60) == 0
        assert wait_for(lambda: not observer.read().missing(BOOT, 49))
    finally:
        process.kill()
        process.wait(timeout=60)


def test_end_is_in_time_without_a_broker_and_what_was_said_is_kept(tmp_path):
    port = free_port()
    hello = link.CATALOGUE + CATALOGUE.to_json()
    config = values(tmp_path, port, flush_s=0.5)
    with pair_with(hello, link.RECORD + sample(1), link.RECORD + event(2)) as reporter_end:
        done = run_by_hand(reporter_end.fileno(), config, pass_fds=[reporter_end.fileno()])
    stats = json.loads(done.stdout)
    assert stats["queued"] == 2
    assert str(port) in stats["last_error"]
    with Mosquitto(tmp_path, port=port) as broker:
        observer = Observer(broker.port)
        with pair_with(hello, link.RECORD + sample(3)) as reporter_end:
            run_by_hand(reporter_end.fileno(), config, pass_fds=[reporter_end.fileno()])
        assert wait_for(lambda: not observer.read().missing(BOOT, 3)), observer.seqs
        observer.close()


# The broker and the reporter as the node sees them ------------------------------------------


def test_broker_restarted_everything_arrives(mosquitto, proxy, observer, start):
    _, end = start(proxy.port)
    born(end)
    proxy.refuse()
    mosquitto.kill()
    stats_where(end, lambda stats: not stats["connected"])
    for seq in range(2, 101):
        assert end.record(sample(seq))
        end.publish(f"{BASE}/telemetry", b"dropped")
    stats = stats_where(end, lambda stats: stats["queued"] >= 99)
    assert f":{proxy.port}" in stats["last_error"]
    mosquitto.start()
    observer.subscriber.wait_subscribed()  # it knows nothing any more: who is not there yet gets nothing
    proxy.accept()
    assert arrive(observer, end, 100, 60)
    stats = stats_where(end, lambda stats: stats["queued"] == 0)
    assert (stats["reconnects"], stats["dropped"]) == (1, 0)


def test_frozen_broker_never_holds_the_node(mosquitto, observer, start):
    _, end = start(mosquitto.port)
    born(end)
    mosquitto.freeze()
    try:
        assert longest_send_ms(end, 2000) < SEND_LIMIT_MS
    finally:
        mosquitto.thaw()
    stats_where(end, lambda stats: stats["queued"] == 0)


def test_frozen_reporter_never_holds_the_node_and_records_wait(mosquitto, observer, start):
    process, end = start(mosquitto.port)
    born(end)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert longest_send_ms(end, 2000) < SEND_LIMIT_MS
        end.step(now_ms() + link.STATS_STALE_MS)
        assert end.alive
        assert not end.stats["connected"]
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert arrive(observer, end, 2001)


def longest_send_ms(end, count):
    longest = 0.0
    for number in range(count):
        begin = time.perf_counter()
        end.record(sample(number + 2))
        end.publish(f"{BASE}/telemetry", bytes(350))
        longest = max(longest, time.perf_counter() - begin)
        if number % 50 == 0:
            end.step(now_ms())
    return longest * 1000


# Configuration -----------------------------------------------------------------------------


def test_the_packaged_node_file_configures_a_reporter():
    config = reporter.config_of(describe(find("bishkek"))[0])
    assert reporter.check_config(config)["site"] == "bishkek"
    assert json.loads(json.dumps(config)) == config
    assert reporter.config_of({"report": {}, "node": {}}) is None


def test_password_file(tmp_path, start):
    broker = password_broker(tmp_path, "node", "secret")
    try:
        for name, password in (("right", "secret\n"), ("wrong", "sesame")):
            (tmp_path / name).write_text(password)
            (tmp_path / name).chmod(0o600)
        access = {"username": "node", "speakers": ("json",)}
        process, end = start(broker.port, password_file=str(tmp_path / "right"), **access)
        born(end)
        reporter.stop_reporter(process, end)
        _, end = start(broker.port, password_file=str(tmp_path / "wrong"), **access)
        stats = stats_where(end, lambda stats: "uthori" in stats["last_error"])
        assert "secret" not in json.dumps(stats)
        assert "sesame" not in json.dumps(stats)
    finally:
        broker.kill()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_reporter_is_not_started_with_a_password_file_that_others_can_read(tmp_path, mode):
    path = tmp_path / "password"
    path.write_text("secret")
    path.chmod(mode)
    with pytest.raises(reporter.ConfigError, match="0600"):
        reporter.start_reporter(values(tmp_path, 1883, username="u", password_file=str(path)))


def test_reporter_is_not_started_without_its_password_file(tmp_path):
    with pytest.raises(reporter.ConfigError, match="no-such-file"):
        reporter.start_reporter(values(tmp_path, 1883, username="u", password_file="no-such-file"))


MUTE = {"mqtt": {"brokers": [["h", 1883]]}}
GOOD = {"site": "s", "node": "n", "report": {**MUTE, "outbox": {}, "json": {}}}


@pytest.mark.parametrize(("text", "reason"), [
    ("{", "configuration"),
    ("[]", "expected an object"),
    ("@/no/such/file", "No such file"),
    (json.dumps({**GOOD, "site": ""}), "site = ''"),
    (json.dumps({**GOOD, "keepalive": 3}), "unknown key 'keepalive'"),
    (json.dumps({**GOOD, "flush_s": True}), "flush_s = True"),
    (json.dumps({**GOOD, "report": {}}), "no table mqtt"),
    (json.dumps({**GOOD, "report": {**GOOD["report"], "mqtt": {"brokers": []}}}), "brokers is empty"),
    (json.dumps({**GOOD, "report": {**MUTE, "outbox": {}}}), "nothing is switched on"),
])
def test_wrong_configuration_is_explained(text, reason):
    with pytest.raises(reporter.ConfigError, match="reporter") as caught:
        reporter.load_config(text)
    assert reason in str(caught.value)


def test_configuration_from_a_file(tmp_path):
    path = tmp_path / "reporter.json"
    path.write_text(json.dumps(GOOD))
    assert reporter.load_config(f"@{path}")["site"] == "s"


def test_wrong_start_is_one_sentence_and_exit_code_2(tmp_path):
    done = run_by_hand(99, {})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--fd 99 is not a socket" in done.stderr
    (tmp_path / "taken").write_text("no folder")
    config = values(tmp_path, 1883, path=str(tmp_path / "taken" / "outbox"))
    with pair_with() as reporter_end:
        done = run_by_hand(reporter_end.fileno(), config, pass_fds=[reporter_end.fileno()])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "report.outbox.path" in done.stderr
