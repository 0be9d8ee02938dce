"""The promise of the core: interpreted, compiled and on MicroPython it gives the same numbers, bit for bit.

trace.py drives the production files through 10,000 steps: automatic and manual operation, tuning, limits,
failed sensors, hot standby, combustion air, thermocouples. Exact equality is asked for; compiled with fused
multiply-add it fails.
"""

import hashlib
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import require_command

ROOT = Path(__file__).resolve().parents[2]
TRACE = Path("tests", "cext", "trace.py")
STEPS = 10_000


def run_trace(runtime: str) -> list[str]:
    """Run trace.py on `runtime` and return its lines, the first of which names the files of the core."""
    command = [sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if runtime == "micropython":
        # The wheel puts its command beside the interpreter, which need not be on the PATH.
        beside = shutil.which("micropython", path=str(Path(sys.executable).parent))
        command = [beside or require_command("micropython")]
        environment["MICROPYPATH"] = str(ROOT)
    result = subprocess.run(
        [*command, str(TRACE), runtime], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, f"trace on {runtime} failed:\n{result.stderr}"
    return result.stdout.splitlines()


@pytest.fixture(scope="module")
def interpreted() -> list[str]:
    return run_trace("interpreted")


def assert_same(reference: list[str], other: list[str], runtime: str) -> None:
    assert len(reference) == len(other) == STEPS + 1
    digests = [hashlib.sha256("\n".join(lines[1:]).encode()).hexdigest() for lines in (reference, other)]
    if digests[0] == digests[1]:
        return
    for expected, found in zip(reference[1:], other[1:], strict=True):
        if expected != found:
            step, expected_hex = expected.split()
            pytest.fail(
                f"{runtime} differs from interpreted first at step {step}:\n"
                f"interpreted {decode(expected_hex)}\n{runtime} {decode(found.split()[1])}"
            )


def decode(line: str) -> tuple:
    return struct.unpack("<17dH", bytes.fromhex(line))


def test_compiled_agrees_with_interpreted(interpreted):
    if not any(path.name.startswith("pid.") and path.suffix == ".so" for path in (ROOT / "cext").iterdir()):
        if os.environ.get("CI") == "true":
            pytest.fail("cext is not compiled; run: python setup.py build_ext --inplace")
        pytest.skip("cext is not compiled")
    assert_same(interpreted, run_trace("compiled"), "compiled")


def test_micropython_agrees_with_interpreted(interpreted):
    assert_same(interpreted, run_trace("micropython"), "micropython")


def test_trace_reaches_every_state(interpreted):
    """A trace that never saturates or fails would prove little."""
    states = {int(decode(line.split()[1])[4]) for line in interpreted[1:]}
    assert {(state + 20) % 10 for state in states} == {0, 1, 2}, "flags"
    assert {0, 10, -10} <= states, "saturated free, above and below"
