"""One instrument on a line of its own, and time that passes in steps of 250 ms as on the bench."""

from random import Random

from edge.emulator.slave import ModbusSlaves
from edge.node.bus import modbus

SECOND_US = 1000000
STEP_US = 250000


class Line:
    """One instrument on a line; time passes in steps of 250 ms as on the bench."""

    def __init__(self, instrument, model=None):
        self.instrument = instrument
        if model is not None:
            instrument.connect(model, Random(1))
        instrument.start(0)
        instrument.step(0)
        self.slaves = ModbusSlaves([instrument], 38400)
        self.now_us = 0

    def wait(self, seconds):
        """Nobody asks for so long."""
        until_us = self.now_us + int(seconds * SECOND_US)
        while self.now_us < until_us:
            self.now_us += STEP_US
            if self.instrument.expires_us <= self.now_us:
                self.instrument.expire(self.now_us)
            self.instrument.step(self.now_us)

    def ask(self, request):
        # Less than a step: so much time passes on the line, and none for the process.
        self.now_us += 10000
        ((_, reply),) = self.slaves.received(request, self.now_us)
        return reply

    def read(self, function, address, count=1):
        data = self.ask(modbus.read_request(self.instrument.unit, function, address, count))[3:-2]
        if function <= modbus.READ_DISCRETE_INPUTS:
            return [int(bit) for bit in modbus.unpack_bits(data, count)]
        return list(modbus.unpack_registers(data))

    def write(self, address, *values):
        """The exception code, 0 when it was taken."""
        reply = self.ask(modbus.write_registers(self.instrument.unit, address, list(values)))
        return reply[2] if reply[1] & 0x80 else 0

    def write_coil(self, address, on):
        reply = self.ask(modbus.write_coil(self.instrument.unit, address, on))
        return reply[2] if reply[1] & 0x80 else 0
