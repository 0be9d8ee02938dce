"""The emulator as a process on a pseudo-terminal, read by masters that others wrote."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty

import pytest
from pymodbus.client import ModbusSerialClient

from edge.node.bus import modbus
from edge.node.devices import ach550, m7019r, m7024, o2_analyser
from tests.parts import require_command

WITHIN_S = 10.0
ROOF, O2, MODULE, PRIMARY, GRATE = 1, 2, 3, 11, 15
CHAR_US = 11e6 / 38400


class Emulator:
    """The process; ended by its id whatever happens."""

    def __init__(self, *arguments, stdin=subprocess.PIPE, plant="bishkek"):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge.emulator.serve", plant, "--seed", "1", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._rest = b""
        try:
            self.port = self.answer()["port"]
        except BaseException:
            self.end()
            raise

    def answer(self):
        """Its next line."""
        end = time.monotonic() + WITHIN_S
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], "no answer"
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, self.process.stderr.read()
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line)

    def say(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        """Its exit code and what it complained of."""
        if self.process.stdout.closed:
            return None
        if self.process.poll() is None:
            self.process.kill()
        return self.left()

    def left(self):
        """Wait until it has ended by itself."""
        try:
            code = self.process.wait(timeout=WITHIN_S)
            return code, self.process.stderr.read().decode()
        finally:
            self.process.kill()
            self.process.wait(timeout=WITHIN_S)
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()


@pytest.fixture(scope="module")
def shared():
    emulator = Emulator("--attached")
    yield emulator
    emulator.end()


@pytest.fixture
def emulator(shared):
    yield shared
    shared.say("clear")


@pytest.fixture
def raw(emulator):
    """The port as a file descriptor, raw."""
    fd = os.open(emulator.port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    # What a master before has not read stays in a pseudo-terminal.
    termios.tcflush(fd, termios.TCIOFLUSH)
    yield fd
    os.close(fd)


def ask(fd, request, within_s=None, size=0):
    """What comes back, and when its groups came, in us from the request; ``size`` bytes are waited for."""
    if within_s is None:
        within_s = 2 * WITHIN_S if size else 0.5
    start = time.monotonic()
    os.write(fd, request)
    data, times = b"", []
    while select.select([fd], [], [], within_s)[0]:
        data += os.read(fd, 256)
        times.append((time.monotonic() - start) * 1e6)
        if len(data) >= size:
            within_s = 0.05
    return data, times


# ---- Masters that others wrote


@pytest.fixture
def client(emulator):
    client = ModbusSerialClient(emulator.port, baudrate=38400, timeout=10, retries=1)
    assert client.connect()
    yield client
    client.close()


def test_pymodbus_reads_and_writes_with_every_function(client):
    reply = client.read_input_registers(m7019r.AI_VALUE, count=8, device_id=ROOF)
    assert 9000 < reply.registers[0] < 10000
    reply = client.read_holding_registers(m7019r.AI_TYPE_CODE, count=8, device_id=ROOF)
    assert reply.registers == [15, 15, 0, 0, 7, 0, 7, 15]
    reply = client.read_input_registers(o2_analyser.O2, count=2, device_id=O2)
    o2 = client.convert_from_registers(reply.registers, client.DATATYPE.FLOAT32, word_order="big")
    assert 4.0 < o2 < 9.0
    assert client.read_coils(m7024.COIL_DATA_FORMAT, count=1, device_id=MODULE).bits[0]
    assert client.read_discrete_inputs(9, count=1, device_id=PRIMARY).bits[0], "remote"
    assert not client.write_coil(m7024.COIL_WATCHDOG_MODE, True, device_id=MODULE).isError()
    assert client.read_coils(m7024.COIL_WATCHDOG_MODE, count=1, device_id=MODULE).bits[0]
    assert not client.write_coils(m7024.COIL_WATCHDOG_MODE, [False, False], device_id=MODULE).isError()
    assert not client.write_register(ach550.REFERENCE_1, 9999, device_id=GRATE).isError()
    assert not client.write_registers(ach550.CONTROL_WORD, [0x006F, 10000], device_id=GRATE).isError()
    reply = client.read_holding_registers(ach550.CONTROL_WORD, count=2, device_id=GRATE)
    assert reply.registers == [0x006F, 10000]


def test_pymodbus_reads_and_writes_a_drive_in_one_request(client):
    reply = client.readwrite_registers(
        read_address=ach550.CONTROL_WORD,
        read_count=4,
        write_address=ach550.REFERENCE_1,
        values=[8000],
        device_id=GRATE,
    )
    assert reply.registers[:2] == [0x006F, 8000] and reply.registers[3] & 7 == 7
    refused = client.readwrite_registers(
        read_address=0, read_count=1, write_address=ach550.STATUS_WORD, values=[1], device_id=GRATE
    )
    assert refused.exception_code == 3, "read-only"
    refused = client.mask_write_register(address=0, and_mask=0xFFFF, or_mask=0, device_id=GRATE)
    assert refused.exception_code == 1, "not in the manual's table"


def test_pymodbus_masks_and_reads_and_writes_a_generic_device(tmp_path):
    path = tmp_path / "shelf.toml"
    held = "".join(
        f'[instrument.shelf.r{i}]\ntable = "holding"\naddress = {i}\ntype = "u16"\nvalue = {0x10 + i}\n'
        for i in range(4)
    )
    path.write_text(
        '[plant]\nname = "shelf"\n[model]\nkind = "grate"\n[line]\nbaud = 38400\n'
        f'[instrument.shelf]\ntype = "modbus"\nunit = 9\ndelay_ms = 5\n{held}'
    )
    emulator = Emulator(plant=str(path))
    try:
        client = ModbusSerialClient(emulator.port, baudrate=38400, timeout=1, retries=1)
        assert client.connect()
        assert not client.mask_write_register(address=2, and_mask=0xF2, or_mask=0x25, device_id=9).isError()
        assert client.read_holding_registers(2, count=1, device_id=9).registers == [0x17]
        reply = client.readwrite_registers(
            read_address=0, read_count=4, write_address=1, values=[513, 514], device_id=9
        )
        assert reply.registers == [0x10, 513, 514, 0x13]
        client.close()
    finally:
        emulator.end()


def test_pymodbus_gets_the_exceptions(client):
    assert client.read_input_registers(8, count=1, device_id=ROOF).exception_code == 2
    assert client.read_holding_registers(0, count=1, device_id=O2).exception_code == 1
    assert client.write_register(ach550.COMM_FAULT_FUNC, 9, device_id=PRIMARY).exception_code == 3
    assert client.write_register(m7019r.AI_VALUE, 1, device_id=ROOF).exception_code == 2


def mbpoll(emulator, *arguments, timeout_s=5):
    line = ["-m", "rtu", "-b", "38400", "-P", "none", "-o", str(timeout_s), "-1"]
    done = subprocess.run(
        [require_command("mbpoll"), *line, *arguments],
        capture_output=True,
        text=True,
        timeout=4 * WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    values = [int(found) for found in re.findall(r"^\[\d+\]:\s+(-?\d+)", done.stdout, re.M)]
    return done.returncode, values, done.stdout + done.stderr


def test_mbpoll_reads_every_unit_of_the_line(emulator):
    port = emulator.port
    code, values, said = mbpoll(emulator, "-a", "1", "-t", "3", "-r", "1", "-c", "8", port)
    assert code == 0 and len(values) == 8 and 9000 < values[0] < 10000, said
    code, values, said = mbpoll(emulator, "-a", "2", "-t", "3", "-r", "3", "-c", "2", port)
    assert code == 0 and values == [0, 7000], said
    code, values, said = mbpoll(emulator, "-a", "3", "-t", "0", "-r", "269", "-c", "2", port)
    assert code == 0 and values == [1, 0], said
    for unit in range(11, 16):
        code, values, said = mbpoll(emulator, "-a", str(unit), "-t", "4", "-r", "4", "-c", "2", port)
        assert code == 0 and values[0] & 7 == 7, said
        code, values, said = mbpoll(emulator, "-a", str(unit), "-t", "1", "-r", "1", "-c", "3", port)
        assert code == 0 and values == [1, 1, 1], said


def test_mbpoll_writes_and_is_refused_and_finds_nobody(emulator):
    port = emulator.port
    code, _, said = mbpoll(emulator, "-a", "3", "-t", "4", "-r", "97", port, "5000", "6000")
    assert code == 0 and "Written 2 references" in said
    code, values, said = mbpoll(emulator, "-a", "3", "-t", "4", "-r", "97", "-c", "2", port)
    assert values == [5000, 6000], said
    assert "Illegal data address" in mbpoll(emulator, "-a", "1", "-t", "3", "-r", "100", port)[2]
    assert "Illegal function" in mbpoll(emulator, "-a", "2", "-t", "4", "-r", "1", port)[2]
    assert "timed out" in mbpoll(emulator, "-a", "77", "-t", "4", "-r", "1", port, timeout_s=0.5)[2]


# ---- The line


def test_a_reply_keeps_to_the_time_of_the_line(raw):
    request = modbus.read_request(ROOF, 4, 0, 8)
    expected_us = 8 * CHAR_US + 5000 + 21 * CHAR_US
    late_us = []
    groups = []
    end = time.monotonic() + 2 * WITHIN_S
    # On a busy machine many are late, but none would ever be on time where the pace was wrong.
    while len(late_us) < 20 or min(late_us) >= 3000:
        assert time.monotonic() < end
        reply, times = ask(raw, request, size=21)
        assert len(reply) == 21
        groups.append(len(times))
        late_us.append(times[-1] - expected_us)
        time.sleep(0.01)
    assert min(late_us) > -100
    assert max(groups) > 1, "in groups, as a UART hands them over"


def test_noise_is_survived_and_nothing_answers_it(emulator, raw):
    before = emulator.say("state")["line"]
    broken = modbus.read_request(ROOF, 4, 0, 8)[:-1] + b"\x00"
    for junk in (b"\x00", b"\xff" * 300, broken, bytes(range(256))):
        assert ask(raw, junk, 0.1)[0] == b""
        time.sleep(0.05)
        assert len(ask(raw, modbus.read_request(ROOF, 4, 0, 8), size=21)[0]) == 21
    after = emulator.say("state")["line"]
    assert after["crc_errors"] > before["crc_errors"]
    assert after["requests"] - before["requests"] == after["replies"] - before["replies"] == 4


def test_who_talks_into_a_reply_garbles_both_and_is_counted(emulator, raw):
    before = emulator.say("state")["line"]
    # With so many stray bytes before it, the answer takes the line for more than 60 ms.
    request = modbus.read_request(ROOF, 3, m7019r.AI_TYPE_CODE, 8)
    emulator.say("fault 1 stray 200")
    os.write(raw, request)
    time.sleep(0.03)
    os.write(raw, request)
    time.sleep(0.2)
    after = emulator.say("state")["line"]
    assert after["collisions"] == before["collisions"] + 1
    assert after["replies"] == before["replies"] + 1


def test_who_does_not_wait_for_the_silence_is_counted(emulator, raw):
    before = emulator.say("state")["line"]
    asked = 0
    end = time.monotonic() + WITHIN_S
    while True:
        # On a busy machine the silence passes before the next request gets out: once is enough.
        os.write(raw, modbus.read_request(ROOF, 4, 0, 1))
        asked += 1
        received = 0
        while received < 7 and select.select([raw], [], [], 1)[0]:
            received += len(os.read(raw, 256))
        after = emulator.say("state")["line"] if asked % 5 == 0 else before
        if after["violations"] > before["violations"]:
            break
        assert time.monotonic() < end
    assert after["replies"] == before["replies"] + asked


def test_others_go_on_while_a_late_answer_is_on_its_way(emulator, raw):
    before = emulator.say("state")["line"]
    emulator.say("fault 1 late 300")
    os.write(raw, modbus.read_request(ROOF, 4, 0, 1))
    time.sleep(0.05)
    reply, _ = ask(raw, modbus.read_request(O2, 4, 0, 4), size=13)
    assert reply[0] == O2 and len(reply) == 13
    assert select.select([raw], [], [], 1)[0]
    time.sleep(0.05)
    assert os.read(raw, 256)[0] == ROOF
    assert emulator.say("state")["line"]["collisions"] == before["collisions"]


def test_faults_from_the_console(emulator, raw):
    request = modbus.read_request(ROOF, 4, 0, 1)
    good = ask(raw, request, size=7)[0]
    assert len(good) == 7
    assert emulator.say("fault roof silence") == {"ok": True}
    assert ask(raw, request, 0.1)[0] == b""
    assert emulator.say("state")["faults"] == [{"unit": 1, "kind": "silence", "arg": None}]
    assert emulator.say("clear roof") == {"ok": True}
    assert len(ask(raw, request)[0]) == 7
    assert emulator.say("fault 1 truncated 3") == {"ok": True}
    assert len(ask(raw, request, 2)[0]) == 3
    emulator.say("clear")
    assert emulator.say("fault 1 truncated 3 0.5s") == {"ok": True}
    wait_until(lambda: not emulator.say("state")["faults"])
    assert len(ask(raw, request, 2)[0]) == 7
    assert emulator.say("fault 1 silence 0.2") == {"ok": True}
    assert emulator.say("fault 1 burnt_out 0 30") == {"ok": True}
    wait_until(lambda: len(emulator.say("state")["faults"]) == 1)
    began_s = emulator.say("state")["time_s"]
    wait_until(lambda: emulator.say("state")["time_s"] > began_s + 0.5)
    assert ask(raw, request)[0][3:5] == b"\x7f\xff"
    assert emulator.say("fault 1 late") == {"ok": True}
    assert ask(raw, request)[1][0] > 150000


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("dance", "no command 'dance'; expected fault, clear, set, register, state"),
        ("", "an empty command"),
        ("fault", "expected fault UNIT KIND"),
        ("fault 1 explode", "has no fault 'explode'"),
        ("fault 77 silence", "no unit 77"),
        ("fault oven silence", "no unit 'oven'"),
        ("fault 1 silence soon", "SECONDS is 'soon'; expected a number"),
        ("fault 1 late 5 6 7", "expected fault UNIT KIND"),
        ("clear 1 2", "expected clear"),
        ("set moisture_mean", "expected set NAME VALUE"),
        ("set moisture_mean wet", "VALUE is 'wet'; expected a number"),
        ("set moisture_mean 7", "expected a number from 0.15"),
        ("set feeder_pct 7", "driven by an instrument"),
    ],
)
def test_a_wrong_command_is_answered_by_what_was_expected(emulator, command, message):
    assert message in emulator.say(command)["error"]


def test_state_shows_what_reaches_the_plant(emulator, client):
    client.write_registers(m7024.AO_VALUE, [8000], device_id=MODULE)
    time.sleep(0.4)
    state = emulator.say("state")
    assert state["outputs"]["burner"] == 25.0
    assert state["leases"]["burner_and_heater"] == {"armed": False, "expired": False}
    assert 800.0 < state["process"]["t_a1_c"] < 1100.0
    assert state["time_s"] > 0
    client.write_registers(m7024.AO_VALUE, [4000], device_id=MODULE)
    assert emulator.say("set moisture_mean 0.5") == {"ok": True}


def test_it_needs_little_of_the_processor(emulator, raw):
    def used_s():
        with open(f"/proc/{emulator.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    start, before = time.monotonic(), used_s()
    asked = 0
    while asked < 30:
        assert time.monotonic() - start < 6 * WITHIN_S
        asked += len(ask(raw, modbus.read_request(ROOF, 4, 0, 8), size=21)[0]) == 21
    assert (used_s() - before) / (time.monotonic() - start) < 0.2


# ---- Its life


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_without_a_word(number, tmp_path):
    link = tmp_path / "line"
    emulator = Emulator("--link", str(link))
    assert os.path.realpath(link) == emulator.port
    emulator.process.send_signal(number)
    assert emulator.left() == (0, "")
    assert not os.path.lexists(link)


def test_quit_ends_it():
    emulator = Emulator()
    assert emulator.say("quit") == {"ok": True}
    assert emulator.left() == (0, "")


def test_attached_it_ends_with_its_input_and_otherwise_not():
    emulator = Emulator("--attached")
    emulator.process.stdin.close()
    assert emulator.left() == (0, "")
    emulator = Emulator(stdin=subprocess.DEVNULL)
    time.sleep(0.3)
    assert emulator.process.poll() is None
    emulator.process.terminate()
    assert emulator.left() == (0, "")


def complaint(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "edge.emulator.serve", *arguments],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr
    return done.stderr


def test_what_can_not_be_is_said_in_a_sentence(tmp_path):
    assert "no plant 'atlantis': there are bishkek" in complaint("atlantis")
    assert "/dev/nowhere does not exist" in complaint("bishkek", "--port", "/dev/nowhere")
    taken = tmp_path / "taken"
    taken.write_text("mine")
    assert "can't be made: File exists" in complaint("bishkek", "--link", str(taken))
    assert taken.read_text() == "mine"


def test_an_old_link_is_replaced(tmp_path):
    link = tmp_path / "line"
    link.symlink_to("/dev/pts/987654")
    emulator = Emulator("--link", str(link))
    try:
        assert os.path.realpath(link) == emulator.port
    finally:
        emulator.end()


def test_it_serves_a_serial_port_too():
    """Two pseudo-terminals back to back stand for a cable with a serial port at its end."""
    near, far = os.openpty()
    tty.setraw(far)
    emulator = Emulator("--port", os.ttyname(far))
    try:
        reply, _ = ask(near, modbus.read_request(ROOF, 4, 0, 8))
        assert len(reply) == 21
    finally:
        emulator.end()
        os.close(near)
        os.close(far)


def wait_until(condition):
    end = time.monotonic() + 2 * WITHIN_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# ---- Faults at their times, and the time line

SCRIPT = """
[[fault]]
at_s = 0
unit = "roof"
kind = "silence"
for_s = 0.5
"""


def test_a_script_and_a_time_line_on_the_command_line(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(SCRIPT)
    emulator = Emulator("--script", str(path), "--timeline")
    try:
        fd = os.open(emulator.port, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(fd)
            request = modbus.read_request(ROOF, 4, 0, 1)
            end = time.monotonic() + WITHIN_S
            while not ask(fd, request, 0.1)[0]:
                assert time.monotonic() < end
        finally:
            os.close(fd)
        entries = emulator.say("timeline")["timeline"]
        assert entries[0][2:] == ["fault begins", ROOF, "", "silence", None, -1, -1]
        assert [ROOF, request.hex()] == entries[1][3:5]
        ((at_s, what),) = [entry[1:3] for entry in entries if entry[2] == "fault ends"]
        assert at_s == 0.5 and what == "fault ends"
        assert entries[-1][2] == "reply" and entries[-1][1] > 0.5
        number = entries[-1][0]
        assert emulator.say(f"timeline {number}") == {"timeline": []}
        assert "burnt_out" in emulator.say("kinds roof")["kinds"]
        assert "no unit 'stove'" in emulator.say("kinds stove")["error"]
    finally:
        emulator.end()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--script", "nowhere.toml"), "nowhere.toml: can't be read: No such file"),
        (("--script", "a.toml", "--chaos", "1"), "not allowed with argument"),
        (("--chaos", "much"), "invalid int value: 'much'"),
    ],
)
def test_a_wrong_script_or_seed_stops_the_start(arguments, message):
    done = subprocess.run(
        [sys.executable, "-m", "edge.emulator.serve", *arguments],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2 and message in done.stderr


def test_without_a_time_line_the_console_says_how_to_have_one(emulator):
    assert "start with --timeline" in emulator.say("timeline")["error"]
