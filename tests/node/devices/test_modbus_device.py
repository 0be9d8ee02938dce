"""The device that the node file describes: its numbers, its requests, its outputs and its lease."""

from types import SimpleNamespace

import pytest

from edge.emulator.instruments.modbus_device import ModbusDevice, Register
from tests.node.devices.rig import Rig

REGISTERS = {
    "power": {"role": "read", "table": "input", "address": 0, "type": "f32", "scale": 0.001, "unit": "MW"},
    "energy": {
        "role": "read", "table": "input", "address": 2, "type": "u32", "word_order": "low_first", "unit": "",
    },
    "outside": {
        "role": "read", "table": "input", "address": 4, "type": "s16", "scale": 0.1, "unit": "degC",
        "bad": [-32768],
    },
    "status": {"role": "read", "table": "holding", "address": 10, "type": "u16", "bit": 3, "unit": ""},
    "door": {"role": "read", "table": "discrete", "address": 5, "type": "bit", "unit": ""},
    "valve": {
        "role": "write", "table": "holding", "address": 20, "type": "u16", "scale": 0.1, "unit": "%",
        "at_0": 0.0, "at_100": 100.0,
    },
    "rate": {
        "role": "write", "table": "holding", "address": 22, "type": "f32", "word_order": "low_first",
        "unit": "kg/h", "at_0": 50.0, "at_100": 450.0,
    },
    "pump": {"role": "write", "table": "coil", "address": 7, "type": "bit", "unit": ""},
    "mode": {"role": "setting", "table": "holding", "address": 30, "type": "u16", "value": 2.0},
    "time": {"role": "lease", "table": "holding", "address": 31, "type": "u16", "unit_ms": 100},
    "valve_safe": {"role": "safe", "table": "holding", "address": 32, "type": "u16", "output": "valve"},
}  # fmt: skip


def instrument():
    return ModbusDevice(
        "m", 1, 5,
        [
            Register("power", "input", 0, "f32", scale=0.001, reads="power_mw"),
            Register("energy", "input", 2, "u32", byte_order="CDAB", value=3000000000.0),
            Register("outside", "input", 4, "s16", scale=0.1, reads="outside_c"),
            Register("status", "holding", 10, "u16", value=8.0),
            Register("door", "discrete", 5, "bit", reads="door"),
            Register("valve", "holding", 20, "u16", scale=0.1, drives="valve_pct", safe_pct=30.0),
            Register(
                "rate", "holding", 22, "f32", byte_order="CDAB", drives="rate_pct", at_0=50.0, at_100=450.0
            ),
            Register("pump", "coil", 7, "bit", drives="pump_pct"),
            Register("mode", "holding", 30, "u16"),
            Register("time", "holding", 31, "u16", watchdog_ms=100),
            Register("valve_safe", "holding", 32, "u16"),
        ],
    )  # fmt: skip


def rig(**more):
    model = SimpleNamespace(
        power_mw=7.9, outside_c=-12.3, door=1.0, valve_pct=40.0, rate_pct=50.0, pump_pct=100.0
    )
    safe = {"valve": 30.0, "rate": None, "pump": 0.0}
    spec = {"type": "modbus", "register": REGISTERS, "lease_ms": 2500, **more}
    return Rig(spec, instrument(), model, None, safe)


def test_every_type_is_read_in_its_unit():
    line = rig()
    line.run(3)
    assert line.good("power") == pytest.approx(7.9, rel=1e-6)
    assert line.good("energy") == 3000000000.0
    assert line.good("outside") == pytest.approx(-12.3)
    assert line.good("status") == 1.0
    assert line.good("door") == 1.0
    assert line.good("rate") == pytest.approx(250.0)


def test_adjacent_registers_are_read_with_one_request_and_gaps_are_not_read():
    polls = [poll[1:4] for poll in rig().driver.polls()]
    settings = [(3, 30, 1), (3, 31, 1), (3, 32, 1)]
    assert polls == [(1, 7, 1), (2, 5, 1), (3, 10, 1), (3, 20, 1), (3, 22, 2), (4, 0, 5), *settings]


def test_outputs_are_taken_over_driven_by_name_and_read_back():
    line = rig()
    line.run(2)
    assert line.driver.actual("valve") == pytest.approx(40.0)
    assert line.driver.actual("rate") == pytest.approx(50.0)
    assert line.driver.actual("pump") == 100.0
    line.demands = {"valve": 12.34, "rate": 75.0, "pump": 10.0}
    line.run(2)
    assert line.model.valve_pct == pytest.approx(12.3)
    assert line.model.rate_pct == pytest.approx(75.0)
    assert line.model.pump_pct == 0.0
    assert line.good("valve") == pytest.approx(12.3)
    # By their numbers too, in the order of their names.
    assert line.driver.actual(0) == line.driver.actual("pump") == 0.0


def test_settings_safe_values_and_the_lease_are_written_where_they_differ():
    line = rig()
    line.run(2)
    get = line.instrument.holding.get
    assert (get(30), get(31), get(32)) == (2, 25, 300), "the valve's own scale counts for its safe value"
    assert line.instrument.lease_us == 2500000


def test_the_lease_is_kept_and_ends_with_the_node():
    line = rig()
    line.demands = {"valve": 80.0}
    line.run(30)
    assert not line.instrument.lost and line.model.valve_pct == pytest.approx(80.0)
    line._bus.step = lambda now_us: now_us + 1000000
    line.run(3)
    assert line.model.valve_pct == 30.0


def test_without_a_lease_outputs_are_written_now_and_then():
    registers = {key: spec for key, spec in REGISTERS.items() if spec["role"] != "lease"}
    line = rig(register=registers, lease_ms=0)
    line.demands = {"pump": 100.0}
    line.run(61)
    assert 6 <= len(line.asked(bytes((1, 5, 0, 7)))) <= 8


def test_after_a_power_cycle_it_is_set_up_and_driven_again():
    line = rig()
    line.demands = {"valve": 80.0, "pump": 100.0}
    line.run(3)
    line.fault("reset")
    line.fault("silence", None, 4)
    line.run(10)
    assert line.instrument.holding.get(30) == 2
    assert line.model.valve_pct == pytest.approx(80.0) and line.model.pump_pct == 100.0


def test_a_moment_without_power_that_nobody_noticed_is_seen_by_what_it_forgot():
    line = rig()
    line.demands = {"valve": 80.0}
    line.run(3)
    line.fault("reset")
    line.run(1)
    assert line.instrument.lease_state()["armed"] is False and line.driver.ready
    line.run(8)
    assert line.instrument.lease_state()["armed"] is True
    assert line.model.valve_pct == pytest.approx(80.0)


def test_bad_values_and_not_a_number_are_no_readings():
    line = rig()
    line.run(2)
    line.model.outside_c = -3276.8
    line.model.power_mw = float("nan")
    line.run(1)
    assert line.why("outside") == "not available: -32768 (0x8000)"
    assert line.why("power") == "not a number"
    assert line.good("energy") == 3000000000.0


def test_what_is_refused_says_nothing_about_the_rest():
    line = rig()
    line.run(2)
    line.instrument.FUNCTIONS = line.instrument.FUNCTIONS - {2}
    line.slaves._known.clear()
    line.run(2)
    assert line.why("door") == "refused: illegal function"
    assert line.good("power") == pytest.approx(7.9, rel=1e-6)


def test_an_output_that_can_not_be_read_back_stands_where_another_register_says():
    registers = dict(REGISTERS)
    registers["valve"] = {**REGISTERS["valve"], "actual": "opened"}
    registers["opened"] = {
        "role": "read", "table": "holding", "address": 20, "type": "u16", "scale": 0.1, "unit": "%",
    }  # fmt: skip
    line = rig(register=registers)
    line.run(2)
    assert "valve" not in line.driver.inputs
    assert line.driver.actual("valve") == pytest.approx(40.0)

