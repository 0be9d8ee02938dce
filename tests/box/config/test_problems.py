"""Each way in which a node file can be wrong: told on its line, in words, and nothing else told with it.

The cases are edits of line1.toml; a case says which row must be told, and words that the sentence must hold.
"""

import re

import pytest

from edge.box.config import NodeFileError, check
from tests.box.config.cases import ADDITIONS, MISSING, VALUES
from tests.box.config.edits import (
    REFERENCE,
    drop,
    drop_table,
    header_line,
    key_line,
    problems,
    put,
    rename,
)


@pytest.mark.parametrize(("table", "key", "value", "words"), VALUES)
def test_a_wrong_value_is_told_on_its_line(table, key, value, words):
    text = put(REFERENCE, table, key, value)
    found = problems(text)
    line = key_line(text, table, key)
    sentences = " ".join(text for _, text in found)
    assert [told for told, _ in found] == [line] * len(found), found
    assert 1 <= len(found) <= 2, found
    for word in words:
        assert word in sentences, found
    entry = table if table == "report.mqtt" else table.replace(".", " ")
    assert all(text.startswith(entry) for _, text in found)


def test_a_password_is_never_repeated():
    ((_, text),) = problems(put(REFERENCE, "report.mqtt", "password", '"geheim"'))
    assert "geheim" not in text


@pytest.mark.parametrize(("table", "key", "word"), MISSING)
def test_a_missing_key_is_told_on_the_header(table, key, word):
    text = drop(REFERENCE, table, key)
    ((line, sentence),) = problems(text)
    assert line == header_line(text, table)
    assert "add" in sentence and key in sentence and word in sentence


def test_a_loop_without_an_output_leaves_one_that_no_loop_drives():
    text = drop(REFERENCE, "loop.steam", "to")
    loop, output = sorted(problems(text), reverse=True)
    assert loop[0] == header_line(text, "loop.steam") and "has no to" in loop[1]
    assert output[0] == header_line(text, "output.primary_air") and "driven by no demand" in output[1]


def test_schema():
    for text, line, word in [
        (REFERENCE.replace("schema = 2", "schema = 1"), "schema", "expected 2"),
        (REFERENCE.replace("schema = 2", "schema = true"), "schema", "schema is true"),
        (REFERENCE.replace("schema = 2", 'schema = "1"'), "schema", 'schema is "1"'),
        (REFERENCE.replace("schema = 2", ""), None, "has no schema"),
    ]:
        ((told, sentence),) = problems(text)
        rows = text.splitlines()
        assert told == (
            1 if line is None else next(i for i, row in enumerate(rows, 1) if row.startswith(line))
        )
        assert word in sentence


def test_a_missing_schema_does_not_hide_the_other_problems():
    text = put(put(REFERENCE, "node", "tick_ms", "1"), "loop.steam", "gain", '"1,5"')
    for schema in ("", 'schema = "1"'):
        found = problems(text.replace("schema = 2", schema))
        assert len(found) == 3 and "schema" in found[0][1], found
        assert "tick_ms" in found[1][1]
        assert "write 1.5, with a decimal point and without quotes" in found[2][1]
    ((_, sentence),) = problems(text.replace("schema = 2", "schema = 1"))
    assert "convert the file" in sentence, "a file of another schema may have other keys"


def test_a_near_type_is_named():
    for wrong, right in (("eurotherm3216", "eurotherm3200"), ("Eurotherm3208", "eurotherm3200")):
        found = problems(put(REFERENCE, "device.roof", "type", f'"{wrong}"'))
        assert any(f"did you mean '{right}'?" in text for _, text in found), found


@pytest.mark.parametrize(("addition", "start", "words"), ADDITIONS, ids=[case[1] for case in ADDITIONS])
def test_an_addition_that_is_wrong(addition, start, words):
    ((line, sentence),) = problems(REFERENCE + addition)
    rows = addition.splitlines()
    assert line == REFERENCE.count("\n") + next(i for i, row in enumerate(rows, 1) if row.startswith(start))
    for word in words:
        assert word in sentence


def test_a_number_in_the_place_of_an_entry():
    text = drop_table(REFERENCE, "trip.high_temperature") + "[trip]\nx = 1\n"
    assert problems(text) == [(text.count("\n"), "trip x is 1, expected a table; write it as [trip.x]")]


@pytest.mark.parametrize("table", ["node", "bus.field"])
def test_a_missing_table(table):
    found = problems(drop_table(REFERENCE, table))
    assert any(line == 1 and f"has no [{table.split('.')[0]}" in sentence for line, sentence in found)


def test_an_output_without_a_loop():
    text = drop_table(REFERENCE, "loop.grate")
    ((line, sentence),) = problems(text)
    assert line == header_line(text, "output.grate")
    assert 'point one to it with to = "output.grate"' in sentence


def test_a_table_that_is_a_value():
    text = rename(drop_table(REFERENCE, "report.mqtt"), "report", "[report]\nmqtt = 3")
    ((line, sentence),) = problems(text)
    assert line == key_line(text, "report", "mqtt")
    assert "write it as [report.mqtt]" in sentence
    text = "schema = 2\nnode = 3\nbus = [1]\n"
    assert [line for line, _ in problems(text)] == [1, 2, 3]


def test_an_unknown_kind_does_not_hide_its_other_keys():
    text = put(
        put(put(REFERENCE, "loop.steam", "kind", '"pidd"'), "loop.steam", "gain", "-1"),
        "loop.steam",
        "x",
        "1",
    )
    found = problems(text)
    assert [line for line, _ in found] == sorted(
        key_line(text, "loop.steam", key) for key in ("kind", "gain", "x")
    )


def test_all_problems_are_told_at_once_in_the_order_of_the_file():
    text = REFERENCE
    edits = [("alarm.o2_low", "below", "99"), ("node", "tick_ms", "1"), ("loop.draught", "gain", '"high"')]
    for table, key, value in edits:
        text = put(text, table, key, value)
    assert [line for line, _ in problems(text)] == sorted(
        key_line(text, table, key) for table, key, _ in edits
    )


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"schema = 2\n[node\n", 2, "this is not TOML"),
        (b"schema = 2\nschema = 2\n", 2, "the key schema stands twice, first in line 1"),
        (b"schema = 2\n[node]\n[node]\n", 3, "[node] stands twice, first in line 2; keep one of them"),
        (b"[a]\nti_s = 1\n[b]\ngain = 2\nti_s = 3\ngain= 4\n", 6, "gain stands twice, first in line 4"),
        (b"[loop.a]\ngain = 1,5  # per cent\n", 2, "1,5 has a decimal comma, expected a point; write 1.5"),
        (b"[loop.a]\ngain = -0,05\n", 2, "write -0.05"),
        (b"\xef\xbb\xbfschema = 2\n", 1, "begins with a byte order mark (BOM)"),
        ("schema = 2\n".encode("utf-16"), 1, "this is UTF-16"),
        (b"x = 'a' b\n", 1, "this is not TOML"),
        (b"schema = 2\nname = 'open\n", 2, "this is not TOML"),
        (b'schema = 2\nx = """open\n\n', 2, "at the end"),
        (b"schema = 2\n\n# \xe4\n", 3, "save the file as UTF-8"),
        (b"schema = 2\nx = " + b"[" * 5000, 1, "nested too deeply"),
        (b"schema = " + b"9" * 5000, 1, "this is not TOML"),
    ],
)
def test_what_is_no_toml(data, line, words):
    with pytest.raises(NodeFileError) as caught:
        check("x.toml", data)
    assert caught.value.problems[0][0] == line
    assert words in str(caught.value)
    assert re.match(r"x\.toml:\d+: ", str(caught.value))
