"""Names of brokers, and the files of TLS."""

import socket

import pytest

from edge.node.report.connections import tcp, tls
from edge.node.report.connections.tcp import TcpStream, Untrusted


@pytest.fixture
def look_ups(monkeypatch):
    """Every look-up of a name; each gives two addresses of this machine that nobody listens on."""
    made = []

    def look_up(host, port, *_more):
        made.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{number}", 9)) for number in (2, 3)]

    monkeypatch.setattr("edge.node.report.connections.tcp.socket.getaddrinfo", look_up)
    return made


def attempt(stream):
    """One attempt; returns the address it went to, or was refused by."""
    stream.open()
    try:
        while not stream.connected():
            continue
    except OSError as error:
        return error.errno
    finally:
        stream.close()
    return 0


def test_name_is_looked_up_once_and_again_after_many_failures(look_ups):
    stream = TcpStream("broker.example", 9)
    for _ in range(tcp.LOOK_UP_AGAIN):
        assert attempt(stream) != 0
    assert look_ups == ["broker.example"]
    attempt(stream)
    assert look_ups == ["broker.example"] * 2


def test_name_that_works_is_not_looked_up_again(look_ups):
    stream = TcpStream("broker.example", 9)
    for _ in range(3 * tcp.LOOK_UP_AGAIN):
        attempt(stream)
        stream.worked()
    assert look_ups == ["broker.example"]


def test_addresses_of_a_name_are_tried_in_turn(look_ups, monkeypatch):
    tried = []

    class Socket(socket.socket):
        def connect(self, address):
            tried.append(address[0])
            raise OSError("for the test")

    monkeypatch.setattr("edge.node.report.connections.tcp.socket.socket", Socket)
    stream = TcpStream("broker.example", 9)
    for _ in range(4):
        with pytest.raises(OSError, match="for the test"):
            stream.open()
        stream.close()
    assert tried == ["127.0.0.2", "127.0.0.3"] * 2


PEM = b"-----BEGIN CERTIFICATE-----\nAAEC\nAwQ=\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(("data", "found"), [
    (PEM, [b"\x00\x01\x02\x03\x04"]),
    (PEM.replace(b"\n", b"\r\n"), [b"\x00\x01\x02\x03\x04"]),
    (b"subject=x\n" + PEM + b"\n# another\n" + PEM, [b"\x00\x01\x02\x03\x04"] * 2),
    (b"-----BEGIN EC PARAMETERS-----\nAAEC\n-----END EC PARAMETERS-----\n" + PEM, [b"\x00\x01\x02\x03\x04"]),
    (b"\x30\x82\x01", [b"\x30\x82\x01"]),
])
def test_blocks_of_a_file(data, found):
    assert tls.blocks(data, "file") == found


@pytest.mark.parametrize(("data", "said"), [
    (PEM[:40], "without its end"),
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAEC\n-----END ENCRYPTED PRIVATE KEY-----\n", "encrypted"),
    (b"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nAAEC\n-----END EC PRIVATE KEY-----\n",
     "encrypted"),
    (b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n", "file: "),
])
def test_blocks_that_can_not_be_used(data, said):
    with pytest.raises(Untrusted, match=said):
        tls.blocks(data, "file")


def test_there_is_no_way_to_switch_verification_off(tmp_path):
    for key in ("verify", "insecure", "check_hostname"):
        with pytest.raises(Untrusted, match="unknown key"):
            tls.context_of({key: False})
    context = tls.context_of({})
    assert context.check_hostname and context.verify_mode == tls.ssl.CERT_REQUIRED
