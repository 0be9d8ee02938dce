"""The relay experiment against exact limit cycles, its bounds, and every way in which it ends."""

import math
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.relay import Relay
from tests.parts import require_command

ROOT = Path(__file__).resolve().parents[2]
RUNNING, DONE, PV_OUT_OF_BOUNDS, HALF_CYCLE_TOO_LONG, TOO_FEW_CYCLES, UNEVEN, BAD_INPUT, STOPPED = range(8)
RELAY = {
    "set_point": 0.0, "hysteresis": 0.0, "out_low": -1.0, "out_rest": 0.0, "out_high": 1.0,
    "pv_min": -10.0, "pv_max": 10.0, "limit_s": 200.0,
}  # fmt: skip
DT_S = 0.001


class LagsAndDelay:
    """Lags in series behind a dead time, each solved exactly for an input held over a step."""

    def __init__(self, gain, lags, delay_s, dt_s=DT_S):
        self.gain = gain
        self.shares = [-math.expm1(-dt_s / lag) for lag in lags]
        self.levels = [0.0] * len(lags)
        self.delayed = [0.0] * round(delay_s / dt_s)
        self.at = 0

    def step(self, value):
        if self.delayed:
            value, self.delayed[self.at] = self.delayed[self.at], value
            self.at = (self.at + 1) % len(self.delayed)
        value *= self.gain
        for i, share in enumerate(self.shares):
            value = self.levels[i] = self.levels[i] + share * (value - self.levels[i])
        return value


def run(relay, process, dt_s=DT_S, rest=0.0):
    """Run to the end; the process value is `rest` plus what the process makes of the output less its rest."""
    process_value = rest
    while relay.state == RUNNING:
        output = relay.step(process_value, dt_s)
        process_value = rest + process.step(output - relay.out_rest)
    return relay


def test_fopdt_cycle_is_the_exact_one():
    """Amplitude K d (1 - e^(-L/T)) and period 2 T ln(2 e^(L/T) - 1), here for K = T = L = d = 1."""
    relay = run(Relay(**RELAY), LagsAndDelay(1.0, [1.0], 1.0))
    assert relay.state == DONE
    # Each switch is seen up to one step late: 2 of 2980 of the period, and one step of the steepest slope.
    assert relay.period_s == pytest.approx(2.97976, abs=2.5 * DT_S)
    assert relay.amplitude() == pytest.approx(0.63212, abs=DT_S)
    assert relay.high_s == pytest.approx(relay.low_s, abs=1.5 * DT_S)
    assert abs(relay.asymmetry()) < 1e-3
    assert abs(relay.pv_mean) < 1e-3
    # The describing function knows the first harmonic only: 2.014, where the true ultimate gain is 2.262.
    assert relay.ultimate_gain() == pytest.approx(2.014, abs=0.002)


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_uneven_levels_and_hysteresis_against_the_closed_form(direction):
    """Wang, Hang and Zou, Ind. Eng. Chem. Res. 36 (1997), equations of the biased relay."""
    gain, lag, delay, low, high, hysteresis = 2.0, 3.0, 1.0, -1.0, 2.5, 0.1
    mean, half = 0.5 * (high + low), 0.5 * (high - low)
    e = math.exp(-delay / lag)
    peak = (mean + half) * gain * (1.0 - e) + hysteresis * e
    trough = (mean - half) * gain * (1.0 - e) - hysteresis * e
    a, b = half * gain, mean * gain
    high_s = lag * math.log((2.0 * a / e + b - a + hysteresis) / (b + a - hysteresis))
    low_s = lag * math.log((2.0 * a / e - a - b + hysteresis) / (a - b - hysteresis))
    arguments = {**RELAY, "set_point": 500.0, "hysteresis": hysteresis, "pv_min": 490.0, "pv_max": 510.0}
    arguments.update(out_low=40.0 + low, out_rest=40.0, out_high=40.0 + high)
    relay = Relay(**arguments)
    relay.direction = direction
    run(relay, LagsAndDelay(direction * gain, [lag], delay), rest=500.0)
    assert relay.state == DONE
    up, down = (relay.pv_above, relay.pv_below) if direction > 0.0 else (relay.pv_below, relay.pv_above)
    # One step late at the steepest slope, (level - threshold)/lag.
    assert up == pytest.approx(peak, abs=2.0 * DT_S)
    assert down == pytest.approx(-trough, abs=2.0 * DT_S)
    # A switch that comes a step late moves both halves by a few steps.
    assert relay.high_s == pytest.approx(high_s, abs=6.0 * DT_S)
    assert relay.low_s == pytest.approx(low_s, abs=6.0 * DT_S)
    assert relay.period_s == pytest.approx(relay.high_s + relay.low_s, rel=1e-12)
    assert relay.asymmetry() == pytest.approx((high_s - low_s) / (high_s + low_s), abs=3e-3)
    # At rest 500 at 40: the means of a whole cycle tell the static gain of any process.
    share = relay.high_s / relay.period_s
    mean_out = share * high + (1.0 - share) * low
    assert (relay.pv_mean - 500.0) / mean_out == pytest.approx(direction * gain, rel=0.02)


@pytest.mark.parametrize(("lags", "gain", "period_s"), [(3, 8.0, 3.6276), (4, 4.0, 6.2832)])
def test_ultimate_point_of_many_lags(lags, gain, period_s):
    """For many lags the first harmonic is nearly all there is: within 5 % of the true ultimate point."""
    relay = run(Relay(**RELAY), LagsAndDelay(1.0, [1.0] * lags, 0.0))
    assert relay.state == DONE
    assert relay.ultimate_gain() == pytest.approx(gain, rel=0.05)
    assert relay.period_s == pytest.approx(period_s, rel=0.05)


@given(
    st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), max_size=40),
    st.sampled_from([1.0, -1.0]),
)
def test_output_has_three_values_and_the_end_is_final(history, direction):
    relay = Relay(850.0, 2.0, 30.0, 40.0, 55.0, 800.0, 900.0, 1e6)
    relay.direction = direction
    ended = 0
    for process_value, dt_s in history:
        out = relay.step(process_value, dt_s)
        assert out == relay.out
        if ended:
            assert (relay.state, out) == (ended, 40.0)
        ended = relay.state
        assert out == 40.0 if ended else out in (30.0, 55.0)
        if not (800.0 <= process_value <= 900.0):
            assert ended


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=200), st.floats(0.0, 2.0))
def test_switches_at_the_thresholds_and_only_there(values, hysteresis):
    relay = Relay(**{**RELAY, "hysteresis": hysteresis, "limit_s": 1e9})
    relay.cycles = 1000
    before = None
    for value in values:
        out = relay.step(value, 1.0)
        if before is None:
            expected = 1.0 if value <= 0.0 else -1.0
        elif before > 0.0:
            expected = -1.0 if value > hysteresis else 1.0
        else:
            expected = 1.0 if value < -hysteresis else -1.0
        assert out == expected
        before = out


def test_first_cycle_of_the_start_is_not_measured():
    """From far below, the first half cycle is long; neither it nor its swing enters the means."""
    relay = Relay(**RELAY)
    relay.cycles = 1
    values = [-9.0] * 50 + [1.0, -1.0] + [1.0]
    for value in values:
        relay.step(value, 1.0)
    assert relay.state == RUNNING
    relay.step(-2.0, 1.0)
    assert (relay.state, relay.counted) == (DONE, 1)
    assert (relay.period_s, relay.high_s, relay.low_s) == (2.0, 1.0, 1.0)
    assert (relay.pv_above, relay.pv_below, relay.out) == (1.0, 2.0, 0.0)
    # Trapezoids of -1, 1, -2.
    assert relay.pv_mean == pytest.approx((0.5 * (-1.0 + 1.0) + 0.5 * (1.0 - 2.0)) / 2.0)


def test_three_cycles_are_asked_for():
    relay = run(Relay(**RELAY), LagsAndDelay(1.0, [1.0], 1.0))
    assert (relay.cycles, relay.agreed, relay.counted) == (3, 3, 3)
    assert relay.elapsed_s < 4.5 * relay.period_s


def test_the_first_cycle_agrees_with_nothing():
    """However wide the tolerance, agreement is between two cycles."""
    relay = Relay(**RELAY)
    relay.tolerance, relay.cycles = 1e9, 2
    drive(relay, [-1.0, 1.0, -1.0, 1.0, -1.0])
    assert (relay.state, relay.counted, relay.agreed, relay.period_s) == (RUNNING, 1, 1, 2.0)
    # Half cycles of one and of three steps: the means are over both cycles.
    drive(relay, [-1.0, -1.0, 1.0, -1.0])
    assert (relay.state, relay.period_s, relay.high_s, relay.low_s) == (DONE, 3.0, 2.0, 1.0)


def test_swing_and_period_must_both_agree():
    """A cycle of the same period and twice the swing, then one of the same swing and twice the period."""
    relay = Relay(**RELAY)
    relay.cycles = 2
    drive(relay, [-1.0, 1.0, -1.0, 1.0, -1.0] + [2.0, -2.0] + [2.0, 2.0, -2.0, -2.0])
    assert relay.state == RUNNING


def cycles_of(*lengths):
    """Return process values that switch up, and then make a cycle of each length in steps."""
    values = [1.0, -1.0]
    for length in lengths:
        values += [-1.0] * (length // 2 - 1) + [1.0] * (length - length // 2) + [-1.0]
    return values


@pytest.mark.parametrize("dt_s", [0.0078125, 1.0, 64.0])
def test_agreement_is_relative_in_every_unit_of_time(dt_s):
    cases = (21, 0.051, DONE), (21, 0.049, RUNNING), (19, 0.049, RUNNING), (20, 0.0, DONE)
    for second, tolerance, state in cases:
        relay = Relay(**{**RELAY, "limit_s": 1e9})
        relay.tolerance, relay.cycles = tolerance, 2
        drive(relay, cycles_of(20, second), dt_s)
        assert relay.state == state, (second, tolerance)
        assert relay.counted == 2
        assert relay.period_s == pytest.approx(dt_s * (0.5 * (20 + second) if state == DONE else second))


def test_asymmetry_of_quick_cycles():
    relay = drive(Relay(**RELAY), cycles_of(7, 7, 7), 0.01)
    assert relay.asymmetry() == pytest.approx((3.0 - 4.0) / 7.0)


def test_ultimate_gain_with_hysteresis():
    """4 d / (pi sqrt(a^2 - h^2)) with d = 1, a = 1.3, h = 0.5: a^2 - h^2 = 1.44."""
    relay = Relay(**{**RELAY, "hysteresis": 0.5})
    drive(relay, [1.6, -1.0] * 4)
    assert relay.state == DONE
    assert relay.amplitude() == pytest.approx(1.3)
    assert relay.ultimate_gain() == pytest.approx(4.0 / (math.pi * 1.2))


def test_as_many_cycles_as_asked_for_that_do_not_agree():
    relay = Relay(**{**RELAY, "limit_s": 25.0})
    relay.cycles = 2
    drive(relay, cycles_of(4, 6, 1000))
    assert (relay.state, relay.counted) == (UNEVEN, 2)


def drive(relay, values, dt_s=1.0):
    for value in values:
        relay.step(value, dt_s)
    return relay


def test_ends_when_the_process_value_leaves_its_bounds():
    for value in (10.1, -10.1):
        relay = drive(Relay(**RELAY), [0.0, value])
        assert (relay.state, relay.out) == (PV_OUT_OF_BOUNDS, 0.0)
    assert drive(Relay(**RELAY), [0.0, 10.0, -10.0]).state == RUNNING


def test_ends_when_the_process_value_does_not_come_back():
    relay = Relay(**RELAY)
    relay.half_limit_s = 30.0
    assert drive(relay, [0.0] * 31).state == RUNNING
    assert drive(relay, [0.0]).state == HALF_CYCLE_TOO_LONG
    assert relay.out == 0.0
    relay = Relay(**RELAY)
    relay.half_limit_s = 0.9
    assert drive(relay, [0.0, 0.0]).state == HALF_CYCLE_TOO_LONG


def test_ends_when_the_time_is_over():
    relay = drive(Relay(**RELAY), [0.0] * 200)
    assert (relay.state, relay.elapsed_s) == (RUNNING, 199.0)
    assert drive(relay, [0.0]).state == TOO_FEW_CYCLES
    assert math.isnan(relay.period_s) and math.isnan(relay.amplitude())
    assert math.isnan(relay.ultimate_gain()) and math.isnan(relay.asymmetry())


def test_cycles_that_grow_do_not_agree():
    relay = Relay(**RELAY)
    values = [sign * 0.1 * 1.07**cycle for cycle in range(60) for sign in (1.0, 1.0, -1.0, -1.0)]
    relay.limit_s = 150.0
    drive(relay, values)
    assert relay.state == UNEVEN
    assert relay.counted >= 30 and relay.agreed == 1
    # The same with a tolerance that covers the growth is done.
    relay = Relay(**RELAY)
    relay.tolerance = 0.08
    assert drive(relay, values).state == DONE


@pytest.mark.parametrize(
    ("value", "dt_s"),
    [(math.nan, 1.0), (math.inf, 1.0), (0.0, math.nan), (0.0, 0.0), (0.0, -1.0), (0.0, math.inf)],
)
def test_ends_on_what_is_no_number(value, dt_s):
    relay = drive(Relay(**RELAY), [0.0, 0.0])
    assert relay.step(value, dt_s) == 0.0
    assert relay.state == BAD_INPUT


def test_stop():
    relay = drive(Relay(**RELAY), [0.0, 0.0])
    assert relay.stop() == 0.0
    assert relay.state == STOPPED
    done = run(Relay(**RELAY), LagsAndDelay(1.0, [1.0], 1.0))
    done.stop()
    assert done.state == DONE


@pytest.mark.parametrize(
    "wrong",
    [
        {"out_low": 0.0}, {"out_high": 0.0}, {"hysteresis": -0.1}, {"hysteresis": 10.0}, {"pv_min": 0.0},
        {"pv_max": math.nan}, {"limit_s": 0.0}, {"limit_s": math.inf}, {"set_point": math.nan},
        {"out_rest": math.nan}, {"set_point": 9.5, "hysteresis": 1.0}, {"set_point": -9.5, "hysteresis": 1.0},
        {"set_point": 10.0}, {"set_point": -10.0},
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(wrong):
    with pytest.raises(ValueError, match="Relay: "):
        Relay(**{**RELAY, **wrong})
    # Without either bound nothing of this is wrong.
    assert Relay(9.5, 0.0, -1.0, 0.0, 1.0, -math.inf, math.inf, 0.01).state == RUNNING


# A noisy experiment, the numbers of which every runtime prints to the last bit.
SCRIPT = """
import struct
import sys
if sys.argv[1] == "interpreted":
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_loader
    loader = SourceFileLoader("interpreted_relay", "cext/relay.py")
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    Relay = module.Relay
else:
    from cext.relay import Relay
relay = Relay(850.0, 1.5, 30.0, 40.0, 55.0, 700.0, 950.0, 30000.0)
relay.tolerance = 0.2
state, level, pipe = 1, 0.0, [0.0] * 40
while relay.state == 0:
    state = state * 48271 % 2147483647
    out = relay.step(850.0 + level + state / 2147483648.0 - 0.5, 0.25)
    pipe.append(out - 40.0)
    level += (2.0 * pipe.pop(0) - level) * 0.25 / 60.0
values = (relay.out, relay.elapsed_s, relay.period_s, relay.high_s, relay.low_s, relay.pv_above,
          relay.pv_below, relay.pv_mean, relay.amplitude(), relay.asymmetry(), relay.ultimate_gain())
print(relay.state, relay.counted, " ".join(["%02x" % byte for byte in struct.pack("<11d", *values)]))
"""


def result_on(runtime: str, folder: Path) -> str:
    script = folder / "experiment.py"
    script.write_text(SCRIPT)
    command = [sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if runtime == "micropython":
        beside = shutil.which("micropython", path=str(Path(sys.executable).parent))
        command = [beside or require_command("micropython")]
        environment["MICROPYPATH"] = str(ROOT)
    command += [str(script), runtime]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, f"{runtime}:\n{result.stderr}"
    return result.stdout


@pytest.mark.parametrize("runtime", ["compiled", "micropython"])
def test_same_numbers_to_the_bit(runtime, tmp_path):
    interpreted = result_on("interpreted", tmp_path)
    assert interpreted.startswith(f"{DONE} ")
    period_s = struct.unpack("<11d", bytes.fromhex(interpreted.split(" ", 2)[2]))[2]
    assert 40.0 < period_s < 200.0
    assert result_on(runtime, tmp_path) == interpreted
