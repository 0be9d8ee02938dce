"""The console: commands in pieces, too long, not text; the end of the stream."""

import pytest

from edge.node.commands import Commands, Console


class Node:
    """Remembers why it was stopped."""

    def __init__(self):
        self.stopped = []
        self.loops = []

    def stop(self, why):
        self.stopped.append(why)


def console(chunks, attached=True):
    node, said = Node(), []
    waiting = list(chunks)
    made = Console(Commands(node), lambda: bool(waiting), lambda: waiting.pop(0), said.append, 0, attached)
    for _ in range(len(chunks) + 1):
        made.step()
    return node, said, made


def test_a_command_in_pieces_is_one_command():
    node, said, _ = console([b"st", b"op", b"\n"])
    assert node.stopped == ["stopped by command"]


def test_half_a_line_is_ended_by_the_stop_of_the_parent():
    node, said, _ = console([b"se", b"\nstop\n"])
    assert "not understood" in said[0]
    assert node.stopped


NO_COMMANDS = [b"set steam 4\xe9\n", b"\xff\xfe\n", b"set\n", b"set steam nan\n", b"x" * 300]


@pytest.mark.parametrize("line", NO_COMMANDS)
def test_what_is_no_command_is_answered_and_stops_nothing(line):
    node, said, _ = console([line])
    assert said and not node.stopped


def test_the_end_of_the_stream_stops_an_attached_node_only():
    assert console([b""])[0].stopped
    node, _, made = console([b""], attached=False)
    assert not node.stopped
    assert made.pollables() == []
