"""The JSON Schema of the node file: up to date, takes every right file, and refuses what no field reads."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from edge.box.config import find
from edge.box.config.json_schema import schema
from tests.box.config.edits import REFERENCE, put

ROOT = Path(__file__).parents[3]
FILES = [find("bishkek"), *sorted((Path(__file__).parent / "examples").glob("*.toml"))]
VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_the_file_is_up_to_date():
    written = json.loads((ROOT / "docs" / "node-file.schema.json").read_text())
    assert written == json.loads(json.dumps(schema())), "make docs"


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_right_file_fits(path):
    assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(path.read_text()))] == []


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("node", "tick_ms", "49"), ("bus.field", "baud", "38401"), ("device.roof", "period_ms", "0"),
        ("signal.power", "unit", '"furlong"'), ("calc.t_peak", "kind", '"voted"'), ("loop.steam", "gain", "-1"),
        ("loop.steam", "gian", "1"), ("output.burner", "safe", '"off"'), ("loop.steam", "if_bad", '"holds"'),
        ("alarm.o2_low", "dead_band", "0"), ("loop.draught", "forward", '["total_air", 1]'),
    ],
)  # fmt: skip
def test_what_no_field_reads_does_not_fit(table, key, value):
    assert list(VALIDATOR.iter_errors(tomllib.loads(put(REFERENCE, table, key, value))))
