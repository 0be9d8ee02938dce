"""TCP as the line: Modbus TCP and RTU over TCP, with masters that others wrote, and with hostile bytes."""

import re
import select
import socket
import struct
import subprocess
import time
from random import Random

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.framer import FramerType

from edge.emulator.furnace_bench import FurnaceBench
from edge.emulator.modbus_tcp import MASTERS, ModbusTcp
from edge.emulator.tcp import READ
from edge.node.bus import modbus
from tests.emulator.test_plant_of_values import PLANT
from tests.parts import require_command

WITHIN_S = 20.0
ROOF, PROBE = 1, 9


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    path = tmp_path_factory.mktemp("tcp") / "shelf.toml"
    path.write_text(PLANT)
    found = {line: FurnaceBench(plant=path, line=line) for line in ("tcp", "rtu_over_tcp")}
    yield found
    for bench in found.values():
        bench.close()


@pytest.fixture(params=["tcp", "rtu_over_tcp"])
def bench(request, benches):
    yield benches[request.param]
    benches[request.param].clear()


@pytest.fixture
def tcp(benches):
    yield benches["tcp"]
    benches["tcp"].clear()


@pytest.fixture
def rtu(benches):
    yield benches["rtu_over_tcp"]
    benches["rtu_over_tcp"].clear()


def where(bench):
    host, port = bench.port.rsplit(":", 1)
    return host, int(port)


def client_of(bench, benches, **options):
    framer = FramerType.SOCKET if bench is benches["tcp"] else FramerType.RTU
    host, port = where(bench)
    client = ModbusTcpClient(host, port=port, framer=framer, timeout=10, retries=2, **options)
    deadline = time.monotonic() + WITHIN_S
    while not client.connect():
        assert time.monotonic() < deadline
    return client


def test_it_listens_on_the_loopback_only(bench):
    assert bench.port.startswith("127.0.0.1:")


def test_pymodbus_reads_writes_and_is_refused(bench, benches):
    client = client_of(bench, benches)
    try:
        assert client.read_input_registers(0, count=1, device_id=PROBE).registers == [205]
        assert not client.write_registers(10, [0x4320, 0], device_id=PROBE).isError()
        assert bench.registers["probe.setpoint"] == 160.0
        assert client.read_input_registers(99, count=1, device_id=PROBE).exception_code == 2
        bench.busy("probe", replies=1)
        assert client.read_input_registers(0, count=1, device_id=PROBE).exception_code == 6
        assert client.read_input_registers(0, count=1, device_id=PROBE).registers == [205]
    finally:
        client.close()


def mbpoll(bench, *arguments):
    host, port = where(bench)
    command = [
        require_command("mbpoll"),
        "-m",
        "tcp",
        "-p",
        str(port),
        "-o",
        "2",
        "-1",
        *arguments[:-1],
        host,
    ]
    done = subprocess.run(
        [*command, *arguments[-1]], capture_output=True, text=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL
    )
    return [
        int(found) for found in re.findall(r"^\[\d+\]:\s+(-?\d+)", done.stdout, re.M)
    ], done.stdout + done.stderr


def test_mbpoll_reads_and_writes_by_modbus_tcp(tcp):
    values, said = mbpoll(tcp, "-a", "9", "-t", "3", "-r", "1", [])
    assert values == [205], said
    assert "Written 1 references" in mbpoll(tcp, "-a", "9", "-t", "4", "-r", "21", ["33"])[1]
    assert tcp.registers["probe.power"] == 33.0


class Raw:
    """A connection, byte by byte."""

    def __init__(self, bench):
        self.socket = socket.create_connection(where(bench), timeout=WITHIN_S)

    def ask(self, transaction, body, protocol=0, length=None):
        length = len(body) if length is None else length
        self.socket.sendall(struct.pack(">HHH", transaction, protocol, length) + body)

    def reply(self, within_s=WITHIN_S):
        """Transaction and body; None: nothing came."""
        if not select.select([self.socket], [], [], within_s)[0]:
            return None
        head = self._exactly(6)
        transaction, protocol, length = struct.unpack(">HHH", head)
        assert protocol == 0
        return transaction, self._exactly(length)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            assert piece, "closed"
            data += piece
        return data

    def closed(self, peek=False):
        """Whether the other side has ended it; ``peek``: what has come instead stays to be read."""
        try:
            return self.socket.recv(1, socket.MSG_PEEK if peek else 0) == b""
        except OSError:
            return True

    def close(self):
        self.socket.close()


GET = bytes((PROBE, 4, 0, 0, 0, 1))
GOT = bytes((PROBE, 4, 2, 0, 205))


def test_every_answer_has_the_transaction_of_its_request_also_of_many_at_once(tcp):
    masters = [Raw(tcp) for _ in range(3)]
    for turn in range(5):
        for number, master in enumerate(masters):
            master.ask(1000 * number + turn, GET)
    for number, master in enumerate(masters):
        assert [master.reply() for _ in range(5)] == [(1000 * number + turn, GOT) for turn in range(5)]
        master.close()


def test_nobody_waits_for_a_silent_unit_and_damage_does_not_get_through(tcp):
    master = Raw(tcp)
    for kind in ("silence", "wrong_crc", "truncated"):
        tcp.fault("probe", kind)
        master.ask(1, GET)
        master.ask(2, bytes((ROOF, 4, 0, 0, 0, 1)))
        assert master.reply()[0] == 2
        tcp.clear()
    master.ask(3, GET)
    assert master.reply() == (3, GOT)
    tcp.duplicated("probe", 5)
    master.ask(4, GET)
    assert [master.reply(), master.reply()] == [(4, GOT), (4, GOT)]
    tcp.clear()
    tcp.echo()
    master.ask(5, GET)
    assert master.reply() == (5, GOT)
    master.close()


@pytest.mark.parametrize(("protocol", "length"), [(1, 6), (0, 0), (0, 1), (0, 255), (0, 65535)])
def test_a_header_that_can_not_be_ends_the_connection_and_nothing_else(tcp, protocol, length):
    other = Raw(tcp)
    master = Raw(tcp)
    master.ask(1, GET + bytes(4), protocol, length)
    assert master.closed()
    other.ask(7, GET)
    assert other.reply() == (7, GOT)
    for raw in (master, other):
        raw.close()


def test_more_masters_than_it_has_room_for_are_sent_away(tcp):
    masters = []
    for number in range(MASTERS):
        masters.append(Raw(tcp))
        masters[-1].ask(number, GET)
        assert masters[-1].reply() == (number, GOT)
    late = Raw(tcp)
    assert late.closed()
    masters.pop().close()
    tcp.wait_for(lambda state: state["port"]["connections"] == MASTERS - 1, WITHIN_S)
    again = Raw(tcp)
    again.ask(5, GET)
    assert again.reply() == (5, GOT)
    for raw in (*masters, late, again):
        raw.close()
    tcp.wait_for(lambda state: state["port"]["connections"] == 0, WITHIN_S)


def test_random_bytes_do_no_harm(bench, benches):
    rng = Random(4)
    for _ in range(15):
        raw = Raw(bench)
        try:
            for _ in range(rng.randrange(1, 5)):
                raw.socket.sendall(rng.randbytes(rng.randrange(1, 2000)))
        except OSError:
            # It has been sent away.
            pass
        raw.close()
    bench.wait_for(lambda state: state["port"]["connections"] == 0, WITHIN_S)
    client = client_of(bench, benches)
    try:
        deadline = time.monotonic() + WITHIN_S
        while client.read_input_registers(0, count=1, device_id=PROBE).isError():
            assert time.monotonic() < deadline
    finally:
        client.close()


def test_what_is_not_yet_used_is_bounded_and_waits_outside():
    end = ModbusTcp("0")

    class Busy:
        def add_tap(self, tap):
            pass

        def idle(self):
            return False

    end.join(Busy())
    host, port = end.path.rsplit(":", 1)
    flood = socket.create_connection((host, int(port)))
    flood.setblocking(False)
    try:
        for _ in range(2000):
            end.any()
            try:
                flood.send((b"\0\1\0\0\0\6" + GET) * 300)
            except BlockingIOError:
                break
        else:
            raise AssertionError("it takes bytes without end")
        (connection,) = end._listener.connections
        assert len(connection.kept) <= READ and not connection.wants() and len(end._waiting) <= 16
    finally:
        flood.close()
        end.close()


def test_one_master_at_a_time_has_the_line_of_rtu_over_tcp(rtu):
    request = modbus.read_request(PROBE, 4, 0, 1)
    # The master of the test before has the line until its end is noticed.
    end = time.monotonic() + WITHIN_S
    while True:
        first = Raw(rtu)
        first.socket.sendall(request)
        if not first.closed(peek=True):
            break
        first.close()
        assert time.monotonic() < end, "the line stays taken"
        time.sleep(0.05)
    assert first._exactly(7) == modbus.sealed(GOT)
    second = Raw(rtu)
    assert second.closed()
    for raw in (first, second):
        raw.close()


def test_an_unplugged_line_is_refused_and_is_back_at_the_same_port(bench, benches):
    bench.unplugged()
    bench.wait_for(lambda state: state["port"]["lost"], WITHIN_S)
    with pytest.raises(OSError):
        Raw(bench)
    bench.clear()
    bench.wait_for(lambda state: not state["port"]["lost"], WITHIN_S)
    client = client_of(bench, benches)
    try:
        assert client.read_input_registers(0, count=1, device_id=PROBE).registers == [205]
    finally:
        client.close()


def test_the_time_line_of_tcp_is_that_of_the_line_behind_it(tcp):
    master = Raw(tcp)
    after = max((entry.number for entry in tcp.timeline()), default=0)
    master.ask(1, GET)
    assert master.reply() == (1, GOT)
    request, reply = tcp.timeline(after)
    assert (request.what, request.function, request.address, request.count) == ("request", 4, 0, 1)
    assert reply.data == modbus.sealed(GOT)
    master.close()
