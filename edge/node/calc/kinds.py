"""The kinds of calculated signals that a node file may name; a board loads only those that it uses."""

# kind: module beside this one, class
KINDS = {
    "vote": ("vote", "Vote"),
    "sum": ("sum", "Sum"),
    "product": ("product", "Product"),
    "table": ("curve", "Curve"),
    "filter": ("filters", "Filter"),
    "lambda": ("air_ratio", "Lambda"),
    "heat_release": ("heat_release", "HeatRelease"),
    "heating_value": ("heating_value", "HeatingValue"),
    "residence": ("residence", "Residence"),
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
    module, made = KINDS[spec["kind"]]
    return getattr(__import__("edge.node.calc." + module, None, None, [made]), made)(name, spec)


def reads(spec: dict) -> list:
    """The names of what a calculated signal reads, in the order that its kind expects."""
    names = []
    for key in READS[spec["kind"]]:
        named = spec[key]
        names += named if isinstance(named, list) else [named]
    return names
