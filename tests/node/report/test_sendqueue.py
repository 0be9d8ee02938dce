"""The publisher's queue: bounds, window, packet ids, and that nothing is lost or reordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report import packets
from edge.node.report.sendqueue import SendQueue


def message(number=0, qos=1):
    return packets.encode_publish("t", b"%d" % number, qos, False)


def packet_id(packet):
    return packet[5] << 8 | packet[6]


def take_all(queue, now_ms=0):
    return list(iter(lambda: queue.take(now_ms), None))


def test_window_bounds_what_is_in_flight():
    queue = SendQueue(50, 10000, window=20)
    for number in range(30):
        assert queue.put(message(number))
    assert [packet_id(packet) for packet in take_all(queue)] == list(range(1, 21))
    assert queue.acknowledge(1)
    assert [packet_id(packet) for packet in take_all(queue)] == [21]
    assert (queue.sent, queue.acked, queue.queued) == (21, 1, 29)


def test_full_queue_refuses_and_counts():
    queue = SendQueue(3, 10000)
    assert [queue.put(message()) for _ in range(5)] == [True, True, True, False, False]
    assert (queue.queued, queue.dropped) == (3, 2)


def test_bytes_are_bounded_and_given_back():
    size = len(message())
    queue = SendQueue(10, 2 * size)
    assert [queue.put(message()) for _ in range(3)] == [True, True, False]
    take_all(queue)
    assert queue.acknowledge(1)
    assert queue.put(message())


def test_packet_ids_wrap_past_65535_and_skip_zero():
    queue = SendQueue(10, 10000, last_id=65533)
    for number in range(4):
        queue.put(message(number))
    assert [packet_id(packet) for packet in take_all(queue)] == [65534, 65535, 1, 2]


def test_packet_id_in_flight_is_not_used_again():
    queue = SendQueue(10, 10000, last_id=65534)
    queue.put(message())
    assert packet_id(queue.take(0)) == 65535
    queue._last_id = 65534  # as after 65,535 further messages
    queue.put(message())
    assert packet_id(queue.take(0)) == 1


def test_unknown_packet_id():
    queue = SendQueue(10, 10000)
    queue.put(message())
    assert not queue.acknowledge(1)
    take_all(queue)
    assert not queue.acknowledge(2)
    assert queue.acked == 0


def test_after_a_lost_connection_the_same_ids_go_again_with_dup():
    queue = SendQueue(10, 10000)
    for number in range(3):
        queue.put(message(number))
    first = [bytes(packet) for packet in take_all(queue)]
    queue.acknowledge(2)
    queue.rewind()
    again = [bytes(packet) for packet in take_all(queue)]
    assert [packet[1:] for packet in again] == [first[0][1:], first[2][1:]]
    assert all(packet[0] & packets.DUP for packet in again)
    assert (queue.sent, queue.resent, queue.acked, queue.queued) == (3, 2, 1, 2)


def test_qos_0_is_gone_once_taken():
    queue = SendQueue(10, 10000)
    queue.put(message(qos=0))
    queue.put(message(qos=1))
    assert len(take_all(queue)) == 2
    queue.rewind()
    assert len(take_all(queue)) == 1
    assert queue.oldest_sent_ms() == 0


def test_express_message_overtakes_and_has_an_id_of_its_own():
    queue = SendQueue(10, 10000)
    queue.put(message(1))
    queue.put_express(message(9))
    assert [packet[7:] for packet in take_all(queue, 5)] == [b"9", b"1"]
    assert queue.express_pending()
    assert queue.oldest_sent_ms() == 5
    assert queue.acknowledge(1)
    assert not queue.express_pending()
    assert (queue.acked, queue.queued) == (0, 1)


@pytest.mark.parametrize(("messages", "window"), [(0, 20), (10, 0)])
def test_bounds_must_be_positive(messages, window):
    with pytest.raises(ValueError, match="expected 1 or more"):
        SendQueue(messages, 100, window)


@given(st.lists(st.sampled_from(["put0", "put1", "take", "ack first", "ack last", "lose"]), max_size=200),
       st.integers(1, 8), st.integers(1, 6))
def test_nothing_is_lost_reordered_or_acknowledged_twice(actions, slots, window):
    queue = SendQueue(slots, 1000, window, last_id=65530)
    expected = []  # payloads that must still arrive, in order
    flight = {}
    put = refused = 0
    for action in actions:
        if action.startswith("put"):
            number = b"%d" % put
            if queue.put(packets.encode_publish("t", number, int(action[3]), False)):
                expected.append(number)
            else:
                refused += 1
            put += 1
        elif action == "take":
            packet = queue.take(0)
            if packet is not None:
                body = bytes(packet[7:] if packet[0] & packets.QOS1 else packet[5:])
                waiting = [number for number in expected if number not in flight.values()]
                assert body == waiting[0]
                if packet[0] & packets.QOS1:
                    assert packet_id(packet) not in flight
                    flight[packet_id(packet)] = body
                else:
                    expected.remove(body)
        elif action == "lose":
            queue.rewind()
            flight.clear()
        elif flight:
            identity = list(flight)[0 if action == "ack first" else -1]
            expected.remove(flight.pop(identity))
            assert queue.acknowledge(identity)
        assert len(flight) <= window
        assert queue.queued == len(expected)
        assert queue.dropped == refused
