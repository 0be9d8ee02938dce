"""The bench furnace for teaching under its node file: its programme, and the faults that an instructor switches."""

import pytest

from edge.box.config import check, describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.commands import Commands


def started(start_c=25.0, text="programme harden start"):
    """A run with the furnace as warm as that, after a command."""
    description, _ = describe(find("trainer"))
    run = VirtualRun("trainer", description, 1)
    run.bench.model.start_c = start_c
    run.bench.model.start()
    run.run_for(5)
    assert not Commands(run.node).execute(text).startswith(("refused", "not understood"))
    return run


def alarms(run):
    return [alarm.name for alarm in run.node.guard.alarms if alarm.condition.on]


def test_the_node_file_has_nothing_to_warn_of():
    path = find("trainer")
    assert check(path, path.read_bytes()).warnings == []


def test_the_programme_runs_from_cold_without_an_alarm():
    run = started()
    (programme,) = run.node.programmes
    soak = []
    while programme.running and run.clock.now_us() < 3 * 3600e6:
        run.run_for(10)
        assert alarms(run) == []
        if programme.state.startswith("soak"):
            soak.append(run.bench.model.chamber_c - run.node.loops[0].set_point.value)
    assert programme.state == "done"
    assert run.node.first_out == ""
    assert -10.0 < min(soak) and max(soak) < 3.0
    assert abs(soak[-2]) < 1.0


@pytest.mark.parametrize("start_c", [400.0, 900.0])
def test_a_shorted_relay_is_stopped_by_the_contactor(start_c):
    run = started(start_c, f"set chamber {start_c:g}")
    run.run_for(300)
    run.bench.set("ssr_shorted", 1)
    run.run_for(300)
    model = run.bench.model
    assert run.node.first_out in ("heat_stuck", "too_hot")
    assert model.power_now_w == 0 and model.limiter_open == 0
    hottest = model.chamber_c
    run.run_for(300)
    assert model.chamber_c < hottest - 30.0


def test_with_a_welded_contactor_the_limiter_stops_it():
    run = started(900.0, "set chamber 900")
    run.run_for(300)
    for fault in ("ssr_shorted", "contactor_welded"):
        run.bench.set(fault, 1)
    run.run_for(3600)
    model = run.bench.model
    assert run.node.first_out in ("heat_stuck", "too_hot")
    assert model.limiter_open == 1 and model.power_now_w == 0
    assert {"contactor_welded", "limiter"} <= set(alarms(run))
    assert model.chamber_c < 1150.0


def test_without_the_limiter_nothing_stops_it():
    """That the test above can fail."""
    run = started(900.0, "set chamber 900")
    run.bench.set("limiter_c", 0)
    for fault in ("ssr_shorted", "contactor_welded"):
        run.bench.set(fault, 1)
    run.run_for(5400)
    assert run.bench.model.chamber_c > 1250.0
