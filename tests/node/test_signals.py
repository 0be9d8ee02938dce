"""A signal says what it is worth: the end of a transmitter's range, and an input that no longer moves."""

from edge.node.signals import BAD, GOOD, UNCERTAIN, Signal


class Module:
    """One input of a module that answers every 250 ms."""

    period_ms = 250
    station = None
    link_fault = ""

    def __init__(self):
        self.values = [12.0]
        self.faults = [""]
        self.stamps_ms = [0]

    def read(self, value, now_ms):
        self.values[0] = value
        self.stamps_ms[0] = now_ms


def readings(values, repeats=4):
    """Quality and end of a pressure of -500..250 Pa after each of these currents."""
    module = Module()
    signal = Signal("draught", "Pa", module, 0, -500.0, 250.0, 2000, scale=(-500.0, 250.0), repeats=repeats)
    seen = []
    for i, value in enumerate(values):
        module.read(value, 250 * i)
        signal.update(250 * i)
        seen.append((signal.quality, signal.at_end))
    return seen


def test_so_many_equal_readings_are_a_stuck_instrument_and_one_other_ends_it():
    assert readings([12.0, 12.1, 12.0, 12.0, 12.0, 12.0, 12.1]) == [(GOOD, 0)] * 5 + [(BAD, 0), (GOOD, 0)]


def test_a_transmitter_at_the_end_of_its_range_stands_still_and_is_not_stuck():
    # Else a furnace pressure over its range would become bad, and clear its own trip.
    assert readings([12.0] + [20.5] * 20)[1:] == [(UNCERTAIN, 1)] * 20
    assert readings([12.0] + [3.8] * 20)[1:] == [(UNCERTAIN, -1)] * 20
