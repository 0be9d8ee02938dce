"""``furnace-edge init``: copies of a packaged node file and its plant, to change and to run."""

import sys
from pathlib import Path

from edge.box.config import find, packaged
from edge.emulator import plant_file

EXAMPLE = "example: furnace-edge init bishkek --into furnace"


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("plant", help=f"one of {', '.join(packaged())}")
    parser.add_argument("--into", type=Path, default=Path(), metavar="FOLDER", help="made where it is missing")


def run(args) -> int:
    """0 when both files were written, 2 where the plant is not known or a file is there already."""
    known = sorted(set(packaged()) & set(plant_file.names()))
    if args.plant not in known:
        print(f"there is no plant {args.plant!r} to start from: name one of {', '.join(known)}", file=sys.stderr)
        return 2
    wanted = {
        args.into / f"{args.plant}-node.toml": find(args.plant),
        args.into / f"{args.plant}-plant.toml": plant_file.find(args.plant),
    }
    for path in wanted:
        if path.exists():
            print(f"{path} is there already: move it, or name another folder with --into", file=sys.stderr)
            return 2
    try:
        args.into.mkdir(parents=True, exist_ok=True)
        for path, source in wanted.items():
            path.write_bytes(source.read_bytes())
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    node, plant = wanted
    print(f"{node}   the controller: what is measured, how it is controlled, what guards it")
    print(f"{plant}   the furnace and its instruments on the bench")
    print("change them, then, each in a terminal of its own:")
    print(f"  furnace-edge check {node} --elsewhere")
    print(f"  furnace-edge emulate {plant} --link /tmp/furnace")
    print(f"  furnace-edge run {node} --port /tmp/furnace")
    return 0
