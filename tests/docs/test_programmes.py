"""docs/programmes.md: its example is right and does what its comments say, its words are those of the program."""

import re
from pathlib import Path

from edge.box.config import check, find
from edge.node.control import programme
from edge.node.kept import AT_MOST_MS, PERIOD_MS
from tests.node.remote_bench import Node

PAGE = (Path(__file__).parents[2] / "docs" / "programmes.md").read_text()
(TOML,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
PV = 'pv = "t850"\nset_point = 872'


def described():
    text = find("bishkek").read_text()
    assert PV in text
    led = PV + '\nset_point_from = "programme.firing"\nset_point_low = 20\nset_point_high = 1100'
    return check("line1.toml", (text.replace(PV, led) + TOML).encode()).description["programme"]["firing"]


def test_the_example_is_part_of_a_right_node_file_and_runs_through():
    node = Node(programme=described())
    (one,) = node.programmes
    node.t.good(20.0)
    one.start()
    states = []
    seconds = 0
    while one.running:
        if not states or states[-1] != one.state:
            states.append(one.state)
        assert one.events["slow"].value == (one.state == "ramp 4")
        one.step(1000)
        seconds += 1
        node.t.good(node.furnace.set_point.own or 20.0)
    cycle = ["ramp 4", "soak 5", "soak 7"]
    assert states == ["ramp 1", "soak 2", "ramp 3"] + 3 * cycle
    minutes = 100 / 1.5 + 60 + 480 / 2.5 + 380 + 2 * 30 + 3 * 30
    assert abs(seconds / 60 - minutes) < 0.3
    assert (one.state, node.furnace.set_point.own) == ("done", None)


def test_the_policies_states_commands_and_times_of_the_page_are_those_of_the_program():
    for policy in ("continue", "hold", "ramp_back", "abort"):
        assert f"| `{policy}` |" in PAGE
    for state in (programme.IDLE, programme.DONE, programme.STOPPED, programme.ABORTED):
        assert f"`{state}`" in PAGE
    for state in (programme.HELD, programme.CUT):
        assert f"`{state} N`" in PAGE
    node = Node()
    for word, answer in (("start", "heat_up: start"), ("stop", "heat_up: stop"), ("go_on", "is not held")):
        assert f"programme firing {word}" in PAGE
        assert answer in node.console.execute(f"programme heat_up {word}")
    assert (PERIOD_MS, AT_MOST_MS, programme.WAITING_TOLD_MS) == (5000, 1000, 30000)
