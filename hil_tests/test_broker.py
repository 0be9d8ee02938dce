"""A broker that freezes, dies and comes back stops nothing, and nothing that was kept is lost."""

import os
import signal
import time

import pytest


def test_the_node_goes_on_while_its_broker_is_frozen_killed_and_started_again(own):
    if "signal" not in own.can:
        pytest.skip(f"the {own.name} target reports to nobody")
    own.wait(lambda: own.telemetry()["report"]["acked"] >= 10, 20)
    before = own.telemetry()
    os.kill(own.broker.pid, signal.SIGSTOP)
    time.sleep(4)  # frozen
    own.broker.stop()
    time.sleep(2)  # gone
    own.broker.start()
    # Keepalive 15 s, answers awaited for 10 s, then a backed-off attempt.
    own.wait(lambda: own.telemetry()["seq"] > before["seq"] + 6, 40)
    # What this tick has said is under way.
    own.wait(lambda: own.telemetry()["report"]["queued"] <= 2, 20)
    after = own.telemetry()
    assert after["report"]["dropped"] == 0
    assert after["report"]["reconnects"] >= 1
    assert after["tick"]["ticks"] - before["tick"]["ticks"] >= 24
    own.wait(lambda: own.quality("t850") == "good", 5)
