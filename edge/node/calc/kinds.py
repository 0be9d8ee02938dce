"""The kinds of calculated signals that a node file may name."""

from edge.node.calc.air_ratio import Lambda
from edge.node.calc.curve import Curve
from edge.node.calc.filters import Filter
from edge.node.calc.heat_release import HeatRelease
from edge.node.calc.heating_value import HeatingValue
from edge.node.calc.product import Product
from edge.node.calc.residence import Residence
from edge.node.calc.sum import Sum
from edge.node.calc.vote import Vote

KINDS = {
    "vote": Vote,
    "sum": Sum,
    "product": Product,
    "table": Curve,
    "filter": Filter,
    "lambda": Lambda,
    "heat_release": HeatRelease,
    "heating_value": HeatingValue,
    "residence": Residence,
}
# The keys that name what a kind reads, in its order.
READS = {
    "vote": ("of",),
    "sum": ("of",),
    "product": ("of",),
    "table": ("of",),
    "filter": ("of",),
    "lambda": ("o2",),
    "heat_release": ("air", "lambda"),
    "heating_value": ("heat", "feed"),
    "residence": ("flow", "temperature"),
}


def build(name: str, spec: dict):
    """A calculated signal from its table, not connected yet."""
    return KINDS[spec["kind"]](name, spec)


def reads(spec: dict) -> list:
    """The names of what a calculated signal reads, in the order that its kind expects."""
    names = []
    for key in READS[spec["kind"]]:
        named = spec[key]
        names += named if isinstance(named, list) else [named]
    return names
