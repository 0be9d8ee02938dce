"""The emulator's end of the line: a serial port, a pseudo-terminal, or TCP.

Each end has any(), read() and write() for the Line; step(), pollables(), state() and close() for who runs it;
``paced``: bytes come at the line's speed already; and unplug() and plug() for a fault of the whole line.
"""

import sys

from edge.box.descriptor import PortError
from edge.emulator.modbus_tcp import ModbusTcp
from edge.emulator.tcp_line import TcpLine


def open_end(options, baud: int, link=None):
    """The end that ``options`` (see edge.emulator.serve.Options) name; ``link`` to its pseudo-terminal, or None.

    Raises PortError.
    """
    if link is not None and (options.port or options.tcp or options.rtu_over_tcp):
        raise PortError(f"link {link} can't be made: it goes with a pseudo-terminal only")
    if options.tcp is not None:
        return ModbusTcp(options.tcp)
    if options.rtu_over_tcp is not None:
        return TcpLine(options.rtu_over_tcp)
    try:
        import termios  # noqa: F401
    except ImportError:
        raise PortError(
            "this system has no serial ports and pseudo-terminals of POSIX (no termios): "
            "give --tcp PORT or --rtu-over-tcp PORT"
        ) from None
    if options.port is not None:
        from edge.box.serial_port import SerialPort
        from edge.emulator.lasting_port import LastingPort

        return LastingPort(SerialPort(options.port, baud, options.framing), _say)
    from edge.emulator.pseudo_terminal import PseudoTerminal

    return PseudoTerminal(link)


def _say(text: str):
    print(f"emulate: {text}", file=sys.stderr, flush=True)
