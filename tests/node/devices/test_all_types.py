"""A node and a plant with a device of every type, Modbus and DCON on one line: all of it at once."""

import ast
import graphlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.box import check, micropython
from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.devices import eurotherm3200, table
from tests.parts import missing_part

FOLDER = Path(__file__).parent / "all_types"
NODE = str(FOLDER / "node.toml")
DIGITAL = {"m7055": 7, "dcon_m7055": 7, "m7065": 4, "dcon_m7065": 4, "adam4055": 0, "adam4056": 11}
ANALOGUE = {"m7024": 0, "dcon_m7024": 3, "adam4024": 1, "fan": 0, "damper": 1}


@pytest.fixture(scope="module")
def description():
    return describe(NODE)[0]


class Run:
    def __init__(self, description):
        self.telemetry = {}
        self._run = VirtualRun(str(FOLDER / "plant.toml"), description, 1, self._told)
        self.bench = self._run.bench
        self.run_for = self._run.run_for

    def _told(self, topic, payload, retain):
        if topic.endswith("/telemetry"):
            self.telemetry = json.loads(payload)

    def dead_for(self, seconds):
        """The node asks no more; the plant goes on."""
        clock = self._run.clock
        until_us = clock.now_us() + int(seconds * 1e6)
        while clock.now_us() < until_us:
            clock.advance_to(clock.now_us() + 250000)
            self.bench.step(clock.now_us())

    def percent(self, name, place):
        return self.bench.instruments[name].percent[place]


def test_every_type_is_in_it(description):
    kinds = [spec["type"] for spec in description["device"].values()]
    assert set(kinds) == set(table.FAMILIES)
    dcon = [spec["type"] for spec in description["device"].values() if spec.get("protocol") == "dcon"]
    assert len(dcon) == 7 and len(kinds) == len(set(kinds)) + 7


def test_check_knows_its_figures(description):
    bus = check.summarise(description)["buses"]["field"]
    assert 20.0 < bus["reading_pct"] < 40.0 and 15.0 < bus["writing_pct"] < 40.0


def test_all_is_read_and_driven_at_once(description):
    run = Run(description)
    run.run_for(120)
    told = run.telemetry
    assert {name: value for name, value in told["signals"].items() if value[1] != "good"} == {}
    assert {name: value for name, value in told["outputs"].items() if value[1] != "auto"} == {}
    field = told["bus"]["field"]
    assert (field["errors"], field["late"], field["stray_bytes"], field["faulty"]) == (0, 0, 0, {})
    # In 2 s the furnace does not go further.
    truth_c = run.bench.model.t_a1_c
    for name in ("m7018", "m7019r", "adam4018", "adam4118"):
        for reading, _ in (told["signals"][name], told["signals"]["dcon_" + name]):
            assert reading == pytest.approx(truth_c, abs=3.0), name
    for name, place in ANALOGUE.items():
        assert run.percent(name, place) == pytest.approx(told["outputs"][name][0], abs=0.6), name
    for name, place in DIGITAL.items():
        assert run.percent(name, place) == 100.0, name
    assert (told["signals"]["total"][0], told["signals"]["state"][0]) == (4711.0, 5.0)
    assert run.bench.instruments["meter"].register("mode") == 0x0123456789ABCDEF
    oven = run.bench.instruments["oven"]
    asked_c = 200.0 + 7.0 * told["outputs"]["oven"][0]
    assert oven.values[eurotherm3200.REMOTE_SETPOINT] == pytest.approx(asked_c, abs=2.0)
    assert run.percent("burner", 0) == 20.0, "low fire"


def test_when_the_node_dies_each_falls_back_as_its_kind_does(description):
    run = Run(description)
    run.run_for(30)
    before = run.percent("damper", 1)
    run.dead_for(30)
    assert run.percent("m7024", 0) == 0.0
    assert run.percent("dcon_m7024", 3) == 25.0
    assert run.percent("adam4024", 1) == 0.0
    # Nobody watches for it.
    assert run.percent("damper", 1) == pytest.approx(before, abs=1.0)


def test_one_silent_unit_costs_the_others_nothing(description):
    run = Run(description)
    run.run_for(10)
    for name in ("dcon_m7055", "dcon_adam4018"):
        run.bench.fault(name, "silence")
    run.run_for(60)
    bad = {name for name, value in run.telemetry["signals"].items() if value[1] != "good"}
    assert bad == {"dcon_m7055", "dcon_adam4018"}


# What a node loads ----------------------------------------------------------------------------------

LOADED = """
import json, sys
from edge.node.devices import table
for spec in json.loads(sys.argv[1]):
    table.build("it", spec, {}, {})
print(sorted(name[18:] for name in sys.modules if name.startswith("edge.node.devices.")))
"""


def loaded(*specs):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(specs)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.replace("'", '"')))


def test_only_families_that_the_node_file_names_are_loaded():
    shared = {"table", "device", "settings"}
    assert loaded() == {"table"}
    assert loaded({"type": "o2_analyser", "unit": 1, "period_ms": 500}) == shared | {"o2_analyser"}
    m7024 = {"type": "m7024", "unit": 1, "period_ms": 500, "lease_ms": 3000}
    assert loaded(m7024) == shared | {"commanded", "leased", "icpdas", "m7024"}
    dcon = {"m7024_dcon", "icpdas_dcon", "dcon_device"}
    assert loaded({**m7024, "protocol": "dcon"}) == shared | {"commanded", "leased", "icpdas", "m7024"} | dcon


def test_a_type_that_does_not_speak_dcon_is_not_built_as_if_it_did():
    with pytest.raises(ValueError, match="no driver for device type o2_analyser with protocol dcon"):
        table.build("it", {"type": "o2_analyser", "unit": 1, "period_ms": 500, "protocol": "dcon"}, {}, {})


def imports_of(path):
    """The drivers' modules that one of them imports, also where it does so late."""
    found = set()
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.ImportFrom) and item.module.startswith("edge.node.devices"):
            name = item.module[18:]
            found |= {name} if name else {alias.name for alias in item.names}
    return found


def test_no_two_drivers_import_each_other():
    folder = Path(table.__file__).parent
    graph = {path.stem: imports_of(path) for path in folder.glob("*.py") if path.stem != "__init__"}
    assert {"m7024", "icpdas_dcon", "dcon_device"} <= graph["m7024_dcon"]
    # Raises CycleError.
    tuple(graphlib.TopologicalSorter(graph).static_order())
    for name, others in graph.items():
        assert "_dcon" in name or name == "dcon_device" or not any("dcon" in other for other in others), name


PROTOCOLS = """
import sys
from edge.node.description import load
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter
description = load(sys.argv[1])
uarts = {}
for name in description["bus"]:
    uarts[name] = None
assert build(description, uarts, VirtualClock(), LocalReporter()).devices
print(len([name for name in sys.modules if "dcon" in name]))
"""


@pytest.fixture(params=["cpython", "micropython"])
def interpreter(request):
    if request.param == "cpython":
        return [sys.executable], dict(os.environ, PYTHONPATH=str(micropython.root()))
    try:
        return [micropython.executable(), "-X", "heapsize=1m"], micropython.environment()
    except FileNotFoundError as error:
        missing_part(str(error))


@pytest.mark.parametrize(("node", "modules"), [("bishkek", 0), (NODE, 8)])
def test_a_node_without_dcon_loads_nothing_of_it(tmp_path, interpreter, node, modules):
    command, environment = interpreter
    board = tmp_path / "node.json"
    board.write_bytes(describe(node if node == NODE else find(node))[1])
    script = tmp_path / "protocols.py"
    script.write_text(PROTOCOLS)
    done = subprocess.run(
        [*command, str(script), str(board)], capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr[-1500:]
    # Two of the bus, the settings, the watchdog, and four families.
    assert int(done.stdout) == modules


BUILT = """
import sys, json, gc
from edge.node.description import load
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter
node = build(load(sys.argv[1]), {"field": None}, VirtualClock(), LocalReporter())
gc.collect()
print(len(node.devices))
"""


def test_a_board_builds_all_of_them_in_512_k(tmp_path):
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    board = tmp_path / "node.json"
    board.write_bytes(describe(NODE)[1])
    script = tmp_path / "built.py"
    script.write_text(BUILT)
    done = subprocess.run(
        [executable, "-X", "heapsize=512k", str(script), str(board)],
        capture_output=True,
        text=True,
        timeout=120,
        env=micropython.environment(),
    )
    assert done.returncode == 0, done.stderr[-1500:]
    assert done.stdout.split() == ["23"]
