"""furnace-edge init: both files, never over others, and what they say can be run."""

import pytest

from edge.box.cli import main
from edge.box.config import check
from edge.emulator.virtual import VirtualRun


def test_both_files_are_copied_and_run_together(tmp_path, capsys):
    assert main(["init", "bishkek", "--into", str(tmp_path / "new")]) == 0
    assert "furnace-edge emulate" in capsys.readouterr().out
    node, plant = tmp_path / "new" / "bishkek-node.toml", tmp_path / "new" / "bishkek-plant.toml"
    # A signal and an instrument of the user's own names.
    for path in (node, plant):
        path.write_text(path.read_text().replace("flue_gas", "stack").replace('"steam"', '"dampf"'))
    text = node.read_text().replace("[signal.steam]", "[signal.dampf]")
    run = VirtualRun(str(plant), check(node, text.encode()).description, 1)
    run.run_for(30)
    assert {output.name: output.state for output in run.node.guard.outputs}["primary_air"] == "auto"


def test_what_is_there_is_never_written_over(tmp_path, capsys):
    (tmp_path / "bishkek-plant.toml").write_text("mine")
    assert main(["init", "bishkek", "--into", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "bishkek-plant.toml").read_text() == "mine"
    assert not (tmp_path / "bishkek-node.toml").exists()


@pytest.mark.parametrize("name", ["", "bishkec", "../bishkek"])
def test_an_unknown_plant_is_refused_with_those_that_there_are(tmp_path, capsys, name):
    assert main(["init", name, "--into", str(tmp_path)]) == 2
    assert "bishkek" in capsys.readouterr().err
