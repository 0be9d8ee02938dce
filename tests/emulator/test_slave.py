"""The slave's side of Modbus RTU: bytes and times in, bytes and times out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.crc import crc16
from edge.emulator.instruments.instrument import ALL_FUNCTIONS, MASK_AND_READ_WRITE, Instrument
from edge.emulator.request import expected_length
from edge.emulator.slave import KNOWN_READS, ModbusSlaves
from edge.node.bus import modbus
from tests.emulator import fuzz

UNIT = 0x11
SILENT_US = 1000000


class Shelf(Instrument):
    """An instrument that keeps what it is told: four tables of 64 addresses, and a stretch further on."""

    TYPE = "shelf"
    FUNCTIONS = ALL_FUNCTIONS | MASK_AND_READ_WRITE

    def __init__(self, unit=UNIT, delay_ms=5):
        blocks = [(0, 64), (100, 200)]
        Instrument.__init__(self, "shelf", unit, delay_ms, blocks, blocks, blocks, blocks)
        for address in list(range(64)) + list(range(100, 300)):
            if address != 63:
                self.holding_values[address] = range(65536)
                self.coil_values[address] = (0, 1)
        self.writes = 0

    def registers_written(self, address, count, at_us):
        self.writes += 1

    def coils_written(self, address, count, at_us):
        self.writes += 1


def frame(text: str) -> bytes:
    return bytes.fromhex(text)


class Line:
    """Slaves, and a clock that leaves a long silence before every request."""

    def __init__(self, *instruments, baud=38400):
        self.slaves = ModbusSlaves(instruments or (Shelf(),), baud)
        self.end_us = 0

    def ask(self, request: bytes) -> bytes:
        self.end_us += SILENT_US
        replies = self.slaves.received(request, self.end_us)
        assert len(replies) <= 1
        return replies[0][1] if replies else b""

    def code(self, body: str) -> int:
        """The exception code of the answer to a request without CRC; 0 for a sound answer."""
        reply = self.ask(modbus.sealed(frame(body)))
        assert crc16(reply) == 0
        return reply[2] if reply[1] & 0x80 else 0


# Worked examples of simplymodbus.ca, which have their own CRC.
EXAMPLES = {
    "read coils": ("11 01 00 13 00 25 0E 84", "11 01 05 CD 6B B2 0E 1B 45 E6"),
    "read discrete inputs": ("11 02 00 C4 00 16 BA A9", "11 02 03 AC DB 35 20 18"),
    "read holding registers": ("11 03 00 6B 00 03 76 87", "11 03 06 AE 41 56 52 43 40 49 AD"),
    "read input registers": ("11 04 00 08 00 01 B2 98", "11 04 02 00 0A F8 F4"),
    "write single coil": ("11 05 00 AC FF 00 4E 8B", "11 05 00 AC FF 00 4E 8B"),
    "write single register": ("11 06 00 01 00 03 9A 9B", "11 06 00 01 00 03 9A 9B"),
    "write multiple coils": ("11 0F 00 13 00 0A 02 CD 01 BF 0B", "11 0F 00 13 00 0A 26 99"),
    "write multiple registers": ("11 10 00 01 00 02 04 00 0A 01 02 C6 F0", "11 10 00 01 00 02 12 98"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_published_examples_are_answered_byte_for_byte(name):
    shelf = Shelf()
    bits = modbus.unpack_bits(frame("CD 6B B2 0E 1B"), 37)
    shelf.coils.put_all(0x13, [int(bit) for bit in bits])
    bits = modbus.unpack_bits(frame("AC DB 35"), 22)
    shelf.discrete_inputs.put_all(0xC4, [int(bit) for bit in bits])
    shelf.holding.put_all(0x6B, (0xAE41, 0x5652, 0x4340))
    shelf.inputs.put(0x08, 0x000A)
    request, reply = EXAMPLES[name]
    assert Line(shelf).ask(frame(request)) == frame(reply)


def test_what_is_written_can_be_read():
    line = Line()
    assert line.ask(modbus.write_registers(UNIT, 2, [0x1234, 0xFFFF]))
    assert line.ask(modbus.read_request(UNIT, 3, 2, 2))[3:-2] == frame("1234 FFFF")
    assert line.ask(modbus.write_coils(UNIT, 5, [1, 0, 1]))
    assert line.ask(modbus.read_request(UNIT, 1, 5, 3))[3:-2] == frame("05")


def test_masks_and_read_write_as_the_specification_has_them():
    """MODBUS Application Protocol V1.1b3, the examples of 6.16 and 6.17."""
    shelf = Shelf()
    line = Line(shelf)
    shelf.holding.put(4, 0x12)
    request = modbus.mask_write(UNIT, 4, 0xF2, 0x25)
    assert line.ask(request) == request
    assert shelf.holding.get(4) == 0x17
    shelf.holding.put_all(3, (0x00FE, 0x0ACD, 0x0001, 0x0003, 0x000D, 0x00FF))
    reply = line.ask(modbus.read_write(UNIT, 3, 6, 14, [0x00FF] * 3))
    assert reply[:-2] == frame("11 17 0C 00FE 0ACD 0001 0003 000D 00FF") and crc16(reply) == 0
    assert [shelf.holding.get(address) for address in (13, 14, 15, 16, 17)] == [0, 0xFF, 0xFF, 0xFF, 0]
    reply = line.ask(modbus.read_write(UNIT, 20, 3, 21, [7]))
    assert reply[3:-2] == frame("0000 0007 0000"), "written before it is read"


def test_a_broadcast_mask_is_obeyed_and_a_broadcast_read_write_is_not():
    shelf = Shelf()
    line = Line(shelf)
    assert line.ask(modbus.mask_write(0, 4, 0, 5)) == b""
    body = bytes((0,)) + modbus.read_write(UNIT, 3, 1, 14, [9])[1:-2]
    assert line.ask(modbus.sealed(body)) == b""
    assert (shelf.holding.get(4), shelf.holding.get(14)) == (5, 0)


def test_a_known_read_shows_the_present_value():
    shelf = Shelf()
    line = Line(shelf)
    for value in (1, 2, 65535):
        shelf.inputs.put(7, value)
        assert line.ask(modbus.read_request(UNIT, 4, 7, 1))[3:-2] == value.to_bytes(2, "big")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("11 03 00 00 00 00", 3),
        ("11 03 00 00 00 7E", 3),
        ("11 04 00 00 FF FF", 3),
        ("11 01 00 00 00 00", 3),
        ("11 02 00 00 07 D1", 3),
        ("11 03 00 40 00 01", 2),
        ("11 03 00 3F 00 02", 2),
        ("11 03 FF FF 00 02", 2),
        ("11 01 00 3F 00 02", 2),
        ("11 05 00 00 12 34", 3),
        ("11 05 00 50 FF 00", 2),
        ("11 05 00 3F FF 00", 2),
        ("11 06 00 50 00 01", 2),
        ("11 06 00 3F 00 01", 2),
        ("11 0F 00 00 00 00 00", 3),
        ("11 0F 00 00 00 08 02 00 00", 3),
        ("11 0F 00 3C 00 08 01 00", 2),
        ("11 10 00 00 00 00 00", 3),
        ("11 10 00 00 00 01 04 00 00 00 00", 3),
        ("11 10 00 3F 00 02 04 00 00 00 00", 2),
        ("11 07", 1),
        ("11 08 00 00 12 34", 1),
        ("11 16 00 04 00 F2 00 25", 0),
        ("11 16 00 40 00 F2 00 25", 2),
        ("11 16 00 3F 00 F2 00 25", 2),
        ("11 17 00 03 00 06 00 0E 00 01 02 00 FF", 0),
        ("11 17 00 03 00 00 00 0E 00 01 02 00 FF", 3),
        ("11 17 00 03 00 7E 00 0E 00 01 02 00 FF", 3),
        ("11 17 00 03 00 06 00 0E 00 00 00", 3),
        ("11 17 00 03 00 06 00 0E 00 01 04 00 FF 00 FF", 3),
        ("11 17 00 3F 00 02 00 0E 00 01 02 00 FF", 2),
        ("11 17 00 03 00 06 00 40 00 01 02 00 FF", 2),
        ("11 17 00 03 00 06 00 3F 00 01 02 00 FF", 2),
        ("11 2B 0E 01 00", 1),
        ("11 03 00 64 00 7D", 0),
        ("11 01 00 64 00 C8", 0),
    ],
)
def test_exceptions_are_those_of_the_specification(body, code):
    assert Line().code(body) == code


def test_a_function_that_the_instrument_lacks_is_exception_1():
    shelf = Shelf()
    shelf.FUNCTIONS = frozenset((4,))
    line = Line(shelf)
    assert line.code("11 03 00 00 00 01") == 1
    assert line.code("11 06 00 00 00 01") == 1
    assert line.code("11 16 00 04 00 F2 00 25") == 1
    assert line.code("11 17 00 03 00 06 00 0E 00 01 02 00 FF") == 1
    assert line.code("11 04 00 00 00 01") == 0


def test_a_refused_write_changes_nothing():
    shelf = Shelf()
    line = Line(shelf)
    assert line.code("11 10 00 3E 00 02 04 12 34 56 78") == 2
    assert shelf.holding.get(0x3E) == 0
    assert shelf.writes == 0


def test_unknown_units_and_exception_replies_get_silence():
    line = Line()
    assert line.ask(modbus.read_request(0x12, 3, 0, 1)) == b""
    assert line.ask(modbus.sealed(frame("11 83 02"))) == b""


def test_a_broadcast_is_obeyed_by_all_and_answered_by_none():
    shelves = [Shelf(1), Shelf(2)]
    line = Line(*shelves)
    assert line.ask(modbus.write_register(0, 3, 77)) == b""
    assert [shelf.holding.get(3) for shelf in shelves] == [77, 77]
    assert line.ask(modbus.sealed(frame("00 03 00 00 00 01"))) == b""


def test_two_instruments_of_one_unit_id_are_refused():
    with pytest.raises(ValueError, match="unit 17 is both shelf and shelf"):
        ModbusSlaves([Shelf(), Shelf()], 38400)


def test_a_reply_starts_after_the_delay_of_its_instrument():
    line = ModbusSlaves([Shelf(1, 5), Shelf(2, 12.5)], 38400)
    assert line.received(modbus.read_request(1, 3, 0, 1), 100000)[0][0] == 105000
    assert line.received(modbus.read_request(2, 3, 0, 1), 200000)[0][0] == 212500


def test_a_request_may_come_in_pieces_but_not_after_a_silence():
    slaves = ModbusSlaves([Shelf()], 38400)
    request = modbus.read_request(UNIT, 3, 0, 1)
    assert slaves.received(request[:3], 1000) == ()
    assert slaves.partial()
    assert len(slaves.received(request[3:], 1000 + int(5 * slaves.char_us) + 1700)) == 1
    assert slaves.received(request[:3], 1000000) == ()
    assert slaves.received(request[3:], 1000000 + int(5 * slaves.char_us) + 1800) == ()
    assert len(slaves.received(request, 2000000)) == 1


def test_after_a_wrong_crc_nothing_is_heard_until_the_line_was_silent():
    slaves = ModbusSlaves([Shelf()], 38400)
    request = modbus.read_request(UNIT, 3, 0, 1)
    duration_us = int(len(request) * slaves.char_us)
    broken = request[:-1] + bytes((request[-1] ^ 1,))
    assert slaves.received(broken, 100000) == ()
    assert slaves.crc_errors == 1
    assert slaves.received(request, 100000 + duration_us + 500) == ()
    assert len(slaves.received(request, 200000)) == 1


def test_two_requests_in_one_read_are_both_obeyed():
    shelf = Shelf()
    slaves = ModbusSlaves([shelf], 38400)
    replies = slaves.received(modbus.write_register(0, 3, 9) + modbus.read_request(UNIT, 3, 3, 1), 500000)
    assert shelf.holding.get(3) == 9
    assert [start for start, _ in replies] == [505000]


def test_below_19200_baud_the_silence_is_three_and_a_half_characters():
    assert ModbusSlaves([Shelf()], 9600).silence_us == 4011
    assert ModbusSlaves([Shelf()], 19200).silence_us == 2006
    assert ModbusSlaves([Shelf()], 38400).silence_us == 1750


def test_the_host_is_watched_by_requests_to_that_unit_only():
    shelf, other = Shelf(1), Shelf(2)
    slaves = ModbusSlaves([shelf, other], 38400)
    shelf.lease_us = 300000
    slaves.received(modbus.read_request(1, 3, 0, 1), 100000)
    slaves.received(modbus.read_request(2, 3, 0, 1), 200000)
    assert shelf.expires_us == 400000
    slaves.received(modbus.read_request(1, 3, 0, 1), 399999)
    assert not shelf.lost
    expired = []
    shelf.expire = lambda at_us: expired.append(at_us)
    slaves.received(modbus.write_register(1, 0, 1), 900000)
    assert expired == [900000]
    assert shelf.expires_us == 1200000


def test_known_reads_are_bounded():
    line = Line()
    for address in range(64):
        for count in range(1, 64 - address):
            line.ask(modbus.read_request(UNIT, 3, address, count))
    assert len(line.slaves._known) == KNOWN_READS
    assert line.ask(modbus.read_request(UNIT, 4, 1, 1))


def test_expected_lengths():
    assert expected_length(frame("11")) == 4
    assert expected_length(frame("11 03")) == 8
    assert expected_length(frame("11 10 00 01")) == 9
    assert expected_length(frame("11 10 00 01 00 02 04")) == 13
    assert expected_length(frame("11 16")) == 10
    assert expected_length(frame("11 17 00 01 00 02 00 03 00 01")) == 13
    assert expected_length(frame("11 17 00 01 00 02 00 03 00 01 02")) == 15
    assert expected_length(frame("11 2B")) == 0


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=300), st.integers(0, 5000)), max_size=8))
def test_whatever_comes_there_is_no_crash_and_no_answer_without_a_request(pieces):
    slaves = ModbusSlaves([Shelf(), Shelf(1), Shelf(0x55)], 38400)
    end_us = 0
    heard = b""
    for data, pause_us in pieces:
        end_us += pause_us + int(len(data) * slaves.char_us) + 1
        heard += data
        for start_us, reply in slaves.received(data, end_us):
            assert crc16(reply) == 0
            assert start_us >= end_us - int(len(data) * slaves.char_us)
            # There was a frame with a right CRC for that unit.
            assert any(
                heard[i] == reply[0] and crc16(heard[i:j]) == 0
                for i in range(len(heard))
                for j in range(i + 4, len(heard) + 1)
            )
    assert slaves.received(modbus.read_request(1, 3, 0, 1), end_us + SILENT_US)


def _request(unit, function, address, count, data):
    if function in (15, 16):
        body = bytes((unit, function)) + address.to_bytes(2, "big") + count.to_bytes(2, "big")
        return body + bytes((len(data),)) + data
    if function == 22:
        return bytes((unit, function)) + address.to_bytes(2, "big") + (data + bytes(4))[:4]
    if function == 23:
        write = (data + bytes(4))[:4] + bytes((len(data[4:]),)) + data[4:]
        return bytes((unit, function)) + address.to_bytes(2, "big") + count.to_bytes(2, "big") + write
    return bytes((unit, function)) + address.to_bytes(2, "big") + count.to_bytes(2, "big")


@given(
    st.sampled_from((UNIT, 0, 9)),
    st.integers(0, 255),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.binary(max_size=246),
)
def test_a_sound_frame_gets_a_sound_answer_and_a_broken_one_none(unit, function, address, count, data):
    request = modbus.sealed(_request(unit, function, address, count, data))
    reply = Line().ask(request)
    if unit != UNIT or function > 127:
        assert reply == b""
    else:
        assert crc16(reply) == 0
        assert reply[0] == unit and reply[1] in (function, function | 0x80)
    broken = bytes((request[0], request[1] ^ 0x01)) + request[2:]
    assert Line().ask(broken) == b""


# ---- Fuzzing

FRAMES = [
    modbus.read_request(UNIT, 1, 0, 20),
    modbus.read_request(UNIT, 2, 3, 64),
    modbus.read_request(UNIT, 3, 0, 64),
    modbus.read_request(UNIT, 4, 100, 125),
    modbus.write_register(UNIT, 5, 77),
    modbus.write_registers(UNIT, 100, list(range(60))),
    modbus.write_registers(0, 2, [1, 2, 3]),
    modbus.sealed(frame("11 05 0003 FF00")),
    modbus.sealed(frame("11 0F 0003 0009 02 FF01")),
    modbus.sealed(frame("11 16 0003 FFFF 0000")),
    modbus.sealed(frame("11 17 0000 0002 0004 0002 04 0001 0002")),
]


def fuzzed(seed, total):
    """Memory of the slaves after so many bytes, in objects that they keep."""
    shelf = Shelf()
    slaves = ModbusSlaves([shelf], 115200)
    serve = slaves._serve

    def serve_judged(request, end_us):
        assert crc16(request) == 0, "obeyed with a wrong CRC"
        return serve(request, end_us)

    def judge(reply):
        assert crc16(reply) == 0
        assert reply[0] == UNIT and 5 <= len(reply) <= 256
        function = reply[1] & 0x7F
        assert reply[1] & 0x80 and reply[2] in (1, 2, 3) or function in (1, 2, 3, 4, 5, 6, 15, 16, 22, 23)

    slaves._serve = serve_judged
    answers = fuzz.run(seed, slaves, FRAMES, lambda data: modbus.sealed(data[:-2]), total, judge)
    assert answers > total / 500, "some of it is well-formed"
    assert slaves.crc_errors > total / 5000 and shelf.writes > total / 5000
    assert len(slaves._buffer) <= 256 and len(slaves._known) <= KNOWN_READS
    assert [len(table.data) for table in shelf.tables.values()] == [264, 264, 528, 528]
    slaves.received(b"\0", 1 << 50)
    return slaves.received(FRAMES[2], (1 << 50) + SILENT_US)


def test_a_million_random_and_mutated_bytes_do_no_harm():
    ((_, reply),) = fuzzed(1, 1000000)
    assert len(reply) == 133 and crc16(reply) == 0, "and it still answers"


@pytest.mark.long
def test_ten_million_random_and_mutated_bytes_do_no_harm():
    for seed in range(10):
        ((_, reply),) = fuzzed(100 + seed, 1000000)
        assert len(reply) == 133 and crc16(reply) == 0
