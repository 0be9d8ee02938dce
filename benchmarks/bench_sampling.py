"""What report by exception costs a tick: 40 signals, 8 outputs with their states, on both runtimes.

Its limit is a hundredth of the tick of 250 ms on the box. The garbage is what the collector of a board has to
fetch; only MicroPython counts it.
"""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import budget
from edge.box import micropython

SCRIPT = Path(__file__).with_name("sampling_loop.py")
LIMIT_US = 2500.0


def measure(quick: bool = False) -> dict:
    commands = {"CPython": [sys.executable]}
    try:
        commands["MicroPython"] = [micropython.executable(), "-X", "heapsize=512k"]
    except FileNotFoundError as error:
        commands["MicroPython"] = str(error)
    return {name: _run(command, 2000 if quick else 20000) for name, command in commands.items()}


def _run(command, ticks: int) -> dict:
    if isinstance(command, str):
        return {"error": command}
    done = subprocess.run(
        [*command, str(SCRIPT), str(ticks)],
        env=micropython.environment(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout)


def missed(figures: dict) -> list:
    """The limit is that of the box."""
    found = figures["CPython"]
    if "error" in found:
        return [f"CPython: {found['error']}"]
    return [miss for case, (us, *_) in found.items() for miss in budget.at_most(f"us, {case}", us, LIMIT_US)]


def told(figures: dict) -> str:
    lines = [f"sampling: 40 signals and 8 outputs a tick (limit {LIMIT_US:.0f} us)"]
    for name, found in figures.items():
        if "error" in found:
            lines.append(f"  {name}: {found['error']}")
            continue
        for case, (us, size, garbage) in sorted(found.items()):
            line = f"  {name}, {case}: {us:.1f} us, record of {size} bytes"
            lines.append(line + (f", {garbage} bytes of garbage" if garbage >= 0 else ""))
    return "\n".join(lines)
