"""What a tester has: several benches in one test, registers by name, every fault as a method."""

import inspect
import os
import re
import termios

import minimalmodbus
import pytest

from edge.emulator.faults.line_kinds import LINE_KINDS, SENSOR_KINDS
from edge.emulator.faults.own_kinds import OWN_KINDS
from edge.emulator.furnace_bench import BenchError, FurnaceBench
from tests.emulator.test_plant_of_values import PLANT

# Faults of few instruments: by fault(), not by a method of their own.
RARE = {"trip", "local", "jammed", "lost", "failed", "lockout", "no_flame"}
WITHIN_S = 20.0


@pytest.fixture
def shelf(tmp_path):
    path = tmp_path / "shelf.toml"
    path.write_text(PLANT)
    return path


def instrument(bench, unit):
    found = minimalmodbus.Instrument(bench.port, unit)
    found.serial.baudrate = bench.baud
    found.serial.timeout = 10
    return found


def test_several_benches_in_one_test_know_nothing_of_each_other(furnace_bench_factory, shelf):
    benches = [furnace_bench_factory(plant=shelf) for _ in range(2)]
    masters = [instrument(bench, 9) for bench in benches]
    benches[0].registers["probe.setpoint"] = 160.25
    assert (
        benches[0].registers["probe.setpoint"] == 160.25 and benches[1].registers["probe.setpoint"] == 150.0
    )
    assert [master.read_float(10) for master in masters] == [160.25, 150.0]
    masters[1].write_register(20, 60, functioncode=6)
    assert benches[1].registers["probe.power"] == 60.0 and benches[0].registers["probe.power"] == 0.0
    benches[0].set("oven_c", 99.9)
    benches[0].wait_for(
        lambda state: benches[0].registers["probe.temperature"] == pytest.approx(99.9), WITHIN_S
    )
    with pytest.raises(BenchError, match="no register 'colour'"):
        benches[0].registers["probe.colour"]
    for master in masters:
        master.serial.close()


def test_a_fault_of_one_function_and_of_so_many_replies(furnace_bench_factory, shelf):
    bench = furnace_bench_factory(plant=shelf)
    probe = instrument(bench, 9)
    bench.exception("probe", 6, replies=1, function=6)
    assert probe.read_register(0, functioncode=4) == 205
    with pytest.raises(minimalmodbus.SlaveReportedException):
        probe.write_register(20, 10, functioncode=6)
    probe.write_register(20, 10, functioncode=6)
    bench.clamping("probe", 25, register=20)
    with pytest.raises(minimalmodbus.InvalidResponseError):
        probe.write_register(20, 90, functioncode=6)
    assert bench.registers["probe.power"] == 25.0
    bench.clear()
    bench.jump("probe", 30.0, channel="temperature")
    bench.wait_for(lambda state: bench.registers["probe.temperature"] == pytest.approx(50.5), WITHIN_S)
    probe.serial.close()


def test_an_unplugged_port_is_gone_and_is_back_under_the_same_name(furnace_bench_factory, shelf):
    bench = furnace_bench_factory(plant=shelf)
    probe = instrument(bench, 9)
    assert probe.read_register(0, functioncode=4) == 205
    bench.registers["probe.setpoint"] = 42.0
    bench.unplugged()
    bench.wait_for(lambda state: state["port"]["lost"], WITHIN_S)
    assert not os.path.exists(bench.port)
    with pytest.raises((OSError, termios.error, minimalmodbus.ModbusException)):
        probe.read_register(0, functioncode=4)
    probe.serial.close()
    bench.clear()
    bench.wait_for(lambda state: state["port"]["reopened"] == 1, WITHIN_S)
    again = instrument(bench, 9)
    assert again.read_float(10) == 42.0, "the plant went on"
    again.serial.close()


def test_every_fault_is_a_method_of_its_name_with_a_description():
    kinds = {**LINE_KINDS, **SENSOR_KINDS, **OWN_KINDS}
    for kind in set(kinds) - RARE:
        method = getattr(FurnaceBench, kind)
        assert method.__doc__, kind
        parameters = inspect.signature(method).parameters
        if kind in LINE_KINDS and not LINE_KINDS[kind].whole_line and kind != "babbling":
            assert any(one.kind is one.VAR_KEYWORD for one in parameters.values()), kind
    assert set(kinds) >= RARE


def test_every_method_does_its_fault(furnace_bench_factory):
    bench = furnace_bench_factory()
    arguments = {"burnt_out": ("ai0",), "shorted": ("ai0",)}
    for kind in (*LINE_KINDS, *SENSOR_KINDS, "frozen", "burnt_out", "shorted"):
        if kind == "unplugged":
            continue
        method = getattr(bench, kind)
        whole = kind in LINE_KINDS and LINE_KINDS[kind].whole_line
        method() if whole else method("roof", *arguments.get(kind, ()))
        (fault,) = bench.state()["faults"]
        assert (fault["unit"], fault["kind"]) == (0 if whole else 1, kind)
        bench.clear()
    bench.reset("roof")
    bench.watchdog("burner_and_heater")
    assert bench.state()["leases"]["burner_and_heater"]["expired"]


def test_what_a_bench_can_not_be_is_told():
    with pytest.raises(BenchError, match="line is 'pigeon'; expected one of serial, tcp, rtu_over_tcp"):
        FurnaceBench(line="pigeon")
    with pytest.raises(
        BenchError, match="no option 'colour'; expected one of script, chaos, record, silence_ms"
    ):
        FurnaceBench(colour=1)


def test_the_page_names_every_method_of_the_bench():
    page = os.path.dirname(__file__) + "/../../docs/bench-testing.md"
    with open(page, encoding="utf-8") as file:
        text = file.read()
    for name in (
        "registers",
        "furnace_bench_factory",
        "timeline",
        "wait_for",
        "set",
        "state",
        "clear",
        "kinds",
    ):
        assert re.search(rf"`{name}\b", text), name
