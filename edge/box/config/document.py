"""A node file as entries: each key read by its field, each with its line."""

from edge.box.config import toml_text, values
from edge.box.config.fields import NAME_RULE, OPTIONAL, REQUIRED, Unfit, is_name
from edge.box.config.lines import nearest_line
from edge.box.config.problems import NodeFileError, did_you_mean, listed, shown
from edge.box.config.tables import REFUSED_KEYS, SCHEMA, TABLES


class Entry:
    """One table of the file. ``values`` holds only what fits its field; defaults are filled in.

    ``nested``: key -> name -> Entry of the tables that stand below it.
    """

    def __init__(self, table: str, name: str, path: tuple, raw: dict):
        self.table = table
        self.name = name
        self.path = path
        self.raw = raw
        self.kind = None
        self.fields = {}
        self.values = {}
        self.nested = {}

    def __str__(self) -> str:
        return f"{self.table} {self.name}" if self.name else self.table

    def get(self, key: str):
        """The value of a key, or None where it is absent or does not fit."""
        return self.values.get(key)

    def references(self):
        """(key, table, name, place in the value) of everything that the entry names."""
        for key, value in self.values.items():
            if key in self.nested:
                continue
            for table, name, place in self.fields[key].references(value):
                yield key, table, name, place


class Document:
    """All entries of a node file, and what is wrong with it so far.

    ``entries``: table -> name -> Entry, single tables under the name "". ``problems`` and
    ``warnings``: lists of (line, text).
    """

    def __init__(self, raw: dict, lines: dict):
        self.raw = raw
        self.lines = lines
        self.problems = []
        self.warnings = []
        self.entries = {table: {} for table in TABLES}

    def of(self, table: str) -> list:
        """The entries of one table in the order of the file."""
        return list(self.entries[table].values())

    def entry(self, table: str, name: str = ""):
        """One entry, or None."""
        return self.entries[table].get(name)

    def names(self, target: str) -> list:
        """All names that a reference to ``target`` may use, also of entries with problems."""
        if target == "value":
            return values.readable(self)
        if target == "taker":
            tables = ("output", "loop", "select", "cross_limit", "split")
            return [f"{table}.{name}" for table in tables for name in self.names(table)]
        if target == "loop_path":
            return ["loop." + name for name in self.names("loop")]
        if target == "source":
            return self.names("signal") + self.names("calc")
        table = self.raw.get(target)
        return list(table) if isinstance(table, dict) else []

    def unit(self, reference: str):
        """The unit of what is read, or None where it is not known."""
        return values.unit(self, reference)

    def problem(self, entry: Entry, where, text: str):
        """``where``: a key of the entry, or a tuple that leads into its value; "" for the entry itself."""
        self.problems.append((self._line_of(entry, where), f"{entry} {text}"))

    def problem_at(self, path: tuple, text: str):
        """A problem of what is no entry."""
        self.problems.append((self._line(path), text))

    def warn(self, entry: Entry, where, text: str):
        """Something that may be meant so, but should be looked at."""
        self.warnings.append((self._line_of(entry, where), f"{entry} {text}"))

    def _line_of(self, entry: Entry, where) -> int:
        return self._line(entry.path + (where if isinstance(where, tuple) else (where,)))

    def _line(self, path: tuple) -> int:
        return nearest_line(self.lines, path)


def parse(path, data: bytes) -> Document:
    """The TOML of a node file with its lines; NodeFileError where it is no TOML."""
    try:
        return Document(*toml_text.read(data))
    except toml_text.TomlError as error:
        raise NodeFileError(path, [(error.line, str(error))]) from error


def read_entries(document: Document):
    """Turn every table into entries; what no field reads is a problem."""
    if not _schema_fits(document):
        return
    for key, value in document.raw.items():
        if key == "schema":
            continue
        # "report.mqtt" is a table within a table, never a name in quotes.
        table = None if "." in key else TABLES.get(key)
        if table is None:
            hint = did_you_mean(key, TABLES, f"the tables are {listed(TABLES)}")
            document.problem_at((key,), f"[{key}] is nothing that anybody reads; {hint}")
        elif not isinstance(value, dict):
            text = f"{key} is {_shape(value)}, expected a table; write it as {_header(table)}"
            document.problem_at((key,), text)
        elif table.named:
            _read_all_named(document, table, (key,), value)
        else:
            _read_single(document, table, (key,), value)
    for table in TABLES.values():
        if table.required and not document.raw.get(table.name):
            document.problem_at((table.name,), f"the file has no {_header(table)}, {table.meaning}; add one")


def check_references(document: Document):
    """Everything that an entry names must be there."""
    for table in TABLES:
        for entry in document.of(table):
            for key, target, name, place in entry.references():
                if name not in document.names(target):
                    text = _missing(document, key, target, name)
                    document.problem(entry, (key, *place), text)


def _missing(document, key: str, target: str, name: str) -> str:
    if target == "value" and "output." + name in document.names("value"):
        return f"reads signal '{name}' ({key}), which is not there; an output is read as 'output.{name}'"
    if target == "taker" and "output." + name in document.names("taker"):
        return f"gives its demand to '{name}' ({key}); write 'output.{name}'"
    known = document.names(target)
    few = f"there is {listed(known)}" if len(known) < 12 else "name one that is there"
    hint = did_you_mean(name, known, few if known else "there is none at all")
    if target in ("source", "value"):
        noun = "output" if name.startswith("output.") else "signal"
        return f"reads {noun} '{name}' ({key}), which is not there; {hint}"
    if target == "taker":
        return f"gives its demand to '{name}' ({key}), which is not there; {hint}"
    return f"names '{name}' ({key}), but there is no [{target}.{name}]; {hint}"


def _header(table) -> str:
    return f"[{table.name}.NAME]" if table.named else f"[{table.name}]"


def _shape(value) -> str:
    if isinstance(value, list) and value and all(isinstance(element, dict) for element in value):
        return "a list of tables"
    return shown(value)


def _schema_fits(document: Document) -> bool:
    value = document.raw.get("schema")
    if type(value) is int and value == SCHEMA:
        return True
    if value is None:
        text = f"the file has no schema, expected schema = {SCHEMA}; write that above the first table"
    else:
        text = f"schema is {shown(value)}, expected {SCHEMA}; this version reads no other: convert the file"
    document.problem_at(("schema",), text)
    # A file of another schema has other keys; one that only forgot to say so has these.
    return type(value) is not int


def _read_all_named(document, table, path, content):
    for name, part in content.items():
        _read_named(document, table, path + (name,), name, part)


def _read_named(document, table, path, name, content):
    if not is_name(name):
        text = f"{table.name} has the name {shown(name)}, expected {NAME_RULE}"
        document.problem_at(path, f"{text}; it becomes a part of topics and paths: use only those")
    if not isinstance(content, dict):
        text = f"{table.name} {name} is {_shape(content)}, expected a table"
        document.problem_at(path, f"{text}; write it as [{table.name}.{name}]")
        return
    entry = Entry(table.name, name, path, content)
    document.entries[table.name][name] = entry
    _read_keys(document, table, entry)


def _read_single(document, table, path, content):
    entry = Entry(table.name, "", path, content)
    document.entries[table.name][""] = entry
    below = {name.split(".")[1]: name for name in TABLES if name.startswith(table.name + ".")}
    _read_keys(document, table, entry, below)
    for key, name in below.items():
        if isinstance(content.get(key), dict):
            read = _read_all_named if TABLES[name].named else _read_single
            read(document, TABLES[name], path + (key,), content[key])
        elif key in content:
            text = f"has {key} = {shown(content[key])}, expected a table; write it as {_header(TABLES[name])}"
            document.problem(entry, key, text)


def _read_keys(document, table, entry, below=()):
    if table.chooser:
        kind = entry.raw.get(table.chooser)
        entry.kind = kind if isinstance(kind, str) and kind in table.kinds else None
    entry.fields = fields = table.fields(entry.kind)
    nested = table.tables_below(entry.kind)
    for key, value in entry.raw.items():
        if key in below:
            continue
        if key in nested:
            _read_nested(document, nested[key], entry, key, value)
            continue
        if table.chooser and entry.kind is None and table.fits_some_kind(key, value):
            # What it must be depends on the kind, and that is not known.
            continue
        if key not in fields:
            document.problem(entry, key, _unknown_key(table, entry, key, [*fields, *below, *nested]))
            continue
        try:
            entry.values[key] = fields[key].read(value)
        except Unfit as unfit:
            expected = fields[key].expected()
            document.problem(entry, key, f"has {key} = {shown(value)}, expected {expected}; {unfit}")
    # Without a known kind nobody can say which of the kinds' keys are missing.
    sure = fields if entry.kind or not table.chooser else [*table.keys, table.chooser]
    for key in sure:
        default = fields[key].default
        if key in entry.raw:
            continue
        if default is REQUIRED:
            document.problem(entry, "", f"has no {key}, expected {fields[key].expected()}; add it")
        elif default is not OPTIONAL:
            entry.values[key] = default


def _read_nested(document, table, entry, key: str, value):
    """The named tables below an entry: [device.NAME.register.REGISTER]."""
    head = f"[{'.'.join(entry.path)}.{key}.NAME]"
    if not isinstance(value, dict):
        document.problem(entry, key, f"has {key} = {shown(value)}, expected tables; write them as {head}")
        return
    entry.nested[key] = {}
    for name, content in value.items():
        below = Entry(f"{entry} {key}", name, (*entry.path, key, name), content)
        if not is_name(name):
            document.problem(below, "", f"has a name that nothing can be called by, expected {NAME_RULE}")
        if not isinstance(content, dict):
            text = f"is {_shape(content)}, expected a table; write it as {head}"
            document.problem(below, "", text)
            continue
        entry.nested[key][name] = below
        _read_keys(document, table, below)
    entry.values[key] = {name: below.values for name, below in entry.nested[key].items()}


def _unknown_key(table, entry, key: str, known: list) -> str:
    if (table.name, key) in REFUSED_KEYS:
        return f"has {REFUSED_KEYS[table.name, key]}"
    kinds = table.kinds_with(key)
    if kinds:
        readers = listed(f"'{kind}'" for kind in kinds)
        text = f"is of {table.chooser} '{entry.kind}' and has the key '{key}', which only {readers} reads"
        return f"{text}; remove it"
    hint = did_you_mean(key, known, f"its keys are {listed(known)}")
    return f"has the key {shown(key)}, which nobody reads; {hint}"
