"""The configuration reader: one TOML file in, the description that a node is built from out.

    description = load("edge/box/nodes/bishkek.toml")

The description is a dict of the same tables and keys, with every default filled in and numbers as
floats, whole milliseconds as ints, plus ``order``: the names of each table in the order in which
they are worked, because dicts on boards have none.
"""

from pathlib import Path

from edge.box.config.complete import complete_blocks
from edge.box.config.document import check_references, parse, read_entries
from edge.box.config.fields import OPTIONAL
from edge.box.config.problems import NodeFileError
from edge.box.config.rules import (
    blocks,
    calcs,
    guard,
    line,
    loops,
    outputs,
    plausible,
    registers,
    remote,
    report,
    signals,
    tuning,
)
from edge.box.config.tables import SCHEMA, TABLES
from edge.node.description import dump

NODES = Path(__file__).resolve().parent.parent / "nodes"


class NodeFile:
    """A node file without problems.

    ``description``: what the node is built from; ``warnings``: list of (line, text); ``lines``:
    path of a key -> its line.
    """

    def __init__(self, path, description: dict, warnings: list, lines: dict):
        self.path = path
        self.description = description
        self.warnings = warnings
        self.lines = lines


def packaged() -> list:
    """The names of the node files that come with furnace-edge."""
    return sorted(path.stem for path in NODES.glob("*.toml"))


def find(name) -> Path:
    """The path of a node file: a file as it is named, else a packaged one by its name."""
    path = Path(name)
    if not path.exists() and str(name) in packaged():
        return NODES / (str(name) + ".toml")
    return path


def read(path) -> NodeFile:
    """Read and check a node file; NodeFileError with all problems where anything is wrong."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        text = "the file can't be read: %s; name a node file, or one of those packaged: %s"
        raise NodeFileError(path, [(1, text % (error.strerror, ", ".join(packaged())))]) from error
    return check(path, data)


def check(path, data: bytes) -> NodeFile:
    """Like ``read``, of bytes that are there already; ``path`` is for the messages."""
    document = parse(path, data)
    read_entries(document)
    check_references(document)
    line.check(document)
    signals.check(document)
    calcs.check(document)
    outputs.check(document)
    blocks.check(document)
    loops.check(document)
    guard.check(document)
    report.check(document)
    remote.check(document)
    plausible.check(document)
    tuning.check(document)
    order = {"calc": calcs.order_of_calcs(document), "state": guard.order_of_states(document)}
    if document.problems:
        raise NodeFileError(path, document.problems)
    return NodeFile(path, _description(document, order), sorted(document.warnings), document.lines)


def load(path) -> dict:
    """The description of the node in a file; NodeFileError where anything is wrong with it."""
    return read(path).description


def describe(path) -> tuple:
    """(description, bytes of the board file) of a node file; NodeFileError as ``load``."""
    description = load(path)
    return description, dump(description)


def _description(document, sorted_names: dict) -> dict:
    description = {"schema": SCHEMA, "order": {}}
    for name, table in TABLES.items():
        parent, dot, child = name.rpartition(".")
        place = description.get(parent) if dot else description
        if table.named:
            entries = document.entries[name]
            if place is not None:
                place[child] = {entry.name: dict(entry.values) for entry in entries.values()}
            if not dot:
                description["order"][name] = sorted_names.get(name, list(entries))
        elif document.entry(name):
            place[child] = dict(document.entry(name).values)
        elif name == "report" or (name == "report.outbox" and document.entry("report.mqtt")):
            place[child] = _defaults(name)
    complete_blocks(document, description)
    registers.complete(document, description)
    report.complete(document, description["report"], description["node"])
    return description


def _defaults(table: str) -> dict:
    fields = TABLES[table].keys.items()
    return {key: field.default for key, field in fields if field.default is not OPTIONAL}
