"""A plant with several serial lines: each bus of the node is joined to its own."""

import json
import time

import pytest

from edge.box.child import Child
from edge.box.config import check, find
from edge.emulator import plant_file, serve
from edge.emulator.bench import Bench
from edge.emulator.instruments.instrument import FaultError
from edge.emulator.plant_file import PlantFileError
from edge.emulator.virtual import VirtualRun
from edge.node.commands import Commands

LINE = "[line]\nbaud = 38400\nchar_bits = 11 "


def two_lines() -> str:
    """The muffle with its thermocouples on a line of their own, where another unit 2 is as well."""
    text = plant_file.find("muffle").read_text()
    assert LINE in text
    text = text.replace(LINE, "[line.measure]\nbaud = 9600\n[line.switch]\nbaud = 38400\n#")
    text = text.replace("[instrument.thermo]\n", '[instrument.thermo]\nline = "measure"\n')
    for name in ("ssr", "relay"):
        text = text.replace(f"[instrument.{name}]", f'[instrument.{name}]\nline = "switch"\n#', 1)
    # Two units may have one id where their lines differ.
    return text.replace("unit = 2", "unit = 1")


def node_of_two_buses() -> str:
    text = find("muffle").read_text()
    start = text.index("[bus.field]")
    end = text.index("# ---", start)
    bus = '[bus.{0}]\nport = "/dev/{0}"\nbaud = {1}\nframing = "8N1"\ntimeout_ms = 60\n\n'
    text = text[:start] + bus.format("measure", 9600) + bus.format("switch", 38400) + text[end:]
    text = text.replace('bus = "field"', 'bus = "measure"', 1).replace('bus = "field"', 'bus = "switch"')
    return text.replace("unit = 2", "unit = 1")


@pytest.fixture
def plant(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(two_lines())
    return str(path)


def run_of(plant):
    text = node_of_two_buses()
    return VirtualRun(plant, check("node.toml", text.encode()).description, 1)


def state_of(run):
    return {output.name: (output.state, output.value) for output in run.node.guard.outputs}


def test_a_node_of_two_buses_runs_on_two_lines(plant):
    run = run_of(plant)
    run.run_for(5)
    assert Commands(run.node).execute("programme ash start") == "ash: start"
    run.run_for(600)
    assert state_of(run)["contactor"] == ("auto", 100.0)
    assert 31.0 < run.bench.model.chamber_c < 35.0
    for wire in run.wires.values():
        assert (wire.violations, wire.collisions) == (0, 0)
    assert sum(station.errors for bus in run.node.buses for station in bus.stations) == 0


def test_a_run_on_two_lines_is_the_same_twice(plant):
    heard = []
    for _ in range(2):
        run = run_of(plant)
        sent = []
        for name, wire in run.wires.items():
            wire.tap = lambda at_us, way, data, name=name, sent=sent: sent.append((name, at_us, way, data))
        run.run_for(20)
        heard.append(sent)
    assert heard[0] == heard[1]
    assert {name for name, *_ in heard[0]} == {"measure", "switch"}


def test_a_fault_hits_the_line_that_has_the_instrument(plant):
    run = run_of(plant)
    run.run_for(5)
    run.bench.fault("ssr", "silence", seconds=20)
    assert run.bench.state()["faults"] == [{"line": "switch", "unit": 1, "kind": "silence", "arg": None}]
    run.run_for(10)
    assert run.node.signals[0].quality == 0
    assert state_of(run)["heat"][0] == "unknown"
    run.run_for(20)
    assert state_of(run)["heat"][0] != "unknown"
    assert run.bench.state()["faults"] == []


def test_an_id_on_two_lines_has_to_be_said_by_name(plant):
    bench = Bench(plant)
    with pytest.raises(FaultError, match="unit 1 is on the lines measure and switch: name the instrument"):
        bench.fault(1, "silence")
    bench.fault(3, "silence")
    bench.fault("all", "noise")
    assert [fault["line"] for fault in bench.state()["faults"]] == ["measure", "switch", "switch"]
    bench.clear_faults()
    assert bench.state()["faults"] == []


def test_buses_and_lines_must_fit(plant):
    one = check("node.toml", find("muffle").read_bytes()).description
    with pytest.raises(ValueError, match=r"the node has 1 buses \(field\), the plant 2 lines"):
        VirtualRun(plant, one, 1)
    other = node_of_two_buses().replace("measure", "sense")
    with pytest.raises(ValueError, match="the plant has no line 'sense'; it has measure, switch"):
        VirtualRun(plant, check("node.toml", other.encode()).description, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('line = "measure"\n', "", r"\[instrument.thermo\] line: is missing; expected one of measure, switch"),
        ('line = "measure"', 'line = "sense"', "line: is 'sense'; expected one of measure, switch"),
        ("[line.measure]\n", "[line.measure]\nspeed = 1\n", r"\[line.measure\] speed: is not known"),
        ('line = "measure"', 'line = "switch"', r"unit: is 1, which thermo has already"),
    ],
)
def test_a_wrong_plant_file_is_named(tmp_path, old, new, said):
    path = tmp_path / "wrong.toml"
    text = two_lines()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PlantFileError, match=said):
        plant_file.load(str(path))


def test_in_real_time_each_line_has_a_pseudo_terminal_of_its_own(plant, tmp_path):
    node = tmp_path / "node.toml"
    node.write_text(node_of_two_buses().partition("[report.outbox]")[0])
    link = tmp_path / "furnace"
    emulator = Child("emulator", "edge.emulator.serve", plant, "--attached", "--link", str(link))
    children = [emulator]
    try:
        ports = json.loads(emulator.line(60))["ports"]
        assert {name: str((tmp_path / f"furnace-{name}").resolve()) for name in ports} == ports
        wired = [word for name, path in ports.items() for word in ("--port", f"{name}={path}")]
        children.append(Child("node", "edge.box.cli", "run", str(node), *wired, "--attached"))
        for _ in range(200):
            emulator.say("state")
            state = json.loads(emulator.line(20))
            if state["outputs"]["contactor"] == 100.0:
                break
            time.sleep(0.2)
        assert state["outputs"]["contactor"] == 100.0
        assert set(state["port"]) == {"measure", "switch"}
        emulator.say("fault ssr silence")
        assert json.loads(emulator.line(20)) == {"ok": True}
        emulator.say("fault 1 silence")
        assert "name the instrument" in json.loads(emulator.line(20))["error"]
        emulator.say("kinds relay")
        assert "watchdog" in json.loads(emulator.line(20))["kinds"]
    finally:
        for child in reversed(children):
            child.end()


def test_what_serves_one_line_is_refused_for_two(plant, capsys):
    assert serve.main([plant, "--tcp", "0"]) == 2
    assert "--tcp is for a plant with one line, and this one has measure, switch" in capsys.readouterr().err
