"""The kinds of blocks that a node file may name, and how they are joined: each demand to its one taker.

A board loads only the kinds that it uses.
"""

# kind: module beside this one, class
LOOPS = {
    "pid": ("pid", "Pid"),
    "ratio": ("ratio", "Ratio"),
    "trim": ("trim", "Trim"),
    "burner": ("burner", "Burner"),
}


def build(description: dict, known: dict, outputs: dict) -> list:
    """All blocks, masters before those that take their demands.

    ``known``: name -> what reads like a signal; it gains what can be read of the blocks.
    """
    order = description["order"]
    blocks = {}
    # Dicts on boards have no order.
    names = []
    for table, made in (("select", "Select"), ("split", "Split")):
        for name in order[table]:
            reference = table + "." + name
            names.append(reference)
            blocks[reference] = _class(table, made)(name, description[table][name])
            if table == "select":
                known[reference] = blocks[reference].demand
    _loops(description, known, blocks, names)
    for name in order["cross_limit"]:
        reference = "cross_limit." + name
        names.append(reference)
        make = _class("cross_limit", "CrossLimit")
        blocks[reference] = make(name, description["cross_limit"][name], known.__getitem__)
    listed = [blocks[name] for name in names]
    for block in listed:
        for to, demand in gives(block):
            take(to, demand, blocks, outputs)
    for name in names:
        if name.startswith("loop."):
            blocks[name].end = _end(blocks[name].to, blocks)
    return _in_order(names, blocks)


def _end(to: str, blocks: dict) -> str:
    """The output that a demand comes to; that of the fuel behind a cross-limit, none behind a split."""
    while not to.startswith("output."):
        given = gives(blocks[to])
        if blocks[to].kind == "split":
            return ""
        to = given[0][0]
    return to[len("output.") :]


def _loops(description: dict, known: dict, blocks: dict, names: list):
    """Make the loops: what a loop reads of another loop must be there before it."""
    pending = description["order"]["loop"]
    while pending:
        left = []
        for name in pending:
            spec = description["loop"][name]
            missing = [one for one in _reads(spec) if one.startswith("loop.") and one not in known]
            if missing:
                left.append(name)
                continue
            reference = "loop." + name
            loop = _loop(name, spec, known.__getitem__, blocks)
            names.append(reference)
            blocks[reference] = loop
            known[reference] = loop.demand
            if loop.set_point is not None:
                known[reference + ".set_point"] = loop.set_point
        if len(left) == len(pending):
            raise ValueError("loops read each other in a ring: " + ", ".join(left))
        pending = left


def gives(block) -> list:
    """(reference of the taker, demand) of everything that a block asks for."""
    if block.kind == "cross_limit":
        return [(block.fuel_to, block.fuel_demand), (block.air_to, block.air_demand)]
    if block.kind == "split":
        return [(block.tos[i], block.demands[i]) for i in range(len(block.tos))]
    if block.kind == "burner" and block.release is not None:
        return [(block.to, block.demand), (block.release_to, block.release)]
    return [(block.to, block.demand)]


def take(to: str, demand, blocks: dict, outputs: dict):
    """Join a demand to its taker."""
    table, name = to.split(".", 1)
    if table == "output":
        outputs[name].demand = demand
        return
    taker = blocks[to]
    giver = blocks.get(demand.name)
    if taker.kind == "select":
        taker.take(demand)
    elif giver is not None and giver.kind == "trim":
        taker.factor = demand
    elif taker.kind == "ratio":
        taker.take(demand)
    elif taker.kind == "pid":
        taker.set_point.master = demand
    else:
        taker.master = demand


def _in_order(names: list, blocks: dict) -> list:
    """Masters first: a block comes after all that give to it."""
    givers = {}
    for name in names:
        for to, _ in gives(blocks[name]):
            givers.setdefault(to, []).append(name)
    ordered = []
    done = {}
    while len(ordered) < len(names):
        before = len(ordered)
        for name in names:
            if name not in done and all(giver in done for giver in givers.get(name, ())):
                done[name] = True
                ordered.append(blocks[name])
        if len(ordered) == before:
            raise ValueError("demands run in a ring")
    return ordered


def _reads(spec: dict) -> list:
    """The references of a loop that may be of other loops."""
    keys = ("set_point_from", "low_from", "schedule", "pv", "of", "hold_unless_leading")
    return [spec[key] for key in keys if key in spec] + [pair[0] for pair in spec.get("forward", ())]


def _loop(name: str, spec: dict, lookup, blocks: dict):
    make = _class(*LOOPS[spec["kind"]])
    if spec["kind"] == "pid":
        leader = spec.get("hold_unless_leading")
        return make(name, spec, lookup, blocks[leader] if leader else None)
    return make(name, spec, lookup)


def _class(module: str, name: str):
    return getattr(__import__("edge.node.control." + module, None, None, [name]), name)
