"""Mutation run: what the tests of a module of the core would not notice.

    python -m tests.cext.mutation pid air thermocouple

Every comparison, operator and number of the module is changed, one at a time, in a copy of cext without
compiled modules, and the module's own tests run against it. What survives is printed with its line.
"""

import ast
import copy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = {
    "pid": [
        "tests/cext/test_pid.py",
        "tests/cext/test_pid_failures.py",
        "tests/cext/test_pid_wind_up.py",
        "tests/cext/test_pid_properties.py",
    ],
    "air": ["tests/cext/test_air.py"],
    "thermocouple": ["tests/cext/test_thermocouple.py", "tests/cext/test_thermocouple_properties.py"],
}
OTHERS = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def mutants(source: str):
    """(line, what was done, source) of every mutant; tables of numbers are left to their own tests."""
    tree = ast.parse(source)
    functions = [item for item in ast.walk(tree) if isinstance(item, ast.FunctionDef)]
    for place, function in enumerate(functions):
        for number, item in enumerate(ast.walk(function)):
            for change in _changes(item):
                mutated = copy.deepcopy(tree)
                twins = [node for node in ast.walk(mutated) if isinstance(node, ast.FunctionDef)]
                twin = list(ast.walk(twins[place]))[number]
                said = change(twin)
                yield item.lineno, said, ast.unparse(mutated)


def _changes(item):
    if isinstance(item, ast.Compare) and type(item.ops[0]) in OTHERS:
        yield _other_comparison
    elif isinstance(item, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(item.op) in OTHERS:
        yield _other_operator
    elif isinstance(item, ast.Constant) and type(item.value) in (int, float):
        yield _other_number


def _other_comparison(item) -> str:
    before = type(item.ops[0])
    item.ops[0] = OTHERS[before]()
    return f"{before.__name__} -> {OTHERS[before].__name__}"


def _other_operator(item) -> str:
    before = type(item.op)
    item.op = OTHERS[before]()
    return f"{before.__name__} -> {OTHERS[before].__name__}"


def _other_number(item) -> str:
    before = item.value
    item.value = before + 1
    return f"{before} -> {item.value}"


def run(module: str) -> tuple:
    """(number of mutants, list of survivors as (line, change, text)) of one module of cext."""
    source = (ROOT / "cext" / f"{module}.py").read_text()
    lines = source.splitlines()
    survivors = []
    count = 0
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = Path(folder)
        ignore = shutil.ignore_patterns("*.so", "__pycache__")
        for name in ("cext", "edge", "tests", "docs", "benchmarks"):
            shutil.copytree(ROOT / name, tree / name, ignore=ignore)
        for name in ("conftest.py", "pyproject.toml", "setup.py"):
            shutil.copy(ROOT / name, tree)
        if not _passes(tree, module):
            raise RuntimeError(f"{module}: its tests don't pass as it is")
        for line, change, text in mutants(source):
            count += 1
            (tree / "cext" / f"{module}.py").write_text(text)
            if _passes(tree, module):
                survivors.append((line, change, lines[line - 1].strip()))
    return count, survivors


def _passes(tree: Path, module: str) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS[module]]
    try:
        done = subprocess.run(command, cwd=tree, capture_output=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main(names: list) -> int:
    for name in names or TESTS:
        count, survivors = run(name)
        print(f"{name}: {count} mutants, {len(survivors)} survive")
        for line, change, text in survivors:
            print(f"  {name}.py:{line}: {change}: {text}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
