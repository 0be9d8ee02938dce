"""Fifty nodes on one machine's mosquitto: nothing is lost."""

import pytest

from tests.faults.fleet import fleet


def test_some_nodes_on_one_broker(tmp_path):
    found = fleet(tmp_path, 6, 10, 20, 4.0, boxes=2)
    assert found["problems"] == [], found


@pytest.mark.long
def test_fifty_nodes_for_ten_minutes(tmp_path):
    found = fleet(tmp_path, 50, 10, 20, 600.0)
    assert found["problems"] == [], found
