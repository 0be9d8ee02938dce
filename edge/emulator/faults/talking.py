"""Somebody talks on the line without being asked by the master."""

from edge.emulator.faults.kind import Argument, Kind
from edge.node.bus import modbus
from edge.node.bus.dcon import CR, checksum

# A babbler's longest burst.
BURST = 16


def _babbling(fault, instruments: list, asked: dict, random) -> bytes:
    return random.randbytes(random.randrange(1, BURST + 1))


def _second_master(fault, instruments: list, asked: dict, random) -> bytes:
    """Its next request: to each of the units in turn."""
    fault.turn += 1
    instrument = instruments[fault.turn % len(instruments)]
    if getattr(instrument, "protocol", "") == "dcon":
        command = b"#%02X" % instrument.unit
        return command + (checksum(command) if instrument.checksum else b"") + CR
    last, _, last_count = asked.get(instrument.unit, (0, 0, 0))
    function = fault.narrow.function or (last if last in instrument.tables else _first_function(instrument))
    table = instrument.tables.get(function)
    if table is None:
        return modbus.sealed(bytes((instrument.unit, function)))
    register = fault.narrow.register
    if register is None:
        register = table.first()
    # As many as the first master asked for, so that the replies can be taken for each other.
    count = last_count if last == function and table.place(register, last_count) >= 0 else 1
    return modbus.read_request(instrument.unit, function, register, max(1, count))


def _first_function(instrument) -> int:
    """The first function that reads something here."""
    for function in (
        modbus.READ_HOLDING_REGISTERS,
        modbus.READ_INPUT_REGISTERS,
        modbus.READ_COILS,
        modbus.READ_DISCRETE_INPUTS,
    ):
        if function in instrument.FUNCTIONS and instrument.tables[function].data:
            return function
    return modbus.READ_HOLDING_REGISTERS


KINDS = (
    Kind(
        "babbling",
        "it talks without being asked: 1 to 16 bytes from a seed, so often",
        Argument("ms", 100, 1, 600000),
        talks=_babbling,
    ),
    Kind(
        "second_master",
        "another master asks it, so often: by `function` and from `register` on, or by the function that was "
        "last asked and from its first register on; with `all` each unit in turn",
        Argument("ms", 200, 10, 600000),
        talks=_second_master,
        asks=True,
    ),
)
