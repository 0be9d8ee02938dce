"""Every packaged plant that has a node file: init copies both, they pass the check and run together."""

import pytest

from edge.box.cli import main
from edge.box.config import check, packaged
from edge.emulator import plant_file
from edge.emulator.virtual import VirtualRun

PLANTS = sorted(set(packaged()) & set(plant_file.names()))


def test_there_are_these():
    assert {"bishkek", "muffle", "trainer"} <= set(PLANTS)


@pytest.mark.parametrize("name", PLANTS)
def test_the_copies_of_init_run_together(tmp_path, name):
    assert main(["init", name, "--into", str(tmp_path)]) == 0
    node, plant = tmp_path / f"{name}-node.toml", tmp_path / f"{name}-plant.toml"
    node_file = check(node, node.read_bytes())
    run = VirtualRun(str(plant), node_file.description, 1)
    run.run_for(10)
    states = {output.name: output.state for output in run.node.guard.outputs}
    assert "unknown" not in states.values(), states
    assert run.bench.state()["line"]["crc_errors"] == 0
    assert {wire.violations for wire in run.wires.values()} == {0}
