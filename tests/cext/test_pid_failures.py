"""The PID controller saved, restored and failing: bad inputs, bad times, bad parameters."""

import math

import pytest

from tests.cext.test_pid import pid_of, settled

# Saved and restored


def test_hot_standby_goes_on_exactly():
    pid = settled(pid_of(rate_per_s=1.0, out_max=45.0))
    for _ in range(20):
        pid.step(860.0, 846.0, 3.0, 1.0)
    standby = pid_of(rate_per_s=1.0, out_max=45.0)
    standby.restore(pid.state())
    for tick in range(50):
        process_value = 846.0 + 0.3 * tick
        assert standby.step(860.0, process_value, 3.0, 1.0) == pid.step(860.0, process_value, 3.0, 1.0)


def test_restore_with_other_parameters_keeps_the_output():
    pid = settled(pid_of(td_s=20.0))
    before = pid.step(850.0, 846.0, 0.0, 1.0)
    for other in (pid_of(gain=9.0, ti_s=1e12), pid_of(gain=0.5, ti_s=1e12, td_s=1e6)):
        # As in a file and back.
        other.restore(list(pid.state()))
        assert other.step(850.0, 846.0, 0.0, 1e-3) == pytest.approx(before, abs=1e-6)


def test_restore_after_a_gap_has_no_derivative_kick():
    pid = settled(pid_of(td_s=20.0, ti_s=1e12))
    pid.step(850.0, 845.0, 0.0, 1.0)
    again = pid_of(td_s=20.0, ti_s=1e12)
    again.restore(pid.state())
    again.step(850.0, 700.0, 0.0, 0.1)
    assert again.derivative == 0.0


@pytest.mark.parametrize("saved", [(), (1.0,) * 7, (math.nan,) * 8, (1.0,) * 7 + (math.inf,)])
def test_restore_refuses_anything_else(saved):
    pid = settled(pid_of())
    state = pid.state()
    with pytest.raises(ValueError, match="PID.restore"):
        pid.restore(saved)
    assert pid.state() == state


# Failures


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("dead_band", [0.0, 2.0])
def test_non_finite_input_holds_the_output(bad, position, dead_band):
    pid = settled(pid_of(td_s=20.0, dead_band=dead_band))
    arguments = [850.0, 845.0, 0.0]
    before = pid.step(*arguments, 1.0)
    state = pid.state()
    arguments[position] = bad
    for _ in range(10):
        assert pid.step(*arguments, 1.0) == before
        assert pid.flag == 1
    assert pid.state() == state
    # The gap is not differentiated: 30 K in one tick would be 60 * 20 * 10 / 30 of D.
    pid.step(850.0, 815.0, 0.0, 1.0)
    assert pid.flag == 0
    assert pid.derivative == 0.0


@pytest.mark.parametrize("dt_s", [0.0, -1.0, math.nan, math.inf])
def test_bad_dt_holds_the_output(dt_s):
    pid = settled(pid_of(td_s=20.0))
    before = pid.step(850.0, 845.0, 0.0, 1.0)
    state = pid.state()
    assert pid.step(900.0, 845.0, 0.0, dt_s) == before
    assert pid.flag == 2
    assert pid.state() == state


@pytest.mark.parametrize("td_s", [0.0, 20.0])
@pytest.mark.parametrize("dead_band", [0.0, 2.0])
def test_a_failed_sensor_does_not_lock_the_hand(dead_band, td_s):
    pid = settled(pid_of(td_s=td_s, dead_band=dead_band))
    assert pid.follow(850.0, math.nan, 0.0, 17.0, 1.0) == 17.0
    assert pid.flag == 1
    # The sensor comes back far away and the controller is in automatic at once: it goes on from 17 %.
    error = 50.0 - dead_band
    assert pid.step(850.0, 800.0, 0.0, 0.1) == pytest.approx(17.0 + 2.0 / 100.0 * error * 0.1)
    assert pid.flag == 0
    # And integrates from there.
    assert pid.step(850.0, 800.0, 0.0, 0.1) == pytest.approx(17.0 + 2.0 / 100.0 * error * 0.2)


def test_blind_manual_survives_saving_and_restoring():
    pid = settled(pid_of())
    pid.follow(850.0, math.nan, 0.0, 17.0, 1.0)
    standby = pid_of()
    standby.restore(pid.state())
    assert standby.step(850.0, 800.0, 0.0, 0.1) == pytest.approx(17.0 + 2.0 / 100.0 * 50.0 * 0.1)


def test_non_finite_output_is_refused():
    pid = settled(pid_of())
    assert pid.follow(850.0, 845.0, 0.0, math.nan, 1.0) == 40.0
    assert pid.flag == 1
    pid.step(850.0, 845.0, 0.0, 1.0)
    out = pid.out
    pid.realised(math.inf)
    assert (pid.out, pid.flag) == (out, 1)


def test_overflow_is_held_like_a_bad_input():
    pid = settled(pid_of())
    state = pid.state()
    assert pid.step(1e308, -1e305, 0.0, 1.0) == 40.0
    assert pid.flag == 1
    assert pid.state() == state


@pytest.mark.parametrize("name", ["gain", "b", "direction", "out_min", "out_max", "rate_per_s"])
def test_a_parameter_that_is_not_a_number_holds_the_output_until_it_is_set_right(name):
    pid = settled(pid_of(td_s=20.0, rate_per_s=50.0))
    right = getattr(pid, name)
    setattr(pid, name, math.nan)
    assert pid.step(850.0, 846.0, 0.0, 1.0) == 40.0
    assert pid.flag == 1
    setattr(pid, name, right)
    # P falls by 2; there is no derivative over the gap.
    assert pid.step(850.0, 846.0, 0.0, 1.0) == pytest.approx(40.0 - 2.0 + 0.08)
    assert pid.flag == 0
