"""Mutated commands on both runtimes: every one is answered, none that is refused changes anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge.box import micropython
from tests.parts import missing_part

SCRIPT = Path(__file__).with_name("remote_fuzz_script.py")


def fuzz(runtime: str, count: int, seed: int) -> list:
    """The words of the script's last line."""
    command = [sys.executable, str(SCRIPT)]
    if runtime == "micropython":
        try:
            command = [micropython.executable(), "-X", "heapsize=512k", str(SCRIPT)]
        except FileNotFoundError as error:
            missing_part(str(error))
    environment = dict(micropython.environment(), PYTHONPATH=str(micropython.root()))
    done = subprocess.run(
        [*command, str(count), str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50 + count / 1000,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_mutated_commands(runtime):
    words = fuzz(runtime, 5000, 20250101)
    assert words[:2] == ["fuzzed", "5000"]
    accepted, refused = int(words[3]), int(words[5])
    assert accepted > 300 and refused > 3000 and accepted + refused == 5000


@pytest.mark.long
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_many_mutated_commands(runtime):
    for seed in range(1, 11):
        assert fuzz(runtime, 50000, seed)[:2] == ["fuzzed", "50000"]


def test_a_day_at_the_door_is_the_same_on_both_runtimes():
    script = SCRIPT.with_name("remote_trace_script.py")
    environment = dict(micropython.environment(), PYTHONPATH=str(micropython.root()))
    try:
        commands = [[sys.executable], [micropython.executable(), "-X", "heapsize=512k"]]
    except FileNotFoundError as error:
        missing_part(str(error))
    days = []
    for command in commands:
        done = subprocess.run(
            [*command, str(script)], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout[-300:] + done.stderr
        days.append(done.stdout.splitlines())
    assert days[0] == days[1]
    assert sum("accepted=True" in line for line in days[0]) == 7
    assert any("soak" in line for line in days[0])
