"""Whatever is done to a node file, the reader says what is wrong, or a node can be built from it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.box.check import summarise
from edge.box.config import NodeFileError, check
from edge.node.description import dump
from tests.box.config.edits import REFERENCE
from tests.box.config.test_devices import TEXT as ALL_TYPES

TOKENS = [
    "0", "1", "-1", "250", "3000", "1e9", "1e400", "0.5", "inf", "-inf", "nan", "-0.0", "9" * 30, "9" * 400,
    "true", '""', '"hold"', '"K"', '"4-20mA"', '"%"', '"degC"', '"ao0"', '"speed"', '"o2"', '"pid"',
    '"burner"', '"field"', '"output.feeder"', '"\\u0000"', '"ß"', "[]", "[[]]", "[1]", '["o2"]',
    '[["o2"], ["o2"]]', '["output.grate"]', "{}", "{a = 1}", "1979-05-27", "07:32:00", "'''\n'''", "", "[",
    '"', "#",
]  # fmt: skip


@st.composite
def mutations(draw, text):
    """A text after a few edits of its lines."""
    rows = text.splitlines()
    pairs = [i for i, row in enumerate(rows) if re.match(r"\w+ = ", row)]
    keys = sorted({rows[i].split(" = ")[0] for i in pairs})
    for _ in range(draw(st.integers(1, 6))):
        i = draw(st.sampled_from(pairs))
        j = draw(st.sampled_from(pairs))
        edit = draw(st.integers(0, 6))
        key = rows[i].split(" = ")[0]
        if edit == 0:
            rows[draw(st.integers(0, len(rows) - 1))] = ""
        elif edit == 1:
            rows[i], rows[j] = rows[j], rows[i]
        elif edit == 2:
            rows[i] = key + " = " + rows[j].partition(" = ")[2]
        elif edit == 3:
            rows[i] = f"{key} = {draw(st.sampled_from(TOKENS))}"
        elif edit == 4:
            rows[i] = draw(st.sampled_from(keys)) + " = " + rows[i].partition(" = ")[2]
        elif edit == 5:
            at = draw(st.integers(0, len(rows[i])))
            rows[i] = rows[i][:at] + draw(st.sampled_from("[]{}\"'=.#\\,x0\t\u00e9\u2028")) + rows[i][at:]
        else:
            # Headers change places, so that tables hold the keys of others.
            headers = [k for k, row in enumerate(rows) if row.startswith("[")]
            a, b = draw(st.sampled_from(headers)), draw(st.sampled_from(headers))
            rows[a], rows[b] = rows[b], rows[a]
    return "\n".join(rows[: draw(st.integers(1, len(rows)))] if draw(st.integers(0, 9)) == 9 else rows)


@settings(max_examples=250, deadline=None)
@given(st.one_of(mutations(REFERENCE), mutations(ALL_TYPES)))
def test_mutations(text):
    expect_a_node_or_problems(text.encode())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_bytes(data):
    expect_a_node_or_problems(data)
    expect_a_node_or_problems(b"schema = 2\n" + data)


def expect_a_node_or_problems(data: bytes):
    try:
        description = check("x.toml", data).description
    except NodeFileError as error:
        assert error.problems
        for line, sentence in error.problems:
            assert 1 <= line <= data.count(b"\n") + 1
            assert sentence and "\n" not in sentence
        return
    summarise(description)
    dump(description)


def test_a_line_break_in_a_name_does_not_break_the_message():
    text = REFERENCE.replace('device = "primary_air_fan"', 'device = "primary_air_fa\\n"')
    with pytest.raises(NodeFileError) as caught:
        check("x.toml", text.encode())
    assert all(sentence.isprintable() for _, sentence in caught.value.problems)
    assert any("primary_air_fa\\n" in sentence for _, sentence in caught.value.problems)
