"""modbus-tk's RtuServer: units 1 and 2 on the port that is named; ends with standard input."""

import sys

import serial
from modbus_tk import defines, modbus_rtu

from tests.node.bus.slaves import COUNT, coils, discrete_inputs, holding, inputs


def main():
    server = modbus_rtu.RtuServer(serial.Serial(sys.argv[1], 115200))
    for unit in (1, 2):
        slave = server.add_slave(unit)
        for name, kind, value in (
            ("coils", defines.COILS, coils),
            ("discrete", defines.DISCRETE_INPUTS, discrete_inputs),
            ("holding", defines.HOLDING_REGISTERS, holding),
            ("inputs", defines.ANALOG_INPUTS, inputs),
        ):
            slave.add_block(name, kind, 0, COUNT)
            slave.set_values(name, 0, [int(value(address)) for address in range(COUNT)])
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()


main()
