"""Physics of the plants, one module per kind of furnace, and the way from a plant file to a model.

A model imports nothing but math, and takes its parameters as attributes; which there are, with value and range, says the
module <kind>_parameters beside it. Both are found by the name of the kind, such as "grate".
"""

from importlib import import_module
from math import isfinite

KINDS = {"grate": "GrateLine"}


def parameters(kind):
    """Return the parameters of a kind of model: {name: (value, lowest, highest)}.

    Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"model kind {kind!r} is not known; expected one of {', '.join(sorted(KINDS))}")
    return import_module(f"{__name__}.{kind}_parameters").PARAMETERS


def checked(kind, values):
    """Return `values` (mapping of parameter name to number) as floats.

    Raises ValueError for a name that the kind does not have, a value that is not a finite number, or one out of range.
    """
    known = parameters(kind)
    result = {}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"the model {kind} has no parameter {name!r}; it has {', '.join(sorted(known))}")
        _, lowest, highest = known[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise ValueError(f"parameter {name} of the model {kind} is {value!r}; expected a number")
        if not lowest <= value <= highest:
            raise ValueError(f"parameter {name} of the model {kind} is {value}; expected {lowest:g} to {highest:g}")
        result[name] = float(value)
    return result


def build(kind, seed=1, values=None, inputs=None):
    """Return a started model.

    kind    as in KINDS
    seed    integer, of the model's own noise
    values  parameters that differ from those of <kind>_parameters; checked() says what it raises
    inputs  mapping of input name to its value at the start, such as {"feeder_pct": 50}; ValueError for an unknown one
    """
    everything = {name: entry[0] for name, entry in parameters(kind).items()}
    everything.update(checked(kind, values or {}))
    module = import_module(f"{__name__}.{kind}")
    model = getattr(module, KINDS[kind])(seed, everything)
    for name, value in (inputs or {}).items():
        if name not in module.INPUTS:
            raise ValueError(f"the model {kind} has no input {name!r}; it has {', '.join(module.INPUTS)}")
        setattr(model, name, float(value))
    model.start()
    return model


def configure(kind, model, values):
    """Set parameters of a running model. Those marked live act at once, the others with the model's next start().

    Raises ValueError as checked() says; then nothing was changed.
    """
    for name, value in checked(kind, values).items():
        setattr(model, name, value)
