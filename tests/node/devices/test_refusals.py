"""Any driver, any refusal, at any moment: the device ends up with what was commanded, and the driver never
says that it holds a value before it does.
"""

from random import Random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.node.devices import ach550, adam4024, eurotherm3200, m7024, s7800, uk24mod
from tests.node.devices import rig
from tests.node.devices import test_actuators_and_controllers as actuators
from tests.node.devices import test_modbus_device as described
from tests.node.devices import test_on_micropython as on_micropython
from tests.node.devices import test_output_modules as outputs
from tests.node.devices.refusing import CODES, Refusing


def register(address_of, raw_of):
    """Whether a holding register holds what an output asks for."""

    def held(line, channel, percent):
        return line.instrument.holding.get(address_of(channel)) == raw_of(percent)

    return held


def switch_held(line, channel, percent):
    return line.instrument.percent[channel] == (100.0 if percent >= 50.0 else 0.0)


def set_point_held(line, channel, percent):
    driver = line.driver
    wanted = driver.low + percent * (driver.high - driver.low) / 100.0
    return line.instrument.values[eurotherm3200.REMOTE_SETPOINT] == pytest.approx(wanted, rel=1e-6)


def described_held(line, channel, percent):
    register = line.driver.registers[channel]
    if channel == "pump":
        return line.instrument.coils.get(register.address) == (1 if percent >= 50.0 else 0)
    words = [line.instrument.holding.get(register.address + i) for i in range(register.size)]
    return words == register.raw(percent)


# name -> (a new rig, whether an output is held, the demands at first, those of the trip)
DRIVERS = {
    "uk24mod": (
        actuators.dampers,
        register(lambda i: 20 * i + uk24mod.SETPOINT, uk24mod.counts),
        {0: 70.0, 1: 40.0},
        {0: 10.0, 1: 25.0},
    ),
    "eurotherm3200": (actuators.controller, set_point_held, {0: 60.0}, {0: 5.0}),
    "s7800": (
        actuators.burner,
        register(lambda i: s7800.COMMAND, s7800.command),
        {0: 100.0},
        {0: 0.0},
    ),
    "ach550": (
        actuators.drive,
        register(lambda i: ach550.REFERENCE_1, lambda percent: int(percent * 200.0 + 0.5)),
        {0: 70.0},
        {0: 0.0},
    ),
    "modbus": (
        described.rig,
        described_held,
        {"valve": 70.0, "rate": 20.0, "pump": 100.0},
        {"valve": 5.0, "rate": 40.0, "pump": 0.0},
    ),
}
for kind, protocol in outputs.KINDS:
    if "024" in kind:
        family = adam4024 if kind == "adam4024" else m7024
        held = register(lambda i, family=family: family.AO_VALUE + i, family.counts)
        demands = {0: 70.0, 1: 40.0}, {0: 0.0, 1: 5.0}
    else:
        held, demands = switch_held, ({0: 100.0, 2: 100.0}, {0: 0.0, 2: 0.0})
    made = (lambda kind=kind, protocol=protocol: outputs.rig(kind, protocol), held, *demands)
    DRIVERS[f"{kind} {protocol}"] = made

MOMENTS = ("arming", "first write", "trip", "refresh")
KINDS = (*CODES, "silence", "mute", "clamped")
IN_DCON = (1, "silence", "mute", "ignored")


class Watched:
    """A rig with refusals, watched at every tick and at every refusal."""

    def __init__(self, name):
        make, self._held, self.demands, self.safe = DRIVERS[name]
        self.line = make()
        self.driver = self.line.driver
        self.refusing = Refusing(self.line.slaves)
        tick, refused, altered = self.line._tick, self.driver.refused, self.driver.altered
        replied = self.driver.replied

        def ticking(now_us):
            self._look()
            tick(now_us)

        def told(tag, what, now_ms, tell):
            before = list(self.driver.faults)
            tell(tag, what, now_ms)
            assert self.driver.faults == before, "a refused write says nothing of the inputs"

        def answered(tag, data, now_ms):
            replied(tag, data, now_ms)
            self._look()

        self.line._tick = ticking
        self.driver.replied = answered
        self.driver.refused = lambda tag, code, now_ms: told(tag, code, now_ms, refused)
        self.driver.altered = lambda tag, why, now_ms: told(tag, why, now_ms, altered)

    def held(self, channel, percent):
        return self._held(self.line, channel, percent)

    def _look(self):
        for channel in self.line.demands:
            confirmed = self.driver.confirmed(channel)
            if confirmed is not None:
                assert self.held(channel, confirmed), f"{channel} does not hold {confirmed}"

    def all_held(self):
        demands = self.line.demands.items()
        if any(command.why for command in self.driver.commands):
            return False
        return all(
            self.held(channel, percent) and self.driver.confirmed(channel) == percent
            for channel, percent in demands
        )

    def steady(self):
        """Verified, driven, and all of it confirmed."""
        self.line.run(3.0)
        self.line.demands = dict(self.demands)
        self.line.run(3.0)
        assert self.all_held()

    def run_until_hit(self, count, within_s):
        """Until so many requests have met their refusal."""
        for _ in range(int(within_s * 1e6 / rig.TICK_US)):
            if self.refusing.hits >= count:
                return
            self.line.run(rig.TICK_US / 1e6)
        raise AssertionError(f"{self.refusing.hits} of {count} refusals within {within_s} s")

    def ticks_until_held(self, most):
        for ticks in range(most + 1):
            if self.all_held():
                return ticks
            self.line.run(rig.TICK_US / 1e6)
        driver = self.driver
        raise AssertionError(f"not within {most} ticks: {driver.ready} {driver.fault} {driver.trouble()}")


MOST_REFRESH_S = 45


def refusals(name, kind, moment, count, phase=0.0):
    """So many refusals in a row from a moment on; the rig as the last of them has just been met."""
    watched = Watched(name)
    line = watched.line
    if moment == "arming":
        watched.refusing.begin(kind, count)
        line.demands = dict(watched.demands)
    elif moment == "first write":
        line.run(3.0)
        watched.refusing.begin(kind, count)
        line.demands = dict(watched.demands)
    else:
        watched.steady()
        line.run(phase)
        watched.refusing.begin(kind, count)
        if moment == "trip":
            line.demands = dict(watched.safe)
    watched.run_until_hit(count, MOST_REFRESH_S + 10 * count)
    return watched


def ticks_allowed(name, kind, moment):
    """How long after the last refusal a device may be without the value."""
    if kind in ("silence", "mute", 10, 11):
        # Lost, left alone until its own watchdog has acted, verified again.
        return 30
    if moment == "arming" and kind not in (4, 5, 6):
        # What lasts is looked at again every five seconds.
        return 28
    # An acknowledge is followed by late_ms of rest. The burner control takes one command a second.
    return 6 if kind == 5 else 5 if name == "s7800" else 3 if moment == "arming" else 2


def kinds_of(name):
    return IN_DCON if name.endswith("dcon") else KINDS


@pytest.mark.parametrize("name", sorted(DRIVERS))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_after_any_refusal_at_any_moment_the_device_holds_what_was_commanded(name, data):
    kind = data.draw(st.sampled_from(kinds_of(name)))
    moment = data.draw(st.sampled_from(MOMENTS))
    count = data.draw(st.integers(1, 5))
    phase = data.draw(st.sampled_from((0.0, 0.1, 0.3, 0.6, 0.9)))
    watched = refusals(name, kind, moment, count, phase)
    watched.ticks_until_held(ticks_allowed(name, kind, moment))


@pytest.mark.parametrize("name", sorted(DRIVERS))
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_a_value_that_moves_faster_than_the_line_is_confirmed_as_the_one_that_was_sent(name, seed):
    """A tick of 20 ms, an answer after 45 ms: one is on the line, the next is replaced in the queue.

    Without clamping: that the device leaves what it holds is not known before it has answered.
    """
    random = Random(seed)
    kinds = [kind for kind in kinds_of(name) if kind != "clamped"]
    with mock.patch.object(rig, "TICK_US", 20000):
        watched = Watched(name)
        watched.line.instrument.delay_us = 45000
        watched.steady()
        for _ in range(40):
            for channel in watched.demands:
                watched.line.demands[channel] = random.choice((0.0, 20.0, 45.0, 60.0, 100.0))
            if random.random() < 0.25:
                watched.refusing.begin(random.choice(kinds), random.randint(1, 2))
            watched.line.run(0.02 * random.randint(1, 5))
        watched.refusing.end()
        for _ in range(800):
            if watched.all_held():
                return
            watched.line.run(0.02)
        raise AssertionError(watched.driver.fault or watched.driver.trouble())


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_the_third_refusal_in_a_row_is_told_and_a_confirmation_ends_it(name):
    watched = Watched(name)
    watched.steady()
    code = 0 if name.endswith("dcon") else 6
    watched.refusing.begin(6, 2)
    watched.line.demands = dict(watched.safe)
    watched.run_until_hit(2, 10)
    assert watched.driver.trouble() == ""
    watched.refusing.begin(6)
    watched.run_until_hit(5, 20)
    text = watched.driver.trouble()
    assert text.endswith(f"(exception {code})") and "refused: " in text and "(" in text[:-14], text
    channel = min(watched.safe, key=str)
    assert watched.driver.unconfirmed(channel).startswith("refused: ")
    assert watched.driver.pending_since_ms(channel) > 0
    watched.refusing.end()
    watched.line.run(3)
    assert watched.driver.trouble() == ""
    assert watched.driver.pending_since_ms(channel) == -1


CLAMPING = {
    "uk24mod": "set-point of mp1 (1) took 3500 instead of 7000",
    "s7800": "command (40128) took 2 instead of 4",
    "modbus": "pump (coil 7) took off instead of on",
    "m7024 modbus": "outputs (40033) took 1 of 2 registers",
    "m7065 modbus": "outputs (00001) took 2 of 3 coils",
    "eurotherm3200": "remote set-point (26) took 1 of 2 registers",
    "ach550": "control word and reference 1 (40001) took 1 of 2 registers",
}


@pytest.mark.parametrize("name", sorted(CLAMPING))
def test_a_device_that_takes_another_value_is_told_at_once_and_keeps_its_link(name):
    watched = Watched(name)
    line = watched.line
    line.run(3)
    watched.refusing.begin("clamped")
    line.demands = dict(watched.demands)
    for _ in range(20):
        line.run(0.25)
        assert line.driver.ready and line.driver.linked and line.driver.link_fault == ""
        assert line.driver.station.down == ""
    assert line.driver.trouble().split("; ")[0] == CLAMPING[name]
    channel = min(line.demands, key=str)
    assert line.driver.confirmed(channel) is None
    assert line.driver.unconfirmed(channel) == CLAMPING[name].split(") ")[1]
    assert line.driver.station.errors > 0


def test_a_confirmation_does_not_outlive_the_lease():
    """The device will have gone to its safe values, whatever it said before."""
    watched = Watched("modbus")
    watched.steady()
    watched.line._bus.step = lambda now_us: now_us + 1000000
    watched.line.run(1.0)
    assert watched.line.driver.confirmed("valve") == 70.0
    watched.line.run(1.5)
    assert watched.line.driver.confirmed("valve") is None
    assert watched.line.driver.pending_since_ms("valve") > 0


@pytest.mark.parametrize("name", sorted(on_micropython.rigs()))
def test_a_lasting_refusal_of_one_read_is_told_of_what_that_read_fills_only(name):
    line, _ = on_micropython.rigs()[name]
    line.run(3)
    driver = line.driver
    sound = list(driver.faults)
    used = [place for place, stamp_ms in enumerate(driver.stamps_ms) if stamp_ms >= 0]
    seen = []
    for poll in driver.station.polls:
        for tag in poll.tags():
            places = driver.places(tag)
            seen += places
            # Busy is no reason: what was read last stands until it is too old.
            driver.refused(tag, 6, line.clock.now_ms())
            assert driver.faults == sound and driver.link_fault == "refused: " + driver.language.refusal(6)
            driver.refused(tag, 2, line.clock.now_ms())
            for place, fault in enumerate(driver.faults):
                assert fault == (driver.link_fault if place in places else sound[place])
            line.run(1)
            assert driver.link_fault == ""
            assert [driver.faults[place] for place in used] == [sound[place] for place in used], (
                "over at once"
            )
            driver.faults[:] = sound
    for tag in ("outputs", "verify", "set", "clear", "nothing"):
        assert driver.places(tag) == []
    if not name.startswith(("adam41", "adam401", "eurotherm")):
        # Of those, a second read says whether the first may be believed.
        assert len(seen) == len(set(seen))
    assert set(used) <= set(seen)
