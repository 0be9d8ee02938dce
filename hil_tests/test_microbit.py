"""The core on a Cortex-M0 with floats of 22 significant bits: a BBC micro:bit in QEMU.

It is sent in pieces over the UART and replays the golden traces.
"""

import math
import random
import struct

import pytest

from cext import air, filters, thermocouple
from cext.crc import crc16
from hil_tests.chip_floats import UNIT, Bounded, ChipFloat, cut, interpreted
from hil_tests.microbit import PLAYER, Chip, pieces, require_microbit
from hil_tests.replays import RESULTS, Recorder, drive, follower, on_chip_floats, results, same, with_bounds
from hil_tests.rounding import Rounding
from hil_tests.runtimes import LOADS, fit
from tests.cext.traces import Random
from tests.cext.traces import air as air_trace
from tests.cext.traces import pid as pid_trace
from tests.cext.traces import thermocouple as thermocouple_trace

# On the chip, what Loop has in the trace.
SET = "def _set(a,b,c):\n p.direction=a\n p.dead_band=b\n p.tt_s=c"
RESTART = "def _again():\n p.restore(p.state())"
# Enough for every mode to have met every other; the whole trace would take half a minute on the line.
PID_STEPS = 1500


@pytest.fixture
def chip():
    require_microbit()
    with Chip() as started:
        yield started


def judge(rounding, pid, found, where):
    """Hold the results of another PID to the 64-bit ones, within the bound of their rounding."""
    expected = results(pid)
    bounds = (rounding.out, rounding.demand, rounding.integral, rounding.derivative)
    for name, reference, value, bound in zip(RESULTS[:4], expected, found, bounds, strict=False):
        assert abs(value - reference) <= bound, f"{where}: {name} {value} for {reference}, {bound} allowed"
    assert found[5] == expected[5], f"{where}: flag"
    assert found[4] == expected[4] or not rounding.saturated_is_certain(), f"{where}: saturated"


def test_pid_replays_the_golden_trace(chip):
    """Bit for bit as predicted from the chip's floats, and as near to the 64-bit trace as they allow."""
    predicted, calls = follower(on_chip_floats(chip, ("pid", ["PID"])).PID)
    chip.load(("pid", ["PID"]), after=(PLAYER, SET, RESTART))
    chip.repl.execute("p=PID(2.0,120.0,20.0)")
    chip.play(
        "(p.step,p.follow,p.realised,p.tune,p.limit,_set,_again)",
        "lambda x:pack('<4f2h',p.out,p.demand,p.integral,p.derivative,p.saturated,p.flag)",
    )
    rounding = Rounding(pid_trace.Loop().pid)
    seen = set()

    def tell(pid, name, arguments):
        where = f"{name}{arguments}"
        found = struct.unpack("<4f2h", chip.call(Recorder.NAMES.index(name), arguments, 20))
        calls[name](*map(ChipFloat, arguments))
        assert all(map(same, found, results(predicted))), f"{where}: {found}, predicted {results(predicted)}"
        rounding.after(name, arguments, pid)
        judge(rounding, pid, found, where)
        seen.update((name, found[4:]))

    drive(PID_STEPS, tell)
    chip.stop_playing()
    assert seen == {*Recorder.NAMES, *((side, flag) for side in (-1, 0, 1) for flag in (0, 1, 2))}


def test_the_bound_for_pid_is_close_enough_to_see_a_wrong_controller():
    """A derivative whose filter is 2 % too slow, and a gain wrong in the fourth digit, are outside of it."""
    source = "\n".join(pieces(("pid", ["PID"])))
    for right, wrong in (
        ("self.td_s + self.n * dt_s", "self.td_s * 1.02 + self.n * dt_s"),
        ("gain * dt_s / self.ti_s", "gain * 1.0002 * dt_s / self.ti_s"),
    ):
        assert right in source
        pid, calls = follower(interpreted(source.replace(right, wrong))["PID"])
        rounding = Rounding(pid_trace.Loop().pid)

        def tell(reference, name, arguments, pid=pid, calls=calls, rounding=rounding):
            calls[name](*map(ChipFloat, arguments))
            rounding.after(name, arguments, reference)
            judge(rounding, reference, results(pid), name)

        with pytest.raises(AssertionError, match="allowed"):
            drive(1000, tell)


def replay(chip, number, function, arguments) -> float:
    """The result of a call on the chip; it has to be what `function`, on the chip's floats, has."""
    (found,) = struct.unpack("<f", chip.call(number, tuple(map(cut, arguments)), 4))
    predicted = function(*map(ChipFloat, arguments))
    assert same(found, predicted), f"{function.__name__}{arguments}: {found}, predicted {predicted}"
    return found


AIR = (
    "stoichiometric_air",
    "dry_ratio",
    "wet_ratio",
    "lower_heating_value",
    "lambda_from_o2",
    "o2_from_lambda",
)


def test_air_replays_the_golden_trace(chip, monkeypatch):
    """Stoichiometry, heating value, lambda from O2 and back: the arguments that these had in the trace."""
    wanted = ("air", list(AIR))
    exact = on_chip_floats(chip, wanted)
    bounds = with_bounds(wanted)
    chip.load(wanted, after=(PLAYER,))
    chip.play(f"({','.join(AIR)})", "lambda x:pack('<f',x)")
    told = []

    class Told:
        """The module, which tells of these calls."""

        def __getattr__(self, name):
            function = getattr(air, name)
            return lambda *arguments: told.append((name, arguments)) or function(*arguments)

    monkeypatch.setattr(air_trace, "air", Told())
    for _ in air_trace.steps(150):
        pass
    judged = 0
    for name, arguments in told:
        if name in AIR:
            found = replay(chip, AIR.index(name), getattr(exact, name), arguments)
            expected = getattr(air, name)(*arguments)
            bound = getattr(bounds, name)(*map(Bounded, arguments))
            if math.isnan(expected):
                assert math.isnan(found), (name, arguments, found)
            elif bound.error < math.inf:
                assert abs(found - expected) <= bound.error, (name, arguments, found, expected, bound.error)
                judged += 1
    chip.stop_playing()
    assert judged > 800


def test_type_k_replays_the_golden_trace(chip):
    """Voltage and temperature, over the whole range."""
    draw = Random(7)
    inputs = [thermocouple_trace.inputs(draw, thermocouple.K, turn) for turn in range(4, 400)]
    wanted = ("thermocouple", ["emf_mv", "temp_c"])
    exact = on_chip_floats(chip, wanted)
    bounds = with_bounds(wanted)
    chip.load(wanted, after=(PLAYER,))
    chip.play("(emf_mv,temp_c)", "lambda x:pack('<f',x)")
    for t, voltage in inputs:
        expected = thermocouple.emf_mv(cut(t))
        found = replay(chip, 0, exact.emf_mv, (t,))
        assert math.isnan(expected) == math.isnan(found), t
        if not math.isnan(found):
            assert abs(found - expected) <= bounds.emf_mv(Bounded(cut(t), 0.0)).error, t
        expected = thermocouple.temp_c(cut(voltage))
        found = replay(chip, 1, exact.temp_c, (voltage,))
        assert math.isnan(expected) == math.isnan(found), voltage
        if not math.isnan(found):
            # What E(t) is uncertain by, over its slope, and what is left when no other float lies nearer.
            uncertain = bounds.emf_mv(Bounded(expected, 0.0)).error / thermocouple.seebeck_mv_per_k(expected)
            assert abs(found - expected) <= uncertain + 3 * UNIT * abs(expected), voltage
    chip.stop_playing()


FILTERS = {
    "lag": ("Lag", 5.0),
    "lead": ("LeadLag", 4.0, 10.0),
    "ramp": ("RateLimiter", 2.0, 1.0),
    "median": ("MovingMedian", 5),
    "mean": ("MovingMedian", 4),
}


class FilterBound:
    """Bounds of the filters' errors along a run: lags forget, a ramp adds up until it has arrived."""

    def __init__(self):
        self.error = dict.fromkeys(FILTERS, 0.0)
        self.value = None  # the last input of the lead-lag

    def after(self, name, before, value, dt, out):
        """One valid step from the output `before` to `out`."""
        error = self.error[name]
        if name == "lag":
            share = dt / (5.0 + dt)
            error = (1.0 - share) * error + UNIT * (4 * share * abs(value - before) + abs(out))
        elif name == "lead":
            last = value if self.value is None else self.value
            moved = (10.0 * abs(before - value) + 4.0 * abs(value - last)) / (10.0 + dt)
            error = 10.0 / (10.0 + dt) * error + UNIT * (8 * moved + abs(value) + abs(out))
            self.value = value
        elif name == "ramp":
            error += 2 * UNIT * (abs(out) + 2.0 * dt)
            room = dt * (2.0 if value > before else 1.0) - abs(value - before)
            if room > error:
                error = 0.0
        else:
            # An even number of values has the mean of two.
            error = UNIT * abs(out)
        self.error[name] = error


def test_filters_replay_a_noisy_signal(chip):
    """Lag, lead-lag, ramp and medians: steps, noise, spikes, numbers that are none, bad times."""
    wanted = ("filters", ["Lag", "LeadLag", "RateLimiter", "MovingMedian"])
    exact = on_chip_floats(chip, wanted)
    chip.load(wanted, after=(PLAYER,))
    references, predicted = {}, {}
    for name, (kind, *parameters) in FILTERS.items():
        chip.repl.execute(f"{name}={kind}({','.join(map(str, parameters))})")
        references[name] = getattr(filters, kind)(*parameters)
        parameters = [ChipFloat(x) if isinstance(x, float) else x for x in parameters]
        predicted[name] = getattr(exact, kind)(*parameters)
    chip.play(f"({','.join(f'{name}.step' for name in FILTERS)})", "lambda x:pack('<f',x)")
    bound = FilterBound()
    draw = Random(20260108)
    level = 50.0
    for number in range(400):
        if number % 40 == 0:
            level = draw.between(0.0, 100.0)
        value, dt = cut(level + draw.between(-3.0, 3.0)), draw.between(0.05, 4.0)
        if number % 29 == 0:
            value = (math.nan, math.inf, 1000.0)[number // 29 % 3]
        if number % 37 == 36:
            dt = (0.0, math.nan)[number // 37 % 2]
        for index, (name, reference) in enumerate(references.items()):
            before = reference.out
            given = (value,) if name in ("median", "mean") else (value, dt)
            expected = reference.step(*given)
            found = replay(chip, index, predicted[name].step, given)
            if reference.flag == 0:
                bound.after(name, before, value, dt, expected)
            allowed = bound.error[name]
            assert abs(found - expected) <= allowed, f"{number}, {name}: {found}, not {expected} to {allowed}"
    chip.stop_playing()


def test_check_words_are_exact(chip):
    chip.load(("crc", ["crc16"]))
    draw = random.Random(20260107)
    chip.repl.execute("from micropython import kbd_intr")
    for message in [b"123456789", *(draw.randbytes(draw.randrange(1, 250)) for _ in range(40))]:
        # The prompt would take a byte 3 for Ctrl-C.
        line = f"kbd_intr(-1);print(crc16(_take({len(message)})))"
        found = chip.repl.execute(line, data=message)
        assert int(found) == crc16(message)
    assert crc16(b"123456789") == 0x4B37


@pytest.mark.parametrize("modules", [modules for _, modules in LOADS], ids=[name for name, _ in LOADS])
def test_what_is_wanted_together_fits_together(modules):
    require_microbit()
    assert fit(modules) is not None
