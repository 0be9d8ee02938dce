"""Packet ids in flight, against a plain list as the model, and packets that wait for the socket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report.connections.flight import PACKET_IDS, InFlight, Outgoing


@given(st.integers(0, PACKET_IDS - 1), st.integers(1, 8), st.lists(st.integers(0, 12), max_size=80))
def test_in_flight_as_a_list_would_keep_it(last_id, window, actions):
    flight = InFlight(window, last_id)
    open_ids = {}  # id -> when; a dict keeps the order
    span = []
    for now_ms, action in enumerate(actions, 1):
        if action < 5 and flight.room():
            packet_id = flight.new_id(now_ms)
            assert packet_id not in open_ids and 1 <= packet_id <= PACKET_IDS
            open_ids[packet_id] = now_ms
            span.append(packet_id)
        elif action < 10 and open_ids:
            packet_id = list(open_ids)[action % len(open_ids)]
            del open_ids[packet_id]
            assert flight.acknowledge(packet_id)
            assert not flight.acknowledge(packet_id)
            while span and span[0] not in open_ids:
                span.pop(0)
        elif action == 12:
            flight.clear()
            open_ids, span = {}, []
        else:
            assert not flight.acknowledge(0)
        assert flight.span == len(span)
        assert flight.oldest_ms() == (open_ids[span[0]] if span else -1)


@pytest.mark.parametrize("last_id", [65530, 65534, 65535])
def test_packet_ids_wrap_from_65535_to_1(last_id):
    flight = InFlight(10, last_id)
    given_ids = [flight.new_id(0) for _ in range(10)]
    assert given_ids == [(last_id + ahead) % 65535 + 1 for ahead in range(10)]
    assert all(flight.acknowledge(packet_id) for packet_id in reversed(given_ids))
    assert flight.span == 0


@pytest.mark.parametrize("stranger", [0, 4, 100, 65535])
def test_packet_id_that_is_not_in_flight(stranger):
    flight = InFlight(10)
    for _ in range(3):
        flight.new_id(0)
    assert not flight.acknowledge(stranger)
    assert flight.span == 3


@pytest.mark.parametrize("window", [0, -1, 1001])
def test_window_out_of_range(window):
    with pytest.raises(ValueError, match=r"expected 1\.\.1000"):
        InFlight(window)


class Socket:
    """Takes ``room`` bytes, each packet in one write."""

    def __init__(self, room=0):
        self.room = room
        self.written = b""
        self.writes = 0

    def send(self, data):
        count = min(self.room, len(data))
        self.room -= count
        self.written += bytes(data[:count])
        self.writes += 1
        return count


def test_each_packet_is_one_write_while_there_is_room():
    outgoing, sock = Outgoing(), Socket(1000)
    for number in range(5):
        assert outgoing.put(b"packet%d" % number, sock)
    assert (sock.writes, outgoing.bytes) == (5, 0)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=20), st.lists(st.integers(0, 30), max_size=60))
def test_bytes_go_out_in_order_whatever_the_socket_takes(packets, rooms):
    outgoing, sock = Outgoing(), Socket()
    for packet in packets:
        sock.room = rooms.pop() if rooms else 0
        outgoing.put(packet, sock)
    assert outgoing.bytes == len(b"".join(packets)) - len(sock.written)
    for room in rooms:
        before = outgoing.bytes
        sock.room = room
        assert outgoing.write(sock) == (outgoing.bytes < before)
    sock.room = 1000
    outgoing.write(sock)
    assert sock.written == b"".join(packets)
    assert outgoing.bytes == 0
