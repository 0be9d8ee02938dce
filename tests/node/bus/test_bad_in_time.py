"""However many units a line has, whichever die and in whatever way: their signals are bad within a poll
period plus the time-out budget, always; and those of sound units never are, as long as the line has time.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.node.build import bad_within_ms
from edge.node.bus import modbus
from edge.node.signals import BAD, Signal
from tests.node.bus.line import CHAR_US, Line, Listener, sound

READ = modbus.READ_HOLDING_REGISTERS
WARM_UP_MS = 6000
TICK_MS = 50
# Sound units answer in 5 ms, see sound(). Above this share of the line they may have to wait for each other.
FREE_SHARE = 0.6


class Reader(Listener):
    """A device with one reading, as a Signal wants it."""

    def __init__(self, unit, polls, period_ms):
        super().__init__(unit, polls)
        self.period_ms = period_ms
        self.values = [0.0]
        self.faults = ["not read yet"]
        self.stamps_ms = [-1]
        self.link_fault = ""

    def replied(self, tag, data, now_ms):
        if tag == "reading":
            self.stamps_ms[0] = now_ms
            self.faults[0] = ""

    def failed(self, tag, why, now_ms):
        self.link_fault = why


def silent(request, sent_us):
    return []


def damaged(request, sent_us):
    return [(at_us, reply[:-1] + bytes([reply[-1] ^ 1])) for at_us, reply in sound(request, sent_us)]


def truncated(request, sent_us):
    return [(at_us, reply[: len(reply) // 2]) for at_us, reply in sound(request, sent_us)]


def other_unit(request, sent_us):
    return [(5000 + 7 * CHAR_US, modbus.sealed(bytes((99, request[1])) + request[2:5]))]


def writes_only(request, sent_us):
    """Its registers can be written, but not read: it is never silent for long."""
    return sound(request, sent_us) if request[1] > 4 else []


def one_poll_only(request, sent_us):
    """Everything is answered but the poll of the reading."""
    return [] if request[3] == 0 and request[1] == READ else sound(request, sent_us)


LATE = "late"
WAYS = (silent, damaged, truncated, LATE, other_unit, writes_only, one_poll_only)

units = st.lists(
    st.fixed_dictionaries(
        {
            "period_ms": st.integers(40, 3000),
            "timeout_ms": st.integers(20, 300),
            "retries": st.integers(0, 4),
            "count": st.integers(1, 30),
            "polls": st.integers(1, 3),
            "priority": st.integers(0, 2),
            "dies_ms": st.none() | st.integers(0, 2000),
            "way": st.sampled_from(WAYS),
        }
    ),
    min_size=1,
    max_size=8,
)


class Plant:
    """Units of a line with a signal each; they die one by one after a while."""

    def __init__(self, specs, late_ms, writes_ms):
        self.specs = specs
        self.died = {}
        self.line = Line(self._answer, late_ms=late_ms)
        self.devices = []
        for unit, spec in enumerate(specs, 1):
            period_ms = spec["period_ms"]
            polls = [("reading", READ, 0, spec["count"], period_ms, spec["priority"])]
            polls += [(i, READ, 100 * i, 2, period_ms) for i in range(1, spec["polls"])]
            device = Reader(unit, polls, period_ms)
            self.line.bus.add(device, spec["timeout_ms"], spec["retries"])
            self.devices.append(device)
        self.signals = []
        for device in self.devices:
            self.signals.append(Signal("signal", "", device, 0, -1.0, 1.0, bad_within_ms(device)))
        self._late_ms = late_ms
        self._writes_ms = writes_ms

    def _answer(self, request, sent_us):
        unit = request[0]
        if unit not in self.died:
            return sound(request, sent_us)
        spec = self.specs[unit - 1]
        if spec["way"] is not LATE:
            return spec["way"](request, sent_us)
        # What comes later than late_ms could be taken for the next reply, see docs/bus.md.
        after_us = 1000 * (spec["timeout_ms"] + self._late_ms // 2)
        return [(at_us + after_us, reply) for at_us, reply in sound(request, sent_us)]

    def ticks(self, until_ms):
        """Let time pass in ticks, write as they say, judge the signals at each; yields the time in ms."""
        while (now_ms := self.line.clock.now_ms()) < until_ms:
            for unit, spec in enumerate(self.specs, 1):
                dies_ms = spec["dies_ms"]
                if dies_ms is not None and unit not in self.died and now_ms >= WARM_UP_MS + dies_ms:
                    self.died[unit] = now_ms
            if self._writes_ms and now_ms % self._writes_ms == 0:
                for device in self.devices:
                    for register in range(2):
                        request = modbus.write_register(device.unit, 1000 + register, now_ms & 0xFFFF)
                        device.station.queue(register, request)
            self.line.run(TICK_MS)
            now_ms = self.line.clock.now_ms()
            for signal in self.signals:
                signal.update(now_ms)
            yield now_ms


@settings(max_examples=300)
@given(units, st.integers(50, 1500), st.sampled_from([0, 50, 200, 1000]))
def test_the_signals_of_the_dead_are_bad_within_a_period_and_the_time_out_budget(specs, late_ms, writes_ms):
    plant = Plant(specs, late_ms, writes_ms)
    longest_ms = max(bad_within_ms(device) for device in plant.devices)
    for now_ms in plant.ticks(WARM_UP_MS + 2000 + longest_ms + 3000):
        for unit, died_ms in plant.died.items():
            device, signal = plant.devices[unit - 1], plant.signals[unit - 1]
            # What was on the line when it died may still come, and counts from then.
            alive_ms = 5 + (8 + 2 * device.station.polls[0].expected) * CHAR_US // 1000
            if now_ms > died_ms + alive_ms + bad_within_ms(device):
                assert signal.quality == BAD, (unit, now_ms - died_ms, signal.age_ms)


def share(plant) -> float:
    """Of the line's time that the polls and writes of all units take while they are sound."""
    total = 0.0
    for device in plant.devices:
        for poll in device.station.polls:
            total += (5000 + (len(poll.request) + poll.expected) * CHAR_US + 2 * 1750) / poll.period_us
    if plant._writes_ms:
        total += len(plant.devices) * 2 * (5000 + 16 * CHAR_US + 2 * 1750) / (1000.0 * plant._writes_ms)
    return total


@settings(max_examples=300)
@given(units, st.integers(0, 1000), st.sampled_from([0, 1000]))
def test_the_signals_of_the_sound_are_never_bad_beside_the_dead(specs, more_ms, writes_ms):
    for spec in specs:
        # A better priority may go before others for long; a late reply hits whoever is asked then.
        spec["priority"] = 1
        spec["way"] = spec["way"] if spec["way"] is not LATE else silent
    # A dead unit rests while every other is asked once.
    late_ms = 200 + more_ms + sum(spec["timeout_ms"] for spec in specs)
    plant = Plant(specs, late_ms, writes_ms)
    while share(plant) > FREE_SHARE:
        for spec in specs:
            spec["period_ms"] *= 2
        plant = Plant(specs, late_ms, writes_ms)
    seen = set()
    for now_ms in plant.ticks(WARM_UP_MS + 8000):
        for unit, (spec, signal) in enumerate(zip(specs, plant.signals, strict=True), 1):
            if spec["dies_ms"] is None:
                if signal.quality != BAD:
                    seen.add(unit)
                assert signal.quality != BAD or unit not in seen, (unit, now_ms, signal.why, signal.age_ms)
    assert seen == {unit for unit, spec in enumerate(specs, 1) if spec["dies_ms"] is None}
