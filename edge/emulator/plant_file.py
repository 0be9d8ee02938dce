"""A plant file: which model with which parameters, and which instruments are wired to it.

    [plant]     name, title
    [model]     kind, seed, [model.parameters], [model.inputs]        see edge.emulator.models; or
    [values]    named numbers instead of a model, or neither           see edge.emulator.values
    [line]      baud, char_bits; or [line.NAME] for each of several, named as the buses of the node
    [instrument.NAME]   type, unit, delay_ms, and what its family has; line = "NAME" where there are several

An instrument reads attributes of the model and drives inputs of it, in percent. A key that nobody reads is
an error that names the file, its line and the key.
"""

import re
from pathlib import Path
from random import Random

from edge.box.config import toml_text
from edge.box.config.lines import nearest_line
from edge.emulator import models
from edge.emulator.instruments import table
from edge.emulator.values import Values

PLANTS = Path(__file__).parent / "plants"

_REQUIRED = object()


class PlantFileError(ValueError):
    """A plant file that can't be used: says which file, which key, and what was expected."""


class Keys:
    """One table of a plant file; every key must be read, which finish() checks.

    ``lines``: path of a key -> its line, where that is known; ``model``, ``inputs``: what instruments can be
    wired to; ``driven``: inputs that are driven already.
    """

    def __init__(self, file: str, path: str, values: dict, lines=None, model=None, inputs=(), driven=None):
        self.file = file
        self.lines = lines
        self.path = path
        self.model = model
        self.inputs = inputs
        self._driven = {} if driven is None else driven
        self._values = values
        self._read = {}

    def error(self, key: str, message: str) -> PlantFileError:
        """What is wrong with a key of this table."""
        where = f"[{self.path}] {key}" if self.path else f"[{key}]"
        return PlantFileError(f"{self.at(key)}: {where}: {message}")

    def at(self, *keys) -> str:
        """FILE:LINE of a key of this table, or of the table where the key is not there."""
        if self.lines is None:
            return self.file
        path = tuple(self.path.split(".")) if self.path else ()
        return f"{self.file}:{nearest_line(self.lines, (*path, *keys))}"

    def _take(self, key: str, default, expected: str):
        self._read[key] = True
        if key in self._values:
            return self._values[key]
        if default is _REQUIRED:
            raise self.error(key, f"is missing; expected {expected}")
        return default

    def number(self, key: str, low: float, high: float, default=_REQUIRED, above=None) -> float:
        """A number of ``low``..``high``, ``above``: and greater than that; None where that is the default."""
        expected = f"a number from {low:g} to {high:g}" + (f", above {above:g}" if above is not None else "")
        value = self._take(key, default, expected)
        if value is None and default is None:
            return None
        if not _is_number(value) or not low <= value <= high or (above is not None and value <= above):
            raise self.error(key, f"is {value!r}; expected {expected}")
        return float(value)

    def exact(self, key: str, low: float, high: float, default=_REQUIRED):
        """A number of ``low``..``high`` as it stands: whole ones of 64 bits are no floats."""
        self.number(key, low, high, default)
        return self._values.get(key, default)

    def whole(self, key: str, low: int, high: int, default=_REQUIRED) -> int:
        """A whole number of ``low``..``high``."""
        expected = f"a whole number from {low} to {high}"
        value = self._take(key, default, expected)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(key, f"is {value!r}; expected {expected}")
        return value

    def elements(self, key: str) -> list:
        """The elements of a list, [] when it isn't there; somebody else checks them."""
        values = self._take(key, [], "a list")
        if not isinstance(values, list):
            raise self.error(key, f"is {values!r}; expected a list")
        return values

    def wholes(self, key: str, low: int, high: int, default=_REQUIRED) -> list:
        """A list of whole numbers of ``low``..``high``."""
        expected = f"a list of whole numbers from {low} to {high}"
        values = self._take(key, default, expected)
        if not isinstance(values, list) or not all(type(one) is int and low <= one <= high for one in values):
            raise self.error(key, f"is {values!r}; expected {expected}")
        return values

    def text(self, key: str, choices=None, default=_REQUIRED) -> str:
        """A string, one of ``choices`` where given."""
        expected = "one of " + ", ".join(choices) if choices else "a name in quotes"
        value = self._take(key, default, expected)
        if not isinstance(value, str) or (choices and value not in choices):
            raise self.error(key, f"is {value!r}; expected {expected}")
        return value

    def switch(self, key: str, default=_REQUIRED) -> bool:
        """true or false."""
        value = self._take(key, default, "true or false")
        if not isinstance(value, bool):
            raise self.error(key, f"is {value!r}; expected true or false")
        return value

    def process_value(self, key: str) -> str:
        """The name of an attribute of the model that an instrument measures."""
        name = self.text(key)
        if not isinstance(getattr(self.model, name, None), float):
            raise self.error(key, f"the model has no process value {name!r}")
        return name

    def model_input(self, key: str) -> str:
        """The name of an input of the model that nobody else drives."""
        name = self.text(key, self.inputs)
        other = self._driven.setdefault(name, self.path)
        if other != self.path:
            raise self.error(key, f"{name} is driven by [{other}] already")
        return name

    def table(self, key: str):
        """The table of that name as Keys, or None."""
        value = self._take(key, None, "a table")
        if value is None:
            return None
        path = f"{self.path}.{key}" if self.path else key
        if not isinstance(value, dict):
            raise self.error(key, f"is {value!r}; expected a table [{path}]")
        return Keys(self.file, path, value, self.lines, self.model, self.inputs, self._driven)

    def values(self, key: str) -> dict:
        """The table of that name as it stands, {} when it isn't there: somebody else checks it."""
        found = self.table(key)
        return {} if found is None else found._values

    def needed(self, key: str) -> "Keys":
        """The table of that name; it must be there."""
        found = self.table(key)
        if found is None:
            raise PlantFileError(f"{self.at(key)}: the table [{key}] is missing")
        return found

    def has(self, key: str) -> bool:
        """Whether the table has a key."""
        return key in self._values

    def names(self) -> list:
        """All keys, in the order of the file."""
        return list(self._values)

    def finish(self):
        """Raise PlantFileError for a key that nobody has read."""
        for key in self._values:
            if key not in self._read:
                raise self.error(key, f"is not known here; known are {', '.join(sorted(self._read))}")


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Plant:
    """What a plant file describes: ``model`` and ``instruments``, wired and in their start state.

    ``kind``: of the model, "" of a plant without one; ``inputs``: the names of its inputs.
    ``lines``: (name, baud, char_bits, instruments) of each serial line; ``baud``, ``char_bits``: of the first.
    """

    def __init__(self, name: str, title: str, lines: list, kind: str, model, inputs, instruments):
        self.name = name
        self.title = title
        self.lines = lines
        self.baud, self.char_bits = lines[0][1:3]
        self.kind = kind
        self.model = model
        self.inputs = inputs
        self.instruments = instruments


def names() -> list:
    """The plants that come with the emulator."""
    return sorted(path.stem for path in PLANTS.glob("*.toml"))


def find(plant: str) -> Path:
    """The file of a plant by its name, or by a path that ends in .toml. Raises PlantFileError."""
    path = Path(plant) if plant.endswith(".toml") else PLANTS / f"{plant}.toml"
    if not path.is_file():
        raise PlantFileError(f"no plant {plant!r}: there are {', '.join(names())}, or give a .toml file")
    return path


def load(plant: str, seed=None) -> Plant:
    """Read a plant file and build what it describes.

    ``seed``: of the waste and of all noise; by default that of the file. Raises PlantFileError.
    """
    path = find(plant)
    try:
        values, lines = toml_text.read(path.read_bytes())
    except toml_text.TomlError as error:
        raise PlantFileError(f"{path.name}:{error.line}: {error}") from None
    return build(path.name, values, seed, lines)


def build(file: str, values: dict, seed=None, lines=None) -> Plant:
    """Build what the tables of a plant file describe; ``file``, ``lines``: for messages."""
    keys = Keys(file, "", values, lines)
    plant = keys.needed("plant")
    name = plant.text("name")
    title = plant.text("title", default=name)
    plant.finish()
    timings = _timings(keys.needed("line"))
    if keys.has("model"):
        if keys.has("values"):
            raise keys.error("values", "stands beside [model]; expected one of the two")
        kind, model, seed = _model(keys.needed("model"), seed)
        inputs = models.table(kind).INPUTS
    else:
        kind = ""
        model, inputs = _values(keys)
        seed = 1 if seed is None else seed
    wired = Keys(file, "", values, lines, model, inputs)
    on_line = {name: [] for name in timings}
    instruments = _instruments(wired.needed("instrument"), seed, on_line)
    for key in wired.names():
        if key not in ("plant", "model", "values", "line", "instrument"):
            known = "plant, model, values, line, instrument"
            raise wired.error(key, f"nobody knows this table; known are {known}")
    serial_lines = [(line, *timing, on_line[line]) for line, timing in timings.items()]
    return Plant(name, title, serial_lines, kind, model, inputs, instruments)


def _timings(keys: Keys) -> dict:
    """Name -> (baud, char_bits) of each line; the name of a plant's only [line] is ""."""
    found = {}
    names = [name for name in keys.names() if name not in ("baud", "char_bits")]
    for name in names or [""]:
        line = keys.needed(name) if name else keys
        found[name] = line.whole("baud", 1200, 115200), line.whole("char_bits", 10, 12, 11)
        line.finish()
    keys.finish()
    return found


def _model(keys: Keys, seed) -> tuple:
    """Kind, model and seed."""
    kind = keys.text("kind", models.KINDS)
    in_file = keys.whole("seed", 0, 2**63 - 1, 1)
    seed = in_file if seed is None else seed
    parameters = keys.values("parameters")
    inputs = keys.values("inputs")
    keys.finish()
    try:
        return kind, models.build(kind, seed, parameters, inputs), seed
    except ValueError as error:
        named = re.search(r"(parameter|input) '?(\w+)", str(error))
        where = keys.at(named.group(1) + "s", named.group(2)) if named else keys.at("kind")
        raise PlantFileError(f"{where}: [model]: {error}") from None


def _values(keys: Keys) -> tuple:
    """A plant without a model, and what its instruments can drive."""
    try:
        values = Values(keys.values("values"))
    except ValueError as error:
        raise PlantFileError(f"{keys.at('values')}: [values]: {error}") from None
    return values, values.names


def _instruments(keys: Keys, seed: int, on_line: dict) -> list:
    """All instruments, each connected to the model; each is added to its line in ``on_line``."""
    instruments = []
    units = {}
    for name in keys.names():
        own = keys.table(name)
        line = "" if "" in on_line else own.text("line", on_line)
        instrument = table.build(name, own)
        own.finish()
        on_line[line].append(instrument)
        other = units.setdefault((line, instrument.unit), name)
        if other != name:
            raise own.error("unit", f"is {instrument.unit}, which {other} has already")
        instrument.connect(keys.model, Random(f"{seed} {name}"))
        instruments.append(instrument)
    return instruments
