"""What was heard on a Modbus RTU line, judged against a request. Pure functions; no I/O."""

from cext.crc import crc16
from edge.node.bus import modbus


def is_read(function: int) -> bool:
    """Whether the reply holds data that its request does not."""
    return function <= modbus.READ_INPUT_REGISTERS or function == modbus.READ_WRITE_REGISTERS


def confusable(late: bytes, request: bytes) -> bool:
    """Whether a late reply to ``late`` could pass for the reply to ``request``."""
    if late[:2] != request[:2]:
        return False
    if is_read(request[1]):
        return modbus.reply_length(late) == modbus.reply_length(request)
    # The reply to a write has the address, and the value or how many.
    return late[:6] == request[:6]


def request_at(heard: bytes, start: int) -> bytes:
    """The request of a read (FC 1-4) or of several writes (FC 15, 16, 23) that begins there, b"" for none.

    Requests of FC 5, 6 and 22 look like their replies, those of FC 1 and 2 from an address of
    0x0300..0x03FF on may be replies of three bytes of bits: none of these counts.
    """
    if len(heard) < start + 8:
        return b""
    function = heard[start + 1]
    size = 8
    if function == modbus.WRITE_MULTIPLE_COILS or function == modbus.WRITE_MULTIPLE_REGISTERS:
        size = 9 + heard[start + 6]
    elif function == modbus.READ_WRITE_REGISTERS:
        if len(heard) < start + 11:
            return b""
        size = 13 + heard[start + 10]
    elif function < modbus.READ_COILS or function > modbus.READ_INPUT_REGISTERS:
        return b""
    elif function <= modbus.READ_DISCRETE_INPUTS and heard[start + 2] == 3:
        return b""
    frame = heard[start : start + size]
    return frame if len(frame) == size and crc16(frame) == 0 else b""


def requests_in(heard: bytes) -> list:
    """(Where it ends, its bytes) of every request among what was heard, see request_at()."""
    found = []
    start = 0
    while start < len(heard) - 7:
        request = request_at(heard, start) if heard[start] else b""
        start += len(request) or 1
        if request:
            found.append((start, request))
    return found


def reply_in(heard: bytes, request: bytes) -> int:
    """Where the first reply to ``request``, or refusal, among what was heard ends; 0: there is none."""
    expected = modbus.reply_length(request)
    start = heard.find(request[:1])
    while 0 <= start < len(heard) - 4:
        if heard[start + 1] & 0x7F == request[1]:
            length = 5 if heard[start + 1] & 0x80 else expected
            frame = heard[start : start + length]
            if len(frame) == length and crc16(frame) == 0:
                return start + length
        start = heard.find(request[:1], start + 1)
    return 0


def flaw(heard: bytes, request: bytes, expected: int) -> str:
    """Why ``heard`` holds no reply of ``expected`` bytes to ``request``, in one or two words."""
    if heard == request:
        return "only an echo"
    if heard in request:
        # What is left of an echo is no answer.
        return "silence"
    if heard.startswith(request):
        heard = heard[len(request) :]
    size = len(heard)
    claimed = modbus.claimed_length(heard)
    if 0 < claimed <= size and crc16(heard[:claimed]) == 0:
        if heard[0] != request[0]:
            return "wrong unit"
        if heard[1] & 0x7F != request[1]:
            return "wrong function"
        return "wrong length" if claimed != expected else "wrong address"
    return "truncated" if size < expected else "wrong crc"
