"""Whatever happens between node and broker: what was stored arrives, and what comes twice says so."""

import pytest

from tests.faults import scenarios

# Long enough for an outage to be noticed: 1.25 x keepalive.
HOLD_S = 3.0

CASES = [("cpython", name) for name in scenarios.SCENARIOS]
CASES += [("micropython", name) for name in scenarios.SCENARIOS if not name.startswith("reporter")]
# For the language without acknowledgements: what a barrier has to make good.
SPARKPLUG = ("broker killed", "broker frozen", "connections cut, five times")


@pytest.mark.parametrize(("runtime", "name"), CASES)
def test_nothing_stored_is_lost(name, runtime, tmp_path):
    found = scenarios.run(name, tmp_path, runtime, HOLD_S)
    assert found["problems"] == [], found


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
@pytest.mark.parametrize("name", SPARKPLUG)
def test_a_sparkplug_host_misses_no_sample(name, runtime, tmp_path):
    found = scenarios.run_sparkplug(name, tmp_path, runtime, HOLD_S)
    assert found["problems"] == [], found
    assert found["historical"] > 0


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
@pytest.mark.parametrize("name", ["password", "certificate"])
def test_nothing_stored_is_lost_while_the_broker_or_the_node_is_refused(name, runtime, tmp_path):
    found = scenarios.refused(name, tmp_path, runtime, HOLD_S)
    assert found["problems"] == [], found


@pytest.mark.long
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
@pytest.mark.parametrize("name", [name for name in scenarios.SCENARIOS if "frozen" in name])
def test_half_a_minute_of_a_frozen_broker_loses_nothing(name, runtime, tmp_path):
    found = scenarios.run(name, tmp_path, runtime, 30.0)
    assert found["problems"] == [], found
    folder = tmp_path / "sparkplug"
    folder.mkdir()
    found = scenarios.run_sparkplug(name, folder, runtime, 30.0)
    assert found["problems"] == [], found
