"""What a frame on the line says: function, address and count, as far as its bytes tell."""

from cext.crc import crc16
from edge.emulator.request import request_of
from edge.node.bus import modbus

NAMES = {
    modbus.READ_COILS: "read coils",
    modbus.READ_DISCRETE_INPUTS: "read discrete inputs",
    modbus.READ_HOLDING_REGISTERS: "read holding registers",
    modbus.READ_INPUT_REGISTERS: "read input registers",
    modbus.WRITE_SINGLE_COIL: "write coil",
    modbus.WRITE_SINGLE_REGISTER: "write register",
    8: "diagnostics",
    modbus.WRITE_MULTIPLE_COILS: "write coils",
    modbus.WRITE_MULTIPLE_REGISTERS: "write registers",
    17: "report server id",
    modbus.MASK_WRITE_REGISTER: "mask write register",
    modbus.READ_WRITE_REGISTERS: "read and write registers",
    43: "encapsulated interface",
}
# Those that name no address.
_NO_ADDRESS = (8, 17, 43)
# The shortest frame with an address and a count.
_ADDRESSED = 8


class Decoded:
    """``function`` 0: no Modbus frame with a right CRC. ``address``, ``count``: -1 where there is none.

    ``exception``: its code, 0 where it is none. A reply to a read does not say its address: it takes that of
    the request before it.
    """

    def __init__(self, data: bytes, is_request: bool, asked=None):
        self.function = 0
        self.address = self.count = -1
        self.exception = 0
        if len(data) < 4 or crc16(data) != 0:
            return
        self.function = data[1] & 0x7F
        if data[1] & 0x80:
            self.exception = data[2]
        if is_request:
            if len(data) >= _ADDRESSED and self.function in NAMES and self.function not in _NO_ADDRESS:
                _, self.address, self.count = request_of(data)
        elif asked is not None and asked.function == self.function:
            self.address, self.count = asked.address, asked.count

    def __str__(self) -> str:
        if not self.function:
            return "no Modbus frame, or damaged"
        said = f"{NAMES.get(self.function, 'function')} ({self.function})"
        if self.address >= 0:
            said += f" {self.address}"
            if self.count > 1:
                said += f"..{self.address + self.count - 1}"
        return said + (f": exception {self.exception}" if self.exception else "")
