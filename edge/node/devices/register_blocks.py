"""Which registers of a described device one request reads.

Adjacent registers of one period share a request, up to ``max_registers`` of the device; gaps are not read,
because a device may refuse what it does not have. With ``merge = false`` only what stands in the same place
shares one. A value of several registers is never split.
"""

from edge.node.bus import modbus

# table -> function that reads it
TABLES = {
    "coil": modbus.READ_COILS,
    "discrete": modbus.READ_DISCRETE_INPUTS,
    "holding": modbus.READ_HOLDING_REGISTERS,
    "input": modbus.READ_INPUT_REGISTERS,
}
BITS = ["coil", "discrete"]
MOST_BITS = 256


def blocks(registers: list, max_registers: int = modbus.MAX_READ_REGISTERS, merge: bool = True) -> list:
    """(registers that one request reads, first address, count), by table, period and address.

    ``registers`` with table, period_ms, address and size.
    """
    found = []
    # Sorted: a dict of MicroPython has no order of its own.
    for table in sorted(TABLES):
        most = MOST_BITS if table in BITS else max_registers
        members = []
        first = end = 0
        for register in sorted([one for one in registers if one.table == table], key=_order):
            stop = register.address + register.size
            if members:
                apart = register.address > end or stop - first > most
                apart = apart or register.period_ms != members[0].period_ms
                if apart or (not merge and (register.address != first or stop != end)):
                    found.append((members, first, end - first))
                    members = []
            if not members:
                first = end = register.address
            members.append(register)
            end = stop if stop > end else end
        if members:
            found.append((members, first, end - first))
    return found


def _order(register) -> tuple:
    return register.period_ms, register.address, register.size
