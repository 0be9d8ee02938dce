"""The types of devices that a node file may name; a family's module is loaded when one names it.

How a family is asked with DCON commands stands in a second module, as m7024_dcon beside m7024: it takes the
register map from the first, which does not know of it.
"""

import gc
import sys

# type -> module of its family
FAMILIES = {
    "m7018": "m7019r",
    "m7019r": "m7019r",
    "adam4018+": "adam4018",
    "adam4118": "adam4018",
    "o2_analyser": "o2_analyser",
    "m7024": "m7024",
    "adam4024": "adam4024",
    "m7055": "m7065",
    "m7065": "m7065",
    "adam4055": "adam4055",
    "adam4056": "adam4055",
    "ach550": "ach550",
    "uk24mod": "uk24mod",
    "eurotherm3200": "eurotherm3200",
    "s7800": "s7800",
    "modbus": "modbus_device",
}
# The families that have such a second module.
IN_DCON = ["m7019r", "adam4018", "m7024", "m7065"]


def speaks_dcon(kind: str) -> bool:
    """Whether a type can be asked with DCON commands too."""
    return FAMILIES.get(kind) in IN_DCON


def family(kind: str):
    """The module of a type's family; ValueError where there is none."""
    if kind not in FAMILIES:
        raise ValueError("there is no driver for device type %s" % kind)
    return _module(FAMILIES[kind])


def _module(name: str):
    path = "edge.node.devices." + name
    if path not in sys.modules:
        # What stays is to lie together: on a small heap the next module needs memory in one piece.
        gc.collect()
    # With something to take from it, an import answers the module itself and not the package.
    return __import__(path, None, None, ("build",))


def build(name: str, spec: dict, sensors: dict, safe: dict):
    """A driver for one [device] table of the node file.

    ``sensors``: input -> sensor of the signals that read it. ``safe``: output channel -> safe value
    in percent or None for hold, of the outputs that it drives. ValueError where there is no such driver.
    """
    kind = spec["type"]
    if spec.get("protocol") != "dcon":
        return family(kind).build(name, spec, sensors, safe)
    if not speaks_dcon(kind):
        raise ValueError("there is no driver for device type %s with protocol dcon" % kind)
    return _module(FAMILIES[kind] + "_dcon").build(name, spec, sensors, safe)


def channel(kind: str, name: str):
    """What drive() and actual() call an output: its number, or its name where the node file gives it one."""
    names = outputs(kind)
    return name if names is None else names.index(name)


def outputs(kind: str):
    """The names of a type's output channels, None where the node file names them."""
    module = family(kind)
    if kind == "modbus":
        return None
    return module.outputs(kind) if hasattr(module, "outputs") else module.OUTPUTS


def inputs(kind: str):
    """The names of a type's inputs, None where the node file names them."""
    module = family(kind)
    if kind == "modbus":
        return None
    return module.inputs(kind) if hasattr(module, "inputs") else module.INPUTS
