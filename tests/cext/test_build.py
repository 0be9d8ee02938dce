"""The build: compiled modules carry the hash of their source, and a failing compiler stops nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.box import build_info

ROOT = Path(__file__).resolve().parents[2]


def test_no_compiled_module_is_stale():
    stale = [module["path"] for module in build_info.modules() if module["stale"]]
    assert not stale, "made from another source; run: python setup.py build_ext --inplace"


def test_every_module_of_the_core_is_known():
    names = {module["name"] for module in build_info.modules()}
    expected = {f"cext.{path.stem}" for path in (ROOT / "cext").glob("*.py") if path.stem != "__init__"}
    assert expected <= names, "a module of the core has no .pxd"


@pytest.fixture
def project(tmp_path):
    """A copy of the project with one module to compile."""
    pytest.importorskip("Cython")
    (tmp_path / "cext").mkdir()
    (tmp_path / "edge" / "box").mkdir(parents=True)
    names = ("setup.py", "cext/__init__.py", "cext/crc.py", "cext/crc.pxd", "edge/box/build_info.py")
    for name in names:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def build(project, **environment):
    result = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return [line for line in result.stderr.splitlines() if line.startswith("furnace-edge:")]


def use(project):
    """Return what the project's own build_info says of crc, and what crc says of the check value's bytes."""
    code = (
        "from cext.crc import crc16; from edge.box.build_info import modules; import json; "
        "print(json.dumps([modules()[0], crc16(b'123456789')]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True, timeout=120
    )
    module, crc = json.loads(result.stdout)
    assert crc == 0x4B37
    return module


def test_compiled_module_carries_the_hash_of_its_source(project):
    if shutil.which(os.environ.get("CC", "cc")) is None:
        pytest.skip("no C compiler")
    assert build(project) == ["furnace-edge: 1 of 1 modules compiled"]
    module = use(project)
    assert (module["name"], module["compiled"], module["stale"]) == ("cext.crc", True, False)
    assert module["carried_sha256"] == module["source_sha256"]

    source = project / "cext" / "crc.py"
    source.write_text(source.read_text() + "\n# another source\n")
    # Times must not matter: a checkout may make a newer source look older than the binary.
    os.utime(source, (1, 1))
    assert use(project)["stale"]
    build(project)
    assert not use(project)["stale"]

    # A broken source must neither stop the build nor leave the old binary behind.
    source.write_text(source.read_text() + "\ndef broken(:\n")
    (line,) = build(project)
    assert line.startswith("furnace-edge: 0 of 1 modules compiled")
    assert not list((project / "cext").glob("*.so"))


def test_without_a_compiler_the_source_is_used(project):
    (line,) = build(project, CC="/nonexistent/cc")
    assert line.startswith("furnace-edge: 0 of 1 modules compiled; interpreted")
    assert "cext.crc" in line and "/nonexistent/cc" in line
    module = use(project)
    assert (module["compiled"], module["stale"]) == (False, False)
    assert module["path"].endswith("crc.py")


def test_without_cython_the_source_is_used(project):
    (project / "Cython.py").write_text("raise ImportError('not installed')\n")
    (line,) = build(project, PYTHONPATH=str(project))
    assert line.startswith("furnace-edge: 0 of 1 modules compiled")
    assert "Cython is not installed" in line
    assert not use(project)["compiled"]
