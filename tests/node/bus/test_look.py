"""The first look for a reply comes when the reply has been there the last times: neither early nor late."""

import pytest

from edge.node.bus.look import LATEST_US, Look


def looked(look, times_us):
    """Let replies take so long; (looks in vain, the most that a look came late)."""
    in_vain, late_us = 0, 0
    for took_us in times_us:
        after_us = look.after_us
        in_time = after_us >= took_us
        look.took(max(took_us, after_us), in_time)
        if after_us:
            in_vain += not in_time
            late_us = max(late_us, after_us - took_us)
    return in_vain, late_us


@pytest.mark.parametrize("took_us", [300, 6000, 41000])
def test_replies_that_take_the_same_are_found_at_the_first_look(took_us):
    look = Look()
    looked(look, [took_us] * 200)
    in_vain, late_us = looked(look, [took_us] * 1000)
    assert in_vain <= 80
    assert late_us <= 24


def test_a_first_reply_that_took_long_is_soon_forgotten():
    look = Look()
    looked(look, [50000] + [6000] * 200)
    assert look.after_us <= 6000 + LATEST_US


def test_of_replies_that_take_differently_none_is_looked_for_much_later_than_the_quick_ones_come():
    look = Look()
    looked(look, [5000, 5200, 9000, 7000] * 100)
    assert 0 <= look.after_us <= 5200 + LATEST_US + 200
