"""The process that keeps a node's state: what it writes, full disks, its own death, and that of the node."""

import os
import signal
import subprocess
import sys
import time

import pytest

from edge.box.keeper import ChildKeeper
from edge.node.kept_file import dump, load

WITHIN_S = 30


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "line1.kept")


@pytest.fixture
def keeper(path):
    one = ChildKeeper(path)
    yield one
    one.close()


def until(keeper, what, now_ms=0):
    """Step until ``what()`` is true; the time in ms that the keeper was told last."""
    end = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < end, keeper.fault
        time.sleep(0.02)
        now_ms += 20
        keeper.step(now_ms)
    return now_ms


def numbered(number):
    return {"node": "a/b", "trips": [["t", float(number), False, True]], "programmes": []}


def kept(path, number):
    return load(path)[0] == numbered(number)


def test_what_is_handed_over_is_on_the_disk_and_read_by_the_next(keeper, path):
    assert keeper.load() == (None, [])
    assert keeper.keep(dump(numbered(1)), 0)
    until(keeper, lambda: kept(path, 1))
    keeper.keep(dump(numbered(2)), 100)
    keeper.close()
    assert keeper.fault == ""
    following = ChildKeeper(path)
    assert following.load() == (numbered(2), [])
    following.close()
    assert oct(os.stat(path).st_mode & 0o777) == "0o600"


def test_of_a_thousand_states_the_newest_is_kept(keeper, path):
    keeper.load()
    taken = [number for number in range(1000) if keeper.keep(dump(numbered(number)), number)]
    until(keeper, lambda: kept(path, taken[-1]))


def test_a_disk_that_takes_nothing_is_told_until_it_does(keeper, path):
    keeper.load()
    os.mkdir(path + ".new")
    keeper.keep(dump(numbered(1)), 0)
    now_ms = until(keeper, lambda: keeper.fault)
    assert keeper.fault == f"{path} can't be written: Is a directory"
    os.rmdir(path + ".new")
    keeper.keep(dump(numbered(2)), now_ms)
    until(keeper, lambda: kept(path, 2) and not keeper.fault, now_ms)


def test_a_process_that_dies_comes_back_and_is_told_meanwhile(keeper, path):
    keeper.load()
    keeper._process.send_signal(signal.SIGKILL)
    now_ms = until(keeper, lambda: keeper.fault)
    assert "is gone" in keeper.fault
    assert not keeper.keep(dump(numbered(1)), now_ms)
    now_ms = until(keeper, lambda: keeper.keep(dump(numbered(2)), now_ms), now_ms)
    until(keeper, lambda: kept(path, 2) and not keeper.fault, now_ms)


def test_a_process_whose_disk_hangs_is_told_and_waited_for_by_no_tick(keeper, path):
    keeper.load()
    keeper._process.send_signal(signal.SIGSTOP)
    taken = 0
    while keeper.keep(dump(dict(numbered(1), node="x" * 20000)), 0):
        taken += 1
        assert taken < 1000, "bounded by the socket"
    keeper.step(29999)
    assert keeper.fault == ""
    keeper.step(30000)
    assert "no answer for 30 s" in keeper.fault
    keeper._process.send_signal(signal.SIGCONT)
    now_ms = until(keeper, lambda: not keeper.fault, 30000)
    keeper.keep(dump(numbered(2)), now_ms)
    until(keeper, lambda: kept(path, 2), now_ms)


def test_it_hears_the_last_word_of_a_node_that_a_service_manager_ends_with_it(keeper, path):
    keeper.load()
    keeper.keep(dump(numbered(1)), 0)
    until(keeper, lambda: kept(path, 1))
    keeper._process.send_signal(signal.SIGTERM)
    keeper.keep(dump(numbered(2)), 100)
    keeper.close()
    assert kept(path, 2) and keeper._process.returncode == 0


SCRIPT = """
import os, signal, sys
from edge.box.keeper import ChildKeeper
from edge.node.kept_file import dump
keeper = ChildKeeper(sys.argv[1])
keeper.load()
for number in range(50):
    keeper.keep(dump({"node": "a/b", "trips": [["t", float(number), False, True]], "programmes": []}), 0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_node_handed_over_before_it_was_killed_is_read_by_the_next_one(keeper, path, monkeypatch):
    monkeypatch.setattr("edge.box.keeper.LOCK_WITHIN_S", WITHIN_S)
    done = subprocess.run([sys.executable, "-c", SCRIPT, path], timeout=WITHIN_S, check=False)
    assert done.returncode == -signal.SIGKILL
    # The next one may start at once: it waits for the last one's process.
    assert keeper.load() == (numbered(49), [])


def test_a_second_process_of_the_same_name_is_told(keeper, path, monkeypatch):
    monkeypatch.setattr("edge.box.keeper.LOCK_WITHIN_S", 0.1)
    keeper.load()
    keeper.keep(dump(numbered(1)), 0)
    until(keeper, lambda: kept(path, 1))
    other = ChildKeeper(path)
    content, wrong = other.load()
    assert content == numbered(1) and len(wrong) == 1 and "still in use by another process" in wrong[0]
    keeper.close()
    other.keep(dump(numbered(2)), 0)
    until(other, lambda: kept(path, 2))
    other.close()
