"""The serial ports of a node: opened all or none, and named by their line in the node file."""

from edge.box.config.problems import located
from edge.box.serial_port import PortError, SerialPort


def open_ports(node_file) -> dict:
    """Bus name -> SerialPort for every bus of an edge.box.config NodeFile; PortError with file and line."""
    uarts = {}
    for name in node_file.description["order"]["bus"]:
        spec = node_file.description["bus"][name]
        try:
            uarts[name] = SerialPort(spec["port"], spec["baud"], spec["framing"], spec.get("rs485", False))
        except PortError as error:
            close_ports(uarts)
            line = node_file.lines.get(("bus", name, "port"))
            # A port from the command line has no line in the file.
            text = located(node_file.path, line, str(error)) if line else str(error)
            raise PortError(text) from None
    return uarts


def close_ports(uarts: dict):
    for uart in uarts.values():
        uart.close()
