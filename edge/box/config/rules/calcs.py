"""Rules of calculated signals: what they read must be there, fit together and not run in a circle."""

from edge.box.config import values
from edge.box.config.problems import number, shown
from edge.box.config.rules.order import ordered

NEEDS = {
    "lambda": {"o2": "%"},
    "heat_release": {"air": "Nm3/s", "lambda": ""},
    "heating_value": {"heat": "MW", "feed": "kg/s"},
    "residence": {"flow": "Nm3/s", "temperature": "degC"},
}
GIVES = {"lambda": "", "heat_release": "MW", "heating_value": "MJ/kg", "residence": "s"}


def check(document):
    """Add what is wrong with calcs."""
    for calc in document.of("calc"):
        if document.entry("signal", calc.name):
            text = "has the name of a signal, and both are read by name; rename one of them"
            document.problem(calc, "", text)
        _units(document, calc)
        if calc.kind == "vote":
            _vote(document, calc)
        elif calc.kind in ("sum", "product"):
            _each(document, calc, "weights" if calc.kind == "sum" else "powers")
        elif calc.kind == "filter":
            _filter(document, calc)
        elif calc.kind == "residence":
            _residence(document, calc)


def order_of_calcs(document) -> list:
    """The names of the calcs, each after those that it reads; a circle is a problem."""

    def below(calc):
        # A name that a signal has is that signal.
        names = [name for name in values.sources(calc) if document.entry("signal", name) is None]
        return [document.entry("calc", name) for name in names if document.entry("calc", name)]

    def complain(calc, circle):
        key = next(key for key, _, name, _ in calc.references() if document.entry("calc", name))
        document.problem(calc, key, f"reads itself: {circle}; break the circle")

    return ordered(document.of("calc"), below, complain)


def _units(document, calc):
    for key, needed in NEEDS.get(calc.kind, {}).items():
        found = values.unit(document, calc.get(key) or "")
        if found is not None and found != needed:
            text = f'reads \'{calc.get(key)}\' ({key}) in "{found}", expected "{needed}"'
            document.problem(calc, key, f"{text}; name another, or convert it by a sum with weights")
    unit, given = calc.get("unit"), GIVES.get(calc.kind)
    if given is not None and unit not in (None, given):
        text = f'has unit = "{unit}", but a {calc.kind} is in "{given}"'
        document.problem(calc, "unit", f'{text}; write unit = "{given}"')
    if calc.kind == "vote" or (calc.kind == "filter" and calc.get("does") != "rate"):
        _same_units(document, calc, unit)


def _same_units(document, calc, unit):
    units = {name: values.unit(document, name) for name in values.sources(calc)}
    known = [(name, found) for name, found in units.items() if found is not None]
    if not known:
        return
    name, first = known[0]
    for other, found in known:
        if found != first:
            text = f"reads '{name}' in \"{first}\" and '{other}' in \"{found}\", expected one unit"
            document.problem(calc, "of", f"{text}; compare like with like")
            return
    if unit is not None and unit != first:
        text = f'has unit = "{unit}", but what it reads is in "{first}"; write unit = "{first}"'
        document.problem(calc, "unit", text)


def _vote(document, calc):
    of, least = calc.get("of"), calc.get("least")
    if of is None:
        return
    if least is not None and least > len(of):
        text = f"has least = {least}, but only {len(of)} points"
        document.problem(calc, "least", f"{text}; write {len(of)} at most")
    if "apart_after_s" in calc.raw and "apart" not in calc.raw:
        document.problem(calc, "apart_after_s", "has apart_after_s without apart; add apart, or remove it")


def _each(document, calc, key: str):
    of, given = calc.get("of"), calc.get(key)
    if of is not None and given is not None and len(of) != len(given):
        text = f"has {key} = {shown(given)} for {len(of)} values, expected one for each"
        document.problem(calc, key, f"{text}; add or remove some")


def _filter(document, calc):
    does = calc.get("does")
    if does is None:
        return
    needs = {"median": ("length",), "lead_lag": ("time_s", "lead_s")}.get(does, ("time_s",))
    for key in ("time_s", "lead_s", "length"):
        if key in needs and key not in calc.raw:
            document.problem(calc, "does", f'has does = "{does}" without {key}; add it')
        elif key in calc.raw and key not in needs:
            document.problem(calc, key, f'has {key}, which does = "{does}" does not use; remove it')


def _residence(document, calc):
    least_s = calc.get("least_s")
    flow, temperature = calc.get("flow"), calc.get("temperature")
    if None in (least_s, flow, temperature) or calc.get("volume_m3") is None:
        return
    most, hottest = values.span(document, flow)[1], values.span(document, temperature)[1]
    if not (0.0 < most <= 1e6 and -273.15 < hottest <= 1e4):
        return
    shortest_s = calc.get("volume_m3") * 273.15 / (most * (hottest + 273.15))
    if shortest_s < least_s:
        text = f"holds the gas for {shortest_s:.2f} s at {number(most)} Nm3/s and {number(hottest)} degC,"
        text += f" expected {number(least_s)} s at least"
        document.problem(calc, "volume_m3", f"{text}; narrow the ranges, or take a longer section")
