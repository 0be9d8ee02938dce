"""Many messages and many hostile packets: heap and wrapped packet ids, on both runtimes."""

import os
import subprocess

import pytest

from tests.node.report.brokers import wait_for
from tests.node.report.connections.agents import ROOT, environment, interpreter

HERE = os.path.dirname(__file__)
WITHIN_S = 600
HEAP_SLACK = 4096  # what a collection finds more or less of, from one to the next


def run(kind, script, *arguments, timeout_s) -> dict:
    """What a script says in lines of NAME=VALUE."""
    command = [*interpreter(kind, "-X", "heapsize=512k"), os.path.join(HERE, script), *map(str, arguments)]
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True,
                          timeout=timeout_s)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return dict(line.split("=", 1) for line in done.stdout.split())


def publish(kind, mosquitto, count, last_id=0):
    said = run(kind, "publish_many.py", mosquitto.port, count, last_id, timeout_s=WITHIN_S)
    assert (int(said["acked"]), said["generation"]) == (count, "1")
    assert int(said["packet_id"]) == (last_id + count - 1) % 65535 + 1
    heaps = [int(size) for size in said["heaps"].split(",")]
    assert len(heaps) == 4
    assert max(heaps) - heaps[0] <= HEAP_SLACK, heaps


@pytest.mark.parametrize("kind", ["cpython", "micropython"])
def test_packet_ids_wrap_twice_and_the_heap_stays_as_it_is(mosquitto, kind):
    publish(kind, mosquitto, 66000, last_id=65300)


@pytest.mark.parametrize("kind", ["cpython", "micropython"])
def test_no_packet_id_is_lost_or_doubled_at_the_wrap(mosquitto, subscriber, kind):
    publish(kind, mosquitto, 400, last_id=65300)
    assert wait_for(lambda: len(subscriber.messages) == 400)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["cpython", "micropython"])
def test_heap_does_not_grow_over_a_million_messages(mosquitto, kind):
    publish(kind, mosquitto, 1000000)


def fuzz(count):
    found = {kind: run(kind, "fuzz_script.py", 20261121, count, timeout_s=WITHIN_S)
             for kind in ("cpython", "micropython")}
    for said in found.values():
        assert int(said.pop("heap_more")) < 8192
        assert int(said["connections"]) > count / 20 and int(said["heard"]) > count / 20
    assert found["cpython"] == found["micropython"]


def test_hostile_packets_are_survived_alike_on_both_runtimes():
    fuzz(30000)


@pytest.mark.long
def test_a_million_hostile_packets_are_survived_alike_on_both_runtimes():
    fuzz(1000000)
