"""A controller under test, here minimalmodbus, on an emulated furnace.

It needs furnace-edge, minimalmodbus and pytest: the fixture furnace_bench comes with the package.
"""

import minimalmodbus
import pytest


@pytest.fixture
def roof(furnace_bench):
    module = minimalmodbus.Instrument(furnace_bench.port, furnace_bench.units["roof"])
    module.serial.baudrate = furnace_bench.baud
    module.serial.timeout = 0.2
    yield module
    module.serial.close()


def test_it_reads_the_furnace(furnace_bench, roof):
    measured_c = roof.read_register(0, number_of_decimals=1, functioncode=4)
    assert measured_c == pytest.approx(furnace_bench.state()["process"]["t_a1_c"], abs=5)


def test_it_notices_a_module_that_falls_silent_and_comes_back(furnace_bench, roof):
    furnace_bench.silence("roof")
    with pytest.raises(minimalmodbus.NoResponseError):
        roof.read_register(0, functioncode=4)
    furnace_bench.clear()
    assert roof.read_register(0, functioncode=4) > 8000
    assert [entry.what for entry in furnace_bench.timeline()] == [
        "fault begins", "request", "fault ends", "request", "reply"
    ]  # fmt: skip


@pytest.mark.furnace(seed=7)
def test_it_notices_a_burnt_out_thermocouple(furnace_bench, roof):
    furnace_bench.burnt_out("roof", "ai0")
    furnace_bench.wait_for(lambda state: state["faults"] and state["time_s"] > 1)
    assert roof.read_register(0, functioncode=4) == 0x7FFF
