"""The reporter is brought back when it dies, and its successor gets what it had not stored."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge.box import reporting
from edge.box.reporter import ConfigError
from edge.box.reporting import SupervisedReporter
from edge.node.report import link, records
from edge.node.report.catalogue import Catalogue, Metric


class Process:
    """What Popen gives; ``hung``: it does not die."""

    def __init__(self):
        self.code = None
        self.hung = False
        self.stdout = open(os.devnull, "rb")

    def kill(self):
        if not self.hung:
            self.code = -signal.SIGKILL

    def poll(self):
        return self.code


class Reporters:
    """Stands for start_reporter: every reporter that was started, newest last, as (process, socket)."""

    def __init__(self):
        self.started = []
        self.failure = None

    def start(self, values, to=None):
        assert values == {"any": "values"}
        if self.failure:
            raise self.failure
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)
        process = Process()
        self.started.append((process, theirs))
        if to is None:
            return process, link.ReporterLink(ours)
        to.attach(ours)
        return process, to

    @property
    def process(self):
        return self.started[-1][0]

    def die(self):
        self.process.code = 1
        self.started[-1][1].close()

    def heard(self) -> list:
        found = []
        while True:
            try:
                found.append(self.started[-1][1].recv(link.MESSAGE_MAX))
            except BlockingIOError:
                return found

    def say(self, **stats):
        self.started[-1][1].send(link.STATS + json.dumps(stats).encode())


@pytest.fixture
def reporters(monkeypatch):
    made = Reporters()
    monkeypatch.setattr(reporting, "start_reporter", made.start)
    yield made
    for process, sock in made.started:
        process.stdout.close()
        sock.close()


def record(seq: int) -> bytes:
    return records.encode_event(7, seq, 0, 0, True, "k", "n", "", False)


def begun() -> SupervisedReporter:
    end = SupervisedReporter({"any": "values"})
    end.begin(Catalogue([Metric("a")], "s", "n"))
    end.step(0)
    return end


def seqs(heard: list) -> list:
    return [records.peek(datagram[1:])[2] for datagram in heard if datagram[:1] == link.RECORD]


def test_it_speaks_through_its_reporter(reporters):
    end = begun()
    assert end.record(record(1)) and end.publish("t", b"x")
    end.reply("json", b"ok")
    assert [datagram[:1] for datagram in reporters.heard()] == [b"C", b"R", b"M", b"A"]
    reporters.started[-1][1].send(link.SNAPSHOT)
    reporters.started[-1][1].send(link.COMMAND + link.pack_command("json", b"{}", False))
    end.step(10)
    assert end.snapshot_wanted() and end.commands() == [("json", b"{}", False)]
    assert len(end.pollables()) == 1 and end.losses() == []


def test_a_successor_comes_after_a_second_and_gets_what_was_not_stored(reporters):
    end = begun()
    for seq in (1, 2, 3):
        end.record(record(seq))
    reporters.say(stored=[7, 1])
    end.step(100)
    reporters.die()
    assert end.step(200) == 1200
    assert end.pollables() == [] and not end.stats["alive"]
    end.record(record(4))
    assert not end.publish("t", b"x")
    assert end.step(1199) == 1200 and len(reporters.started) == 1
    end.step(1200)
    assert len(reporters.started) == 2
    end.step(1201)
    heard = reporters.heard()
    assert heard[0][:1] == link.CATALOGUE and seqs(heard) == [2, 3, 4]
    assert end.stats["restarts"] == 1 and end.losses() == []


def test_one_that_dies_at_once_is_started_less_and_less_often(reporters):
    end = begun()
    now_ms, waits = 1000, []
    for _ in range(8):
        reporters.die()
        due_ms = end.step(now_ms)
        waits.append(due_ms - now_ms)
        now_ms = due_ms
        end.step(now_ms)
    assert waits == [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
    # One that has run for a minute counts as sound.
    now_ms += reporting.SETTLED_MS
    reporters.die()
    assert end.step(now_ms) == now_ms + 1000


def test_one_that_can_not_be_started_is_tried_again(reporters):
    end = begun()
    reporters.die()
    due_ms = end.step(0)
    reporters.failure = ConfigError("reporter: password_file: gone")
    due_ms = end.step(due_ms)
    assert "password_file: gone" in end.stats["last_error"]
    reporters.failure = OSError(11, "no more processes")
    due_ms = end.step(due_ms)
    reporters.failure = None
    end.step(due_ms)
    assert len(reporters.started) == 2 and end.stats["alive"]
    assert "can't be started" not in end.stats["last_error"]


def test_nobody_waits_for_one_that_does_not_die(reporters):
    end = begun()
    process = reporters.process
    process.hung = True
    reporters.started[-1][1].close()
    due_ms = end.step(0)
    due_ms = end.step(due_ms)
    assert len(reporters.started) == 1
    assert "does not die" in end.stats["last_error"]
    process.code = -9
    end.step(due_ms)
    assert len(reporters.started) == 2


def test_one_that_says_nothing_is_replaced(reporters):
    end = begun()
    reporters.say()
    end.step(5000)
    assert end.step(5000 + reporting.SILENT_MS - 1) > 0 and end.stats["alive"]
    due_ms = end.step(5000 + reporting.SILENT_MS)
    assert not end.stats["alive"] and reporters.process.code == -signal.SIGKILL
    assert "said nothing" in end.stats["last_error"]
    end.step(due_ms)
    assert len(reporters.started) == 2


def test_at_the_end_it_has_the_last_statistics(reporters, monkeypatch):
    end = begun()

    def stop(process, to):
        to.close(0)
        return {"acked": 5, "dropped": 2, "stored": [7, 2]}

    monkeypatch.setattr(reporting, "stop_reporter", stop)
    for seq in (1, 2, 3):
        end.record(record(seq))
    end.publish("t", bytes(link.MESSAGE_MAX))
    end.close(0)
    assert (end.last["acked"], end.last["dropped"], end.last["restarts"]) == (5, 3, 0)
    assert end.last["unconfirmed"] == 1 and "stored" not in end.last


def test_at_the_end_of_one_that_died_nothing_is_claimed(reporters, monkeypatch):
    end = begun()
    monkeypatch.setattr(reporting, "stop_reporter", lambda process, to: {})
    end.record(record(1))
    end.close(0)
    assert end.last["unconfirmed"] == 1 and not end.last["connected"]


CHILD = """
import json, socket, sys, time
sys.path[:0] = {path!r}
from edge.node.report import link, records
end = socket.socket(fileno={fd})
log = open({log!r}, "a")
while datagram := end.recv(70000):
    if datagram[:1] == link.RECORD:
        boot, seq = records.peek(datagram[1:])[1:3]
        log.write("%d\\n" % seq)
        log.flush()
        # What is in the log counts as stored.
        end.send(link.STATS + json.dumps(dict(stored=[boot, seq])).encode())
"""


def test_kill_9_at_random_moments_loses_no_record(monkeypatch, tmp_path):
    """A reporter of a few lines that stores by appending to a file, and real kills."""
    log = tmp_path / "log"

    def start(values, to=None):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            code = CHILD.format(path=sys.path, fd=theirs.fileno(), log=str(log))
            process = subprocess.Popen(
                [sys.executable, "-c", code], pass_fds=[theirs.fileno()], stdout=subprocess.PIPE
            )
        if to is None:
            return process, link.ReporterLink(ours)
        to.attach(ours)
        return process, to

    monkeypatch.setattr(reporting, "start_reporter", start)
    monkeypatch.setattr(reporting, "RESTART_AFTER_MS", 10)
    monkeypatch.setattr(reporting, "RESTART_AT_MOST_MS", 10)
    end = SupervisedReporter({})
    try:
        end.begin(Catalogue([Metric("a")], "s", "n"))
        seq = kills = 0
        deadline = time.monotonic() + 120
        while kills < 5 or end.stats["unconfirmed"]:
            assert time.monotonic() < deadline
            now_ms = time.monotonic_ns() // 1000000
            end.step(now_ms)
            if kills < 5:
                for _ in range(3):
                    seq += 1
                    assert end.record(record(seq))
                if end.stats["alive"] and seq % (150 + 37 * kills) < 3:
                    end._process.kill()
                    kills += 1
            time.sleep(0.001)
        assert end.losses() == []
    finally:
        end._link.close(0)
        end._process.kill()
        end._process.wait()
        end._process.stdout.close()
    told = [int(line) for line in log.read_text().splitlines()]
    assert sorted(set(told)) == list(range(1, seq + 1))
