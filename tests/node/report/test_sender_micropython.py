"""The tests of what stands behind a reporting end again, on MicroPython."""

import subprocess

import pytest

from edge.box import micropython
from tests.parts import missing_part

MODULES = ["test_sender", "test_engine", "test_disk", "test_onboard", "test_identity"]


@pytest.mark.parametrize("module", MODULES)
def test_the_same_tests_pass_on_micropython(module):
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    script = micropython.root() / "tests" / "node" / "report" / "on_micropython.py"
    done = subprocess.run(
        [executable, "-X", "heapsize=16m", str(script), "tests.node.report." + module],
        env=micropython.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith("passed "), done.stdout + done.stderr
