"""Every family as a plant file wires it, read by pymodbus at the data sheet's own numbers.

The addresses here are written out once more on purpose: the driver and the emulation share their constants.
"""

import struct
import tomllib

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, bit_message, register_message

from edge.emulator import plant_file
from edge.emulator.dcon_slave import slaves_of
from edge.emulator.instruments import table
from edge.emulator.instruments.instrument import FaultError

PLANT = """
[plant]
name = "all"
[model]
kind = "grate"
[line]
baud = 9600
[instrument.it]
unit = 7
delay_ms = 5
{}
"""

THERMOCOUPLE = '[instrument.it.ai0]\nsensor = "K"\nreads = "t_a1_c"\n'
CURRENT = '[instrument.it.ao1]\ndrives = "id_fan_pct"\n'
CONTACTS = '[instrument.it.do1]\ndrives = "burner_pct"\nsafe_on = true\n'
CONTACTS += '[instrument.it.di2]\nreads = "t_a1_c"\nclosed_from = 900\n'
RELAYS = CONTACTS.split("[instrument.it.di2]")[0]
DESCRIBED = """
[instrument.it.temperature]
table = "input"
address = 99
type = "f32"
word_order = "low_first"
reads = "t_a1_c"
[instrument.it.speed]
table = "holding"
address = 10
type = "s16"
scale = 0.1
at_100 = 50
drives = "id_fan_pct"
[instrument.it.limit]
table = "coil"
address = 3
type = "bit"
value = 1
"""
# type -> keys of its table in a plant file
KEYS = {
    "m7018": THERMOCOUPLE,
    "m7019r": THERMOCOUPLE,
    "adam4018+": THERMOCOUPLE,
    "adam4118": THERMOCOUPLE,
    "o2_analyser": 'reads = "o2_wet_pct"\n',
    "m7024": CURRENT,
    "adam4024": "armed_s = 2\n" + CURRENT,
    "m7055": CONTACTS,
    "m7065": CONTACTS,
    "adam4055": "armed_s = 2\n" + CONTACTS,
    "adam4056": "armed_s = 2\n" + RELAYS,
    "ach550": 'drives = "id_fan_pct"\n',
    "uk24mod": '[instrument.it.mp2]\ndrives = "primary_air_pct"\n',
    "eurotherm3200": 'reads = "t_a1_c"\n',
    "s7800": 'drives = "burner_pct"\n',
    "modbus": DESCRIBED,
}


def plant(kind, more="", keys=None):
    """The plant with one instrument, and the model."""
    text = PLANT.format(f'type = "{kind}"\n' + more + (KEYS[kind] if keys is None else keys))
    return plant_file.build("all.toml", tomllib.loads(text))


class Master:
    """pymodbus' frames to and from the one instrument of a plant."""

    def __init__(self, kind, more="", keys=None):
        self.plant = plant(kind, more, keys)
        (self.instrument,) = self.plant.instruments
        self.model = self.plant.model
        self.slaves = slaves_of(self.plant.instruments, self.plant.baud)
        self.instrument.start(0)
        self.instrument.step(0)
        self.now_us = 0
        self._framer = FramerRTU(DecodePDU(False))

    def ask(self, pdu):
        self.now_us += 250000
        self.instrument.step(self.now_us)
        ((_, reply),) = self.slaves.received(self._framer.buildFrame(pdu), self.now_us)
        used, answer = self._framer.handleFrame(reply, 7, 0)
        assert used == len(reply)
        return answer

    def registers(self, address, count=1, table="holding"):
        request = {
            "holding": register_message.ReadHoldingRegistersRequest,
            "input": register_message.ReadInputRegistersRequest,
        }[table]
        answer = self.ask(request(dev_id=7, address=address, count=count))
        assert not answer.isError(), answer
        return answer.registers

    def bits(self, address, count=1, table="coil"):
        request = {
            "coil": bit_message.ReadCoilsRequest,
            "discrete": bit_message.ReadDiscreteInputsRequest,
        }[table]
        answer = self.ask(request(dev_id=7, address=address, count=count))
        assert not answer.isError(), answer
        return answer.bits[:count]

    def write(self, address, value):
        """The exception code, 0 when it was taken."""
        request = register_message.WriteSingleRegisterRequest
        answer = self.ask(request(dev_id=7, address=address, registers=[value]))
        return answer.exception_code if answer.isError() else 0

    def write_coil(self, address, on):
        answer = self.ask(bit_message.WriteSingleCoilRequest(dev_id=7, address=address, bits=[on]))
        return answer.exception_code if answer.isError() else 0

    def say(self, text: bytes) -> bytes:
        """The answer to a DCON command."""
        self.now_us += 250000
        self.instrument.step(self.now_us)
        replies = self.slaves.received(text + b"\r", self.now_us)
        return b"".join(reply for _, reply in replies)


def test_all_types_are_here():
    assert set(KEYS) == set(table.TYPES)


@pytest.mark.parametrize("kind", ["m7018", "m7019r"])
def test_icp_das_thermocouples(kind):
    master = Master(kind)
    (count,) = master.registers(0, table="input")  # 30001
    assert abs(count / 10.0 - master.model.t_a1_c) < 0.06
    assert master.registers(482, 2) == [0x1800 if kind == "m7018" else 0x1900, 0x70]  # 40483, 40484
    code = 486 if kind == "m7018" else 256  # 40487, 40257
    assert master.registers(code) == [0x0F]


@pytest.mark.parametrize("kind", ["adam4018+", "adam4118"])
def test_adam_thermocouples(kind):
    master = Master(kind)
    (count,) = master.registers(0)  # 40001
    assert abs(count * 1370.0 / 65536.0 - master.model.t_a1_c) < 0.02
    assert master.bits(0, 2) == [False, False]  # 00001
    master.instrument.begin_fault("burnt_out", "ai0", master.now_us)
    assert master.bits(0, 2) == [True, False] and master.registers(0) == [0xFFFF]
    master.instrument.end_fault("burnt_out", "ai0", master.now_us)
    master.instrument.begin_fault("shorted", "ai0", master.now_us)
    (count,) = master.registers(0)
    assert abs(count * 1370.0 / 65536.0 - 25.0) < 0.02 and master.bits(0, 2) == [False, False]
    assert master.registers(200) == [0x0F]  # 40201
    assert master.registers(210) == [0x4018 if kind == "adam4018+" else 0x4118]  # 40211


def test_the_analogue_outputs():
    master = Master("m7024")
    fan = 4000 + round(160 * master.model.id_fan_pct)
    assert master.registers(64, 4, "input") == [4000, fan, 4000, 4000]  # 30065
    assert master.write(33, 20000) == 0 and master.instrument.percent[1] == 100.0  # 40034
    assert master.write(33, 20001) == 3

    master = Master("adam4024")
    assert master.registers(1)[0] == pytest.approx(40.95 * master.model.id_fan_pct, abs=0.6)  # 40002
    assert master.registers(214, 2) == [1, 0]  # 40215, 40216: armed, has not acted
    assert master.write(1, 4095) == 0 and master.instrument.percent[1] == 100.0
    assert master.write(214, 0) != 0


@pytest.mark.parametrize(("kind", "output", "contact"), [("m7055", 1, 34), ("m7065", 1, 34)])
def test_icp_das_digital_io(kind, output, contact):
    master = Master(kind)
    assert master.bits(contact) == [master.model.t_a1_c >= 900.0]  # 00035
    master.model.t_a1_c = 899.0
    assert master.bits(contact) == [False]
    assert master.write_coil(output, True) == 0 and master.instrument.percent[1] == 100.0  # 00002


@pytest.mark.parametrize("kind", ["adam4055", "adam4056"])
def test_adam_digital_io(kind):
    master = Master(kind)
    assert master.write_coil(17, True) == 0 and master.instrument.percent[1] == 100.0  # 00018
    assert master.bits(16, 2) == [False, True]
    assert master.registers(210) == [0x4055 if kind == "adam4055" else 0x4056]
    if kind == "adam4055":
        assert master.bits(2) == [True]  # 00003
        assert master.write_coil(2, False) != 0


def test_the_drive():
    master = Master("ach550")
    (status,) = master.registers(3)  # 40004
    assert status & 0x0008 == 0  # not tripped
    (tenths_hz,) = master.registers(102)  # 40103
    assert tenths_hz == pytest.approx(5.0 * master.model.id_fan_pct, abs=1.0)


def test_the_damper_actuator():
    master = Master("uk24mod")
    assert master.registers(23)[0] == pytest.approx(100.0 * master.model.primary_air_pct, abs=1.0)  # MP2's 4
    assert master.registers(11) == [0] and master.registers(31) == [1]  # 12: nobody on MP1
    assert master.write(20, 0) == 0  # set-point of MP2
    before = master.instrument.percent[1]
    master.registers(23)
    # 90 s from end to end, half a second.
    assert before - master.instrument.percent[1] == pytest.approx(0.25 / 0.9, abs=0.01)


def test_the_controller_tells_integers_and_floats():
    master = Master("eurotherm3200")
    (scaled,) = master.registers(1)
    assert abs(scaled / 10.0 - master.model.t_a1_c) < 0.06
    words = master.registers(0x8002, 2)
    assert struct.unpack(">f", struct.pack(">HH", *words))[0] == pytest.approx(master.model.t_a1_c, abs=1e-3)


def test_the_burner_control():
    master = Master("s7800")
    assert master.registers(0) == [0]  # 40001: no fault
    assert master.write(127, 0x0008) == 0  # 40128: low fire
    assert master.registers(84) == [0x0008]  # 40085
    assert master.write(127, 0x0004) == 6  # too soon
    assert master.write(127, 0x00FF) == 3
    master.instrument.begin_fault("lockout", 17, master.now_us)
    assert master.registers(0) == [17]


def test_the_analyser():
    master = Master("o2_analyser")
    o2_pct = struct.unpack(">f", struct.pack(">HH", *master.registers(0, 2, "input")))[0]
    assert o2_pct == pytest.approx(master.model.o2_wet_pct, abs=0.5)


def test_a_device_of_the_plant_file_in_other_orders_with_bits_and_without_values():
    keys = """
    functions = [3, 16]
    max_registers = 4
    merge = false
    [instrument.it.t]
    table = "holding"
    address = 0
    type = "f64"
    byte_order = "HGFEDCBA"
    reads = "t_a1_c"
    [instrument.it.total]
    table = "holding"
    address = 4
    type = "u64"
    byte_order = "GHEFCDAB"
    value = 0x0123456789ABCDEF
    [instrument.it.state]
    table = "holding"
    address = 8
    type = "u16"
    bit = 4
    bits = 3
    value = 5
    [instrument.it.alarm]
    table = "holding"
    address = 8
    type = "u16"
    bit = 15
    [instrument.it.level]
    table = "holding"
    address = 9
    type = "s16"
    byte_order = "BA"
    bad = [0x8000, 0x7FFF]
    scale = 0.1
    value = -2.5
    """.replace("\n    ", "\n")
    master = Master("modbus", keys=keys)
    data = struct.pack(">4H", *master.registers(0, 4))
    assert struct.unpack("<d", data)[0] == pytest.approx(master.model.t_a1_c, abs=1e-9)
    assert master.registers(4, 4) == [0xCDEF, 0x89AB, 0x4567, 0x0123]
    assert master.registers(8) == [0x0050]
    assert master.registers(9) == [0xE7FF]  # -25
    instrument = master.instrument
    instrument.set_register("alarm", 1)
    assert master.registers(8) == [0x8050] and instrument.register("state") == 5
    instrument.set_register("level", float("nan"))
    assert master.registers(9) == [0x0080]
    assert instrument.register("level") != instrument.register("level")
    # It knows 3 and 16 only, four registers a request, and no request that spans two of its own.
    assert master.write(8, 0) == 1
    request = register_message.WriteMultipleRegistersRequest
    assert not master.ask(request(dev_id=7, address=4, registers=[1, 0, 0, 0])).isError()
    assert instrument.register("total") == 1
    reading = register_message.ReadHoldingRegistersRequest
    assert master.ask(reading(dev_id=7, address=8, count=2)).exception_code == 2
    assert master.ask(reading(dev_id=7, address=0, count=5)).exception_code == 3
    assert master.ask(request(dev_id=7, address=4, registers=[1] * 5)).exception_code == 3
    instrument.reset(master.now_us)
    assert instrument.register("total") == 0x0123456789ABCDEF and instrument.register("level") == -2.5


def test_what_a_test_sets_in_a_described_device_drives_as_if_it_were_written():
    master = Master("modbus")
    instrument = master.instrument
    instrument.set_register("speed", 25.0)
    assert instrument.percent == [50.0] and master.registers(10) == [250]
    assert instrument.register("limit") == 1
    instrument.set_register("limit", 0)
    assert master.bits(3) == [False]
    with pytest.raises(FaultError, match="temperature shows t_a1_c of the model: set that"):
        instrument.set_register("temperature", 1.0)
    with pytest.raises(FaultError, match=r"has no register 'sped'; it has temperature, speed, limit"):
        instrument.register("sped")
    with pytest.raises(FaultError, match="speed is an s16 without bad, which can't hold nan"):
        instrument.set_register("speed", float("nan"))


def test_a_device_of_the_plant_file():
    master = Master("modbus")
    low, high = master.registers(99, 2, "input")
    temp_c = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    assert temp_c == pytest.approx(master.model.t_a1_c, abs=1e-3)
    assert master.registers(10) == [round(master.model.id_fan_pct * 5.0)]
    assert master.write(10, 250) == 0 and master.instrument.percent == [50.0]
    assert master.bits(3) == [True]
    assert master.write_coil(3, False) == 0 and master.bits(3) == [False]


@pytest.mark.parametrize(("kind", "output"), [("m7055", 1), ("m7065", 1)])
def test_a_tripped_module_acknowledges_writes_and_ignores_them(kind, output):
    master = Master(kind)
    assert master.write_coil(output, False) == 0
    master.instrument.begin_fault("watchdog", None, master.now_us)
    assert master.instrument.percent[output] == 100.0  # safe_on
    assert master.write_coil(output, False) == 0 and master.instrument.percent[output] == 100.0
    assert master.bits(269) == [True]  # 00270
    assert master.write_coil(269, True) == 0 and master.bits(269) == [False]
    assert master.write_coil(output, False) == 0 and master.instrument.percent[output] == 0.0


# DCON ------------------------------------------------------------------------------------------

ICP = ["m7018", "m7019r", "m7024", "m7055", "m7065"]


@pytest.mark.parametrize("kind", [*ICP, "adam4018+", "adam4118"])
def test_a_module_that_is_set_to_dcon_knows_no_modbus(kind):
    master = Master(kind, 'protocol = "dcon"\n')
    assert master.say(b"$07M").startswith(b"!07")
    request = register_message.ReadHoldingRegistersRequest(dev_id=7, address=0, count=1)
    frame = FramerRTU(DecodePDU(False)).buildFrame(request)
    assert not master.slaves.received(frame, master.now_us + 250000)
    master = Master(kind)
    assert master.say(b"$07M") == b""


def test_readings_in_engineering_units():
    master = Master("adam4018+", 'protocol = "dcon"\n')
    reply = master.say(b"#07")
    assert abs(float(reply[1:8]) - master.model.t_a1_c) < 0.06
    # Channels that are switched off are blank.
    assert reply[:2] == b">+" and reply[8:] == b" " * 49 + b"\r"
    assert master.say(b"$07B") == b"!0700\r"
    master.instrument.begin_fault("burnt_out", "ai0", master.now_us)
    assert master.say(b"#070") == b">+9999\r"
    assert master.say(b"$07B") == b"!0701\r"


def test_only_host_ok_keeps_an_output_module_alive():
    master = Master("m7024", 'protocol = "dcon"\n')
    assert master.say(b"#071+20.000") == b">\r"
    assert master.say(b"~07310A") == b"!07\r"  # armed with 1 s
    for _ in range(6):
        assert master.say(b"~**") == b""
        assert master.say(b"$0761") == b"!0720.000\r"
    # Any other command doesn't count.
    for _ in range(5):
        master.say(b"$0761")
    assert master.instrument.percent[1] == 0.0
    assert master.say(b"~070") == b"!0704\r"
    # Acknowledged with "!", and of no effect, until the status is cleared.
    assert master.say(b"#071+12.000") == b"!\r"
    assert master.instrument.percent[1] == 0.0
    assert master.say(b"~071") == b"!07\r"
    assert master.say(b"#071+12.000") == b">\r"
    assert master.instrument.percent[1] == 50.0


def test_relays_fall_to_their_safe_value_over_dcon():
    master = Master("m7065", 'protocol = "dcon"\n')
    assert master.say(b"@0700") == b">\r"
    assert master.say(b"~073105") == b"!07\r"
    for _ in range(3):
        master.say(b"@07")
    assert master.instrument.percent[1] == 100.0  # safe_on
    assert master.say(b"@0700") == b"!\r"
    assert master.say(b"~071") == b"!07\r" and master.say(b"@0700") == b">\r"
    assert master.instrument.percent[1] == 0.0


# Plant files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(KEYS))
def test_a_key_that_a_family_does_not_have_is_named(kind):
    with pytest.raises(plant_file.PlantFileError, match=r"\[instrument.it\] colour"):
        plant(kind, 'colour = "red"\n')


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("adam4018+", THERMOCOUPLE.replace('"K"', '"Z"'), r"ai0\] sensor: is 'Z'"),
        ("m7018", THERMOCOUPLE.replace("t_a1_c", "t_a9_c"), r"ai0\] reads: the model has no process value"),
        ("adam4024", "armed_s = -1\n" + CURRENT, r"armed_s: is -1; expected a number from 0 to 1000"),
        ("m7065", "[instrument.it.do7]\n", r"\[instrument.it\] do7: is not known here"),
        ("adam4056", "[instrument.it.di0]\n", r"\[instrument.it\] di0: is not known here"),
        ("m7055", CONTACTS.replace("true", "1"), r"do1\] safe_on: is 1; expected true or false"),
        ("m7024", 'protocol = "ascii"\n', r"protocol: is 'ascii'; expected one of modbus, dcon"),
        ("uk24mod", "", r"\[instrument.it\] mp1: is missing"),
        ("modbus", DESCRIBED.replace('"input"', '"coil"'), r"temperature\] type: is 'f32'"),
        ("modbus", DESCRIBED.replace("scale = 0.1", "scale = 0"), r"speed\] scale: is 0"),
        ("modbus", DESCRIBED + "[instrument.it.speed.x]\n", r"speed\] x: is not known here"),
        ("modbus", DESCRIBED.replace('word_order = "low_first"', 'byte_order = "AB"'), "one of ABCD"),
        ("modbus", DESCRIBED.replace('"s16"', '"s16"\nbit = 1'), r"speed\] bit: is not known here"),
        ("modbus", DESCRIBED.replace('"s16"', '"u16"\nbit = 9\nbits = 8'), r"bits: is 8; expected .* 1 to 7"),
        ("modbus", DESCRIBED.replace('"s16"', '"s16"\nbad = [65536]'), r"bad: has 65536; expected a whole"),
        ("modbus", DESCRIBED.replace('"f32"', '"f32"\nbad = 1'), r"bad: is 1; expected a list"),
        ("modbus", DESCRIBED.replace('"f32"', '"f32"\nbad = ["0x123456789"]'), "bad: has '0x123456789'"),
        ("modbus", DESCRIBED.replace('"f32"', '"f32"\nbad = [1e39]'), r"bad: has 1e\+39; expected a num"),
        ("modbus", DESCRIBED.replace("= 99", "= 65535"), r"address: is 65535; expected .* from 0 to 65534"),
        ("modbus", "functions = [3, 7]\n" + DESCRIBED, r"functions: has \[7\]; expected some of \[1, 2, 3"),
        ("modbus", "max_registers = 0\n" + DESCRIBED, r"max_registers: is 0; expected"),
        ("modbus", "merge = 1\n" + DESCRIBED, r"merge: is 1; expected true or false"),
        (
            "modbus",
            DESCRIBED + '[instrument.it.x]\ntable = "holding"\naddress = 10\ntype = "u16"\nbit = 0\n',
            r"\[instrument.it\] address: x stands where speed does; only groups of bits can",
        ),
        (
            "modbus",
            DESCRIBED + '[instrument.it.x]\ntable = "holding"\naddress = 9\ntype = "u32"\n',
            r"\[instrument.it\] address: .*address 10 is in two blocks",
        ),
    ],
)
def test_what_is_wrong_with_a_plant_file_is_said(kind, keys, message):
    with pytest.raises(plant_file.PlantFileError, match=message):
        plant(kind, keys=keys)
