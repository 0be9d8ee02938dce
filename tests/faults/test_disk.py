"""A disk that is full, and an outbox with a wrong byte in it: losses are bounded, counted and told."""

import pytest

from tests.faults import crashes


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_a_damaged_byte_costs_no_more_than_is_told(runtime, seed, tmp_path):
    found = crashes.outbox_damaged(tmp_path, runtime, seed)
    assert found["problems"] == [], found


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_a_full_outbox_thins_samples_and_keeps_every_alarm(runtime, tmp_path):
    found = crashes.outbox_full(tmp_path, runtime)
    assert found["problems"] == [], found
    assert found["told_lost"] > 0


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_a_full_disk_stops_nothing(runtime, tmp_path):
    found = crashes.disk_full(tmp_path, runtime)
    assert found["problems"] == [], found


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_a_disk_that_is_not_there_at_the_start_keeps_nothing_from_being_told(runtime, tmp_path):
    found = crashes.disk_missing(tmp_path, runtime)
    assert found["problems"] == [], found


@pytest.mark.long
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_damaged_bytes_anywhere(runtime, tmp_path):
    for seed in range(10, 35):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = crashes.outbox_damaged(folder, runtime, seed)
        assert found["problems"] == [], (seed, found)
