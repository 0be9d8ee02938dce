"""The thermocouple module: the whole chain from a temperature to its registers."""

from types import SimpleNamespace

import pytest

from edge.emulator.instruments.instrument import FaultError, Table
from edge.emulator.instruments.m7019r import M7019R, OUT_OF_RANGE, Channel
from edge.node.bus import modbus
from edge.node.devices import m7019r
from tests.emulator.instruments.line import SECOND_US, Line

CURRENT = {"at_4ma": -300.0, "at_20ma": 200.0}


def thermometer(noise=0.0, **values):
    """A module with thermocouples on ai0 and ai3 and a transmitter of -300..200 Pa on ai5."""
    channels = {
        "ai0": Channel("K", "hot_c", noise),
        "ai3": Channel("K", "warm_c", noise),
        "ai5": Channel("4-20mA", "draught_pa", noise, **CURRENT),
    }
    model = SimpleNamespace(**{"hot_c": 950.0, "warm_c": 25.0, "draught_pa": -80.0, **values})
    return Line(M7019R("roof", 1, 5, channels, 35.0), model), model


@pytest.mark.parametrize("temp_c", [-100.0, -0.04, 0.0, 0.06, 24.99, 850.0, 999.96, 1371.9])
def test_a_thermocouple_comes_back_in_tenths_of_a_degree(temp_c):
    line, _ = thermometer(hot_c=temp_c)
    count = line.read(4, m7019r.AI_VALUE)[0]
    count = count - 65536 if count & 0x8000 else count
    assert abs(count / 10.0 - temp_c) <= 0.0501


def test_beyond_the_range_of_the_type_it_reads_7fff_and_8000():
    line, model = thermometer(hot_c=1380.0)
    assert line.read(4, m7019r.AI_VALUE)[0] == 0x7FFF
    assert line.read(2, OUT_OF_RANGE, 8) == [1, 0, 0, 0, 0, 0, 0, 0]
    model.hot_c = -300.0
    line.wait(0.25)
    assert line.read(4, m7019r.AI_VALUE)[0] == 0x8000


@pytest.mark.parametrize(
    ("draught_pa", "count"), [(-300.0, 4000), (200.0, 20000), (-80.0, 11040), (-400.0, 3800), (900.0, 20500)]
)
def test_a_current_comes_in_microamperes_as_far_as_the_transmitter_goes(draught_pa, count):
    line, _ = thermometer(draught_pa=draught_pa)
    assert line.read(4, m7019r.AI_VALUE + 5)[0] == count


def test_noise_has_the_spread_that_was_asked_for_and_comes_from_the_seed():
    readings = []
    for _ in range(2):
        line, _ = thermometer(noise=1.0)
        values = []
        for _ in range(400):
            line.wait(0.25)
            values.append(line.read(4, m7019r.AI_VALUE)[0] / 10.0)
        readings.append(values)
    mean = sum(readings[0]) / 400
    spread = (sum((value - mean) ** 2 for value in readings[0]) / 399) ** 0.5
    assert abs(mean - 950.0) < 0.2 and 0.85 < spread < 1.15
    assert readings[0] == readings[1]


def test_inputs_can_be_read_as_holding_registers_but_not_written():
    line, _ = thermometer()
    assert line.read(3, m7019r.AI_VALUE, 8) == line.read(4, m7019r.AI_VALUE, 8)
    assert line.write(m7019r.AI_VALUE, 1) == 2


def test_it_tells_its_settings():
    line, _ = thermometer()
    assert line.read(3, m7019r.AI_TYPE_CODE, 8) == [0x0F, 0, 0, 0x0F, 0, 0x07, 0, 0]
    assert line.read(4, m7019r.CJC_TEMPERATURE) == [3500]
    assert line.read(1, m7019r.COIL_DATA_FORMAT) == [1]
    assert line.read(3, m7019r.CHANNEL_ENABLE) == [0b101001]


def test_a_channel_set_to_another_type_than_is_wired_reads_nothing_plausible():
    line, _ = thermometer()
    assert line.write(m7019r.AI_TYPE_CODE, 0x07) == 0
    assert line.write(m7019r.AI_TYPE_CODE + 5, 0x0F) == 0
    assert line.write(m7019r.AI_TYPE_CODE, 0x99) == 3
    line.wait(0.25)
    counts = line.read(4, m7019r.AI_VALUE, 8)
    assert (counts[0], counts[5]) == (0x8000, 0x7FFF)


def test_an_offset_shifts_a_temperature_and_a_disabled_channel_reads_0():
    line, _ = thermometer()
    assert line.write(m7019r.TEMPERATURE_OFFSET, 65536 - 15) == 0
    assert line.write(m7019r.CHANNEL_ENABLE, 0b100001) == 0
    line.wait(0.25)
    counts = line.read(4, m7019r.AI_VALUE, 8)
    assert (counts[0], counts[3]) == (9485, 0)


def test_the_response_delay_can_be_set():
    line, _ = thermometer()
    assert line.write(m7019r.RESPONSE_DELAY, 20) == 0
    assert line.slaves.received(modbus.read_request(1, 4, 0, 1), 5 * SECOND_US)[0][0] == 5 * SECOND_US + 20000
    assert line.write(m7019r.RESPONSE_DELAY, 31) == 3


def test_a_burnt_out_thermocouple_is_7fff_and_without_detection_the_terminals():
    line, _ = thermometer()
    line.instrument.begin_fault("burnt_out", "ai0", 0)
    line.instrument.begin_fault("burnt_out", 5, 0)
    line.wait(0.25)
    counts = line.read(4, m7019r.AI_VALUE, 8)
    assert (counts[0], counts[3], counts[5]) == (0x7FFF, 250, 0x8000)
    assert line.write_coil(m7019r.COIL_OPEN_DETECTION, False) == 0
    line.wait(0.25)
    assert line.read(4, m7019r.AI_VALUE)[0] == 350
    line.instrument.end_fault("burnt_out", "ai0", 0)
    line.wait(0.25)
    assert line.read(4, m7019r.AI_VALUE)[0] == 9500
    with pytest.raises(FaultError, match="no input 'ai1': wired are ai0, ai3, ai5"):
        line.instrument.begin_fault("burnt_out", "ai1", 0)


def test_a_shorted_thermocouple_shows_the_temperature_of_its_terminals():
    line, _ = thermometer()
    line.instrument.begin_fault("shorted", "ai0", 0)
    line.wait(0.25)
    assert line.read(4, m7019r.AI_VALUE, 4)[::3] == [350, 250]
    assert line.read(2, m7019r.AI_OUT_OF_RANGE) == [0], "nothing tells it"
    line.instrument.begin_fault("burnt_out", "ai0", 0)
    line.instrument.end_fault("shorted", "ai0", 0)
    line.wait(0.25)
    assert line.read(4, m7019r.AI_VALUE)[0] == 0x7FFF
    with pytest.raises(FaultError, match="ai5 of roof has no thermocouple that could be shorted"):
        line.instrument.begin_fault("shorted", "ai5", 0)


def test_frozen_registers_stand_still_while_the_line_goes_on():
    line, model = thermometer()
    line.instrument.begin_fault("frozen", None, 0)
    model.hot_c = 500.0
    line.wait(1)
    assert line.read(4, m7019r.AI_VALUE)[0] == 9500
    line.instrument.end_fault("frozen", None, 0)
    line.wait(0.25)
    assert line.read(4, m7019r.AI_VALUE)[0] == 5000


def test_the_reset_status_is_1_for_the_first_read_after_power_on():
    line, _ = thermometer()
    assert [line.read(1, m7019r.COIL_RESET_STATUS)[0] for _ in range(3)] == [1, 0, 0]
    line.instrument.reset(line.now_us)
    assert [line.read(1, m7019r.COIL_RESET_STATUS)[0] for _ in range(2)] == [1, 0]


def test_a_table_keeps_touching_blocks_together_and_others_apart():
    table = Table([(10, 2), (0, 3), (3, 1)], 2)
    assert table.place(0, 4) == 0 and table.place(3, 2) == -1 and table.place(10, 2) == 8
    assert table.place(12) == -1
    table.put_all(2, (0x1234, 5))
    assert (table.get(2), table.get(3)) == (0x1234, 5)
    with pytest.raises(KeyError):
        table.put(4, 1)
    with pytest.raises(ValueError, match="two blocks"):
        Table([(0, 3), (2, 1)], 1)
