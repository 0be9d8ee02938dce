"""Emulated devices in every byte order: read and written by masters of others, set and read by a test."""

import math
import re
import subprocess

import minimalmodbus
import pytest
from pymodbus.client import ModbusSerialClient

from edge.emulator.pytest_plugin import BenchError, FurnaceBench
from edge.node.devices.register_codec import ORDERS
from tests.parts import require_command

WITHIN_S = 20.0
UNIT, FAR = 5, 255
VALUES = {"u32": 3405691582, "s32": -123456789, "f32": -1234.5, "u64": 0xFEDCBA9876543210, "f64": math.pi}
OF_SIZE = {2: ("u32", "s32", "f32"), 4: ("u64", "f64")}
EACH = [(kind, order) for order, turned in ORDERS.items() for kind in OF_SIZE.get(turned[0], ())]
PLACES = {f"{kind}_{order}": (8 * i, kind, order) for i, (kind, order) in enumerate(EACH)}
EXTRA = """
[instrument.meter.swapped]
table = "input"
address = 0
type = "u16"
byte_order = "BA"
value = 0x1234
[instrument.meter.level]
table = "input"
address = 1
type = "s16"
scale = 0.1
bad = [0x8000]
value = 12.5
[instrument.meter.t]
table = "input"
address = 2
type = "f32"
reads = "t_a1_c"
[instrument.far]
type = "modbus"
unit = 255
[instrument.far.r]
table = "holding"
address = 7
type = "u16"
value = 4711
[instrument.other]
type = "m7024"
unit = 3
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    text = '[plant]\nname = "meters"\n[model]\nkind = "grate"\n[line]\nbaud = 38400\n'
    text += f'[instrument.meter]\ntype = "modbus"\nunit = {UNIT}\nfunctions = [3, 4, 16]\n'
    for name, (address, kind, order) in PLACES.items():
        place = f'table = "holding"\naddress = {address}\ntype = "{kind}"\nbyte_order = "{order}"\n'
        text += f"[instrument.meter.{name}]\n{place}value = {VALUES[kind]!r}\n"
    path = tmp_path_factory.mktemp("plant") / "meters.toml"
    path.write_text(text + EXTRA)
    bench = FurnaceBench(path)
    yield bench
    bench.close()


@pytest.fixture
def minimal(bench):
    master = minimalmodbus.Instrument(bench.port, UNIT, close_port_after_each_call=True)
    master.serial.baudrate = bench.baud
    master.serial.timeout = 2.0
    return master


MINIMALMODBUS = {
    "ABCD": minimalmodbus.BYTEORDER_BIG,
    "DCBA": minimalmodbus.BYTEORDER_LITTLE,
    "BADC": minimalmodbus.BYTEORDER_BIG_SWAP,
    "CDAB": minimalmodbus.BYTEORDER_LITTLE_SWAP,
    "ABCDEFGH": minimalmodbus.BYTEORDER_BIG,
    "HGFEDCBA": minimalmodbus.BYTEORDER_LITTLE,
    "BADCFEHG": minimalmodbus.BYTEORDER_BIG_SWAP,
    "GHEFCDAB": minimalmodbus.BYTEORDER_LITTLE_SWAP,
}


@pytest.mark.parametrize("name", list(PLACES))
def test_minimalmodbus_reads_and_writes_every_order(bench, minimal, name):
    address, kind, order = PLACES[name]
    size, byteorder = ORDERS[order][0], MINIMALMODBUS[order]
    if kind[0] == "f":
        assert minimal.read_float(address, 3, size, byteorder) == VALUES[kind]
        minimal.write_float(address, 0.15625, size, byteorder)
        assert bench.registers[f"meter.{name}"] == 0.15625
    else:
        signed = kind[0] == "s"
        assert minimal.read_long(address, 3, signed, byteorder, size) == VALUES[kind]
        minimal.write_long(address, 20260101, signed, byteorder, size)
        assert bench.registers[f"meter.{name}"] == 20260101
    bench.registers[f"meter.{name}"] = VALUES[kind]
    assert bench.registers[f"meter.{name}"] == VALUES[kind]


def mbpoll(bench, *arguments):
    line = ["-m", "rtu", "-b", str(bench.baud), "-P", "none", "-o", "2"]
    done = subprocess.run(
        [require_command("mbpoll"), *line, "-a", str(UNIT), "-1", "-0", *arguments, bench.port],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    return re.findall(r"^\[\d+\]:\s+(\S+)", done.stdout, re.M), done.stdout + done.stderr


@pytest.mark.parametrize(("order", "option"), [("ABCD", ["-B"]), ("CDAB", [])])
def test_mbpoll_reads_both_orders_that_it_knows(bench, order, option):
    for kind, named in (("s32", "int"), ("f32", "float")):
        values, said = mbpoll(bench, *option, "-t", f"4:{named}", "-r", str(PLACES[f"{kind}_{order}"][0]))
        assert [float(value) for value in values] == [VALUES[kind]], said
    values, said = mbpoll(bench, "-t", "3:hex", "-r", "0")
    assert values == ["0x3412"], said


def test_pymodbus_reads_64_bits_in_both_orders_of_words_and_unit_255(bench):
    client = ModbusSerialClient(bench.port, baudrate=bench.baud, timeout=2, retries=1)
    assert client.connect()
    try:
        for order, words in (("ABCDEFGH", "big"), ("GHEFCDAB", "little")):
            for kind, named in (("u64", client.DATATYPE.UINT64), ("f64", client.DATATYPE.FLOAT64)):
                reply = client.read_holding_registers(PLACES[f"{kind}_{order}"][0], count=4, device_id=UNIT)
                assert client.convert_from_registers(reply.registers, named, word_order=words) == VALUES[kind]
        assert client.write_register(0, 1, device_id=UNIT).exception_code == 1, "it knows 3, 4 and 16"
        assert client.read_holding_registers(7, count=1, device_id=FAR).registers == [4711]
    finally:
        client.close()


def test_a_test_sets_registers_and_takes_their_values_away(bench, minimal):
    assert bench.registers["meter.level"] == 12.5
    bench.registers["meter.level"] = -3276.7
    assert minimal.read_register(1, functioncode=4, signed=True) == -32767
    bench.registers["meter.level"] = math.nan
    assert minimal.read_register(1, functioncode=4) == 0x8000
    assert math.isnan(bench.registers["meter.level"])
    assert bench.registers["meter.t"] == pytest.approx(bench.state()["process"]["t_a1_c"], abs=20.0)
    for ask, words in (
        (lambda: bench.registers["meter.nothing"], "has no register 'nothing'; it has "),
        (lambda: bench.registers.__setitem__("meter.t", 900), "meter t shows t_a1_c of the model: set that"),
        (lambda: bench.registers.__setitem__("meter.swapped", math.nan), "can't hold nan"),
        (lambda: bench.registers["other.ao0"], "other is no instrument of described registers"),
        (lambda: bench.registers["oven.x"], "there is no instrument 'oven'"),
        (lambda: bench.ask("register"), "expected register NAME [VALUE]"),
    ):
        with pytest.raises(BenchError, match=re.escape(words)):
            ask()
