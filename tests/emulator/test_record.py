"""Captures of the line, read by tshark's Modbus dissector, which nobody here wrote."""

import json
import os
import select
import struct
import subprocess
import sys
import time
import tty

import pytest

from edge.box.child import Child
from edge.box.config import describe, find
from edge.emulator.record import LINKTYPE_USER0, Recorder
from edge.emulator.virtual import VirtualRun
from edge.node.bus import modbus
from tests.parts import require_command

START_MS = 1767225600000
WITHIN_S = 60
DLT = 'uat:user_dlts:"User 0 (DLT=147)","mbrtu","0","","0",""'
FIELDS = (
    "frame.time_epoch",
    "mbrtu.unit_id",
    "modbus.func_code",
    "modbus.reference_num",
    "modbus.regnum16",
    "modbus.regval_uint16",
)


def tshark(path, *arguments):
    command = [require_command("tshark"), "-r", str(path), "-o", DLT, "-o", "mbrtu.crc_verification:TRUE"]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def dissected(path):
    """Time, unit, function, first address and registers of every frame."""
    arguments = [word for field in FIELDS for word in ("-e", field)]
    return [line.split("|") for line in tshark(path, "-T", "fields", "-E", "separator=|", *arguments)]


def wrong(path):
    """What the dissector finds malformed, of a wrong CRC, or strange."""
    return tshark(path, "-Y", "_ws.malformed || mbrtu.crc16.status == 0 || _ws.expert")


class Tapped:
    """The node on the emulated line, with a recorder and what it has heard."""

    def __init__(self, path):
        self.heard = []
        self._recorder = Recorder(str(path), 0, START_MS)
        description, _ = describe(find("bishkek"))
        self.run = VirtualRun("bishkek", description, 1)
        self.run.wire.tap = self._tap

    def _tap(self, at_us, direction, data):
        self.heard.append((at_us, direction, data))
        self._recorder.heard(at_us, direction, data)

    def end(self):
        self._recorder.close()
        return self.heard


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("record") / "good.pcap"
    tapped = Tapped(path)
    tapped.run.run_for(15)
    return path, tapped.end()


def test_the_file_is_a_pcap_of_its_link_type(good):
    path, heard = good
    data = path.read_bytes()
    assert struct.unpack_from("<IHHiIII", data) == (0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_USER0)
    at_us, _, frame = heard[0]
    seconds, us, kept, size = struct.unpack_from("<IIII", data, 24)
    assert (seconds * 1000000 + us) == START_MS * 1000 + at_us
    assert kept == size == len(frame) and data[40 : 40 + size] == frame


def test_tshark_finds_no_malformed_frame_in_good_traffic(good):
    path, heard = good
    assert wrong(path) == []
    assert len(tshark(path)) == len(heard) > 400


def test_tshark_reads_the_same_units_functions_and_registers(good):
    path, heard = good
    registers = 0
    first = 0
    for (at_us, direction, data), frame in zip(heard, dissected(path), strict=True):
        epoch, unit, function, reference, numbers, values = frame
        assert round(float(epoch) * 1e6 - START_MS * 1e3) == pytest.approx(at_us, abs=1)
        assert (int(unit), int(function)) == (data[0], data[1])
        if direction == ">":
            first = data[2] << 8 | data[3]
            # The dissector names the address of functions 5 and 6 elsewhere.
            assert reference == ("" if function in ("5", "6") else str(first))
        elif data[1] in (modbus.READ_HOLDING_REGISTERS, modbus.READ_INPUT_REGISTERS):
            found = [int(value) for value in values.split(",")]
            assert found == list(modbus.unpack_registers(data[3:-2]))
            assert [int(number) for number in numbers.split(",")] == list(range(first, first + len(found)))
            registers += len(found)
    assert registers > 500


def test_a_capture_in_pcapng_says_the_direction_of_every_frame(tmp_path):
    path = tmp_path / "line.pcapng"
    tapped = Tapped(path)
    tapped.run.run_for(5)
    tapped.run.bench.fault("all", "echo")
    tapped.run.run_for(1)
    heard = tapped.end()
    assert wrong(path) == []
    # Of the master's interface: 2 is outbound, 1 inbound.
    fields = ("frame.packet_flags_direction", "frame.time_epoch", "frame.len")
    shown = tshark(path, "-T", "fields", *(word for field in fields for word in ("-e", field)))
    assert {direction for _, direction, _ in heard} == {">", "<", "="}
    for (at_us, direction, data), line in zip(heard, shown, strict=True):
        flags, epoch, size = line.split("\t")
        assert int(flags, 0) == (2 if direction == ">" else 1) and int(size) == len(data)
        assert round(float(epoch) * 1e6 - START_MS * 1e3) == pytest.approx(at_us, abs=1)


def test_tshark_sees_the_faults_that_the_line_had(tmp_path):
    path = tmp_path / "bad.pcap"
    tapped = Tapped(path)
    tapped.run.run_for(5)
    tapped.run.bench.fault("roof", "wrong_crc", replies=1)
    tapped.run.run_for(5)
    tapped.end()
    assert len(tshark(path, "-Y", "mbrtu.crc16.status == 0")) == 1


def test_the_emulator_on_a_pseudo_terminal_records_whole_frames(tmp_path):
    path = tmp_path / "real.pcap"
    options = ["--attached", "--silence-ms", "5000", "--record", str(path)]
    child = Child("emulator", "edge.emulator.serve", "bishkek", *options)
    try:
        port = json.loads(child.line(60))["port"]
        fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(fd)
            request = modbus.read_request(1, 4, 0, 8)
            received = b""
            for pieces in ((request,), (request[:3], request[3:])):
                for piece in pieces:
                    time.sleep(0.005)
                    os.write(fd, piece)
                wanted = len(received) + 21
                while len(received) < wanted and select.select([fd], [], [], 20)[0]:
                    received += os.read(fd, 64)
        finally:
            os.close(fd)
    finally:
        assert child.end() == 0
    assert len(received) == 42
    assert wrong(path) == []
    # The second request came in two pieces.
    assert [line[3] for line in dissected(path)] == ["0", "", "0", ""]


def test_an_echo_and_the_reply_behind_it_are_two_packets(tmp_path):
    path = tmp_path / "echo.pcapng"
    options = ["--seed", "1", "--attached", "--record", str(path)]
    child = Child("emulator", "edge.emulator.serve", "bishkek", *options)
    try:
        port = json.loads(child.line(15))["port"]
        child.say("fault all echo")
        assert json.loads(child.line(15)) == {"ok": True}
        fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(fd)
            received = b""
            os.write(fd, modbus.read_request(1, 4, 0, 8))
            while len(received) < 29 and select.select([fd], [], [], 20)[0]:
                received += os.read(fd, 64)
        finally:
            os.close(fd)
    finally:
        assert child.end() == 0
    assert len(received) == 29
    assert wrong(path) == []
    assert tshark(path, "-T", "fields", "-e", "frame.packet_flags_direction", "-e", "frame.len") == [
        "0x00000002\t8", "0x00000001\t8", "0x00000001\t21"
    ]  # fmt: skip


def test_a_capture_that_can_not_be_written_is_told(tmp_path):
    path = tmp_path / "nowhere" / "line.pcap"
    done = subprocess.run(
        [sys.executable, "-m", "edge.emulator.serve", "--record", str(path)],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert f"{path}: can't be written: No such file" in done.stderr
