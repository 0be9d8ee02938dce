"""What every emulated instrument has: four Modbus tables, a response delay, a watchdog over its host, faults.

An instrument never sees a frame. The slave reads the tables' bytes, hands over writes, and restarts the
watchdog with every request that is addressed to the instrument.
"""

from operator import attrgetter
from struct import pack_into

from edge.emulator.instruments.sensing import Sensing
from edge.node.bus import modbus

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3

ALL_FUNCTIONS = frozenset((1, 2, 3, 4, 5, 6, 15, 16))
# Rare, and not in the data sheets of most.
MASK_AND_READ_WRITE = frozenset((22, 23))
# What a unit says of itself: see edge.emulator.diagnostics.
DIAGNOSTIC = frozenset((8, 17, 43))

# Later than any run: a watchdog that is not armed expires then.
NEVER_US = 1 << 62


class Table:
    """One Modbus table: blocks of consecutive data addresses, kept as the bytes that go on the wire.

    ``blocks``: (first address, count); they may touch, but not overlap. ``width``: bytes kept for one
    address, 2 for a register (high byte first), 1 for a bit (0 or 1). ``joined``: one request can span blocks
    that touch.
    """

    def __init__(self, blocks: list, width: int, joined: bool = True):
        self.width = width
        self._spans = []
        offset = 0
        for first, count in sorted(blocks):
            if self._spans and first < self._spans[-1][1]:
                raise ValueError(f"modbus table: address {first} is in two blocks")
            if joined and self._spans and first == self._spans[-1][1]:
                before = self._spans.pop()
                self._spans.append((before[0], first + count, before[2]))
            else:
                self._spans.append((first, first + count, offset))
            offset += count * width
        self.data = bytearray(offset)

    def place(self, address: int, count: int = 1) -> int:
        """Where ``count`` addresses from ``address`` on begin in ``data``; -1 when any is not in the map."""
        for first, end, offset in self._spans:
            if first <= address and address + count <= end:
                return offset + (address - first) * self.width
        return -1

    def get(self, address: int) -> int:
        """The register 0..65535 or bit 0..1 at an address of the map."""
        place = self.place(address)
        if self.width == 1:
            return self.data[place]
        return self.data[place] << 8 | self.data[place + 1]

    def first(self) -> int:
        """The lowest address of the map, 0 where it is empty."""
        return self._spans[0][0] if self._spans else 0

    def put(self, address: int, value: int):
        """Set the register 0..65535 or bit 0..1 at an address of the map."""
        self.put_all(address, (value,))

    def put_all(self, address: int, values):
        """Set consecutive registers or bits of the map."""
        count = len(values)
        place = self.place(address, count)
        if place < 0:
            raise KeyError(f"modbus table: {count} addresses from {address} are not all in the map")
        if self.width == 1:
            self.data[place : place + count] = bytes(values)
        else:
            pack_into(f">{count}H", self.data, place, *values)


class FaultError(ValueError):
    """A fault that can't be: says which, and what can."""


def process_values(model, names: list):
    """A function that reads these attributes of a model into a tuple."""
    if len(names) > 1:
        get = attrgetter(*names)
        return lambda: get(model)
    return lambda: tuple(getattr(model, name) for name in names)


def unit_and_delay(keys, last_unit: int = 247) -> tuple:
    """Unit id 1..last_unit and response delay in ms of an instrument's table in a plant file."""
    return keys.whole("unit", 1, last_unit), keys.number("delay_ms", 0.0, 1000.0, 5.0)


class Instrument:
    """One unit id on the line.

    ``delay_ms``: from the end of a request to the start of the reply, 0..1000. ``coils``,
    ``discrete_inputs``, ``holding``, ``inputs``: blocks of (first data address, count).

    ``holding_values``: data address -> container of the values that may be written there;
    ``coil_values``: the same for coils. What is in a table but not in these is read-only.
    ``lease_us``: how long the host may be silent, ``expires_us``: when it will have been silent too long.
    """

    TYPE = ""
    FUNCTIONS = ALL_FUNCTIONS
    # The most registers that it reads or writes in one request.
    max_registers = modbus.MAX_READ_REGISTERS
    # The exception for a write to what can only be read.
    READ_ONLY = ILLEGAL_ADDRESS
    # The faults of the instrument itself, beside those of its line; True: stays until it is cleared.
    FAULTS = {"frozen": True, "reset": False}
    # Those that take an argument.
    ARGUMENTS = frozenset()
    # Dead on the line while it starts.
    BOOT_MS = 1000

    def __init__(self, name, unit, delay_ms=5, coils=(), discrete_inputs=(), holding=(), inputs=()):
        self.name = name
        self.unit = unit
        self.delay_us = int(delay_ms * 1000)
        self.coils = Table(coils, 1)
        self.discrete_inputs = Table(discrete_inputs, 1)
        self.holding = Table(holding, 2)
        self.inputs = Table(inputs, 2)
        self.tables = {
            modbus.READ_COILS: self.coils,
            modbus.READ_DISCRETE_INPUTS: self.discrete_inputs,
            modbus.READ_HOLDING_REGISTERS: self.holding,
            modbus.READ_INPUT_REGISTERS: self.inputs,
        }
        self.holding_values = {}
        self.coil_values = {}
        # Coils that a read changes.
        self.coils_read_once = frozenset()
        self._stepped_us = 0
        self.lease_us = NEVER_US
        self.expires_us = NEVER_US
        self.lost = False
        self.frozen = False
        # Process values that it measures, and the model inputs it drives with the number of its output.
        self.reads = []
        self.drives = []
        self.percent = []
        # What the terminals of ``reads`` are called, where they have names; and what the sensors there show.
        self.terminals = None
        self.sensing = None
        # An edge.emulator.diagnostics.Identity, where it has one.
        self.identity = None

    # The process side -------------------------------------------------------------------------

    def sense(self, model):
        """A function that reads what its sensors show of a process."""
        names = [(name,) for name in self.reads]
        if self.terminals is not None:
            names = list(zip(self.reads, self.terminals, strict=True))
        self.sensing = Sensing(process_values(model, self.reads), names)
        return self.sensing.values

    def connect(self, model, rng):
        """Wire it to a process whose attributes it reads and drives; ``rng`` makes its noise."""

    def start(self, now_us: int):
        """Time begins."""
        self._stepped_us = now_us

    def step(self, now_us: int):
        """Let time pass up to ``now_us`` and bring the tables up to date."""

    # The line's side --------------------------------------------------------------------------

    def write_registers(self, address: int, values, at_us: int) -> int:
        """Take a write of registers that are all in the map; 0 or the exception code. All or nothing."""
        code = self.refusal(self.holding_values, address, values)
        if code == 0:
            self.holding.put_all(address, values)
            self.registers_written(address, len(values), at_us)
        return code

    def write_coils(self, address: int, bits, at_us: int) -> int:
        """Take a write of coils that are all in the map; 0 or the exception code. All or nothing."""
        code = self.refusal(self.coil_values, address, bits)
        if code == 0:
            self.coils.put_all(address, bits)
            self.coils_written(address, len(bits), at_us)
        return code

    def refusal(self, allowed: dict, address: int, values) -> int:
        """The exception code for writing these values by ``holding_values`` or ``coil_values``; 0 is none."""
        for i in range(len(values)):
            values_here = allowed.get(address + i)
            if values_here is None:
                return self.READ_ONLY
            if values[i] not in values_here:
                return ILLEGAL_VALUE
        return 0

    def registers_written(self, address: int, count: int, at_us: int):
        """Act on what has just been written to ``holding``."""

    def coils_written(self, address: int, count: int, at_us: int):
        """Act on what has just been written to ``coils``."""

    def coils_were_read(self, address: int, count: int):
        """Act on a read that covered one of ``coils_read_once``."""

    def expire(self, at_us: int):
        """The host has been silent for ``lease_us``. Called once, until ``regained``."""
        self.lost = True
        self.expires_us = NEVER_US

    def regained(self, at_us: int):
        """The first request after ``expire``."""
        self.lost = False

    def lease_state(self) -> dict:
        """``armed``: it watches its host. ``expired``: it does what it does when the host was silent."""
        return {"armed": self.lease_us != NEVER_US, "expired": self.lost}

    # Faults -----------------------------------------------------------------------------------

    def begin_fault(self, kind: str, arg, now_us: int):
        """Start one of FAULTS. Raises FaultError for what it can't have."""
        if kind == "frozen":
            self.frozen = True
        elif kind == "reset":
            self.reset(now_us)
        else:
            raise FaultError(f"{self.name} has no fault {kind!r}")

    def end_fault(self, kind: str, arg, now_us: int):
        """End one of FAULTS that stays until it is cleared."""
        if kind == "frozen":
            self.frozen = False

    def reset(self, now_us: int):
        """A power cycle: what is not stored is lost."""
        self.lost = False
        self.expires_us = NEVER_US if self.lease_us == NEVER_US else now_us + self.lease_us
