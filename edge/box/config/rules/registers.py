"""Rules of a device that is described register by register."""

from edge.box.config import modicon
from edge.box.config.problems import did_you_mean, listed, number, shown
from edge.node.devices.register_blocks import BITS
from edge.node.devices.register_codec import FLOATS, ORDERS, TYPES, Codec

_WRITABLE = ("coil", "holding")
# table -> functions that write it
_WRITTEN_BY = {"coil": (5, 15), "holding": (6, 16)}
# A whole number below this is hardly meant as the bits of a float.
_SURE = 1 << 24
_COUNTS = {1: "one register", 2: "two registers", 4: "four registers"}


def check(document, device):
    """Add what is wrong with the registers of a device."""
    entries = device.nested.get("register", {})
    if not entries:
        text = "has no registers, expected tables that describe them"
        document.problem(device, "", f"{text}; write them as [device.{device.name}.register.NAME]")
    by_role = {}
    for name, entry in entries.items():
        by_role.setdefault(entry.kind, []).append(name)
        _place(document, entry)
        _order(document, entry)
        _numbers(document, entry)
        _bits(document, entry)
        _none(document, entry)
        _written(document, entry)
    for entry in entries.values():
        _names(document, entry, "output", by_role.get("write", []))
        _names(document, entry, "actual", by_role.get("read", []))
        _like_its_output(document, entry, entries)
    _overlaps(document, entries.values())
    _longest(document, device, entries.values())
    _numbered(document, entries.values())
    leases = by_role.get("lease", [])
    if leases and device.get("lease_ms") is None:
        text = f"has register {leases[0]} for its lease, but no lease_ms"
        document.problem(device, "", f"{text}; say how long it shall be")
    for name in leases:
        _lease(document, entries[name], device.get("lease_ms"))


def complete(document, description: dict):
    """Write the values that stand for none as bits of their registers: a board's floats may not hold them."""
    for device in document.of("device"):
        for name, entry in device.nested.get("register", {}).items():
            if entry.get("bad"):
                bits = [Codec(entry.get("type")).pattern(value) for value in _typed(entry)]
                registers = description["device"][device.name]["register"]
                registers[name] = {**entry.values, "bad": bits}


def _typed(entry) -> list:
    """Its bad values: of a float type floats, of the others whole numbers; bits in quotes stay."""
    kind = float if entry.get("type") in FLOATS else int
    return [value if isinstance(value, str) else kind(value) for value in entry.get("bad")]


def _place(document, entry):
    table, kind, address = entry.get("table"), entry.get("type"), entry.get("address")
    if table is None or kind is None:
        return
    if (table in BITS) != (kind == "bit"):
        wanted = '"bit"' if table in BITS else "one of the others"
        text = f'has type = "{kind}" in table "{table}", expected {wanted}'
        document.problem(entry, "type", f"{text}; correct one of them")
    if entry.kind not in ("read", None) and table not in _WRITABLE:
        text = f'is in table "{table}", which nobody can write, and has the role "{entry.kind}"'
        document.problem(entry, "table", f'{text}; expected "coil" or "holding"')
    if address is not None and address + TYPES[kind][0] > 65536:
        text = f"has address = {address}, but is {_COUNTS[TYPES[kind][0]]} long"
        document.problem(entry, "address", f"{text}; choose {65536 - TYPES[kind][0]} at most")


def _order(document, entry):
    order, kind = entry.get("byte_order"), entry.get("type")
    if order is None or kind is None:
        return
    if entry.get("word_order") is not None:
        text = f'has byte_order = "{order}" and word_order = "{entry.get("word_order")}"'
        document.problem(entry, "byte_order", f"{text}, expected one of them; remove word_order")
    orders = [] if kind == "bit" else _orders(kind)
    if order not in orders:
        wanted = listed(map(shown, orders)) or "none"
        text = f'has byte_order = "{order}" and type = "{kind}", expected {wanted}'
        document.problem(entry, "byte_order", f"{text}; write a letter for each byte")


def _orders(kind: str) -> list:
    """The byte orders that a type can have."""
    return [order for order, (size, _, _) in ORDERS.items() if size == TYPES[kind][0]]


def _effective(entry) -> str:
    """The byte order of a register, however it is said."""
    orders = _orders(entry.get("type"))
    low_first = entry.get("word_order") == "low_first" and len(orders) == 4
    return entry.get("byte_order") or orders[2 if low_first else 0]


def _bits(document, entry):
    bit, bits, kind = entry.get("bit"), entry.get("bits"), entry.get("type")
    if bit is None:
        if bits is not None and "bit" not in entry.raw:
            text = "has bits, but no bit to count them from"
            document.problem(entry, "bits", f"{text}; add bit, 0 for the lowest")
        return
    if kind is None:
        return
    if kind not in ("u16", "u32", "u64"):
        text = f'has bit and type = "{kind}", expected "u16", "u32" or "u64"'
        document.problem(entry, "bit", f"{text}; correct one of them")
    elif bit + (bits or 1) > 16 * TYPES[kind][0]:
        text = f"has bit = {bit}" + ("" if bits is None else f" and bits = {bits}")
        text += f", which reaches beyond bit {16 * TYPES[kind][0] - 1} of an {kind}"
        document.problem(entry, "bit" if bits is None else "bits", f"{text}; correct one of them")


def _none(document, entry):
    """A value that its register can't hold would never be seen."""
    kind = entry.get("type")
    if kind is None:
        return
    size, _, high = TYPES[kind]
    for i, value in enumerate(entry.get("bad") or []):
        if isinstance(value, str):
            fits = int(value, 16) < 1 << 16 * size
            wanted = f"{4 * size} digits behind 0x at most"
        elif kind in FLOATS and isinstance(value, int) and abs(value) >= _SURE:
            text = f"has {value} in bad of an {kind}, which may be a number or its bits"
            document.problem(entry, ("bad", i), f'{text}; write {value}.0 or "0x{value & 2**64 - 1:X}"')
            continue
        elif kind in FLOATS:
            fits = -high <= value <= high
            wanted = "a number"
        else:
            # By its bits a negative number is a large one.
            low, high = (0, 1) if kind == "bit" else (-(1 << 16 * size - 1), (1 << 16 * size) - 1)
            fits = low <= value <= high and value == int(value)
            wanted = f"whole numbers from {low} to {high}"
        if not fits:
            text = f"has {shown(value)} in bad, which an {kind} can't hold, expected {wanted}"
            text += "; write what the register holds, before scale and offset"
            document.problem(entry, ("bad", i), text)


def _written(document, entry):
    function, table, kind = entry.get("write_function"), entry.get("table"), entry.get("type")
    if function is None or kind is None or table not in _WRITTEN_BY:
        return
    known = _WRITTEN_BY[table] if TYPES[kind][0] == 1 else (16,)
    if function not in known:
        text = f'has write_function = {function} for an {kind} of table "{table}"'
        text += f", expected {listed(map(str, known))}"
        document.problem(entry, "write_function", f"{text}; correct one of them")


def _longest(document, device, entries):
    most = device.get("max_registers")
    if most is None:
        return
    for entry in entries:
        kind = entry.get("type")
        if kind is not None and TYPES[kind][0] > most:
            text = f"has max_registers = {most}, but one request must read register {entry.name}"
            text += f" ({kind}), which is {_COUNTS[TYPES[kind][0]]} long"
            document.problem(device, "max_registers", f"{text}; raise it")
            return


def _numbered(document, entries):
    """A warning where addresses look like the numbers that manuals print."""
    found = []
    for entry in entries:
        address, table = entry.get("address"), entry.get("table")
        meant = modicon.hint(address, table) if address is not None and table is not None else ""
        if meant:
            found.append((entry, address, meant))
    if found:
        entry, address, meant = found[0]
        text = f"has address = {address}, which looks like a register number (Modicon notation)"
        text += f"; if so, write {meant}"
        others = [other.name for other, _, _ in found[1:]]
        if others:
            few = others if len(others) < 4 else [*others[:3], f"{len(others) - 3} more"]
            text += f"; registers that look alike: {', '.join(few)}"
        document.warn(entry, "address", text)


def _overlaps(document, entries):
    """Reading a place twice is fine, as bits of one register; nothing else may share what is written."""
    taken = {}
    for entry in entries:
        table, address, kind = entry.get("table"), entry.get("address"), entry.get("type")
        if None in (table, address, kind, entry.kind):
            continue
        for place in range(address, address + TYPES[kind][0]):
            other = taken.setdefault((table, place), entry)
            if other is not entry and (entry.kind, other.kind) != ("read", "read"):
                text = f"has address = {address} of {table}, where register {other.name} is too"
                document.problem(entry, "address", f"{text}; correct one of them")
                break


def _numbers(document, entry):
    if entry.get("scale") == 0.0:
        document.problem(entry, "scale", "has scale = 0, which makes every reading 0; write another")
    at_0, at_100 = entry.get("at_0"), entry.get("at_100")
    if at_0 is not None and at_0 == at_100:
        text = f"has {number(at_0)} at 0 % and at 100 %, expected two ends of a range"
        document.problem(entry, "at_100", f"{text}; write those of the device")
    for key in ("at_0", "at_100", "value"):
        _fits(document, entry, key)


def _fits(document, entry, key: str):
    """What is written must not be cut to the range of the register."""
    value, scale, offset = entry.get(key), entry.get("scale"), entry.get("offset")
    kind = entry.get("type")
    if None in (value, kind, offset) or not scale or kind == "bit":
        return
    _in_range(document, entry, key, (value - offset) / scale, f"{key} = {number(value)}")


def _in_range(document, entry, key: str, raw: float, what: str):
    kind = entry.get("type")
    _, low, high = TYPES[kind]
    if not low <= raw <= high:
        ends = f"{low:.2g} to {high:.2g}" if kind in FLOATS else f"{low} to {high}"
        text = f"has {what}, which is {number(raw)} in the register, but an {kind} holds {ends}"
        document.problem(entry, key, f"{text}; correct one of them")


def _lease(document, entry, lease_ms):
    unit_ms = entry.get("unit_ms")
    if None in (unit_ms, lease_ms, entry.get("type")):
        return
    if lease_ms % unit_ms:
        text = f"counts {unit_ms} ms, which lease_ms = {lease_ms} of its device is no multiple of"
        document.problem(entry, "unit_ms", f"{text}; correct one of them")
    else:
        _in_range(document, entry, "unit_ms", lease_ms // unit_ms, f"to hold {lease_ms} ms")


def _like_its_output(document, entry, entries: dict):
    """A safe value is written as its output is."""
    output = entries.get(entry.get("output")) if entry.kind == "safe" else None
    if output is None:
        return
    own, its = entry.get("type"), output.get("type")
    if None in (own, its) or own == "bit" == its:
        return
    key = "type"
    if own == its:
        key = "word_order" if "word_order" in entry.raw else "byte_order"
        own, its = _effective(entry), _effective(output)
    if own != its:
        text = f'has {key} = "{own}", but its output {output.name} "{its}"'
        document.problem(entry, key, f"{text}; both are written alike")


def _names(document, entry, key: str, known: list):
    name = entry.get(key)
    if name is not None and name not in known:
        few = f"there is {listed(known)}" if known else "there is none at all"
        hint = did_you_mean(name, known, few)
        role = "write" if key == "output" else "read"
        text = f"names '{name}' ({key}), but the device has no register of that name with the role \"{role}\""
        document.problem(entry, key, f"{text}; {hint}")
