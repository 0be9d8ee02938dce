"""The O2 analyser."""

from struct import unpack
from types import SimpleNamespace

import pytest

from edge.emulator.instruments.instrument import FaultError
from edge.emulator.instruments.o2_analyser import O2Analyser
from edge.node.bus import modbus
from edge.node.devices import o2_analyser
from tests.emulator.instruments.line import Line


def analyser(o2_pct=6.6):
    model = SimpleNamespace(o2_pct=o2_pct)
    return Line(O2Analyser("o2", 2, 5, "o2_pct"), model), model


def test_oxygen_is_a_float_with_the_high_word_first():
    line, _ = analyser(6.25)
    assert line.read(4, o2_analyser.O2, 2) == [0x40C8, 0x0000]
    assert line.read(4, o2_analyser.CELL_TEMPERATURE) == [7000]


def test_the_analyser_knows_function_4_only():
    line, _ = analyser()
    assert line.ask(modbus.read_request(2, 3, 0, 1))[1:3] == bytes((0x83, 1))


def test_a_failed_analyser_sets_its_fault_bits_and_goes_on_measuring():
    line, model = analyser()
    line.instrument.begin_fault("failed", 6, 0)
    model.o2_pct = 3.5
    line.wait(0.25)
    assert line.read(4, o2_analyser.FAULTS) == [6]
    assert unpack(">f", line.ask(modbus.read_request(2, 4, 0, 2))[3:-2]) == (3.5,)
    line.instrument.end_fault("failed", 6, 0)
    line.wait(0.25)
    assert line.read(4, o2_analyser.FAULTS) == [0]
    with pytest.raises(FaultError, match="1 sensor error"):
        line.instrument.begin_fault("failed", "yes", 0)
