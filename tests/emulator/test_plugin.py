"""The pytest plugin: from an installed wheel outside the project, and its messages."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "examples" / "test_my_controller.py"
BUILT = ("edge", "cext", "setup.py", "pyproject.toml", "README.md", "LICENSE")
WITHIN_S = 120


def run(command, folder, **environment):
    """What a command said, with its exit code; nothing of the project is on its path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The Python of a fresh environment with the wheel in it, and with what the project depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in BUILT:
        path = PROJECT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        else:
            shutil.copy(path, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    # Without a compiler it stays interpreted, which is quicker to install than compiled.
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, source]
    code, said = run(wheel, folder, CC="/no/compiler")
    assert code == 0, said
    (wheel,) = folder.glob("*.whl")
    code, said = run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], folder)
    assert code == 0, said
    python = folder / "venv" / "bin" / "python"
    code, said = run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], folder)
    assert code == 0, said
    site = folder / "venv" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    # Found after the environment's own; a .pth inside of it (an editable project) is not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_example_runs_with_nothing_but_the_wheel(elsewhere, tmp_path):
    shutil.copy(EXAMPLE, tmp_path)
    code, said = run(
        [elsewhere, "-c", "import edge.emulator as found; print(found.__file__)"], tmp_path
    )
    assert code == 0 and str(elsewhere.parents[1]) in said, "the one of the wheel, not of the project"
    code, said = run([elsewhere, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."], tmp_path)
    assert code == 0 and "3 passed" in said, said


def pytest_here(folder):
    """pytest on a folder outside of the project, with the plugin of this tree."""
    plugins = ["-p", "edge.emulator.pytest_plugin", "-p", "no:cacheprovider"]
    # Loaded by name, it must not be loaded again by the entry point of an installed project.
    environment = {"PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return run([sys.executable, "-m", "pytest", "-q", *plugins, "."], folder, **environment)


def test_the_lines_of_the_readme_run_as_they_stand(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
    assert "furnace_bench" in example
    (tmp_path / "test_readme.py").write_text(example)
    code, said = pytest_here(tmp_path)
    assert code == 0 and "1 passed" in said, said


FAILING = """
import pytest

def test_that_fails(furnace_bench):
    furnace_bench.late("roof", 300)
    assert 0

@pytest.mark.furnace(plant="atlantis")
def test_of_a_plant_that_is_not_there(furnace_bench):
    pass

def test_that_asks_for_what_can_not_be(furnace_bench):
    furnace_bench.burnt_out("roof", "ai99")

@pytest.mark.furnace(chaos=3, record="line.pcap")
def test_of_options(furnace_bench):
    assert "burnt_out" in furnace_bench.kinds("roof") and "echo" not in furnace_bench.kinds(1)
    furnace_bench.set("moisture_mean", 0.5)
"""


def test_a_failing_test_shows_the_time_line_and_what_was_expected(tmp_path):
    (tmp_path / "test_failing.py").write_text(FAILING)
    code, said = pytest_here(tmp_path)
    assert code == 1, said
    assert "what happened on the line" in said
    assert "fault begins  unit 1: late 300" in said
    assert "no plant 'atlantis': there are" in said
    assert "has no input 'ai99': wired are ai0" in said
    assert "1 passed, 2 failed, 1 error" in said or "2 failed, 1 passed, 1 error" in said
    assert (tmp_path / "line.pcap").stat().st_size >= 24
