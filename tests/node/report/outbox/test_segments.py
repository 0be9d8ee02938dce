"""The log of segments on both runtimes; more of it, together with SQLite's, in tests/box/test_outbox*.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge.box import micropython
from tests.parts import missing_part

SCRIPT = Path(__file__).with_name("segments_script.py")


def command(runtime: str, heap: str = "512k") -> list:
    if runtime == "cpython":
        return [sys.executable, str(SCRIPT)]
    try:
        return [micropython.executable(), "-X", f"heapsize={heap}", str(SCRIPT)]
    except FileNotFoundError as error:
        return missing_part(str(error))


@pytest.mark.parametrize("bytes_max", [2_000_000, 131_072], ids=["roomy", "full"])
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_against_a_model(runtime, bytes_max, tmp_path):
    run(runtime, bytes_max, tmp_path, 1, 300)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bytes_max", [2_000_000, 131_072], ids=["roomy", "full"])
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_against_a_model_for_long(runtime, bytes_max, seed, tmp_path):
    run(runtime, bytes_max, tmp_path, 100 + seed, 3000)


def run(runtime, bytes_max, folder, seed, steps):
    environment = {**micropython.environment(), "PYTHONPATH": str(micropython.root())}
    # A model of everything is in memory, too.
    arguments = [*command(runtime, "64m"), str(folder / "log"), str(seed), str(steps), str(bytes_max)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=30 + steps / 10,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok "), done.stdout
