"""What each mode and each failure of the PID controller does, one at a time."""

import math

import pytest

from cext.pid import PID


def pid_of(gain=2.0, ti_s=100.0, td_s=0.0, **parameters):
    pid = PID(gain, ti_s, td_s)
    for name, value in parameters.items():
        setattr(pid, name, value)
    return pid


def settled(pid, set_point=850.0, process_value=845.0, output=40.0):
    """Return `pid` after some ticks in manual, so that every part of its state is at rest."""
    for _ in range(5):
        pid.follow(set_point, process_value, 0.0, output, 1.0)
    return pid


# The law


def test_reverse_acting_heats_and_direct_acting_cools():
    assert pid_of().step(100.0, 90.0, 0.0, 1.0) > 0.0
    assert pid_of().step(100.0, 110.0, 0.0, 1.0) == 0.0
    assert pid_of(direction=-1.0).step(100.0, 110.0, 0.0, 1.0) > 0.0
    assert pid_of(direction=-1.0).step(100.0, 90.0, 0.0, 1.0) == 0.0


def test_proportional_integral_and_feed_forward_add_up():
    pid = pid_of(gain=2.0, ti_s=50.0)
    # P = 2 * 10, I = 2/50 * 10 per second, feed-forward 7.
    assert pid.step(100.0, 90.0, 7.0, 1.0) == pytest.approx(20.0 + 0.4 + 7.0)
    assert pid.step(100.0, 90.0, 7.0, 2.5) == pytest.approx(20.0 + 1.4 + 7.0)
    assert pid.integral == pytest.approx(1.4)
    assert (pid.out, pid.saturated) == (pid.demand, 0)


def test_times_below_a_second():
    """As for pressure and flow: I = 2/0.5 * 10 each second, D = K Td N / (Td + N h) and 1/9 of it left."""
    pid = pid_of(gain=2.0, ti_s=0.5, td_s=0.5, out_max=1000.0, tt_s=0.25)
    pid.tune(2.0, 0.5, 0.5, 1.0, 0.0, 4.0)
    assert pid.step(100.0, 90.0, 0.0, 1.0) == pytest.approx(20.0 + 40.0)
    assert pid.step(100.0, 91.0, 0.0, 1.0) == pytest.approx(18.0 + 40.0 + 36.0 - 2.0 * 0.5 * 4.0 / 4.5)
    assert pid.step(100.0, 91.0, 0.0, 1.0) == pytest.approx(18.0 + 112.0 - 2.0 * 0.5 * 4.0 / 4.5 / 9.0)
    for tt_s, td_s, kept in ((0.4, 0.5, 0.5), (0.0, 0.125, 0.6), (0.0, 0.0, 0.6)):
        pid = pid_of(gain=2.0, ti_s=0.5, td_s=td_s, tt_s=tt_s, out_min=-100.0)
        pid.step(100.0, 0.0, 0.0, 1e-9)
        pid.step(100.0, 0.0, 0.0, 0.2)
        # Of the 100 beyond the limit that much is left, and 2/0.5 * 100 * 0.2 is new.
        assert pid.demand == pytest.approx(100.0 + kept * 100.0 + 80.0, abs=1e-3)


def test_gain_of_zero_leaves_the_integral_alone():
    pid = settled(pid_of())
    pid.tune(0.0, 100.0, 0.0, 1.0, 0.0, 10.0)
    assert pid.step(850.0, 500.0, 0.0, 1.0) == pytest.approx(40.0)


def test_set_point_weight_leaves_the_rest_to_the_integral():
    pid = pid_of(gain=2.0, ti_s=0.0, out_min=-1000.0, out_max=1000.0)
    pid.tune(2.0, 0.0, 0.0, 0.25, 0.0, 10.0)
    assert pid.step(100.0, 10.0, 0.0, 1.0) == pytest.approx(2.0 * (0.25 * 100.0 - 10.0))


def test_set_point_change_does_not_kick_the_derivative():
    pid = settled(pid_of(td_s=10.0, out_max=1000.0, ti_s=1e9))
    before = pid.step(850.0, 845.0, 0.0, 0.1)
    assert pid.step(860.0, 845.0, 0.0, 0.1) - before == pytest.approx(2.0 * 10.0, abs=1e-6)
    assert pid.derivative == 0.0


def test_derivative_brakes_and_decays_with_its_filter():
    pid = settled(pid_of(td_s=10.0))
    pid.step(850.0, 846.0, 0.0, 1.0)
    # K Td N / (Td + N h) = 2 * 10 * 10 / 20 for a rise of 1, and then half of it each second.
    assert pid.derivative == pytest.approx(-10.0)
    pid.step(850.0, 846.0, 0.0, 1.0)
    assert pid.derivative == pytest.approx(-5.0)


def test_states_reach_zero_and_not_denormals():
    pid = settled(pid_of(td_s=10.0))
    pid.step(850.0, 846.0, 0.0, 1.0)
    for _ in range(150):
        pid.step(850.0, 846.0, 0.0, 1.0)
        assert pid.derivative == 0.0 or abs(pid.derivative) > 1e-30
    assert pid.derivative == 0.0


def test_dead_band():
    pid = pid_of(gain=2.0, ti_s=50.0, dead_band=3.0)
    assert pid.step(100.0, 97.5, 0.0, 1.0) == 0.0
    assert pid.step(100.0, 95.0, 0.0, 1.0) == pytest.approx(2.0 * 2.0 + 0.08)
    pid = pid_of(gain=2.0, ti_s=0.0, dead_band=0.5)
    assert pid.step(100.0, 99.6, 0.0, 1.0) == 0.0
    pid = pid_of(gain=2.0, ti_s=0.0, dead_band=3.0, out_min=-100.0)
    assert pid.step(100.0, 105.0, 0.0, 1.0) == pytest.approx(-4.0)


# Limits and wind-up


def test_limits_and_rate():
    pid = pid_of(gain=100.0, out_min=5.0, out_max=80.0, rate_per_s=10.0)
    pid.follow(100.0, 100.0, 0.0, 20.0, 1.0)
    outputs = [pid.step(200.0, 100.0, 0.0, 2.0) for _ in range(4)]
    assert outputs == [40.0, 60.0, 80.0, 80.0]
    assert pid.saturated == 1
    outputs = [pid.step(0.0, 100.0, 0.0, 2.0) for _ in range(4)]
    assert outputs == [60.0, 40.0, 20.0, 5.0]
    assert pid.saturated == -1


def test_leaves_the_limit_at_once_after_hours_of_saturation():
    pid = pid_of()
    for _ in range(36_000):
        assert pid.step(1000.0, 500.0, 0.0, 1.0) == 100.0
    assert pid.step(1000.0, 1001.0, 0.0, 1.0) < 100.0
    assert pid.saturated == 0


def test_without_integral_action_saturation_leaves_the_manual_reset():
    pid = pid_of(ti_s=0.0)
    pid.integral = 30.0
    for _ in range(10):
        assert pid.step(1000.0, 500.0, 0.0, 1.0) == 100.0
    pid.limit(0.0, 200.0, 0.0)
    assert pid.step(1000.0, 500.0, 0.0, 1.0) == 200.0
    assert pid.step(1000.0, 1000.0, 0.0, 1.0) == 30.0


def test_back_calculation_takes_the_chosen_tracking_time():
    def excess_after_one_second(tt_s):
        pid = pid_of(gain=1.0, ti_s=100.0, td_s=25.0, tt_s=tt_s)
        pid.step(200.0, 100.0, 50.0, 1e-9)
        before = pid.demand - pid.out
        pid.step(200.0, 100.0, 50.0, 1.0)
        return before, pid.demand - pid.out - 1.0  # less what the error has added: 100/100

    for tt_s, expected in ((10.0, 0.1), (0.0, 0.01)):
        before, after = excess_after_one_second(tt_s)
        assert (before - after) / before == pytest.approx(expected, rel=1e-6)


def test_ticks_longer_than_the_tracking_time_take_back_no_more_than_all():
    pid = pid_of(tt_s=1.0)
    for _ in range(50):
        pid.step(900.0, 800.0, 0.0, 30.0)
        # P and one tick of the integral beyond the limit: 2 * 100 * (1 + 30/100).
        assert 100.0 <= pid.demand <= 100.0 + 260.0


def test_realised_output_downstream_stops_wind_up_and_paces_the_rate():
    """A guard that allows 30 % only: the integral must settle there, and leave it at once."""
    pid = pid_of(rate_per_s=5.0)
    for _ in range(2000):
        pid.step(1000.0, 950.0, 0.0, 1.0)
        pid.realised(30.0)
        assert pid.out == 30.0
    assert pid.saturated == 1
    assert pid.step(1000.0, 950.0, 0.0, 1.0) == pytest.approx(35.0)
    pid.realised(30.0)
    assert pid.step(1000.0, 1001.0, 0.0, 1.0) < 30.0


# Modes


def test_a_new_controller_is_at_rest():
    pid = PID(2.0, 100.0, 0.0)
    assert pid.state() == (0.0,) * 8
    assert (pid.saturated, pid.flag) == (0, 0)
    assert (pid.b, pid.c, pid.n, pid.direction, pid.dead_band, pid.tt_s) == (1.0, 0.0, 10.0, 1.0, 0.0, 0.0)
    assert (pid.out_min, pid.out_max, pid.rate_per_s) == (0.0, 100.0, 0.0)


def test_manual_is_not_saturated_and_tracks_the_derivative():
    pid = settled(pid_of(td_s=10.0))
    pid.step(2000.0, 845.0, 0.0, 1.0)
    assert pid.saturated == 1
    pid.follow(850.0, 846.0, 0.0, 30.0, 1.0)
    assert pid.saturated == 0
    # As in automatic: K Td N / (Td + N h) = 2 * 10 * 10 / 20 for a rise of 1.
    assert pid.derivative == pytest.approx(-10.0)
    assert pid.step(850.0, 846.0, 0.0, 1.0) == pytest.approx(30.0 + 5.0 + 2.0 / 100.0 * 4.0)


def test_from_manual_to_automatic_and_back():
    pid = settled(pid_of(td_s=20.0), output=63.0)
    # Only the integral moves: 2/100 * 5 per second.
    assert pid.step(850.0, 845.0, 0.0, 0.1) == pytest.approx(63.0 + 0.01)
    assert pid.follow(850.0, 845.0, 0.0, 12.0, 0.1) == 12.0
    assert pid.step(850.0, 845.0, 0.0, 0.1) == pytest.approx(12.0 + 0.01)


def test_follow_without_time_sets_a_starting_point():
    pid = pid_of(td_s=20.0)
    assert pid.follow(850.0, 845.0, 5.0, 33.0, 0.0) == 33.0
    assert pid.flag == 2
    assert pid.step(850.0, 845.0, 5.0, 0.1) == pytest.approx(33.0 + 0.01)
    assert pid.flag == 0


@pytest.mark.parametrize("dt_s", [0.0, -1.0, math.nan, math.inf])
def test_follow_with_a_bad_time_leaves_the_derivative(dt_s):
    pid = settled(pid_of(td_s=10.0))
    pid.step(850.0, 846.0, 0.0, 1.0)
    derivative = pid.derivative
    assert derivative == pytest.approx(-10.0)
    assert pid.follow(850.0, 848.0, 5.0, 33.0, dt_s) == 33.0
    assert (pid.flag, pid.derivative) == (2, derivative)
    assert pid.proportional + pid.integral + pid.derivative + 5.0 == pytest.approx(33.0)
    assert pid.follow(850.0, 848.0, 5.0, 33.0, 1.0) == 33.0
    assert pid.flag == 0


def test_after_blind_manual_every_part_is_found_again():
    pid = settled(pid_of(td_s=10.0))
    pid.step(850.0, 846.0, 5.0, 1.0)
    pid.follow(850.0, math.nan, 5.0, 33.0, 1.0)
    # The derivative goes on decaying, 1/2 a second, and does not see the 30 K.
    assert pid.step(850.0, 816.0, 5.0, 1.0) == pytest.approx(33.0 + 2.0 / 100.0 * 34.0)
    assert pid.derivative == pytest.approx(-5.0)
    assert pid.step(850.0, 816.0, 5.0, 1.0) == pytest.approx(33.0 + 2.0 / 100.0 * 68.0 + 2.5)


def test_a_filter_that_divides_by_nothing_gives_no_derivative():
    pid = settled(pid_of(td_s=20.0))
    pid.n = -20.0
    assert pid.step(850.0, 846.0, 0.0, 1.0) == pytest.approx(40.0 - 2.0 + 0.08)
    assert pid.derivative == 0.0


def test_tune_moves_nothing_by_itself():
    pid = settled(pid_of(td_s=20.0))
    pid.step(850.0, 846.0, 0.0, 1.0)
    before = pid.step(850.0, 846.0, 0.0, 1.0)
    parts_before = pid.demand
    pid.tune(7.0, 1e12, 0.0, 0.3, 1.0, 5.0)
    assert (pid.gain, pid.td_s, pid.b, pid.c, pid.n) == (7.0, 0.0, 0.3, 1.0, 5.0)
    assert pid.step(850.0, 846.0, 0.0, 1.0) == pytest.approx(before, abs=1e-9)
    assert pid.demand == pytest.approx(parts_before, abs=1e-9)


@pytest.mark.parametrize(
    "changes",
    [
        {"gain": 9.0, "b": 0.2, "c": 1.0},
        {"direction": -1.0},
        {"dead_band": 3.0},
        {"td_s": 0.0},
        {"n": 3.0, "td_s": 90.0},
    ],
)
def test_parameters_set_one_by_one_move_nothing_by_themselves(changes):
    pid = settled(pid_of(td_s=20.0, ti_s=1e12))
    pid.step(850.0, 846.0, 0.0, 1.0)
    pid.step(850.0, 846.0, 0.0, 1e-9)
    before = pid.demand
    for name, value in changes.items():
        setattr(pid, name, value)
    pid.step(850.0, 846.0, 0.0, 1e-9)
    assert pid.demand == pytest.approx(before, abs=1e-6)
    assert pid.demand == pytest.approx(pid.proportional + pid.integral + pid.derivative)


def test_direction_turns_what_follows():
    pid = settled(pid_of(ti_s=1e12))
    pid.direction = -1.0
    assert pid.step(850.0, 847.0, 0.0, 1.0) == pytest.approx(40.0 + 2.0 * 2.0)


def test_wider_limits_do_not_let_out_what_the_old_ones_kept_back():
    def saturated():
        pid = pid_of(out_max=60.0)
        for _ in range(1000):
            pid.step(1000.0, 950.0, 0.0, 1.0)
        assert (pid.out, pid.saturated) == (60.0, 1)
        return pid

    pid = saturated()
    pid.limit(0.0, 100.0, 0.0)
    assert (pid.demand, pid.saturated) == (60.0, 0)
    # Only the integral moves: 2/100 * 50 per second.
    assert pid.step(1000.0, 950.0, 0.0, 0.1) == pytest.approx(60.0 + 0.1)
    pid = saturated()
    pid.ti_s = 0.5
    pid.limit(0.0, 100.0, 0.0)
    assert pid.step(1000.0, 950.0, 0.0, 1e-6) == pytest.approx(60.0, abs=1e-3)
    pid = saturated()
    pid.out_max = 100.0
    assert pid.step(1000.0, 950.0, 0.0, 0.1) == 100.0


def test_narrower_limits_take_the_output_along_and_a_rate_limit_lifted_does_not_let_it_jump():
    pid = settled(pid_of(), output=70.0)
    pid.limit(0.0, 50.0, 0.0)
    assert pid.step(850.0, 845.0, 0.0, 0.1) == 50.0
    pid.limit(52.0, 52.0, 0.0)
    assert pid.step(850.0, 845.0, 0.0, 0.1) == 52.0
    pid.limit(55.0, 100.0, 2.0)
    assert pid.step(850.0, 845.0, 0.0, 0.1) == 55.0
    assert pid.step(1000.0, 845.0, 0.0, 0.1) == pytest.approx(55.2)
    pid = settled(pid_of(rate_per_s=1.0), output=40.0)
    assert pid.step(850.0, 825.0, 0.0, 1.0) == 41.0
    pid.limit(0.0, 100.0, 0.0)
    assert pid.step(850.0, 825.0, 0.0, 0.1) == pytest.approx(41.0 + 0.05)


@pytest.mark.parametrize(
    "arguments", [(1.0, 0.0, 0.0), (0.0, 1.0, -1.0), (math.nan, 1.0, 0.0), (0.0, 1.0, math.nan)]
)
def test_limit_refuses_what_bounds_nothing(arguments):
    pid = settled(pid_of())
    with pytest.raises(ValueError, match="PID.limit"):
        pid.limit(*arguments)
    assert (pid.out_min, pid.out_max, pid.rate_per_s) == (0.0, 100.0, 0.0)


@pytest.mark.parametrize(
    "arguments",
    [
        (-1.0, 10.0, 0.0, 1.0, 0.0, 10.0),
        (1.0, -10.0, 0.0, 1.0, 0.0, 10.0),
        (1.0, 10.0, -1.0, 1.0, 0.0, 10.0),
        (1.0, 10.0, 0.0, 1.0, 0.0, 0.0),
        (math.nan, 10.0, 0.0, 1.0, 0.0, 10.0),
        (1.0, math.inf, 0.0, 1.0, 0.0, 10.0),
    ],
)
def test_tune_refuses_what_makes_no_controller(arguments):
    pid = settled(pid_of())
    state = pid.state()
    with pytest.raises(ValueError, match="PID: "):
        pid.tune(*arguments)
    assert pid.state() == state
    assert pid.gain == 2.0
    with pytest.raises(ValueError, match="PID: "):
        PID(-1.0, 10.0, 0.0)


# Tracking


def test_override_the_loser_waits_beside_the_winner():
    """Two controllers on one valve, the lower demand wins: realised() holds the other one close to it."""
    flow, pressure = pid_of(gain=1.0, ti_s=10.0), pid_of(gain=1.0, ti_s=10.0)
    for _ in range(600):
        wanted = flow.step(100.0, 60.0, 0.0, 1.0), pressure.step(10.0, 9.0, 0.0, 1.0)
        valve = min(30.0, *wanted)
        flow.realised(valve)
        pressure.realised(valve)
    # Steady: what is kept back is K e Tt/Ti, here the error itself.
    assert flow.demand - valve == pytest.approx(40.0)
    assert pressure.demand - valve == pytest.approx(1.0)
    assert flow.step(100.0, 100.5, 0.0, 1.0) < valve
    assert pressure.step(10.0, 10.5, 0.0, 1.0) < valve


def test_cross_limited_fuel_does_not_wind_up():
    """Fuel may not pass the air: through a slow rise of air the master loop waits, and comes off at once."""
    master = pid_of(gain=2.0, ti_s=60.0)
    air = 20.0
    for _ in range(300):
        air += 0.1
        demand = master.step(900.0, 860.0, 0.0, 1.0)
        master.realised(min(demand, air))
        assert master.out <= air + 1e-12
    assert master.saturated == 1
    assert master.step(900.0, 901.0, 0.0, 1.0) < air
