"""Plants without a furnace model: named values, instruments of described registers, read and set by name."""

import pytest

from edge.emulator import plant_file
from edge.emulator.bench import Bench
from edge.emulator.console import Console
from edge.emulator.instruments.instrument import FaultError
from edge.emulator.plant_file import PlantFileError
from edge.emulator.readable import readable
from edge.node.bus import modbus
from tests.emulator.test_bench import Desk

PLANT = """
[plant]
name = "shelf"

[line]
baud = 38400

[values]
oven_c = 20.5
heater_pct = 0.0

[instrument.probe]
type = "modbus"
unit = 9

[instrument.probe.temperature]
table = "input"
address = 0
type = "s16"
scale = 0.1
reads = "oven_c"

[instrument.probe.setpoint]
table = "holding"
address = 10
type = "f32"
value = 150.0

[instrument.probe.power]
table = "holding"
address = 20
type = "u16"
drives = "heater_pct"

[instrument.thermocouple]
type = "m7019r"
unit = 1

[instrument.thermocouple.ai0]
sensor = "K"
reads = "oven_c"
"""
BARE = (
    PLANT[: PLANT.index("[values]")]
    + """
[instrument.store]
type = "modbus"
unit = 3

[instrument.store.level]
table = "holding"
address = 0
type = "u16"
value = 7
"""
)


@pytest.fixture
def shelf(tmp_path):
    path = tmp_path / "shelf.toml"
    path.write_text(PLANT)
    return str(path)


def test_a_plant_of_values_shows_what_is_set_and_takes_what_is_written(shelf):
    desk = Desk(shelf)
    assert desk.read(9, 4, 0) == [205]
    desk.bench.set("oven_c", 812.3)
    desk.wait(0.5)
    assert desk.read(9, 4, 0) == [8123] and abs(desk.read(1, 4, 0)[0] - 8123) <= 1
    desk.ask(modbus.write_register(9, 20, 40))
    desk.wait(0.5)
    state = desk.bench.state()
    assert state["process"] == {"oven_c": 812.3, "heater_pct": 40.0} and state["outputs"] == {"heater": 40.0}


def test_faults_of_sensors_work_on_values_too(shelf):
    desk = Desk(shelf)
    desk.bench.fault("probe", "jump", 10.0, channel="temperature")
    desk.wait(0.5)
    assert desk.read(9, 4, 0) == [305]


def test_registers_are_read_and_set_by_name_and_by_address(shelf):
    desk = Desk(shelf)
    bench = desk.bench
    assert bench.register("probe.setpoint") == 150.0
    bench.set_register("probe.setpoint", 175.5)
    assert desk.read(9, 3, 10, 2) == [0x432F, 0x8000]
    desk.ask(modbus.write_registers(9, 10, [0x4316, 0]))
    assert bench.register("probe.setpoint") == 150.0
    bench.set_register("probe.power", 25)
    assert bench.outputs() == {"heater": 25.0}
    assert bench.register("probe.holding.20") == 25
    bench.set_register("probe.holding.20", 30)
    assert bench.outputs() == {"heater": 30.0} and bench.register("probe.power") == 30.0
    assert bench.registers.names() == ["probe.temperature", "probe.setpoint", "probe.power"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("oven.temperature", None, "no instrument 'oven': there are probe, thermocouple"),
        ("probe.colour", None, "probe has no register 'colour'; it has temperature, setpoint, power"),
        ("probe.holding.99", None, "probe.holding.99 is not in the map of probe"),
        ("thermocouple.ai0", None, "name thermocouple.TABLE.ADDRESS"),
        ("probe.temperature", 5.0, "temperature shows oven_c of the model: set that"),
        ("probe.holding.20", 70000.0, "holds a whole number of 0..65535, but got 70000"),
        ("probe.holding.20", 0.5, "holds a whole number"),
    ],
)
def test_a_register_that_can_not_be_says_what_can(shelf, name, value, message):
    bench = Bench(shelf)
    with pytest.raises(FaultError, match=message):
        bench.register(name) if value is None else bench.set_register(name, value)


def test_a_plant_needs_neither_model_nor_values(tmp_path):
    path = tmp_path / "bare.toml"
    path.write_text(BARE)
    desk = Desk(str(path))
    assert desk.read(3, 3, 0) == [7]
    desk.bench.set_register("store.level", 8)
    assert desk.read(3, 3, 0) == [8]
    assert desk.bench.state()["process"] == {} == desk.bench.outputs()
    with pytest.raises(ValueError, match="the plant has no value 'oven_c'; it has none"):
        desk.bench.set("oven_c", 1.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[values]", '[model]\nkind = "grate"\n[values]', r"\[values\]: stands beside \[model\]"),
        ("oven_c = 20.5", 'oven_c = "hot"', r"\[values\]: value oven_c is 'hot'; expected a finite number"),
        ("oven_c = 20.5", "oven_c = 1\nstep = 1", "'step' can't be the name of a value"),
        ('reads = "oven_c"', 'reads = "stove_c"', "has no process value 'stove_c'"),
        (
            'drives = "heater_pct"',
            'drives = "fan_pct"',
            "drives: is 'fan_pct'; expected one of oven_c, heater_pct",
        ),
    ],
)
def test_a_wrong_plant_of_values_names_the_key(tmp_path, old, new, message):
    path = tmp_path / "wrong.toml"
    path.write_text(PLANT.replace(old, new, 1))
    with pytest.raises(PlantFileError, match=message):
        plant_file.load(str(path))


def test_the_console_reads_and_sets_registers_and_helps(shelf):
    console = Console(Bench(shelf))
    assert console.obey("register probe.setpoint") == {"register": "probe.setpoint", "value": 150.0}
    assert console.obey("register probe.setpoint 160") == {"register": "probe.setpoint", "value": 160.0}
    assert "expected register NAME" in console.obey("register")["error"]
    assert console.obey("register probe.setpoint nan")["value"] is None, "a float without a value"
    assert "expected a number" in console.obey("register probe.setpoint inf")["error"]
    commands = console.obey("help")["help"]
    assert [line.split()[0] for line in commands] == [
        "help", "fault", "clear", "kinds", "set", "register", "state", "timeline", "quit"
    ]  # fmt: skip
    faults = console.obey("help probe")["help"]
    assert [line.split()[0] for line in faults] == console.obey("kinds probe")["kinds"]
    assert any(line.startswith("late") and "ms (150)" in line for line in faults)


def test_at_a_terminal_the_state_is_text_with_every_part(shelf):
    bench = Bench(shelf)
    bench.fault("probe", "exception", 5, function=4)
    console = Console(bench)
    text = readable(console.obey("state"))
    for part in (
        "oven_c",
        "20.500",
        "heater",
        "0.000 %",
        "requests 0",
        "fault     unit 9: exception 5 function=4",
    ):
        assert part in text
    assert max(len(line) for line in text.splitlines()) < 120
    assert readable(console.obey("dance")).startswith("error: no command 'dance'")
    assert readable(console.obey("clear")) == "ok"
    assert readable(console.obey("register probe.setpoint")) == "probe.setpoint = 150"
    assert "fault     none" in readable(console.obey("state"))
    assert readable(console.obey("help")).startswith("help")
