"""The node's end of the pair to the reporter, with the other end in the test's own hands."""

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report import link


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)
    with ours, theirs:
        yield link.ReporterLink(ours), theirs


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.binary(max_size=300), st.booleans(),
       st.sampled_from([0, 1]))
def test_message_comes_back_from_its_datagram(topic, payload, retain, qos):
    datagram = link.pack_message(topic, payload, retain, qos)
    assert link.unpack_message(datagram) == (topic, payload, retain, qos)


@given(st.binary(max_size=100))
def test_any_datagram_is_a_message_or_refused(datagram):
    try:
        topic, payload, _, _ = link.unpack_message(datagram)
    except ValueError:
        return
    assert 3 + len(topic.encode()) + len(payload) == len(datagram)


def test_one_datagram_per_message(pair):
    end, reporter = pair
    assert end.publish("a/b", b"\x00", retain=True)
    assert end.publish("a/c", b"", qos=0)
    assert reporter.recv(100) == b"\x03\x00\x03a/b\x00"
    assert reporter.recv(100) == b"\x00\x00\x03a/c"
    assert end.stats["handed_over"] == 2


def test_full_pair_drops_and_counts_without_waiting(pair):
    end, reporter = pair
    sent = [end.publish("t", bytes(1000)) for _ in range(1000)]
    assert sent.count(True) == end.sent
    assert end.stats["dropped"] == sent.count(False) > 0
    assert end.alive
    for _ in range(20):
        reporter.recv(2000)
    assert end.publish("t", bytes(1000))


def test_message_above_the_limit_is_dropped_by_name(pair):
    end, _ = pair
    assert not end.publish("t", bytes(link.MESSAGE_MAX))
    assert "65540 bytes on t" in end.last_error
    assert end.alive


def test_dead_reporter_is_seen_and_counted(pair):
    end, reporter = pair
    reporter.close()
    assert [end.publish("t", b"x") for _ in range(3)] == [False] * 3
    assert not end.alive
    assert end.stats["dropped"] == 3
    assert "the reporter is gone" in end.stats["last_error"]


def test_reporter_that_closes_is_seen_by_step(pair):
    end, reporter = pair
    reporter.close()
    end.step(0)
    assert not end.alive
    assert end.pollable() is None


def test_statistics_are_the_newest_and_grow_old(pair):
    end, reporter = pair
    assert end.poll_stats() is None
    for acked in (1, 2):
        reporter.send(json.dumps({"connected": True, "acked": acked, "dropped": 5}).encode())
    assert end.step(1000) == 2000
    assert (end.stats["acked"], end.stats["dropped"], end.stats["connected"]) == (2, 5, True)
    end.step(1000 + link.STATS_STALE_MS)
    assert not end.stats["connected"]


def test_statistics_that_are_no_json_are_named(pair):
    end, reporter = pair
    reporter.send(b"{")
    assert end.poll_stats() is None
    assert "not JSON" in end.last_error


def test_before_the_first_statistics_nothing_is_claimed(pair):
    end, _ = pair
    assert end.stats == {"connected": False, "sent": 0, "acked": 0, "dropped": 0, "queued": 0,
                         "reconnects": 0, "last_error": "", "alive": True, "handed_over": 0}


def test_wrong_qos_is_refused(pair):
    end, _ = pair
    with pytest.raises(ValueError, match="QoS 2"):
        end.publish("t", b"", qos=2)


def test_closed_link_drops(pair):
    end, reporter = pair
    end.close(0)
    assert not end.publish("t", b"x")
    assert reporter.recv(10) == b""
