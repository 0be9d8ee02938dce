"""Whole files in the blocks of the control room: they pass, and a node builds from each."""

from pathlib import Path

import pytest

from edge.box.config import read
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter

FILES = sorted((Path(__file__).parent / "examples").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_passes_and_becomes_a_node(path):
    node_file = read(path)
    assert node_file.warnings == []
    node = build(node_file.description, {"field": None}, VirtualClock(), LocalReporter())
    assert [block.reference for block in node.chain] and node.tick(0) is None


def test_a_zone_is_worked_masters_first():
    description = read(FILES[-1]).description
    node = build(description, {"field": None}, VirtualClock(), LocalReporter())
    order = [block.reference for block in node.chain]
    chain = ["loop.zone_2", "select.load_2", "cross_limit.zone_2", "loop.gas_2"]
    assert [order.index(name) for name in chain] == sorted(order.index(name) for name in chain)
    ends = {loop.name: loop.end for loop in node.loops}
    assert ends == {"zone_2": "gas_2", "recuperator": "gas_2", "o2_2": "gas_2", "gas_2": "gas_2", "air_2": "air_2"}
