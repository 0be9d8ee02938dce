"""The command that brings an extra: it is named after where this installation came from."""

import importlib.metadata
import json
import shlex
import sys
import urllib.parse
import urllib.request

NAME = "furnace-edge"


def install_command(extra: str) -> str:
    """``PYTHON -m pip install ...`` with an extra, for the environment that runs this.

    PEP 610: direct_url.json of an installation says from which folder or file it was made.
    """
    try:
        said = importlib.metadata.distribution(NAME).read_text("direct_url.json")
        origin = json.loads(said) if said else {}
    except (importlib.metadata.PackageNotFoundError, ValueError):
        origin = {}
    url = origin.get("url", "")
    wanted = f"{NAME}[{extra}]"
    words = []
    if url.startswith("file://") and "dir_info" in origin:
        if origin["dir_info"].get("editable"):
            words.append("--editable")
        wanted = f"{urllib.request.url2pathname(urllib.parse.urlsplit(url).path)}[{extra}]"
    elif url:
        wanted += f" @ {url}"
    return shlex.join([sys.executable, "-m", "pip", "install", *words, wanted])


def missing(package: str, extra: str) -> str:
    """A sentence for a package that is not installed."""
    return f"{package} is not installed. This brings it: {install_command(extra)}"
