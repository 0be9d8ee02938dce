"""kill -9 at random moments: of the node, of its reporter, of the broker."""

import pytest

from tests.faults import crashes, scenarios


@pytest.mark.parametrize(("runtime", "count"), [("cpython", 6), ("micropython", 4)])
def test_nothing_stored_is_lost_by_kill_9(runtime, count, tmp_path):
    found = crashes.killings(tmp_path, runtime, count, seed=3)
    assert found["problems"] == [], found
    assert found["records"] > 0


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_the_will_says_that_the_node_is_gone(runtime, tmp_path):
    found = scenarios.will(tmp_path, runtime)
    assert found["problems"] == [], found


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_nothing_stored_is_lost_by_kill_9_often(runtime, seed, tmp_path):
    found = crashes.killings(tmp_path, runtime, 25, seed=100 + seed)
    assert found["problems"] == [], found
