"""A unit that hears a request and does not do it, or does something else.

Source: MODBUS Application Protocol V1.1b3, exception codes: 6 is "server device busy".
"""

from edge.emulator.faults.kind import Argument, Kind

SERVER_DEVICE_FAILURE = 4
SERVER_DEVICE_BUSY = 6


def _exception(fault) -> int:
    return fault.arg


def _busy(fault) -> int:
    return SERVER_DEVICE_BUSY


def _clamping(fault, address: int, value: int) -> int:
    return min(value, fault.arg)


KINDS = (
    Kind(
        "exception",
        "refuses with this exception code and does nothing; in DCON it answers `?AA`",
        Argument("code", SERVER_DEVICE_FAILURE, 1, 255),
        refuses=_exception,
    ),
    Kind("busy", "refuses with exception 6, busy; in DCON it answers `?AA`", refuses=_busy),
    Kind(
        "clamping",
        "takes no register value above this one (unsigned), and answers function 6 with what it took",
        Argument("value", 1000, 0, 65535),
        modbus=True,
        takes=_clamping,
    ),
)
