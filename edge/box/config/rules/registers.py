"""Rules of a device that is described register by register."""

from edge.box.config.problems import did_you_mean, listed, number
from edge.node.devices.modbus_device import BITS, TYPES

_WRITABLE = ("coil", "holding")
# The largest number of type f32.
_MOST_F32 = 3.4e38


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
        _numbers(document, entry)
    for entry in entries.values():
        _names(document, entry, "output", by_role.get("write", []))
        _names(document, entry, "actual", by_role.get("read", []))
        _like_its_output(document, entry, entries)
    _overlaps(document, entries.values())
    leases = by_role.get("lease", [])
    if leases and device.get("lease_ms") is None:
        text = f"has register {leases[0]} for its lease, but no lease_ms"
        document.problem(device, "", f"{text}; say how long it shall be")
    for name in leases:
        _lease(document, entries[name], device.get("lease_ms"))


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
        text = f"has address = {address}, but is two registers long"
        document.problem(entry, "address", f"{text}; choose 65534 at most")


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
    if entry.get("bit") is not None and entry.get("type") not in ("u16", None):
        text = f'has bit and type = "{entry.get("type")}", expected "u16"'
        document.problem(entry, "bit", f"{text}; correct one of them")


def _fits(document, entry, key: str):
    """What is written must not be cut to the range of the register."""
    value, scale, offset = entry.get(key), entry.get("scale"), entry.get("offset")
    kind = entry.get("type")
    if None in (value, kind, offset) or not scale or kind == "bit":
        return
    _in_range(document, entry, key, (value - offset) / scale, f"{key} = {number(value)}")


def _in_range(document, entry, key: str, raw: float, what: str):
    _, low, high = TYPES[entry.get("type")]
    if low is None:
        low, high = -_MOST_F32, _MOST_F32
    if not low <= raw <= high:
        text = f"has {what}, which is {number(raw)} in the register, but an {entry.get('type')}"
        document.problem(entry, key, f"{text} holds {low} to {high}; correct one of them")


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
    for key in ("type", "word_order"):
        own, its = entry.get(key), output.get(key)
        if None not in (own, its) and own != its:
            text = f'has {key} = "{own}", but its output {output.name} "{its}"'
            document.problem(entry, key, f"{text}; both are written alike")
            return


def _names(document, entry, key: str, known: list):
    name = entry.get(key)
    if name is not None and name not in known:
        few = f"there is {listed(known)}" if known else "there is none at all"
        hint = did_you_mean(name, known, few)
        role = "write" if key == "output" else "read"
        text = f"names '{name}' ({key}), but the device has no register of that name with the role \"{role}\""
        document.problem(entry, key, f"{text}; {hint}")
