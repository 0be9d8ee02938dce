"""However the node ends, the outputs end at their safe values."""

import os
import re
import signal

import pytest


def test_an_ordered_stop_leaves_every_output_at_its_safe_value(own):
    own.say("stop")
    own.wait(own.ended, 8)
    own.wait(own.at_safe_values, 30)


def test_a_killed_node_leaves_every_output_at_its_safe_value_by_the_leases(own):
    own.wait(
        lambda: all(state[1] in ("auto", "interlock") for state in own.telemetry()["outputs"].values()), 30
    )
    own.kill()
    own.wait(own.at_safe_values, 40)
    assert any(lease["expired"] for lease in own.state()["leases"].values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_node_in_order(own, number):
    if "signal" not in own.can:
        pytest.skip(f"the {own.name} target is no process of its own")
    os.kill(own.node.pid, number)
    own.wait(own.ended, 10)
    assert own.node.code() == 0, own.node.complaints()
    said = own.node.complaints().splitlines()
    assert said and all(re.match(r"[0-9-]{10} [0-9:]{8}Z [ !] \w+ \w+: ", line) for line in said), said
    own.wait(own.at_safe_values, 30)


def test_the_end_of_its_input_stops_an_attached_node(own):
    if "signal" not in own.can:
        pytest.skip(f"the {own.name} target is no process of its own")
    own.node.say_no_more()
    own.wait(own.ended, 10)
    own.wait(own.at_safe_values, 30)
