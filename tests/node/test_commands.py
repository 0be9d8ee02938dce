"""The words of the console: what each does, and what is refused."""

import pytest

from tests.node import remote_bench


@pytest.fixture
def node():
    return remote_bench.Node(remote_bench.remote(start="local"))


def test_set_point_mode_and_hand(node):
    say = node.console.execute
    assert say("set furnace 850") == "set-point of furnace is 850.0"
    assert node.furnace.set_point.value == 850.0, "at once: whoever stands there sees what happens"
    assert say("set furnace 1200") == "refused: set-point 1200.0 of loop furnace is outside 20.0..1100.0"
    assert say("set furnace hot") == "refused: hot is no number"
    assert say("output furnace 50") == "refused: loop furnace is not in manual"
    assert say("mode furnace manual") == "furnace is in manual"
    assert say("output furnace 50") == "hand of furnace is 50.0"
    assert say("output furnace 99").startswith("refused: 99.0 is outside 5.0..90.0")
    assert say("mode furnace auto") == "furnace is in auto"
    assert say("mode furnace remote") == "refused: the mode of a loop is auto or manual"
    assert say("mode fan auto") == "refused: no loop is named fan"
    done = ["set furnace", "mode furnace", "output furnace", "mode furnace"]
    assert [name for _, name, _ in node.events] == done
    assert all(text.endswith("by the console") for _, _, text in node.events)


def test_acknowledge(node):
    say = node.console.execute
    assert say("ack all") == "refused: there is nothing to acknowledge"
    node.t.good(1010.0)
    node.tick(2)
    assert say("ack alarm.hot") == "acknowledged"
    assert say("ack alarm.hot") == "refused: there is nothing to acknowledge of alarm.hot"
    assert say("ack hot") == "refused: what is acknowledged is alarm.NAME or trip.NAME"
    assert say("ack trip.none") == "refused: no trip is named none"
    assert say("ack all") == "acknowledged: trip.peak, alarm.other"


def test_reset_of_all_or_of_one_trip(node):
    say = node.console.execute
    node.t.good(1010.0)
    node.draught.good(150.0)
    node.tick(2)
    node.draught.good(-80.0)
    node.tick()
    assert say("reset peak") == "refused: not reset, the cause is still there: peak"
    assert say("reset pressure") == "reset"
    assert say("reset pressure") == "refused: trip pressure has not tripped"
    assert say("reset") == "refused: not reset, the cause is still there: peak"
    node.t.good(800.0)
    assert say("reset") == "reset"
    assert not any(trip.tripped for trip in node.trips)


def test_programmes(node):
    say = node.console.execute
    assert say("programme heat_up start") == "heat_up: start"
    assert say("programme heat_up pause") == "refused: a programme takes start, stop or go_on"
    assert say("set furnace 850") == "refused: programme heat_up leads loop furnace: stop it first"
    assert say("programme heat_up stop") == "heat_up: stop"
    assert say("programme heat_up stop") == "refused: programme heat_up does not run"
    assert say("programme cool start") == "refused: no programme is named cool"
    assert not node.stopped


def test_remote_mode(node):
    say = node.console.execute
    assert say("remote on") == "node is in remote mode" and node.remote.mode == "remote"
    assert say("remote off") == "node is in local mode" and node.remote.mode == "local"


WRONG = ["stop programme heat_up", "stop heat_up", "remote", "remote maybe", "ack", "help me", "set furnace"]


@pytest.mark.parametrize("line", WRONG)
def test_a_word_too_many_or_too_few_is_not_understood(node, line):
    assert node.console.execute(line).startswith("not understood: " + line)
    assert not node.stopped and not node.events
