"""A figure past its budget is said to miss it, and the run ends with an exit code that is not zero."""

import json
import math
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as main
from benchmarks import bench_core, bench_pid, budget


def bench(misses):
    return SimpleNamespace(
        measure=lambda quick=False: {"ratio": 3.0},
        told=lambda figures: f"ratio {figures['ratio']}",
        missed=lambda figures: misses,
    )


@pytest.mark.parametrize(("misses", "code"), [(["ratio: 3, at least 10"], 1), ([], 0)])
def test_a_miss_is_said_and_ends_with_one(misses, code, monkeypatch, capsys):
    monkeypatch.setattr(main, "BENCHES", {"one": bench([]), "core": bench(misses), "last": bench([])})
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick"])
    assert main.main() == code
    said = capsys.readouterr().out
    assert said.count("ratio 3.0") == 3, "the others are measured all the same"
    assert ("  missed: ratio: 3, at least 10" in said) == bool(misses)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--json"])
    assert main.main() == code
    assert json.loads(capsys.readouterr().out)["missed"] == ({"core": misses} if misses else {})


def test_limits_are_judged_from_the_right_side():
    assert budget.at_most("x", 1.1, 1.1) == budget.at_least("x", 10, 10) == []
    assert budget.at_most("x", 1.11, 1.1) == ["x: 1.11, at most 1.1"]
    assert budget.at_least("x", 9, 10) == ["x: 9, at least 10"]
    assert budget.at_most("x", None, 1) == budget.at_least("x", None, 1) == [], "not measured, not judged"
    assert len(budget.at_most("x", math.nan, 1) + budget.at_least("x", math.nan, 1)) == 2


def test_every_bench_with_a_budget_judges_it():
    for name, module in main.BENCHES.items():
        source = Path(module.__file__).read_text(encoding="utf-8")
        if re.search(r"^\w*(LIMIT|TARGET|BUDGET|_MIN\b)\w* = ", source, re.MULTILINE):
            assert hasattr(module, "missed"), name


def test_benches_miss_what_is_past_their_budget():
    figures = {"ratio": bench_pid.TARGET + 0.1}
    assert bench_pid.missed(figures) == []
    assert bench_pid.missed({"ratio": bench_pid.TARGET - 0.1}) == ["simple-pid / core: 9.9, at least 10"]
    good = {
        "compiled_to_c": 1.0,
        "compiled_to_textbook": 2.5,
        "same_result": True,
        "rest_to_moving": 1.0,
        "mpy": {"pid": 1000},
    }
    assert bench_core.missed(good) == []
    for name, value in (
        ("compiled_to_c", 2.0),
        ("compiled_to_textbook", 5.0),
        ("same_result", False),
        ("rest_to_moving", 2.0),
        ("mpy", {"pid": 1_000_000}),
    ):
        assert len(bench_core.missed({**good, name: value})) == 1, name
