"""The file of what is kept: cut at any byte, damaged, of another version, on a full disk."""

import errno
import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.box import micropython
from edge.node import kept_file
from edge.node.kept_file import BYTES_MAX, NEW, OLDER, FileKeeper, dump, load, parse, save
from tests.parts import missing_part

FIRST = {"node": "a/b", "trips": [["peak", 951.25, False, True]], "programmes": []}
SECOND = {"node": "a/b", "trips": [], "programmes": [["heat_up", "00000000", {"segment": 1}]]}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "line1.kept")


def test_nothing_kept_yet_is_no_fault(path):
    assert load(path) == (None, [])


def test_the_newest_generation_is_read_and_the_one_before_lies_beside_it(path):
    save(path, dump(FIRST))
    assert load(path) == (FIRST, [])
    save(path, dump(SECOND))
    assert load(path) == (SECOND, [])
    with open(path + OLDER, "rb") as file:
        assert parse(file.read()) == FIRST
    assert sorted(os.listdir(os.path.dirname(path))) == ["line1.kept", "line1.kept.1"]


def _with_version(version):
    return dump(FIRST).replace(b'"kept": 1', b'"kept": %d' % version)


@pytest.mark.parametrize(
    ("newest", "why"),
    [
        (dump(SECOND)[:-20], "it is cut off"),
        (b"", "it is cut off"),
        (dump(SECOND).replace(b"heat_up", b"heat_uq"), "its checksum is wrong"),
        (_with_version(2), "it has version 2, expected 1"),
        (b"[1]\n{}\n", "it is damaged"),
        (b"[" * 20000 + b"\n{}\n", "it is damaged"),
        (b"x" * (BYTES_MAX + 5), "longer than"),
        (b"\xff\n\xff\n", "it is damaged"),
    ],
)
def test_a_newest_generation_that_can_not_be_used_is_told_and_the_older_one_is_used(path, newest, why):
    save(path, dump(FIRST))
    save(path, newest)
    content, wrong = load(path)
    assert content == FIRST
    assert len(wrong) == 2 and wrong[0].startswith(path + " can't be used: ") and why in wrong[0]
    assert wrong[1] == "what was kept before that is used"


def test_a_missing_newest_generation_is_told(path):
    save(path, dump(FIRST))
    save(path, dump(SECOND))
    os.remove(path)
    assert load(path) == (FIRST, [path + " is missing", "what was kept before that is used"])


def test_two_generations_of_another_version_are_both_told_and_nothing_is_used(path):
    save(path, _with_version(7))
    save(path, _with_version(8))
    content, wrong = load(path)
    assert content is None
    assert [f"version {number}" in text for number, text in zip((8, 7), wrong, strict=True)] == [True, True]


def test_a_file_that_can_not_be_read_is_told(path):
    os.mkdir(path)
    content, wrong = load(path)
    assert content is None and "Is a directory" in wrong[0]


@settings(max_examples=200)
@given(st.data())
def test_no_bytes_are_taken_for_a_content_but_those_that_were_kept(data):
    whole = dump(SECOND)
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        broken = whole[:at]
    else:
        broken = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    try:
        assert parse(broken) == SECOND  # a blank in the first line that is another blank now
    except ValueError as error:
        assert str(error)


class Cut(Exception):
    """The power is gone."""


@pytest.mark.parametrize("calls", range(8))
def test_a_cut_between_any_two_steps_of_a_save_leaves_the_last_or_the_new_state(path, calls, monkeypatch):
    save(path, dump(FIRST))
    save(path, dump(SECOND))
    third = dict(FIRST, trips=[])
    left = [calls]

    def counted(real):
        def call(*arguments):
            if left[0] == 0:
                raise Cut
            left[0] -= 1
            return real(*arguments)

        return call

    for name in ("rename", "fsync", "open", "close"):
        monkeypatch.setattr(kept_file.os, name, counted(getattr(os, name)))
    try:
        save(path, dump(third))
        done = True
    except Cut:
        done = False
    monkeypatch.undo()
    content, wrong = load(path)
    assert wrong == []
    assert content == third if done else content in (SECOND, third)


def test_a_half_written_new_generation_is_the_trace_of_a_cut_and_no_fault(path):
    save(path, dump(FIRST))
    with open(path + NEW, "wb") as file:
        file.write(dump(SECOND)[:30])
    assert load(path) == (FIRST, [])


def test_what_is_too_large_is_refused_before_the_disk_sees_it():
    with pytest.raises(ValueError, match="at most 60000 are kept"):
        dump({"trips": ["x" * BYTES_MAX]})


def test_a_full_disk_keeps_what_was_there_and_is_told_until_there_is_room(path, monkeypatch):
    keeper = FileKeeper(path)
    keeper.keep(dump(FIRST), 0)
    assert keeper.fault == ""

    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(kept_file.os, "fsync", full)
    assert keeper.keep(dump(SECOND), 0) is True
    assert keeper.fault == f"{path} can't be written: [Errno 28] No space left on device"
    monkeypatch.undo()
    assert load(path) == (FIRST, [])
    keeper.keep(dump(SECOND), 0)
    assert keeper.fault == "" and load(path) == (SECOND, [])


SCRIPT = """
from edge.node.kept_file import dump, load, save
import json
path = {path!r}
content, wrong = load(path)
assert wrong == [], wrong
content["trips"] = []
save(path, dump(content))
save(path, dump(content))
again, wrong = load(path)
assert again == content and wrong == [], wrong
print("same")
"""


def test_micropython_reads_what_a_box_has_kept_and_the_other_way_round(path, tmp_path):
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    save(path, dump(SECOND))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(path=path))
    done = subprocess.run(
        [executable, str(script)], env=micropython.environment(), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "same", done.stdout + done.stderr
    assert load(path) == (dict(SECOND, trips=[]), [])
