"""The BBC micro:bit in QEMU: processor, flash and UART, with the firmware that Debian packages.

Chip() starts one; load() sends modules of the core; repl.execute() runs source on it.
"""

import os
import re
import select
import struct
import subprocess
import time
import tty
from pathlib import Path

from cext.crc import crc16
from edge.box.microbit import WITHIN_S, ChipError, RawRepl, flash_file, strip, take
from edge.node.bus.modbus import sealed
from tests.parts import missing_part, require_command

ROOT = Path(__file__).resolve().parent.parent
EMULATOR = "qemu-system-arm"
FIRMWARE = Path("/usr/share/firmware-microbit-micropython/firmware.hex")
# What boards/microbit/main.py uses of the core; the rest of PID has no room beside it.
MAIN_NEEDS = (("pid", ["PID.step", "PID.follow", "PID.tune", "PID.limit"]), ("crc", ["crc16"]))

# Runs on the chip: number of a function, count of floats, and floats in; out the bytes that `results` makes
# of what was returned. More than eight floats end it.
PLAYER = """\
from struct import pack,unpack
from micropython import kbd_intr
def _play(calls,results):
 kbd_intr(-1)
 b=b''
 while 1:
  d=uart.read()
  if not d:
   sleep(1)
  else:
   b+=d
   if len(b)>1:
    if b[1]>8:
     return kbd_intr(3)
    if len(b)==2+4*b[1]:
     uart.write(results(calls[b[0]](*unpack('<%df'%b[1],b[2:]))))
     b=b''
"""


def require_microbit():
    """Skip by name, or fail when CI is "true", where the emulator or the firmware is missing."""
    require_command(EMULATOR)
    if not FIRMWARE.exists():
        missing_part(f"{FIRMWARE} is missing; Debian's package firmware-microbit-micropython has it")


def pieces(*modules) -> list:
    """The pieces of modules of the core, each given as (name, names wanted of it)."""
    found = []
    for name, wanted in modules:
        path = ROOT / "cext" / f"{name}.py"
        found.append((f"cext/{name}.py", path.read_text(encoding="utf-8"), wanted))
    return take(found)


# Operations of main.py.
STEP, FOLLOW, TUNE, LIMIT = range(4)


def request(operation: int, numbers: tuple) -> bytes:
    """A request to main.py."""
    six = (*numbers, *(0.0,) * (6 - len(numbers)))
    return sealed(struct.pack(">BBHHHHB6f", 1, 0x17, 0, 10, operation, 12, 24, *six))


class Chip:
    """A process of QEMU at the raw prompt of its MicroPython.

    ``repl`` speaks with it over its UART, ``port`` is the path of the pseudo-terminal.
    """

    def __init__(self):
        self._process = subprocess.Popen(
            [EMULATOR, "-M", "microbit", "-device", f"loader,file={FIRMWARE}"]
            + ["-nographic", "-serial", "pty", "-monitor", "none"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._line = -1
        try:
            self.port = self._line_name(WITHIN_S)
            self._line = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._line)
            self.repl = RawRepl(self._line)
            self.repl.enter()
        except BaseException:
            self.close()
            raise

    def _line_name(self, within_s):
        """Path of the pseudo-terminal, which QEMU tells."""
        deadline = time.monotonic() + within_s
        stdout = self._process.stdout.fileno()
        said = b""
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                raise ChipError(f"{EMULATOR} told no pseudo-terminal within {within_s:g} s, but {said!r}")
            data = os.read(stdout, 4096)
            said += data
            found = re.search(rb"redirected to (/dev/\S+) ", said)
            if found:
                return found.group(1).decode()
            if not data:
                raise ChipError(f"{EMULATOR} ended: {said.decode(errors='replace').strip()}")

    def load(self, *modules, after=()):
        """Send modules of the core, each given as (name, names wanted of it), `after` other pieces."""
        self.repl.load([*after, *pieces(*modules)])

    def boot_main(self):
        """Write main.py and what it needs of the core into the flash, reset, wait until it answers."""
        self.write_main()
        self.repl.reset()
        self.wait_for_main(0.5)

    def write_main(self):
        main = (ROOT / "boards" / "microbit" / "main.py").read_text(encoding="utf-8")
        self.repl.put("core.py", flash_file(pieces(*MAIN_NEEDS)))
        self.repl.put("main.py", strip(main).encode())

    def wait_for_main(self, wait_s: float):
        """After a reset: ask after a while, until main.py answers.

        To a chip that is not up yet a request is a Ctrl-C, which leaves it at its prompt. So whatever comes
        instead of an answer: if there is a prompt, the chip is reset again, and gets more time.
        """
        deadline = time.monotonic() + WITHIN_S
        while True:
            time.sleep(wait_s)
            self.repl.forget()
            try:
                return self.ask(FOLLOW, (0.0,), 5.0)
            except ChipError:
                if time.monotonic() > deadline:
                    raise
            try:
                self.repl.prompt(2.0)
            except ChipError:
                continue  # main.py runs: it was slow, or took noise for the beginning of the request
            wait_s = 2.0 * wait_s + 0.1
            self.repl.reset()

    def ask(self, operation: int, numbers: tuple, within_s: float = WITHIN_S) -> tuple:
        """One exchange with main.py: out, demand, integral, derivative, saturated, flag."""
        self.repl.send(request(operation, numbers))
        reply = self.repl.take(5, within_s)
        if reply[1] & 0x80:
            raise ChipError(f"Modbus exception {reply[2]}")
        reply += self.repl.take(20, within_s)
        if reply[:3] != b"\x01\x17\x14" or crc16(reply) != 0:
            raise ChipError(f"not a reply of main.py: {reply!r}")
        return struct.unpack(">4f2h", reply[3:-2])

    def play(self, calls: str, results: str):
        """Begin to call on the chip what call() asks for; PLAYER has been loaded.

        `calls` source of a tuple of functions, `results` of a function that makes bytes of what they return.
        """
        self.repl.execute(f"_calls={calls}")
        self.repl.execute(f"_results={results}")
        self.repl.begin("_play(_calls,_results)")

    def call(self, number: int, arguments: tuple, size: int) -> bytes:
        """Call function `number` and return the `size` bytes of its result."""
        self.repl.send(struct.pack(f"<BB{len(arguments)}f", number, len(arguments), *arguments))
        try:
            return self.repl.take(size, WITHIN_S)
        except ChipError as error:
            raise ChipError(f"call {number}{arguments!r}: {error}") from error

    def stop_playing(self):
        self.repl.send(b"\x00\xff")
        self.repl.finish()

    def close(self):
        if self._line >= 0:
            os.close(self._line)
            self._line = -1
        self._process.kill()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()
