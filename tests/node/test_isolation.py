"""The node and the core alone, where the rest of the product and of CPython does not exist."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.box import micropython
from tests.parts import missing_part

ROOT = Path(__file__).resolve().parents[2]
NODE = sorted((ROOT / "edge" / "node").rglob("*.py"))
CORE = sorted((ROOT / "cext").glob("*.py"))
# What MicroPython 1.29 has and the node uses.
ALLOWED = {
    "struct",
    "json",
    "math",
    "time",
    "select",
    "sys",
    "os",
    "errno",
    "socket",
    "hashlib",
    "termios",
    "binascii",
    "ssl",
    "gc",
}


def imported(path):
    names = set()
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            names |= {alias.name for alias in item.names}
        elif isinstance(item, ast.ImportFrom):
            names.add(item.module)
    return names


@pytest.mark.parametrize("path", NODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_the_node_imports_only_the_core_the_node_and_what_micropython_has(path):
    for name in imported(path):
        own = name.startswith(("edge.node", "cext")) or name == "edge"
        assert own or name in ALLOWED, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_a_module_of_the_core_imports_math_and_the_core_only(path):
    for name in imported(path):
        assert name == "math" or name.startswith("cext"), f"{path.name} imports {name}"


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A folder that holds cext and edge/node and nothing else of the product."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copytree(ROOT / "cext", folder / "cext", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    (folder / "edge").mkdir()
    shutil.copy(ROOT / "edge" / "__init__.py", folder / "edge")
    shutil.copytree(ROOT / "edge" / "node", folder / "edge" / "node")
    return folder


def test_every_module_of_node_and_core_imports_on_micropython_without_the_rest(alone):
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    modules = []
    for path in NODE + CORE:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__init__":
            modules.append(".".join(parts))
    script = alone / "all.py"
    lines = [f"import {name}" for name in modules]
    script.write_text("\n".join([*lines, f"print('imported', {len(modules)})"]))
    done = subprocess.run(
        [executable, "-X", "heapsize=1m", str(script)],
        env={"MICROPYPATH": f"{alone}:.frozen", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == f"imported {len(modules)}", done.stdout + done.stderr
