"""``furnace-edge doctor``: what is installed, which core is in use, what stands in the way."""

import importlib.metadata
import json
import platform
import shutil

from edge import __version__
from edge.box import build_info, micropython

EXAMPLE = "example: furnace-edge doctor --json"


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("--json", action="store_true")


def examine() -> dict:
    """All findings; ``problems`` holds a sentence for each thing that should be mended."""
    modules = build_info.modules()
    compiled = [module["name"] for module in modules if module["compiled"]]
    plain = [module["name"] for module in modules if not module["compiled"]]
    problems = [
        f"{module['name']} is compiled from an older source: run make build"
        for module in modules
        if module["stale"]
    ]
    if plain:
        problems.append(
            f"not compiled, the same .py files run interpreted and slower: {', '.join(plain)}; "
            "install gcc and python3-dev, then pip install again"
        )
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "core": "compiled" if not plain else "interpreted" if not compiled else "partly compiled",
        "compiled": compiled,
        "interpreted": plain,
        "packages": {
            name: _version(name) for name in ("pyserial", "paho-mqtt", "amqtt", "rich", "numpy", "cython")
        },
        "micropython": _micropython(),
        "compiler": shutil.which("cc") or shutil.which("gcc"),
        "serial_ports": _ports(),
        "problems": problems,
    }


def _ports() -> list:
    from serial.tools import list_ports

    return [port.device for port in list_ports.comports()]


def _version(name: str):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _micropython():
    try:
        return micropython.executable()
    except FileNotFoundError:
        return None


def run(args) -> int:
    """0 when nothing needs mending, 1 otherwise."""
    found = examine()
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        print(f"furnace-edge {found['version']} on Python {found['python']}, {found['system']}")
        print(f"numerical core: {found['core']}")
        for name, version in found["packages"].items():
            print(f"  {name}: {version or 'not installed'}")
        print(f"  micropython: {found['micropython'] or 'not installed'}")
        print(f"  C compiler: {found['compiler'] or 'none'}")
        print(f"serial ports: {', '.join(found['serial_ports']) or 'none found'}")
        for problem in found["problems"]:
            print(f"to mend: {problem}")
    return 1 if found["problems"] else 0
