"""Other people's masters polling eight registers back to back, each as its users have it.

    python -m benchmarks.bus_peers pymodbus|pymodbus-async|minimalmodbus PORT BAUD TRANSACTIONS

prints one JSON line.
"""

import json
import sys
import time

from edge.box.run import wake_on_time


def pymodbus(port: str, baud: int):
    """A function that reads once, with pymodbus' synchronous client."""
    from pymodbus.client import ModbusSerialClient

    client = ModbusSerialClient(port, baudrate=baud, timeout=0.5)
    client.connect()

    def read():
        reply = client.read_holding_registers(0, count=8, device_id=1)
        if reply.isError() or len(reply.registers) != 8:
            raise OSError(str(reply))

    return read


def minimalmodbus(port: str, baud: int):
    """A function that reads once, with minimalmodbus."""
    from minimalmodbus import Instrument

    instrument = Instrument(port, 1)
    instrument.serial.baudrate = baud
    instrument.serial.timeout = 0.5
    return lambda: instrument.read_registers(0, 8)


def pymodbus_async(port: str, baud: int):
    """A function that reads once, with pymodbus' asynchronous client on a loop of its own."""
    import asyncio

    from pymodbus.client import AsyncModbusSerialClient

    loop = asyncio.new_event_loop()

    async def connected():
        client = AsyncModbusSerialClient(port, baudrate=baud, timeout=0.5)
        await client.connect()
        return client

    client = loop.run_until_complete(connected())

    def read():
        reply = loop.run_until_complete(client.read_holding_registers(0, count=8, device_id=1))
        if reply.isError() or len(reply.registers) != 8:
            raise OSError(str(reply))

    return read


MASTERS = {"pymodbus": pymodbus, "pymodbus-async": pymodbus_async, "minimalmodbus": minimalmodbus}


def main():
    name, port, baud, transactions = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    # The same timer slack as ours has.
    wake_on_time()
    read = MASTERS[name](port, baud)
    for _ in range(5):
        read()
    failures = 0
    before_s = time.process_time()
    began_s = time.monotonic()
    for _ in range(transactions):
        try:
            read()
        except OSError:
            failures += 1
    took_s = time.monotonic() - began_s
    cpu_us = 1e6 * (time.process_time() - before_s) / transactions
    print(
        json.dumps({"transactions": transactions, "seconds": took_s, "cpu_us": cpu_us, "failures": failures})
    )


if __name__ == "__main__":
    main()
