"""The JSON Schema of the node file, so that editors complete and check it, written from the tables that read it.

python -m edge.box.config.json_schema > docs/node-file.schema.json

It knows shapes, words and ranges of single values. What belongs together only `furnace-edge check` knows.
"""

import json

from edge.box.config import chain_fields, fields
from edge.box.config.fields import NAME_RULE, REQUIRED
from edge.box.config.tables import REFUSED_KEYS, SCHEMA, TABLES
from edge.box.config.units import UNITS

_NAMES = {"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"}
_NUMBER = {"type": "number"}


def schema() -> dict:
    """The whole schema."""
    properties = {"schema": {"const": SCHEMA}}
    required = ["schema"]
    for name, table in TABLES.items():
        parent, _, child = name.rpartition(".")
        if parent:
            continue
        properties[name] = _table(table)
        if table.required:
            required.append(name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "furnace-edge node file",
        "description": "furnace-edge check NODE.toml knows more: what belongs together",
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _table(table) -> dict:
    entry = _entry(table)
    for name, below in TABLES.items():
        if name.startswith(table.name + "."):
            entry["properties"][name.rpartition(".")[2]] = _table(below)
    if not table.named:
        return {**entry, "description": table.meaning}
    return {
        "type": "object",
        "description": table.meaning,
        "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,32}$", "description": NAME_RULE},
        "additionalProperties": entry,
    }


def _entry(table) -> dict:
    """One entry: the keys of every kind, and with each kind its own and what it needs."""
    keys = {key: field for key, field in table.fields().items() if (table.name, key) not in REFUSED_KEYS}
    entry = {
        "type": "object",
        "properties": {key: _field(field) for key, field in keys.items()},
        "required": [key for key, field in table.keys.items() if field.default is REQUIRED],
        "additionalProperties": False,
    }
    for key, below in table.tables_below().items():
        entry["properties"][key] = _table(below)
    if not table.chooser:
        return entry
    entry["required"].append(table.chooser)
    # Keys of a kind are as that kind has them; two kinds may read the same key differently.
    for key in {key for _, kind_keys in table.kinds.values() for key in kind_keys}:
        entry["properties"][key] = True
    entry["allOf"] = [
        {
            "if": {"properties": {table.chooser: {"const": kind}}, "required": [table.chooser]},
            "then": {
                "properties": {key: _field(field) for key, field in kind_keys.items()},
                "required": [key for key, field in kind_keys.items() if field.default is REQUIRED],
            },
        }
        for kind, (_, kind_keys) in table.kinds.items()
        if kind_keys
    ]
    return entry


def _field(field) -> dict:
    shape = dict(_shape(field))
    shape["description"] = f"{field.meaning}; {field.expected()}" if field.meaning else field.expected()
    if isinstance(field.default, str | int | float | bool | list):
        shape["default"] = field.default
    return shape


def _shape(field) -> dict:
    """The most particular shape that is known of a field's class; True for what only its own reading knows."""
    for known in type(field).__mro__:
        if known in _SHAPES:
            return _SHAPES[known](field)
    return {}


def _number(field) -> dict:
    low = "exclusiveMinimum" if field.above else "minimum"
    return {"type": "number", low: field.low, "maximum": field.high}


def _many(items: dict, least: int = 0, most=None) -> dict:
    shape = {"type": "array", "items": items, "minItems": least}
    return shape if most is None else {**shape, "maxItems": most}


_PAIR = {"type": "array", "prefixItems": [_NUMBER, _NUMBER], "minItems": 2, "maxItems": 2}
_FORWARD = {"type": "array", "prefixItems": [_NAMES, _NUMBER], "minItems": 2, "maxItems": 2}
_SHAPES = {
    fields.Number: _number,
    fields.Level: lambda field: {"anyOf": [_number(field), {"const": "hold"}]},
    fields.Integer: lambda field: {
        "type": "integer", "minimum": field.low, "maximum": field.high, "multipleOf": field.step,
    },
    fields.Choice: lambda field: {"enum": list(field.options)},
    fields.Text: lambda field: {"type": "string", "minLength": 1, "maxLength": field.longest},
    fields.Switch: lambda field: {"type": "boolean"},
    fields.Unit: lambda field: {"enum": list(UNITS)},
    fields.Reference: lambda field: _NAMES,
    fields.References: lambda field: {**_many(_NAMES, 1, field.most), "uniqueItems": True},
    fields.Numbers: lambda field: _many(_NUMBER),
    chain_fields.Points: lambda field: _many(_PAIR, 2, 32),
    chain_fields.NumberOrList: lambda field: {"anyOf": [_number(field), _many(_number(field), 2, 32)]},
    chain_fields.Forwards: lambda field: _many(_FORWARD, 0, 8),
    chain_fields.IfBad: lambda field: {"anyOf": [{"enum": list(field.words)}, _NUMBER]},
    chain_fields.Policies: lambda field: {
        "type": "object", "additionalProperties": {"anyOf": [{"enum": list(field.one.words)}, _NUMBER]},
    },
    chain_fields.Parts: lambda field: _many(_NAMES, 2, 12),
    chain_fields.Segments: lambda field: _many({"type": "object"}, 1, field.longest),
}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1))
