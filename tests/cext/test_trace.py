"""The promise of the core: interpreted, compiled and on MicroPython it gives the same numbers, bit for bit.

The golden traces were made by the production .py (tests/cext/golden), and each runtime replays their 10,000
steps. Exact equality is asked for: compiled with fused multiply-add it fails.
"""

import importlib
import inspect
import shutil
import sys
from pathlib import Path

import pytest

from edge.box import build_info, micropython
from tests.cext import golden
from tests.cext.trace import BLOCK, STEPS, TRACES, interpret
from tests.parts import missing_part


def require(runtime: str):
    if runtime == "micropython":
        try:
            micropython.executable()
        except FileNotFoundError as error:
            missing_part(str(error))
    if runtime == "compiled":
        interpreted = [module["name"] for module in build_info.modules() if not module["compiled"]]
        if interpreted:
            missing_part(f"not compiled: {', '.join(interpreted)}; run: python setup.py build_ext --inplace")


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("runtime", golden.RUNTIMES)
def test_a_runtime_replays_the_golden_trace(runtime, trace):
    require(runtime)
    assert not (said := golden.difference(runtime, trace)), said


@pytest.mark.parametrize("trace", TRACES)
def test_a_golden_trace_has_all_its_steps(trace):
    lines = golden.read(trace)
    assert [int(line[0]) for line in lines] == list(range(BLOCK - 1, STEPS, BLOCK))
    assert {len(line) for line in lines} == {2 + len(golden.names(trace))}


def results(trace: str) -> list[dict]:
    module = importlib.import_module(f"tests.cext.traces.{trace}")
    return [dict(zip(module.NAMES, step, strict=True)) for step in module.steps(STEPS)]


def test_the_trace_of_pid_has_every_flag_with_every_side_of_the_limits():
    seen = {(step["flag"], step["saturated"]) for step in results("pid")}
    assert seen == {(flag, side) for flag in (0.0, 1.0, 2.0) for side in (-1.0, 0.0, 1.0)}


def test_the_trace_of_cascade_has_every_end_of_a_relay_experiment_that_time_allows():
    seen = {step["relay_state"] for step in results("cascade")}
    assert {0.0, 1.0, 2.0, 6.0, 7.0} <= seen


def test_the_trace_of_ratio_has_every_limiter_and_every_reason():
    steps = results("ratio")
    bits = 0
    for step in steps:
        bits |= int(step["state"]) | int(step["double_state"])
    assert bits == 511
    assert {step["trim_why"] for step in steps} == {0.0, 1.0, 2.0, 3.0}


def test_the_trace_of_air_has_every_reason_of_the_heating_value():
    assert {step["lhv_why"] for step in results("air")} == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_every_function_of_the_core_is_in_a_trace(monkeypatch):
    """In the interpreted core, whose functions a profiler sees."""
    folder = Path(golden.ROOT, "cext")
    kept = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("cext", "tests")}
    called = set()

    def profile(frame, event, _argument):
        if event == "call" and Path(frame.f_code.co_filename).parent == folder:
            called.add((Path(frame.f_code.co_filename).stem, frame.f_code.co_qualname))

    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    try:
        for name in kept:
            if name.startswith(("cext", "tests.cext.traces")):
                del sys.modules[name]
        interpret()
        modules = [importlib.import_module(f"tests.cext.traces.{trace}") for trace in TRACES]
        sys.setprofile(profile)
        for module in modules:
            for _ in module.steps(1500):
                pass
    finally:
        sys.setprofile(None)
        for name in list(sys.modules):
            if name.startswith(("cext", "tests.cext.traces")):
                del sys.modules[name]
        sys.modules.update(kept)
    functions = set()
    for path in folder.glob("*.py"):
        code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
        functions |= {(path.stem, name) for name in qualified_names(code)}
    assert functions - called <= {("crc", "_fill_table")}, "called at the import"


def qualified_names(code):
    """The names of all functions in a module's code."""
    for constant in code.co_consts:
        if inspect.iscode(constant):
            if constant.co_flags & inspect.CO_NEWLOCALS and constant.co_flags & inspect.CO_OPTIMIZED:
                if not constant.co_name.startswith("<"):
                    yield constant.co_qualname
            yield from qualified_names(constant)


def test_a_change_of_the_arithmetic_is_found(tmp_path, monkeypatch):
    """One product taken in another order: differences in last bits."""
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for folder in ("cext", "tests/cext/traces"):
        shutil.copytree(Path(golden.ROOT, folder), tmp_path / folder, ignore=ignored)
    for name in ("tests/__init__.py", "tests/cext/__init__.py", "tests/cext/trace.py"):
        shutil.copy(Path(golden.ROOT, name), tmp_path / name)
    pid = tmp_path / "cext" / "pid.py"
    source = pid.read_text(encoding="utf-8")
    changed = source.replace("self.gain * dt_s / self.ti_s", "self.gain / self.ti_s * dt_s")
    assert changed != source
    pid.write_text(changed, encoding="utf-8")
    monkeypatch.setattr(golden, "ROOT", tmp_path)
    assert "pid on interpreted differs" in golden.difference("interpreted", "pid")
    assert not golden.difference("interpreted", "thermocouple")


def test_the_first_step_that_differs_is_told(monkeypatch):
    """One bit of one result of one step on one runtime."""
    run = golden.run

    def run_with_a_wrong_bit(runtime, trace, *arguments):
        lines = run("interpreted", trace, *arguments)
        if runtime == "compiled":
            for line in lines:
                if line[0] == "4321":
                    line[1] = f"{int(line[1][:2], 16) ^ 1:02x}{line[1][2:]}"
                elif line[0] == "4399" and len(line) == 3:
                    line[1] = "of other bytes"
        return lines

    monkeypatch.setattr(golden, "run", run_with_a_wrong_bit)
    said = golden.difference("compiled", "pid").splitlines()
    assert said[0] == "pid on compiled differs at step 4321 (steps 4300..4399):"
    assert len(said) == 2
    assert said[1].startswith("  out: expected ")
