"""pymodbus' ModbusSerialServer: units 1 and 2 on the port that is named; ends with standard input."""

import asyncio
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusSerialServer

from tests.node.bus.slaves import COUNT, coils, discrete_inputs, holding, inputs


def block(value) -> ModbusSequentialDataBlock:
    # Its device context counts from 1.
    return ModbusSequentialDataBlock(1, [int(value(address)) for address in range(COUNT)])


async def main():
    units = {}
    for unit in (1, 2):
        units[unit] = ModbusDeviceContext(
            di=block(discrete_inputs), co=block(coils), hr=block(holding), ir=block(inputs)
        )
    server = ModbusSerialServer(
        ModbusServerContext(devices=units, single=False),
        port=sys.argv[1],
        baudrate=115200,
        broadcast_enable=True,
        ignore_missing_devices=True,
    )
    serving = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.shutdown()
    serving.cancel()


asyncio.run(main())
