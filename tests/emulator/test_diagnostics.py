"""Functions 8, 17 and 43 of a described device, by hand and by a master that others wrote."""

import subprocess

import pytest
from pymodbus.client import ModbusSerialClient

from edge.emulator import plant_file
from edge.emulator.plant_file import PlantFileError
from edge.node.bus import modbus
from tests.emulator.test_bench import Desk
from tests.emulator.test_plant_of_values import PLANT
from tests.parts import require_command

UNIT = 9
IDENTITY = '\n[instrument.probe.identity]\nvendor = "Acme"\nproduct = "P1"\nrevision = "2.3"\n'


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shelf.toml"
    path.write_text(PLANT + IDENTITY)
    return str(path)


@pytest.fixture
def desk(path):
    return Desk(path)


def diagnose(desk, sub, data=0):
    """The data of the reply, or minus the exception code, or None where there was no reply."""
    body = bytes((UNIT, 8)) + sub.to_bytes(2, "big") + data.to_bytes(2, "big")
    reply = desk.ask(modbus.sealed(body))
    if not reply:
        return None
    return -reply[2] if reply[1] & 0x80 else int.from_bytes(reply[4:-2], "big")


def test_the_counters_count_and_are_cleared(desk):
    read = modbus.read_request(UNIT, 4, 0, 1)
    assert diagnose(desk, 0, 0x1234) == 0x1234
    assert diagnose(desk, 10) == 0
    desk.ask(read)
    desk.ask(read)
    desk.ask(modbus.read_request(1, 4, 0, 1))
    desk.ask(modbus.read_request(UNIT, 4, 99, 1))
    desk.ask(read[:-1] + b"\x00")
    desk.bench.fault("probe", "busy", replies=1)
    desk.ask(read)
    desk.ask(modbus.write_register(0, 20, 1))
    # What was on the line since, this request too; damaged; refused; to this unit; unanswered; busy.
    assert diagnose(desk, 11) == 7
    assert [diagnose(desk, sub) for sub in (12, 13)] == [1, 2]
    assert diagnose(desk, 14) >= 5
    assert [diagnose(desk, sub) for sub in (15, 16, 17, 18, 2)] == [1, 0, 1, 0, 0]
    assert diagnose(desk, 1) == 0
    assert diagnose(desk, 13) == 0
    assert diagnose(desk, 99) == -1 and diagnose(desk, 11, 5) == -3


def test_in_listen_only_mode_nothing_but_a_restart_is_heard(desk):
    assert diagnose(desk, 4) is None
    assert desk.ask(modbus.read_request(UNIT, 4, 0, 1)) == b""
    assert desk.ask(modbus.write_register(UNIT, 20, 50)) == b"" and diagnose(desk, 0, 7) is None
    assert desk.bench.register("probe.power") == 0.0
    assert len(desk.ask(modbus.read_request(1, 4, 0, 1))) == 7, "the others hear"
    assert diagnose(desk, 1) is None, "the restart ends it, and is not answered"
    assert len(desk.ask(modbus.read_request(UNIT, 4, 0, 1))) == 7


def identify(desk, code, first, mei=14):
    reply = desk.ask(modbus.sealed(bytes((UNIT, 43, mei, code, first))))
    if reply[1] & 0x80:
        return -reply[2]
    assert reply[2:5] == bytes((14, code, 0x82)) and reply[5:7] == b"\0\0"
    found, place = {}, 8
    for _ in range(reply[7]):
        number, size = reply[place], reply[place + 1]
        found[number] = reply[place + 2 : place + 2 + size].decode()
        place += 2 + size
    assert place == len(reply) - 2
    return found


def test_it_says_who_it_is(desk):
    basic = {0: "Acme", 1: "P1", 2: "2.3"}
    assert identify(desk, 1, 0) == basic
    assert identify(desk, 2, 0) == {**basic, 4: "probe"} == identify(desk, 3, 77)
    assert identify(desk, 2, 2) == {2: "2.3", 4: "probe"}
    assert identify(desk, 4, 1) == {1: "P1"}
    assert identify(desk, 4, 9) == -2 and identify(desk, 5, 0) == -3 and identify(desk, 1, 0, 13) == -1
    assert desk.ask(modbus.sealed(bytes((UNIT, 17))))[2:-2] == b"\x04\x09\xffP1"
    assert desk.ask(modbus.sealed(bytes((1, 17))))[1:3] == b"\x91\x01", "a module without it refuses"


@pytest.mark.parametrize(
    "asked", [b"\x09\x08", b"\x09\x08\x00", b"\x09\x2b\x0e", b"\x09\x11\x00", b"\x09\x2b"]
)
def test_a_request_that_is_too_short_does_no_harm(desk, asked):
    reply = desk.ask(modbus.sealed(asked))
    assert reply == b"" or reply[1] & 0x80 or reply[1] == 17
    desk.wait(0.1)
    assert len(desk.ask(modbus.read_request(UNIT, 4, 0, 1))) == 7


def test_a_long_identity_is_refused(tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(PLANT + IDENTITY.replace("Acme", "A" * 51))
    with pytest.raises(PlantFileError, match=r"\[instrument.probe.identity\] vendor: .* up to 50 characters"):
        plant_file.load(str(path))


def test_mbpoll_reads_the_server_id(furnace_bench_factory, path):
    bench = furnace_bench_factory(plant=path)
    command = [
        require_command("mbpoll"),
        "-m",
        "rtu",
        "-b",
        "38400",
        "-P",
        "none",
        "-o",
        "2",
        "-u",
        "-a",
        "9",
    ]
    done = subprocess.run(
        [*command, bench.port], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
    )
    said = done.stdout + done.stderr
    assert "0x09" in said and "On" in said and "P1" in said, said


def test_pymodbus_reads_identity_server_id_and_counters(furnace_bench_factory, path):
    bench = furnace_bench_factory(plant=path)
    client = ModbusSerialClient(bench.port, baudrate=bench.baud, timeout=2, retries=3)
    assert client.connect()
    try:
        found = client.read_device_information(read_code=2, object_id=0, device_id=UNIT)
        assert found.information == {0: b"Acme", 1: b"P1", 2: b"2.3", 4: b"probe"}
        found = client.report_device_id(device_id=UNIT)
        assert found.identifier.startswith(b"\x09\xffP"), "it takes the last byte for the run indicator"
        assert client.diag_query_data(msg=b"\x12\x34", device_id=UNIT).message in (b"\x12\x34", [0x1234])
        assert not client.diag_read_bus_message_count(device_id=UNIT).isError()
    finally:
        client.close()
