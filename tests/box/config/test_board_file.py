"""The board file: the same description on CPython and MicroPython, and no changed byte gets through."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.box.config import describe
from edge.node import description as board
from tests.box.config.edits import PATH
from tests.parts import require_command

ROOT = Path(__file__).parents[3]


def test_what_is_written_is_read_again(tmp_path):
    description, data = describe(PATH)
    path = tmp_path / "node.json"
    path.write_bytes(data)
    assert board.load(str(path)) == description


def test_two_lines_the_same_for_the_same_description():
    description, data = describe(PATH)
    shuffled = {key: description[key] for key in reversed(description)}
    assert board.dump(shuffled) == data
    head, body, rest = data.split(b"\n")
    assert rest == b"" and json.loads(head) == {"schema": 2, "sha256": board.sha256(body)}


def test_not_a_number_is_never_written():
    with pytest.raises(ValueError):
        board.dump({"schema": 2, "low": float("nan")})


def test_another_schema_is_refused():
    _, data = describe(PATH)
    with pytest.raises(ValueError, match="has schema 3, this firmware reads 2"):
        board.parse(data.replace(b'{"schema": 2,', b'{"schema": 3,', 1), "node.json")


def test_a_description_of_another_schema_is_refused():
    description, data = describe(PATH)
    body = data.split(b"\n")[1].replace(b'"schema":2', b'"schema":3')
    head = json.dumps({"schema": 2, "sha256": board.sha256(body)}).encode()
    with pytest.raises(ValueError, match="has schema 3"):
        board.parse(head + b"\n" + body + b"\n")
    with pytest.raises(ValueError, match="has schema 3"):
        board.dump({**description, "schema": 3})


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"{}\n{}", b"{}\n{}\n\n", b"1\n{}\n", b'{"schema": 2}\n{}\n', b"\xff\n\n"]
)
def test_what_is_no_board_file_is_refused(data):
    with pytest.raises(ValueError, match="^node.json: "):
        board.parse(data, "node.json")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_changed_byte_gets_through(data):
    description, good = describe(PATH)
    at = data.draw(st.integers(0, len(good) - 1))
    changed = bytearray(good)
    changed[at] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.integers(at, len(good)))])
    try:
        assert board.parse(cut) == description
    except ValueError as error:
        assert str(error)


SCRIPT = """
import json, sys
from edge.node import description
try:
    print(json.dumps(description.load(sys.argv[1])))
except ValueError as error:
    print("refused:", error)
"""


def on_micropython(tmp_path, data: bytes) -> str:
    beside = Path(sys.executable).with_name("micropython")
    runtime = str(beside) if beside.exists() else require_command("micropython")
    (tmp_path / "node.json").write_bytes(data)
    (tmp_path / "script.py").write_text(SCRIPT)
    result = subprocess.run(
        [runtime, "-X", "heapsize=128k", "script.py", "node.json"],
        cwd=tmp_path,
        env=dict(os.environ, MICROPYPATH=f"{ROOT}:.frozen"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_micropython_reads_it_in_the_heap_of_a_board(tmp_path):
    description, data = describe(PATH)
    assert json.loads(on_micropython(tmp_path, data)) == description


def test_micropython_refuses_a_changed_file(tmp_path):
    _, data = describe(PATH)
    changed = data.replace(b"850.0", b"750.0", 1)
    assert "node.json: changed after it was written" in on_micropython(tmp_path, changed)
    assert "has schema 3" in on_micropython(tmp_path, data.replace(b'{"schema": 2,', b'{"schema": 3,', 1))
    assert "expected two lines" in on_micropython(tmp_path, data[:-1])
