"""docs/commands.md: its node file is right, its messages are understood, its console words exist."""

import json
import re
from pathlib import Path

from edge.box.config import check, find
from edge.node.command_form import BY_MAX, PAYLOAD_MAX, VALUES, Command
from edge.node.console import HELP
from edge.node.remote import PER_TICK, REFUSAL_MS, REFUSALS
from tests.box.config.edits import put
from tests.node.remote_bench import Node, remote

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()

# As the page says.
BISHKEK = put(find("bishkek").read_text(), "loop.steam", "set_point_from", '"programme.load_change"')


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_node_file_of_the_page_is_right_and_a_reset_is_not_allowed_in_it():
    (toml,) = blocks("toml")
    node_file = check("line1.toml", (BISHKEK + toml).encode())
    assert node_file.warnings == []
    allowed = {spec["action"] for spec in node_file.description["remote"]["allow"].values()}
    assert allowed == set(VALUES) - {"reset", "value"}
    with_reset = toml.replace("# [remote.allow.again]", "[remote.allow.again]").replace("# action", "action")
    check("line1.toml", (BISHKEK + with_reset.replace("# trips", "trips")).encode())


def test_the_commands_of_the_readme_have_a_node_file_that_is_right_and_takes_them():
    root = Path(__file__).parents[2]
    readme = (root / "README.md").read_text()
    (names,) = re.findall(r"cat (\S+ \S+) > line1.toml", readme)
    node_file = check("line1.toml", b"".join((root / name).read_bytes() for name in names.split()))
    remote = node_file.description["remote"]
    assert node_file.warnings == [] and remote["start"] == "remote"
    (do, loop, value) = re.findall(r"furnace-edge command line1.toml (\S+) (\S+) (\S+) --by", readme)[0]
    entry = remote["allow"][loop]
    assert entry["action"] == do and entry["low"] <= float(value) <= entry["high"]


def test_the_messages_of_the_page_are_those_that_are_spoken():
    session, command, answer = (json.loads(block) for block in blocks("json"))
    heard = Command(json.dumps(command).encode(), {"nonce": None, "n": None})
    assert (heard.do, heard.name, heard.value, heard.by) == ("set_point", "steam", 44.0, "anna")
    assert command["n"] == session["session"]["n"] + 1 and command["nonce"] == session["session"]["nonce"]
    node = Node(remote())
    assert set(session["session"]) == set(node.reporter.session)
    assert set(session["session"]["allows"][0]) == set(node.reporter.session["allows"][0])
    assert set(answer) == set(node.ask("set_point", "furnace", 850.0))
    (published,) = re.findall(r"-m '(.*)'", PAGE)
    assert json.loads(published) == command


def test_the_words_and_bounds_of_the_page_are_those_of_the_program():
    assert all(f"| `{do}` |" in PAGE for do in VALUES)
    assert f"{PAYLOAD_MAX:,} bytes" in PAGE and f"cut to {BY_MAX} characters" in PAGE
    assert (PER_TICK, REFUSALS, REFUSAL_MS) == (8, 10, 10000)
    words = {line.replace(",", " ").split()[0] for line in HELP.splitlines()[:-1]}
    assert len(words) == 12 and all(re.search(rf"\b{word}\b", PAGE) for word in words)
