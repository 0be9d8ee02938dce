"""Rules of buses and devices: what shares a wire must be told apart, and leases must be kept."""

from edge.box.config.families import BY_HAND, FAMILIES, NEVER
from edge.box.config.fields import OPTIONAL
from edge.box.config.problems import number
from edge.box.config.rules import registers


def check(document):
    """Add what is wrong with buses and devices."""
    _ports(document)
    _units(document)
    driven = {entry.get("device") for entry in document.of("output")}
    read = {entry.get("device") for entry in document.of("signal")}
    for device in document.of("device"):
        family = FAMILIES.get(device.kind)
        if family is None:
            continue
        if "lease_ms" in device.raw and device.get("lease_ms") and device.name not in driven:
            text = f"is an {device.kind}, whose lease somebody must refresh, but no [output.NAME] drives it"
            document.problem(device, "", f"{text}; add one, or remove the device")
        elif device.name not in driven | read:
            document.warn(device, "", "is read by no signal; add a signal, or remove the device")
        _protocol(document, device)
        if family.described:
            registers.check(document, device)
        if device.name in driven:
            _driven(document, device, family)
        _lease(document, device)
    used = {device.get("bus") for device in document.of("device")}
    for bus in document.of("bus"):
        if bus.name not in used:
            document.warn(bus, "", "has no device; hang one on it, or remove it")


def _ports(document):
    owners = {}
    for bus in document.of("bus"):
        port = bus.get("port")
        if port in owners:
            text = f'has port = "{port}", which is the port of bus {owners[port]} already'
            document.problem(bus, "port", f"{text}; give each bus a port of its own")
        elif port is not None:
            owners[port] = bus.name


def _units(document):
    owners = {}
    for device in document.of("device"):
        bus, unit = device.get("bus"), device.get("unit")
        if bus is None or unit is None:
            continue
        owner = owners.setdefault((bus, unit), device.name)
        if owner != device.name:
            text = f"has unit = {unit}, which is device {owner} on bus {bus} already"
            document.problem(device, "unit", f"{text}; give each device on a bus its own unit")


def _protocol(document, device):
    protocol = device.get("protocol")
    if protocol == "dcon" and "checksum" not in device.raw:
        text = 'has protocol = "dcon" and no checksum, expected true or false as the module is set'
        document.problem(device, "", f"{text}; add it")
    elif protocol == "modbus" and "checksum" in device.raw:
        text = 'has checksum, which only protocol = "dcon" reads'
        document.problem(device, "checksum", f"{text}; remove it")


def _driven(document, device, family):
    """What a device must say of itself before the node drives it."""
    lease = device.fields.get("lease_ms")
    if lease is not None and lease.default is OPTIONAL and "lease_ms" not in device.raw:
        text = "is driven and has no lease_ms"
        if family.described:
            text += ": when the node dies its outputs stay where they are"
            document.warn(device, "", f"{text}; if it can watch its master, say so with lease_ms")
        else:
            document.problem(device, "", f"{text}, expected when it falls to its safe values; add it")
    if family.lease == BY_HAND and "armed" not in device.raw:
        text = f"is driven and has no armed, expected the day on which somebody armed its {device.kind}"
        document.problem(device, "", f"{text}; the node can't arm it: do that, and write the day")
    if family.lease == NEVER:
        text = "watches nobody: when the node dies its outputs stay where they are"
        document.warn(device, "", f"{text}; see that this is safe")
    if "set_point_low" in family.keys:
        _set_points(document, device)


def _set_points(document, device):
    low, high = device.get("set_point_low"), device.get("set_point_high")
    for key in ("set_point_low", "set_point_high"):
        if key not in device.raw:
            document.problem(device, "", f"is driven and has no {key}, expected a temperature; add it")
    if low is not None and high is not None and low >= high:
        text = f"has set_point_low = {number(low)} and set_point_high = {number(high)}"
        text += ", expected low below high; exchange or correct them"
        document.problem(device, "set_point_low", text)


def _lease(document, device):
    lease_ms = device.get("lease_ms")
    node = document.entry("node")
    tick_ms = node.get("tick_ms") if node else None
    if lease_ms is None or tick_ms is None:
        return
    if lease_ms < 4 * tick_ms:
        text = f"has lease_ms = {lease_ms}, expected at least four ticks of {tick_ms} ms"
        document.problem(device, "lease_ms", f"{text}; write {-(-4 * tick_ms // 100) * 100} or more")
        return
    bus = document.entry("bus", device.get("bus"))
    if bus is None or bus.get("late_ms") is None or bus.get("timeout_ms") is None:
        return
    # A refresh goes out every third of the lease; one lost frame costs a time-out and the pause after it.
    needed_ms = lease_ms // 3 + bus.get("timeout_ms") + bus.get("late_ms") + 2 * tick_ms
    if lease_ms < needed_ms:
        text = f"has lease_ms = {lease_ms}, but with one lost frame a refresh can take {needed_ms} ms"
        document.warn(device, "lease_ms", f"{text}; lengthen the lease, or shorten late_ms of bus {bus.name}")
