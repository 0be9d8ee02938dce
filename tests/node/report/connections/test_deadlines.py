"""When a connection is given up, and which broker is tried next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report.connections.deadlines import BRIEF, REFUSED, Brokers, Watch


def most(count):
    return b"\xff" * count


class TestWatch:
    def test_question_after_half_the_keepalive_of_silence(self):
        watch = Watch(20)
        watch.begin(1000)
        assert watch.ask_at_ms() == watch.due_ms(-1, False) == 11000
        watch.heard_ms = 5000
        assert watch.ask_at_ms() == 11000  # this side has been silent longer
        watch.wrote_ms = 6000
        assert watch.ask_at_ms() == 15000

    def test_open_question_is_not_asked_again_and_its_answer_has_a_deadline(self):
        watch = Watch(20)
        watch.asked(10000)
        assert watch.ask_at_ms() == -1
        assert watch.due_ms(-1, False) == 20000
        assert watch.verdict(19999, -1, False) == ""
        assert watch.verdict(20000, -1, False) == "no sign of life within 10000 ms"
        watch.answered()
        assert watch.verdict(20000, -1, False) == ""

    def test_acknowledgements_that_come_in_keep_a_slow_line(self):
        watch = Watch(20)
        watch.acked_ms = 9000
        assert watch.verdict(15000, 1000, False) == ""
        assert watch.due_ms(1000, False) == 10000  # the next question comes first
        assert watch.verdict(19000, 1000, False) == "no acknowledgement within 10000 ms"

    def test_bytes_that_nobody_takes(self):
        watch = Watch(20)
        watch.wrote_ms = 3000
        assert watch.verdict(12999, -1, True) == ""
        assert watch.verdict(13000, -1, True) == "nothing could be sent within 10000 ms"
        assert watch.due_ms(-1, True) == 10000

    @given(st.integers(2, 300), st.lists(st.tuples(st.integers(0, 400000), st.booleans()), max_size=20))
    def test_outage_is_noticed_within_one_and_a_half_keepalives(self, keepalive_s, publishes):
        """From any moment on nothing comes back: publishing or not, the verdict is there in time."""
        watch = Watch(keepalive_s)
        oldest_ms = -1
        now_ms = 0
        end_ms = keepalive_s * 1500
        pending = sorted(at for at, qos in publishes if qos)
        while not watch.verdict(now_ms, oldest_ms, False):
            if 0 <= watch.ask_at_ms() <= now_ms:
                watch.asked(now_ms)
                watch.wrote_ms = now_ms
            due_ms = watch.due_ms(oldest_ms, False)
            assert due_ms >= now_ms
            if pending and pending[0] < due_ms:
                now_ms = pending.pop(0)
                watch.wrote_ms = now_ms
                oldest_ms = now_ms if oldest_ms < 0 else oldest_ms
            else:
                now_ms = due_ms
            assert now_ms < end_ms

    @pytest.mark.parametrize("keepalive_s", [0, 1, 65536])
    def test_keepalive_out_of_range(self, keepalive_s):
        with pytest.raises(ValueError, match=r"expected 2\.\.65535"):
            Watch(keepalive_s)


class TestBrokers:
    def test_one_that_is_away_is_tried_again_within_one_and_a_half_seconds(self):
        for chance, wait_ms in ((bytes, 300), (most, 1500)):
            brokers = Brokers([("a", 1)], chance)
            now_ms = 0
            for _ in range(20):
                assert brokers.choose(now_ms) == 0
                brokers.failed(0, now_ms, 0)
                assert brokers.choose(now_ms + wait_ms - 1) == -1
                assert brokers.due_ms() == now_ms + wait_ms
                now_ms += wait_ms

    def test_one_that_refuses_is_left_alone_for_up_to_a_minute(self):
        brokers = Brokers([("a", 1)], most)
        waits = []
        for _ in range(9):
            brokers.failed(0, 0, REFUSED)
            waits.append(brokers.due_ms())
        assert waits == [998, 1996, 3992, 7984, 15968, 31937, 59882, 59882, 59882]
        brokers = Brokers([("a", 1)], bytes)
        brokers.failed(0, 0, REFUSED)
        assert brokers.due_ms() == 500

    def test_short_connections_are_allowed_three_times(self):
        brokers = Brokers([("a", 1)], most)
        waits = []
        for _ in range(8):
            brokers.failed(0, 0, BRIEF)
            waits.append(brokers.due_ms())
        assert waits == [1500, 1500, 1500, 998, 998, 998, 998, 1996]
        brokers.lasted(0)
        brokers.failed(0, 0, BRIEF)
        assert brokers.due_ms() == 1500

    def test_next_address_on_each_failure(self):
        brokers = Brokers([("a", 1), ("b", 2), ("c", 3)], bytes)
        order = []
        for _ in range(3):
            order.append(brokers.choose(0))
            brokers.failed(order[-1], 0, 0)
        assert order == [0, 1, 2]
        assert brokers.choose(299) == -1
        assert brokers.choose(300) == 0

    def test_one_that_refuses_does_not_keep_the_others_waiting(self):
        brokers = Brokers([("a", 1), ("b", 2)], bytes)
        tried = []
        for now_ms in range(0, 4000, 100):
            index = brokers.choose(now_ms)
            if index >= 0:
                tried.append(index)
                brokers.failed(index, now_ms, REFUSED if index == 0 else 0)
        assert tried.count(0) == 4  # at 0, 500, 1500 and 3500 ms
        assert tried.count(1) >= 12  # every 300 ms

    def test_fail_over_is_spread_over_a_third_of_a_second(self):
        brokers = Brokers([("a", 1), ("b", 2)], most)
        assert brokers.choose(0) == 0
        brokers.failed(0, 1000, 0)
        assert brokers.choose(1299) == -1
        assert brokers.choose(1300) == 1

    @pytest.mark.parametrize("addresses", [[], [("", 1883)], [("a", 0)], [("a", 65536)]])
    def test_addresses_that_are_none(self, addresses):
        with pytest.raises(ValueError, match="expected"):
            Brokers(addresses, bytes)
