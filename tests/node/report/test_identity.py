"""What proves that another node has this one's name; runs on MicroPython as well."""

from edge.node.report.identity import TIMES, WITHIN_MS, Claim, Identity


def claims():
    return Claim(Identity("furnace/s/n")), Claim(Identity("furnace/s/n"))


def test_two_nodes_of_one_name_both_find_out():
    first, second = claims()
    stands = b""
    told = {}
    for now_ms in range(0, 10000, 1000):
        node = (first, second)[now_ms // 1000 % 2]  # they throw each other out in turn
        if node.heard("b:1883", stands, now_ms):
            told.setdefault(node, now_ms)
        stands = node.identity.token
        assert not node.heard("b:1883", stands, now_ms)
    assert len(told) == 2
    assert max(told.values()) <= 6000


def test_what_a_predecessor_or_another_broker_or_nobody_left_there_proves_nothing():
    mine, other = claims()
    for _ in range(5):
        assert not mine.heard("b:1883", other.identity.token, 0)
    mine.heard("b:1883", mine.identity.token, 0)
    for _ in range(5):
        assert not mine.heard("c:1883", other.identity.token, 0)
        assert not mine.heard("b:1883", b"", 0)


def test_a_broker_that_was_started_from_an_old_state_once_proves_nothing():
    mine, other = claims()
    mine.heard("b:1883", mine.identity.token, 0)
    for count in range(TIMES + 3):
        now_ms = count * (WITHIN_MS + 1)
        assert not mine.heard("b:1883", other.identity.token, now_ms)
        mine.heard("b:1883", mine.identity.token, now_ms)
    assert mine.heard("b:1883", other.identity.token, now_ms + WITHIN_MS)
