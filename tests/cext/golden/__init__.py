"""The golden traces in files, and how a runtime is held to them.

A file has one line for each block of steps: the number of its last step, the SHA-256 of all its results and,
for people, the results of that step. `python -m tests.cext.trace --write` makes the files from the
production .py; a change of them in a commit is a change of the core's numbers.
"""

import ast
import os
import struct
import subprocess
import sys
from pathlib import Path

from edge.box import micropython
from tests.cext.trace import BLOCK, STEPS, TRACES

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
RUNTIMES = ("interpreted", "compiled", "micropython")


def run(runtime: str, trace: str, count: int = STEPS, first: int = -1, last: int = -1) -> list[list[str]]:
    """The words of each line that trace.py prints on a runtime, after the one that names the core's files."""
    command = [micropython.executable() if runtime == "micropython" else sys.executable]
    command += [str(Path("tests", "cext", "trace.py")), runtime, trace, str(count)]
    if first >= 0:
        command += [str(first), str(last)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": f"{ROOT}:.frozen"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    if result.returncode != 0:
        raise AssertionError(f"trace {trace} on {runtime} failed:\n{result.stderr or result.stdout[-2000:]}")
    return [line.split() for line in result.stdout.splitlines()[1:]]


def values(hexadecimal: str) -> tuple:
    """The results of a step."""
    data = bytes.fromhex(hexadecimal)
    return struct.unpack(f"<{len(data) // 8}d", data)


def names(trace: str) -> tuple:
    """NAMES of a trace, read and not imported: write() is there when what is compiled is stale, too."""
    source = Path(ROOT, "tests", "cext", "traces", f"{trace}.py").read_text(encoding="utf-8")
    (value,) = [node.value for node in ast.parse(source).body if ast.unparse(node).startswith("NAMES = ")]
    return ast.literal_eval(value)


def path_of(trace: str) -> Path:
    return FOLDER / f"{trace}.txt"


def write():
    """Make all golden traces again."""
    for trace in TRACES:
        lines = [
            f"# Golden trace of {trace}, {STEPS} steps: python -m tests.cext.trace --write",
            f"# step, SHA-256 of the results of {BLOCK} steps, the last of them: {' '.join(names(trace))}",
        ]
        for number, digest, data in run("interpreted", trace):
            lines.append(" ".join([number, digest, *map(repr, values(data))]))
        path_of(trace).write_text("\n".join(lines) + "\n", encoding="ascii")
        print(path_of(trace).relative_to(ROOT))


def read(trace: str) -> list[list[str]]:
    """The words of each line of a golden trace."""
    text = path_of(trace).read_text(encoding="ascii")
    return [line.split() for line in text.splitlines() if not line.startswith("#")]


def difference(runtime: str, trace: str) -> str:
    """Where a runtime first differs from the golden trace, in words; "" if nowhere."""
    golden = read(trace)
    found = run(runtime, trace)
    if len(golden) != len(found):
        return f"{trace} on {runtime}: {len(found)} blocks of steps, {len(golden)} in the golden trace"
    for expected, block in zip(golden, found, strict=True):
        if expected[1] != block[1]:
            return _first_step(runtime, trace, expected)
    return ""


def _first_step(runtime: str, trace: str, golden: list[str]) -> str:
    """The first step that differs within a block.

    Step by step the interpreted core tells what was expected, if it still agrees with the golden trace. If it
    does not, only the values of the block's last step are known.
    """
    last = int(golden[0])
    first = last - BLOCK + 1
    expected = dict(run("interpreted", trace, STEPS, first, last))
    digests = {number: digest for number, digest, _ in run("interpreted", trace)}
    agrees = digests[golden[0]] == golden[1]
    for number, data in run(runtime, trace, STEPS, first, last):
        if agrees:
            reference = values(expected[number])
        elif number == golden[0]:
            reference = tuple(map(float, golden[2:]))
        else:
            continue
        told = [
            f"  {name}: expected {old!r}, found {new!r}"
            for name, old, new in zip(names(trace), reference, values(data), strict=True)
            if _bits(old) != _bits(new)
        ]
        if told:
            where = f"{trace} on {runtime} differs at step {number} (steps {first}..{last}):"
            return "\n".join([where, *told])
    return f"{trace} on {runtime} differs within the steps {first}..{last}, and agrees again at {last}"


def _bits(value: float) -> bytes:
    return struct.pack("<d", value) if value == value else b"NaN"
