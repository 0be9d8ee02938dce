"""What pymodbus, minimalmodbus and libmodbus do with each fault, on a paced pseudo-terminal."""

import os
import select
import shutil
import subprocess
import termios
import time
from pathlib import Path

import minimalmodbus
import pymodbus
from pymodbus.client import ModbusSerialClient

from docs.fault_table_own import FAULTS
from edge.emulator.pytest_plugin import FurnaceBench
from edge.node.devices import m7024

TIMEOUT_S = 0.2
UNIT, MODULE = 1, 3
# Two groups of four registers that can't be taken for each other: thermocouples, and mostly currents.
GROUPS = (0, 4)
COUNT = 4
# Between two reads of the same register nothing moves so far.
WRONG = 1500
WITHIN_S = 10.0
# In these rows an output is written.
OF_OUTPUTS = ("watchdog", "clamping")
# What the module shows of a broken and of a shorted thermocouple: the latter has its terminals at 35.0 degC.
SHOWS = {"burnt_out": 0x7FFF, "shorted": 350}


class PeerError(Exception):
    """The library said that the transaction has failed."""


class Pymodbus:
    name = f"pymodbus {pymodbus.__version__}"

    def __init__(self, port: str, baud: int, folder: Path):
        self._client = ModbusSerialClient(port, baudrate=baud, timeout=TIMEOUT_S)
        self._client.connect()

    def read(self, address: int) -> list:
        return self._done(
            lambda: self._client.read_input_registers(address, count=COUNT, device_id=UNIT)
        ).registers

    def write(self, unit: int, address: int, value: int):
        self._done(lambda: self._client.write_register(address, value, device_id=unit))

    def _done(self, ask):
        try:
            answer = ask()
        except pymodbus.ModbusException as error:
            # With its default it closes the port after so many failures; who uses it connects again.
            self._client.connect()
            raise PeerError(str(error)) from None
        if answer.isError():
            raise PeerError(str(answer))
        return answer

    def close(self):
        self._client.close()


class Minimalmodbus:
    name = f"minimalmodbus {minimalmodbus.__version__}"

    def __init__(self, port: str, baud: int, folder: Path):
        self._units = {unit: minimalmodbus.Instrument(port, unit) for unit in (UNIT, MODULE)}
        for unit in self._units.values():
            unit.serial.baudrate = baud
            unit.serial.timeout = TIMEOUT_S

    def read(self, address: int) -> list:
        try:
            return self._units[UNIT].read_registers(address, COUNT, functioncode=4)
        except minimalmodbus.ModbusException as error:
            raise PeerError(str(error)) from None

    def write(self, unit: int, address: int, value: int):
        try:
            self._units[unit].write_register(address, value, functioncode=6)
        except minimalmodbus.ModbusException as error:
            raise PeerError(str(error)) from None

    def close(self):
        self._units[UNIT].serial.close()


class Libmodbus:
    name = "libmodbus"

    def __init__(self, port: str, baud: int, folder: Path):
        self._process = subprocess.Popen(
            [str(build(folder)), port, str(baud), str(int(TIMEOUT_S * 1e6))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        Libmodbus.name = self._line()

    def _line(self) -> str:
        if not select.select([self._process.stdout], [], [], WITHIN_S)[0]:
            raise RuntimeError(f"libmodbus does not answer within {WITHIN_S:g} s")
        return self._process.stdout.readline().strip()

    def _ask(self, request: str) -> list:
        self._process.stdin.write(request + "\n")
        said, *rest = self._line().split(" ")
        if said != "ok":
            raise PeerError(" ".join(rest))
        return [int(word) for word in rest]

    def read(self, address: int) -> list:
        return self._ask(f"r {UNIT} {address} {COUNT}")

    def write(self, unit: int, address: int, value: int):
        self._ask(f"w {unit} {address} {value}")

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(WITHIN_S)
        self._process.stdout.close()


PEERS = (Pymodbus, Minimalmodbus, Libmodbus)


def build(folder: Path) -> Path:
    """The C program, compiled once. Raises RuntimeError where gcc or libmodbus-dev is missing."""
    binary = folder / "fault_table_libmodbus"
    if binary.exists():
        return binary
    for command in ("gcc", "pkg-config"):
        if shutil.which(command) is None:
            raise RuntimeError(f"{command} is not installed: apt-get install gcc pkg-config libmodbus-dev")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libmodbus"], capture_output=True, text=True, timeout=WITHIN_S
    )
    if flags.returncode:
        raise RuntimeError("libmodbus is not installed: apt-get install libmodbus-dev")
    source = Path(__file__).with_name("fault_table_libmodbus.c")
    subprocess.run(["gcc", "-o", binary, source, *flags.stdout.split()], check=True, timeout=60)
    return binary


class Seen:
    """How many transactions during and after a fault were right, errors, or wrong data taken for right."""

    def __init__(self):
        self.during = {"right": 0, "error": 0, "wrong": 0}
        self.after = {"right": 0, "error": 0, "wrong": 0}
        self.burnt = 0
        self.shows = ""
        self.unmoved = False

    def told(self) -> str:
        """One cell of the table."""
        said = _counts(self.during)
        if self.burnt:
            said += f", of these {self.burnt} with {self.shows} as a value"
        if self.unmoved:
            said += ", but the output does not move"
        if self.after["error"] or self.after["wrong"]:
            said += f"; afterwards {_counts(self.after)}"
        return said


def _counts(found: dict) -> str:
    words = {"right": "right", "error": "error" if found["error"] == 1 else "errors", "wrong": "**wrong**"}
    return ", ".join(f"{found[key]} {words[key]}" for key in words if found[key])


def measure(make, kind: str, unit, arg, bench: FurnaceBench, folder: Path) -> Seen:
    """Two good reads, ten during the fault, six after it; the two groups of registers in turn."""
    bench.clear()
    peer, expected = _started(make, bench, folder)
    seen = Seen()
    try:
        bench.fault(unit, kind, arg)
        if kind in SHOWS:
            time.sleep(0.6)
        if kind in OF_OUTPUTS:
            _write(peer, seen)
            time.sleep(0.6)
        if kind == "watchdog":
            seen.unmoved = bench.state()["outputs"]["burner"] < 1.0
        for turn in range(0 if kind in OF_OUTPUTS else 10):
            _read(peer, GROUPS[turn % 2], expected, seen.during, seen, kind)
        bench.clear()
        bench.wait_for(lambda state: not state["port"]["lost"])
        if kind in (*SHOWS, "reset"):
            time.sleep(1.5)
        for turn in range(6):
            _read(peer, GROUPS[turn % 2], expected, seen.after, seen, "")
    finally:
        peer.close()
    return seen


def _started(make, bench: FurnaceBench, folder: Path) -> tuple:
    """A peer on a clean line, and what both groups of registers hold.

    On a busy machine it may need several attempts, each with a new peer: one that has missed a reply may stay
    out of step. Raises PeerError.
    """
    for left in range(4, -1, -1):
        time.sleep(0.5)
        _flush(bench.port)
        peer = make(bench.port, bench.baud, folder)
        try:
            return peer, {address: peer.read(address) for address in GROUPS}
        except PeerError:
            peer.close()
            if left == 0:
                raise


def _flush(port: str):
    """A pseudo-terminal keeps what nobody has read; each peer begins on a clean line."""
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
    try:
        termios.tcflush(fd, termios.TCIOFLUSH)
    finally:
        os.close(fd)


def _read(peer, address: int, expected: dict, found: dict, seen: Seen, kind: str):
    try:
        values = peer.read(address)
    except (PeerError, OSError, termios.error):
        found["error"] += 1
        return
    if kind in SHOWS and address == 0 and values and values[0] == SHOWS[kind]:
        seen.burnt += 1
        seen.shows = "0x7FFF" if kind == "burnt_out" else "the terminals' 35.0 °C"
        values = [expected[address][0], *values[1:]]
    right = len(values) == COUNT and all(
        abs(value - good) < WRONG for value, good in zip(values, expected[address], strict=True)
    )
    found["right" if right else "wrong"] += 1


def _write(peer, seen: Seen):
    for _ in range(10):
        try:
            peer.write(MODULE, m7024.AO_VALUE, 12000)
        except PeerError:
            seen.during["error"] += 1
        else:
            seen.during["right"] += 1


def table(folder: Path) -> dict:
    """Kind -> cells of the peers; a bench of its own for each peer."""
    rows = {kind: [] for kind, _, _ in FAULTS}
    for make in PEERS:
        bench = FurnaceBench()
        try:
            for kind, unit, arg in FAULTS:
                rows[kind].append(measure(make, kind, unit, arg, bench, folder).told())
        finally:
            bench.close()
    return rows
