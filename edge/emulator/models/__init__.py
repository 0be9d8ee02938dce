"""Physics of the plants, one module per kind of furnace, and the way from a plant file to a model.

A model imports nothing but math and has its parameters as attributes. Which there are, with value and range,
says <kind>_parameters.py beside it.
"""

from importlib import import_module
from math import isfinite

# kind, as in a plant file: class in the module of that name
KINDS = {"grate": "GrateLine", "electric": "ElectricFurnace"}


def table(kind):
    """Return the module <kind>_parameters: PARAMETERS is {name: (value, lowest, highest)}, INPUTS has names.

    Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"model kind {kind!r} is not known; expected one of {', '.join(sorted(KINDS))}")
    return import_module(f"{__name__}.{kind}_parameters")


def checked(kind, values):
    """Return `values`, a mapping of parameter names to numbers, with floats.

    Raises ValueError for a name that the kind does not have, and for what is not a number within its range.
    """
    known = table(kind).PARAMETERS
    result = {}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"the model {kind} has no parameter {name!r}; it has {', '.join(sorted(known))}")
        _, lowest, highest = known[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise ValueError(f"parameter {name} of the model {kind} is {value!r}; "
                             f"expected a number from {lowest:g} to {highest:g}")
        result[name] = float(value)
    return result


def build(kind, seed=1, values=None, inputs=None):
    """Return a model in its start state: that of a grate is the steady state of its inputs.

    kind    one of KINDS
    seed    integer, of the model's own noise
    values  parameters that differ from those of <kind>_parameters.py
    inputs  inputs that differ from the nominal point, such as {"feeder_pct": 48}

    Raises ValueError for an unknown kind, as checked() does, and for an input that is unknown or not finite.
    """
    everything = {name: entry[0] for name, entry in table(kind).PARAMETERS.items()}
    everything.update(checked(kind, values or {}))
    model = getattr(import_module(f"{__name__}.{kind}"), KINDS[kind])(seed, everything)
    known = table(kind).INPUTS
    for name, value in (inputs or {}).items():
        if name not in known:
            raise ValueError(f"the model {kind} has no input {name!r}; it has {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise ValueError(f"input {name} of the model {kind} is {value!r}; expected a finite number")
        setattr(model, name, float(value))
    model.start()
    return model


def configure(model, values):
    """Set parameters of a model. Live ones act at once, the others with the model's next start().

    Raises ValueError as checked() does; then nothing was changed.
    """
    kind = type(model).__module__.rpartition(".")[2]
    for name, value in checked(kind, values).items():
        setattr(model, name, value)


def totals(model) -> dict:
    """What a run of the model has come to, by name with unit, rounded for people; {} where it counts nothing."""
    kind = type(model).__module__.rpartition(".")[2]
    count = getattr(table(kind), "totals", None)
    return {} if count is None else count(model)
