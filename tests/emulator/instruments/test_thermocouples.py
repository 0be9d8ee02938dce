"""Every letter that a module can be set to, over the whole chain from a temperature to its register."""

from types import SimpleNamespace

import pytest

from cext.thermocouple import K, temp_c
from cext.thermocouple_base import J
from edge.emulator.instruments import adam4018, m7019r
from edge.emulator.instruments.thermocouples import KINDS
from edge.node.devices import adam4018 as adam
from edge.node.devices import m7019r as icpdas
from tests.emulator.instruments.line import Line

# IEC 60584-1, temperature in degC and electromotive force in mV: in the range of every module.
TABLE = {
    "B": (1200, 6.786),
    "E": (700, 53.112),
    "J": (500, 27.393),
    "K": (1000, 41.276),
    "N": (1000, 36.256),
    "R": (1000, 10.506),
    "S": (1000, 9.587),
    "T": (300, 14.862),
}


def icpdas_line(kind, sensor, hot_c, cold_c=35.0):
    channel = m7019r.Channel(sensor, "hot_c")
    return Line(kind("it", 1, 5, {"ai0": channel}, cold_c), SimpleNamespace(hot_c=hot_c))


@pytest.mark.parametrize("sensor", sorted(KINDS))
@pytest.mark.parametrize("kind", [m7019r.M7019R, m7019r.M7018])
def test_icp_das_modules_read_every_letter_in_tenths_of_a_degree(kind, sensor):
    line = icpdas_line(kind, sensor, TABLE[sensor][0])
    assert line.read(4, icpdas.AI_VALUE)[0] == 10 * TABLE[sensor][0]
    code = icpdas.TYPE_CODE if kind is m7019r.M7018 else icpdas.AI_TYPE_CODE
    assert line.read(3, code)[0] == icpdas.SENSORS[sensor][0]


@pytest.mark.parametrize("sensor", sorted(adam.SENSORS))
def test_adam_modules_read_every_letter_within_a_count(sensor):
    hot_c = TABLE[sensor][0]
    module = adam4018.Adam4018("it", 1, 5, {"ai0": (sensor, "hot_c", 0.0)})
    line = Line(module, SimpleNamespace(hot_c=hot_c))
    _, low, high = adam.SENSORS[sensor]
    count = line.read(3, adam.AI_VALUE)[0]
    assert adam.temp_c(sensor, count) == pytest.approx(hot_c, abs=(high - low) / 65536)
    assert line.read(3, adam.AI_TYPE_CODE)[0] == adam.SENSORS[sensor][0]


@pytest.mark.parametrize("sensor", sorted(set(KINDS) - {"B"}))
def test_a_channel_set_to_another_letter_reads_its_millivolts_by_that_table(sensor):
    """At a cold junction of 0 degC the millivolts are those of the standard's table."""
    hot_c, millivolts = TABLE[sensor]
    line = icpdas_line(m7019r.M7019R, sensor, hot_c, 0.0)
    for letter, kind in (("K", K), ("J", J)):
        assert line.write(icpdas.AI_TYPE_CODE, icpdas.SENSORS[letter][0]) == 0
        line.wait(0.25)
        expected_c = temp_c(millivolts, kind)
        # 1 uV of the table is at most 0.03 degC, a count 0.1.
        assert line.read(4, icpdas.AI_VALUE)[0] / 10 == pytest.approx(expected_c, abs=0.1)
