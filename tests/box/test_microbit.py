"""What a small chip gets of the core: the same syntax, in pieces, in an order that works."""

import ast
from pathlib import Path

import pytest

from edge.box.microbit import flash_file, strip, take
from tests.cext import golden
from tests.cext.trace import BLOCK
from tests.cext.traces import pid as pid_trace

CORE = sorted(Path(golden.ROOT, "cext").glob("*.py"))
MODULE = '''
"""Doc."""
from math import pi, sqrt
from cext.other import helper

LIMIT = 5.0  # comment
TABLE = [0] * 4


def _fill():
    """Doc."""
    for i in range(4):
        TABLE[i] = i


_fill()


def short(x):
    """Doc."""


def looked_up(x, limit=LIMIT):
    # comment
    if x > limit:
        return TABLE[3] * helper(x)
    return TABLE[0]


class Part:
    """Doc."""

    def __init__(self, x):
        self.x = x

    def long(self):
        return self._root() + self.x + self.x + self.x + self.x + self.x + self.x

    def other(self):
        return pi

    def _root(self):
        return sqrt(self.x)
'''


def heads(*wanted) -> list[str]:
    return [piece.splitlines()[0] for piece in take([("module.py", MODULE, list(wanted))])]


def without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            continue
        if node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_stripped_source_has_the_same_syntax_tree(path):
    source = path.read_text(encoding="utf-8")
    stripped = strip(source)
    assert ast.dump(ast.parse(stripped)) == without_docstrings(source)
    assert "#" not in stripped
    assert "\n\n" not in stripped


def test_pid_in_pieces_replays_its_golden_trace(monkeypatch):
    """Taken apart and put together again on CPython, the class gives the same bits."""
    path = Path(golden.ROOT, "cext", "pid.py")
    names = {}
    for piece in take([("cext/pid.py", path.read_text(encoding="utf-8"), ["PID"])]):
        exec(piece, names)
    monkeypatch.setattr(pid_trace, "PID", names["PID"])
    steps = list(pid_trace.steps(10 * BLOCK))
    for line in golden.read("pid")[:10]:
        assert list(map(repr, steps[int(line[0])])) == line[2:]


def test_methods_come_one_by_one_the_longest_first():
    assert heads("Part") == [
        "from math import pi",
        "from math import sqrt",
        "class Part:",
        "def long(self):",
        "def __init__(self, x):",
        "def _root(self):",
        "def other(self):",
    ]
    last = take([("module.py", MODULE, ["Part"])])[6]
    assert last == "def other(self):\n return pi\nPart.other=other\ndel other"


def test_a_method_brings_what_it_uses_and_no_more():
    assert heads("Part.long") == [
        "from math import sqrt",
        "class Part:",
        "def long(self):",
        "def __init__(self, x):",
        "def _root(self):",
    ]


def test_a_function_brings_its_defaults_its_tables_and_the_call_that_fills_them():
    assert heads("looked_up") == [
        "LIMIT = 5.0",
        "TABLE = [0] * 4",
        "def looked_up(x, limit=LIMIT):",
        "def _fill():",
        "_fill()",
    ]
    names = {"helper": lambda x: x}
    for piece in take([("module.py", MODULE, ["looked_up"])]):
        exec(piece, names)
    assert names["looked_up"](7.0) == 21.0


def test_a_function_that_is_all_docstring_stays_a_function():
    assert take([("module.py", MODULE, ["short"])]) == ["def short(x):\n pass"]


def test_modules_that_give_a_name_the_same_meaning_share_it():
    pieces = take([("a.py", "_OK = 0\nA = _OK", []), ("b.py", "_OK = 0\nB = _OK", [])])
    assert pieces == ["_OK = 0", "A = _OK", "B = _OK"]


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ([("a.py", "A = 1", ["B"])], "a.py: there is no B"),
        ([("a.py", "A = 1", []), ("b.py", "A = 2", [])], "b.py: A is something else in a.py"),
        ([("a.py", "A = 1\nA = 2", [])], "a.py, line 2: .*expected A once only"),
        ([("a.py", "class A(B):\n    pass", [])], "a.py, line 1: .*expected a class without bases"),
        ([("a.py", "class A:\n    x = 1", [])], "a.py, line 2: .*expected methods without decorators"),
        ([("a.py", "class A:\n    @b\n    def x(self):\n        pass", [])], "a.py, line 3: .*decorators"),
        ([("a.py", "A = B = 1", [])], "a.py, line 1: .*one name in each statement"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(modules, said):
    with pytest.raises(ValueError, match=said):
        take(modules)


def test_the_file_for_the_flash_says_the_length_of_each_piece():
    assert flash_file(["A = 1", "def f():\n return A"]) == b"#5\nA = 1#18\ndef f():\n return A"
