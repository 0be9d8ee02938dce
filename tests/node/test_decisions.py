"""Whole node files decide the same, interpreted, compiled and on MicroPython: nine digits of every tick."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.box import micropython
from edge.box.config import describe, find
from tests.node.decisions_script import decide
from tests.parts import missing_part

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("decisions_script.py")
EXAMPLES = ROOT / "tests" / "box" / "config" / "examples"
FILES = [find("bishkek"), find("muffle"), *sorted(EXAMPLES.glob("*.toml"))]
TICKS = 800


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def decided(request, tmp_path_factory):
    """(board file, the lines that the compiled core decides)."""
    description, data = describe(request.param)
    path = tmp_path_factory.mktemp("decisions") / "node.json"
    path.write_bytes(data)
    return path, list(decide(description, TICKS))


def said(command, folder):
    environment = {**os.environ, "MICROPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-1500:]
    return done.stdout.splitlines()


def agree(ours, others):
    for one, other in zip(ours, others, strict=True):
        assert one == other


def test_interpreted_it_decides_the_same(decided, tmp_path):
    path, lines = decided
    for part in ("cext", "edge/node"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    (tmp_path / "edge" / "__init__.py").write_text("")
    agree(lines, said([sys.executable, "-P", SCRIPT, path, str(TICKS), tmp_path], tmp_path))


def test_micropython_decides_the_same(decided):
    path, lines = decided
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    agree(lines, said([executable, "-X", "heapsize=2m", SCRIPT, path, str(TICKS), ROOT], ROOT))


def test_the_readings_reach_every_state(decided):
    """A trace in which nothing happens would prove nothing."""
    _, lines = decided
    text = "\n".join(lines)
    for word in ("auto", "safe"):
        assert f"{word} " in text
    assert len({hashlib.sha256(line.encode()).digest() for line in lines}) == TICKS
