"""A PID controller on the UART of a BBC micro:bit: a Modbus RTU slave, 115200 8N1, unit 1.

At a reset the chip compiles core.py from its flash piece by piece, as flash_file() of edge/box/microbit.py
wrote it. Then it answers one kind of request, function 23, Read/Write Multiple Registers. Written are always
12 registers, six 32-bit floats, high word first, of which an operation uses the first ones; the address says
which operation:

    0  step      set_point, process_value, feed_forward, dt_s
    1  follow    set_point, process_value, feed_forward, output, dt_s
    2  tune      gain, ti_s, td_s, b, c, n
    3  limit     out_min, out_max, rate_per_s

Read are always the 10 registers from 0: out, demand, integral, derivative as floats, saturated and flag as
integers. What the controller refuses is answered with exception 3. A frame with another beginning, with a
wrong check word or with a pause of 20 ms in it is not answered.

Whoever asks waits until the chip is up, half a second after its reset: in its first milliseconds a byte 0 is
a Ctrl-C, which ends in the prompt. The heap has no room for more than this: docs/runtimes.md.
"""

import gc
from struct import pack, unpack

from microbit import sleep, uart
from micropython import kbd_intr

# Bytes of a frame are no Ctrl-C, which would end this for the prompt.
kbd_intr(-1)

core = open("core.py")
while True:
    line = core.readline()
    if not line:
        break
    piece = core.read(int(line[1:]))
    gc.collect()
    exec(piece)
    piece = None
    gc.collect()

loop = PID(1.0, 60.0, 0.0)  # noqa: F821, in core.py
OPERATIONS = ((4, loop.step), (5, loop.follow), (6, loop.tune), (3, loop.limit))


def answer(frame):
    """Answer a request, if it is one."""
    if frame[:7] + frame[8:11] != b"\1\x17\0\0\0\n\0\0\x0c\x18":
        return
    if frame[7] >= len(OPERATIONS) or crc16(frame):  # noqa: F821
        return
    count, operation = OPERATIONS[frame[7]]
    try:
        operation(*unpack(">6f", frame[11:35])[:count])
        reply = b"\1\x17\x14" + pack(">4f", loop.out, loop.demand, loop.integral, loop.derivative)
        reply += pack(">2h", loop.saturated, loop.flag)
    except ValueError:
        reply = b"\1\x97\3"
    uart.write(reply + pack("<H", crc16(reply)))  # noqa: F821


def serve():
    """Cut what comes into frames, by their length or by silence."""
    frame = b""
    silence_ms = 0
    while True:
        sleep(1)
        silence_ms += 1
        if uart.any():
            frame += uart.read()
            silence_ms = 0
        if len(frame) >= 37 or frame and silence_ms > 20:
            answer(frame)
            frame = b""


uart.init(115200)
gc.collect()
serve()
