"""The node's end of the pair to the reporter, with the other end in the test's own hands."""

import json
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report import link, records
from edge.node.report.catalogue import Catalogue, Metric

BOOT = 77
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def record(seq: int, alarm: bool = False, size: int = 0) -> bytes:
    return records.encode_event(BOOT, seq, 0, 0, True, "k", "n", "x" * size, alarm)


def seqs(queue: list) -> list:
    return [records.peek(each)[2] for each in queue]


class Reporter:
    """The other end, and what has come there so far."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock = sock

    def heard(self) -> list:
        """(kind, rest) of every datagram since the last call."""
        found = []
        while True:
            try:
                datagram = self.sock.recv(link.MESSAGE_MAX)
            except BlockingIOError:
                return found
            found.append((datagram[:1], datagram[1:]))

    def seqs(self) -> list:
        """Of the records since the last call."""
        return [records.peek(rest)[2] for kind, rest in self.heard() if kind == link.RECORD]

    def stats(self, stored=None, **more):
        said = {"connected": True, "sent": 0, "acked": 0, "dropped": 0, "stored": stored, **more}
        self.sock.send(link.STATS + json.dumps(said).encode())

    def send(self, datagram: bytes):
        self.sock.send(datagram)


def pair_of() -> tuple:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return ours, Reporter(theirs)


@pytest.fixture
def pair():
    ours, reporter = pair_of()
    with ours, reporter.sock:
        yield link.ReporterLink(ours), reporter


@pytest.fixture
def begun(pair):
    """A link whose catalogue is across."""
    end, reporter = pair
    end.begin(Catalogue([Metric("a")], "s", "n"))
    assert [kind for kind, _ in reporter.heard()] == [link.CATALOGUE]
    return end, reporter


# What crosses ------------------------------------------------------------------------------------


@given(TEXTS, st.binary(max_size=300), st.booleans(), st.sampled_from([0, 1]))
def test_message_comes_back_from_its_datagram(topic, payload, retain, qos):
    data = link.pack_message(topic, payload, retain, qos)
    assert link.unpack_message(data) == (topic, payload, retain, qos)


@given(TEXTS, st.binary(max_size=300), st.booleans())
def test_answers_and_commands_come_back(speaker, payload, retained):
    assert link.unpack_answer(link.pack_answer(speaker, payload)) == (speaker, payload)
    data = link.pack_command(speaker, payload, retained)
    assert link.unpack_command(data) == (speaker, payload, retained)


@given(st.binary(max_size=100))
def test_any_datagram_is_a_message_or_refused(data):
    try:
        topic, payload, _, _ = link.unpack_message(data)
    except ValueError:
        return
    assert 3 + len(topic.encode()) + len(payload) == len(data)


@given(st.binary(max_size=60))
def test_any_datagram_is_an_answer_or_a_command_or_refused(data):
    for unpack in (link.unpack_answer, link.unpack_command):
        try:
            unpack(data)
        except ValueError as error:
            assert str(error)


def test_one_datagram_per_message(pair):
    end, reporter = pair
    assert end.publish("a/b", b"\x00", retain=True)
    assert end.publish("a/c", b"", qos=0)
    end.reply("json", b"yes")
    assert [kind + rest for kind, rest in reporter.heard()] == [
        b"M\x03\x00\x03a/b\x00", b"M\x00\x00\x03a/c", b"A\x04jsonyes",
    ]  # fmt: skip
    assert end.stats["handed_over"] == 3


def test_full_pair_drops_live_messages_and_counts_without_waiting(pair):
    end, reporter = pair
    sent = [end.publish("t", bytes(1000)) for _ in range(1000)]
    assert sent.count(True) == end.sent
    assert end.stats["dropped"] == sent.count(False) > 0
    assert end.alive
    reporter.heard()
    assert end.publish("t", bytes(1000))


def test_message_above_the_limit_is_dropped_by_name(pair):
    end, _ = pair
    assert not end.publish("t", bytes(link.MESSAGE_MAX))
    assert "65541 bytes on t" in end.last_error
    assert end.alive


def test_wrong_qos_is_refused(pair):
    end, _ = pair
    with pytest.raises(ValueError, match="QoS 2"):
        end.publish("t", b"", qos=2)


# Records -----------------------------------------------------------------------------------------


def test_the_catalogue_goes_before_all_records(pair):
    end, reporter = pair
    assert end.record(record(1))
    assert reporter.heard() == []
    catalogue = Catalogue([Metric("a")], "s", "n")
    end.begin(catalogue)
    assert end.record(record(2))
    heard = reporter.heard()
    assert heard[0] == (link.CATALOGUE, catalogue.to_json())
    assert heard[1:] == [(link.RECORD, record(1)), (link.RECORD, record(2))]


def test_a_catalogue_that_does_not_fit(pair):
    end, _ = pair
    with pytest.raises(ValueError, match="catalogue of"):
        end.begin(Catalogue([Metric(f"metric_{number}") for number in range(2000)], "s", "n"))


def test_records_stay_until_they_are_stored(begun):
    end, reporter = begun
    for seq in range(1, 11):
        end.record(record(seq))
    assert end.stats["unconfirmed"] == 10
    reporter.stats()
    end.step(0)
    assert end.stats["unconfirmed"] == 10
    reporter.stats([BOOT + 1, 9])
    end.step(0)
    assert end.stats["unconfirmed"] == 10
    reporter.stats([BOOT, 4])
    end.step(0)
    assert seqs(end.ring.sent) == [5, 6, 7, 8, 9, 10]
    reporter.stats([BOOT, 10])
    end.step(0)
    assert end.stats["unconfirmed"] == 0 and end.ring.bytes == 0
    assert end.losses() == []


def test_records_wait_while_the_pair_is_full(begun):
    end, reporter = begun
    count = 1500
    for seq in range(1, count + 1):
        assert end.record(record(seq))
    assert end.ring.unsent and end.alive
    assert end.step(1000) == 1000 + link.RETRY_MS
    told = []
    for _ in range(100):
        told += reporter.seqs()
        end.step(1000)
    assert told == list(range(1, count + 1))
    assert end.step(1000) == 1000 + link.STATS_PERIOD_MS
    assert end.losses() == []


def test_two_seconds_of_a_reporter_that_does_not_read_cost_nothing(begun):
    """40 signals at 4 Hz for ten times that long."""
    end, reporter = begun
    values = [(index, 0, 1.5) for index in range(40)]
    for seq in range(1, 81):
        end.record(records.encode_sample(BOOT, seq, 0, 0, True, 1, values))
    told = []
    for _ in range(3):
        told += reporter.seqs()
        end.step(0)
    assert told == list(range(1, 81))


def test_a_new_reporter_gets_the_catalogue_and_what_was_not_stored(begun):
    end, reporter = begun
    for seq in range(1, 6):
        end.record(record(seq))
    reporter.stats([BOOT, 2])
    end.step(0)
    reporter.sock.close()
    end.step(0)
    assert not end.alive and end.pollables() == [] and end.pollable() is None
    assert end.record(record(6))
    ours, successor = pair_of()
    with successor.sock:
        end.attach(ours)
        end.step(10)
        heard = successor.heard()
        assert heard[0][0] == link.CATALOGUE
        assert [records.peek(rest)[2] for _, rest in heard[1:]] == [3, 4, 5, 6]
        assert end.losses() == []
    end.close(0)


def test_what_was_wrong_with_a_dead_reporter_is_not_said_of_its_successor(begun):
    end, reporter = begun
    reporter.sock.close()
    end.step(0)
    assert "closed its end" in end.stats["last_error"]
    ours, successor = pair_of()
    with ours, successor.sock:
        end.attach(ours)
        assert end.stats["last_error"] == ""


def test_a_reporter_that_dies_between_two_records_loses_none(begun):
    end, reporter = begun
    end.record(record(1))
    reporter.sock.close()
    for seq in (2, 3):
        assert end.record(record(seq))
    assert seqs(end.ring.unsent) == [1, 2, 3] and end.ring.sent == []


def test_a_ring_that_fills_up_asks_for_a_commit(pair):
    ours, reporter = pair_of()
    end = link.ReporterLink(ours, ring_bytes=20000)
    end.begin(Catalogue([], "s", "n"))
    flushes = 0
    for seq in range(1, 100):
        end.record(record(seq, size=20))
        flushes += [kind for kind, _ in reporter.heard()].count(link.FLUSH)
        assert flushes == (2 * end.ring.bytes > 20000)
    # Once, until the reporter has been heard again.
    reporter.stats([BOOT, 3])
    end.step(0)
    assert [kind for kind, _ in reporter.heard()] == [link.FLUSH]
    end.close(0)


def test_losses_are_told_at_once_then_every_ten_minutes_and_at_the_end(begun):
    """The alarm that tells them takes room itself: it must not fill the ring."""
    end, reporter = begun
    reporter.sock.close()
    end.ring.bytes_max = 10 * (len(record(1)) + 64)
    now_ms, told, seq = 0, [], 0
    for _ in range(4 * 1500):
        now_ms += 250
        end.step(now_ms)
        for count, why in end.losses():
            told.append((now_ms // 1000, count))
            assert "ring of" in why
            seq += 1
            end.record(record(seq, alarm=True))
        seq += 1
        end.record(record(seq))
    assert [at for at, _ in told] == [3, 603, 1203]
    ours, successor = pair_of()
    with successor.sock:
        end.attach(ours)
        end.step(now_ms)
        end.step(now_ms)
        ((count, _),) = end.losses()
        held = successor.seqs()
    assert sum(count for _, count in told) + count + len(held) == seq
    assert end.stats["lost"] == seq - len(held)
    end.close(0)


# What comes back ---------------------------------------------------------------------------------


def test_commands_and_the_wish_for_a_snapshot_arrive(pair):
    end, reporter = pair
    assert end.commands() == [] and not end.snapshot_wanted()
    reporter.send(link.COMMAND + link.pack_command("json", b"{}", False))
    reporter.send(link.SNAPSHOT)
    reporter.send(link.COMMAND + link.pack_command("sparkplug", b"x", True))
    end.step(0)
    assert end.commands() == [("json", b"{}", False), ("sparkplug", b"x", True)]
    assert end.commands() == []
    assert end.snapshot_wanted() and not end.snapshot_wanted()


def test_commands_are_bounded_and_what_is_dropped_is_counted(pair):
    end, reporter = pair
    for _ in range(link.COMMANDS_MAX + 5):
        reporter.send(link.COMMAND + link.pack_command("json", b"{}", False))
    reporter.send(link.COMMAND + link.pack_command("json", bytes(3000), False))
    end.step(0)
    assert len(end.commands()) == link.COMMANDS_MAX
    assert "dropped" in end.last_error
    assert end.stats["unheard"] == 6
    reporter.send(link.STATS + b'{"connected": true, "unheard": 2}')
    end.step(1)
    assert end.stats["unheard"] == 8


@pytest.mark.parametrize("datagram", [b"?", b"X123", b"K", b"K\x07", b"K\x00\x09json", b"K\x00\x01\xff"])
def test_what_is_no_datagram_is_named_and_does_no_harm(pair, datagram):
    end, reporter = pair
    reporter.send(datagram)
    end.step(0)
    assert end.alive and end.last_error.startswith("reporter link: ")
    assert end.commands() == []


@pytest.mark.parametrize(
    "said", [b"{", b"[]", b"3", b"\xff", b'{"stored": 3}', b'{"stored": [1]}', b'{"stored": "ab"}']
)
def test_statistics_that_are_none_are_named(pair, said):
    end, reporter = pair
    reporter.send(link.STATS + said)
    end.step(0)
    assert end.alive and "statistics" in end.last_error
    assert end.stats["acked"] == 0


def test_statistics_are_the_newest_and_grow_old(pair):
    end, reporter = pair
    for acked in (1, 2):
        reporter.send(link.STATS + json.dumps({"connected": True, "acked": acked, "dropped": 5}).encode())
    assert end.step(1000) == 2000
    assert (end.stats["acked"], end.stats["dropped"], end.stats["connected"]) == (2, 5, True)
    assert end.heard_ms == 1000
    end.step(1000 + link.STATS_STALE_MS)
    assert not end.stats["connected"]


def test_a_node_with_nothing_to_say_is_heard_every_second(pair):
    end, far = pair
    end.step(1000)
    end.publish("t", b"x")
    for now_ms in (1500, 1999, 2000, 2500, 3000):
        end.step(now_ms)
    assert [kind for kind, _ in far.heard()] == [link.BEAT, link.LIVE, link.BEAT, link.BEAT]


def test_before_the_first_statistics_nothing_is_claimed(pair):
    end, _ = pair
    assert end.stats == {
        "connected": False, "sent": 0, "acked": 0, "dropped": 0, "queued": 0, "reconnects": 0,
        "last_error": "", "alive": True, "handed_over": 0, "unconfirmed": 0, "lost": 0, "unheard": 0,
    }  # fmt: skip


def test_dead_reporter_is_seen_and_counted(pair):
    end, reporter = pair
    reporter.sock.close()
    assert [end.publish("t", b"x") for _ in range(3)] == [False] * 3
    assert not end.alive
    assert end.stats["dropped"] == 3
    assert "the reporter is gone" in end.stats["last_error"]


def test_closed_link_drops(pair):
    end, reporter = pair
    end.close(0)
    assert not end.publish("t", b"x")
    assert reporter.sock.recv(10) == b""


def test_an_end_waits_for_a_reporter_that_still_reads(begun):
    end, reporter = begun
    count = 1000
    for seq in range(1, count + 1):
        end.record(record(seq))
    assert end.ring.unsent
    told = []

    def read():
        while datagram := reporter.sock.recv(1000):
            if datagram[:1] == link.RECORD:
                told.append(records.peek(datagram[1:])[2])

    reporter.sock.settimeout(10)
    reader = threading.Thread(target=read)
    reader.start()
    end.close(0)
    reader.join(timeout=60)
    assert told == list(range(1, count + 1))


def test_an_end_does_not_wait_for_one_that_does_not(begun, monkeypatch):
    end, _ = begun
    monkeypatch.setattr(link, "CLOSE_WAIT_S", 0.01)
    for seq in range(1, 1001):
        end.record(record(seq))
    end.close(0)
    assert not end.alive
