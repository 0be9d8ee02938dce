"""The console: events and state as they are read at a terminal; commands in pieces, too long, not text."""

import pytest

from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.commands import Commands
from edge.node.console import Console, status


class Node:
    """Remembers why it was stopped."""

    def __init__(self):
        self.stopped = []
        self.loops = []
        self.programmes = []
        self.remote = None

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


def test_help_has_every_command_on_a_line_of_its_own():
    _, (said,), _ = console([b"help\n"])
    first = [line.split()[0] for line in said.splitlines()]
    for word in ("status", "set", "mode", "output", "ack", "programme", "reset", "remote", "stop", "help"):
        assert first.count(word) == 1
    assert max(map(len, said.splitlines())) <= 80


class Bench:
    """The Bishkek line on virtual time, with a console."""

    def __init__(self):
        self.run = VirtualRun("bishkek", describe(find("bishkek"))[0], 1)
        self.said = []
        self.typed = []
        read = lambda: self.typed.pop(0)  # noqa: E731
        commands = Commands(self.run.node)
        self.console = Console(commands, lambda: bool(self.typed), read, self.said.append, 0, False)
        self.console.begin()
        self.run.run_for(90)

    def type(self, text):
        """What is said to a line that is typed."""
        del self.said[:]
        self.typed.append(text.encode() + b"\n")
        self.console.step()
        return "\n".join(self.said)


def move_limit(trip, to):
    limit = trip.condition.test
    limit.above = limit.reset = to


@pytest.fixture
def bench():
    return Bench()


def test_it_says_what_starts_and_every_output_that_is_taken_over(bench):
    node = bench.run.node
    start = f"2026-01-01 00:00:00Z   bishkek/line1 starts: {len(node.devices)} devices, bus field on "
    assert bench.said[0].startswith(start)
    assert "Type status or help." in bench.said[0]
    for output in node.guard.outputs:
        assert any(f"output {output.name}: {output.state}" in line for line in bench.said), output.name


def test_alarms_trips_and_what_follows_appear_in_one_line_each_with_time_and_mark(bench):
    node = bench.run.node
    del bench.said[:]
    trip = node.guard.trips[0]
    move_limit(trip, -1.0e9)
    bench.run.run_for(30)
    alarmed = [line for line in bench.said if f"trip {trip.name}: tripped at" in line]
    assert len(alarmed) == 1 and alarmed[0][:22] == "2026-01-01 00:01:33Z !", "on_after_s is 3"
    for output in trip.outputs:
        assert any(f"! output {output.name}: trip: {trip.name}" in line for line in bench.said)
    assert all("\n" not in line for line in bench.said)


def test_status_says_what_is_wrong_first_and_what_to_type(bench):
    assert "trips      none" in bench.type("status")
    trip = bench.run.node.guard.trips[0]
    move_limit(trip, -1.0e9)
    bench.run.bench.fault(1, "burnt_out", 0)
    bench.run.run_for(30)
    lines = bench.type("status").splitlines()
    assert lines[0].startswith("bishkek/line1  boot ") and lines[0].endswith("up 0:02:00  local")
    assert lines[1].startswith(f"trips      {trip.name} at ")
    assert f"the first, not acknowledged; type reset {trip.name}" in lines[1]
    said = "\n".join(lines)
    assert "bad        roof_a1: " in said
    for part in [*bench.run.node.loops, *bench.run.node.guard.outputs, *bench.run.node.buses]:
        assert any(line[11:].startswith(part.name + " ") for line in lines), part.name
    assert f"acknowledged: trip.{trip.name}" in bench.type("ack all")
    assert "not acknowledged" not in bench.type("status")
    assert bench.type("reset") == f"refused: not reset, the cause is still there: {trip.name}"
    move_limit(trip, 1.0e9)
    assert "reset" in bench.type("reset")
    assert "trips      none" in bench.type("status")


def test_status_can_be_had_before_anything_is_known():
    run = VirtualRun("bishkek", describe(find("bishkek"))[0], 1)
    assert any(line.startswith("bad        roof_a1: ") for line in status(run.node))


def test_names_from_afar_can_not_clear_the_terminal(bench):
    del bench.said[:]
    bench.run.node.event("command", "set x", "accepted, by \x1b[2J\x9b\r\nanna\u0416")
    (line,) = bench.said
    assert line.endswith("accepted, by ?[2J???anna\u0416")
