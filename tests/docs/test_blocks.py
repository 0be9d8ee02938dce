"""docs/blocks.md: up to date, every block in it, every example in keys that the check knows."""

import tomllib

import pytest

from docs import block_examples, block_runs, make_blocks
from edge.box.config.calc_tables import CALC_KINDS
from edge.box.config.control_tables import LOOP_KINDS
from edge.box.config.document import parse, read_entries
from edge.node.calc import kinds
from edge.node.control import table


def test_the_page_is_up_to_date():
    assert make_blocks.PAGE.read_text() == make_blocks.page(), "python docs/make_blocks.py"


def test_every_block_has_an_example_a_picture_and_a_caption():
    names = {*CALC_KINDS, *LOOP_KINDS, "state", "select", "cross_limit", "split"}
    assert names == set(block_examples.EXAMPLES) == set(block_runs.RUNS) == set(block_runs.CAPTIONS)
    for name in names:
        assert (make_blocks.PICTURES / f"{name}.svg").stat().st_size > 5000


def test_the_node_has_the_kinds_that_the_file_may_name():
    assert set(kinds.KINDS) == set(kinds.READS) == set(CALC_KINDS)
    assert set(table.LOOPS) == set(LOOP_KINDS)


@pytest.mark.parametrize("name", block_examples.EXAMPLES)
def test_an_example_fits_its_fields(name):
    text = block_examples.EXAMPLES[name]
    document = parse("example.toml", ("schema = 2\n" + text).encode())
    read_entries(document)
    required = [sentence for _, sentence in document.problems if sentence.startswith("the file has no [")]
    assert [sentence for _, sentence in document.problems if sentence not in required] == []
    assert tomllib.loads(text)
