"""Loops that read each other: none may come round to itself, or no node could be built from the file."""

import pytest

from edge.box.config import check, find
from tests.box.config.edits import header_line, key_line, problems, put

MUFFLE = find("muffle").read_text()


@pytest.mark.parametrize("what", ["loop.chamber.set_point", "loop.chamber"])
def test_a_loop_that_reads_itself_is_told(what):
    text = put(MUFFLE, "loop.chamber", "forward", f'[["{what}", 0.03]]')
    ((line, said),) = problems(text)
    assert line in (key_line(text, "loop.chamber", "forward"), header_line(text, "loop.chamber"))
    assert f"loop chamber reads itself: {what}; read what gives that value instead" in said


OTHER = """
[output.other]
device = "ssr"
channel = "do1"
unit = "%"
drive = "time_proportioned"
cycle_s = 4
safe = 0

[loop.other]
kind = "pid"
pv = "t_limit"
set_point = 100
action = "reverse"
gain = 1
ti_s = 100
forward = [["loop.chamber", 0.1]]
to = "output.other"
"""


def test_two_loops_that_read_each_other_are_told_and_one_way_is_right():
    assert check("node.toml", (MUFFLE + OTHER).encode())
    text = put(MUFFLE, "loop.chamber", "forward", '[["loop.other", 0.03]]') + OTHER
    found = [said for _, said in problems(text)]
    assert len(found) == 2
    assert "loop chamber reads itself: loop.other -> loop.chamber" in found[0]
    assert "loop other reads itself: loop.chamber -> loop.other" in found[1]
