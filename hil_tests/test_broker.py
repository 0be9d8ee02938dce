"""A broker that freezes, dies and comes back never delays a tick, and nothing that was kept is lost."""

import os
import signal
import time

import pytest


def test_a_frozen_killed_and_restarted_broker_delays_no_tick(own):
    if "signal" not in own.can:
        pytest.skip(f"the {own.name} target reports to nobody")
    own.wait(lambda: own.telemetry()["report"]["acked"] >= 10, 20)
    before = own.telemetry()
    os.kill(own.broker.pid, signal.SIGSTOP)
    time.sleep(4)
    own.broker.stop()
    time.sleep(2)
    own.broker.start()
    # Keepalive 15 s, answers awaited for 10 s, then a backed-off attempt.
    own.wait(lambda: own.telemetry()["seq"] > before["seq"] + 6, 40)
    # What this tick has said is under way.
    own.wait(lambda: own.telemetry()["report"]["queued"] <= 2, 20)
    after = own.telemetry()
    # A tick or two may be lost to whatever else the machine does; a broker that blocked would cost dozens.
    assert after["tick"]["missed"] <= 2
    assert after["report"]["dropped"] == 0
    assert after["report"]["reconnects"] >= 1
    assert after["tick"]["ticks"] - before["tick"]["ticks"] >= 24
    assert after["signals"]["t850"][1] == "good"
