"""The clocks: one that never goes back, one that may jump, and whether that one is right."""

import pytest

from edge.box.kernel_clock import kernel_clock
from edge.node.clock import Clock, VirtualClock


def test_a_virtual_clock_jumps_without_moving():
    clock = VirtualClock(1000000)
    clock.advance_to(2500000)
    assert (clock.now_us(), clock.now_ms(), clock.utc_ms()) == (2500000, 2500, 1002500)
    clock.jump(-5000)
    assert (clock.now_us(), clock.utc_ms()) == (2500000, 997500)
    clock.jump(3600000)
    clock.advance_to(3500000)
    assert (clock.now_ms(), clock.utc_ms()) == (3500, 4598500)
    with pytest.raises(ValueError, match="can't go back"):
        clock.advance_to(0)


def test_a_virtual_clock_is_synchronised_until_told_otherwise():
    clock = VirtualClock()
    assert clock.synchronised()
    clock.set_synchronised(False)
    assert not clock.synchronised()


class Asked(Clock):
    """A real clock whose monotonic time the test moves."""

    def __init__(self, kernel=None):
        Clock.__init__(self, kernel)
        self.ms = 5000

    def now_ms(self):
        return self.ms


def test_the_kernel_is_asked_every_ten_seconds():
    answers = [True, False]
    clock = Asked(lambda: answers.pop(0))
    assert [clock.synchronised() for _ in range(3)] == [True, True, True]
    clock.ms += 9999
    assert clock.synchronised() and len(answers) == 1
    clock.ms += 1
    assert not clock.synchronised() and answers == []


def test_a_board_is_told():
    clock = Asked()
    assert not clock.synchronised()
    clock.set_synchronised(True)
    assert clock.synchronised()
    clock = Asked(lambda: False)
    clock.set_synchronised(True)
    assert clock.synchronised()


def test_the_kernel_answers_where_it_can():
    ask = kernel_clock()
    assert ask is None or ask() in (True, False)
