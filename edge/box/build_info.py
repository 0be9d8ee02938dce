"""Which modules of the core and of the plant models are compiled, and whether from the present source.

A compiled module carries the SHA-256 of the .py and the .pxd that it was made from, as readable text in its
bytes:
    furnace-edge-source-sha256:<64 hexadecimal digits>
setup.py writes the marker with the functions of this file, and modules() reads it back. This file imports
nothing of the project, so that setup.py can run it before anything is installed.
"""

import hashlib
import re
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

MARKER = "furnace-edge-source-sha256:"
# Folders, relative to the folder that holds the packages, whose .py files are compiled where a .pxd lies
# beside them.
COMPILED_FOLDERS = ("cext", "edge/emulator/models")


def sources(root):
    """Return the .py files with a .pxd beside them (Path), under `root`, which holds the packages."""
    found = []
    for folder in COMPILED_FOLDERS:
        in_folder = sorted(Path(root, folder).glob("*.py"))
        found += [path for path in in_folder if path.with_suffix(".pxd").exists()]
    return found


def source_sha256(py_path):
    """Return the SHA-256 over the .py and the .pxd of one module, as 64 hexadecimal digits."""
    digest = hashlib.sha256(py_path.read_bytes())
    digest.update(b"\0")
    digest.update(py_path.with_suffix(".pxd").read_bytes())
    return digest.hexdigest()


def binary_of(py_path):
    """Return the Path of the binary that this interpreter imports in place of `py_path`, or None."""
    for suffix in EXTENSION_SUFFIXES:
        path = py_path.with_name(py_path.stem + suffix)
        if path.exists():
            return path
    return None


def carried_sha256(binary_path):
    """Return the SHA-256 that a compiled module carries, or "" if it carries none."""
    match = re.search(MARKER.encode() + rb"([0-9a-f]{64})", binary_path.read_bytes())
    return match.group(1).decode() if match else ""


def modules():
    """Return one dict for each module that may be compiled, of the installation that this file belongs to.

    name            dotted name, such as "cext.pid"
    compiled        whether a binary for this interpreter lies beside the source; if not, the .py is
                    interpreted
    path            str, what is imported: the binary or the .py
    source_sha256   of the source as it is now
    carried_sha256  of the source that the binary was made from, "" without a binary or without a marker in it
    stale           whether there is a binary and it was made from another source: build again
    """
    root = Path(__file__).resolve().parents[2]
    found = []
    for py_path in sources(root):
        binary = binary_of(py_path)
        source = source_sha256(py_path)
        carried = carried_sha256(binary) if binary else ""
        found.append(
            {
                "name": ".".join(py_path.relative_to(root).with_suffix("").parts),
                "compiled": binary is not None,
                "path": str(binary or py_path),
                "source_sha256": source,
                "carried_sha256": carried,
                "stale": binary is not None and carried != source,
            }
        )
    return found
