"""TLS, by each connection on each runtime: verified before a byte of MQTT is sent, refused with the reason.

Certificates, keys and authorities are made here.
"""

import contextlib
import socket
import ssl
import threading
import time

import pytest

from tests.node.report.brokers import Mosquitto, Subscriber, wait_for
from tests.node.report.certificates import Authority, der
from tests.node.report.connections.agents import KINDS, RemoteConnection


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ours(folder):
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def foreign(folder):
    return Authority(folder, "foreign")


@pytest.fixture(scope="module")
def certificate(ours):
    return ours.issue("broker", ["localhost", "127.0.0.1"])


class Trap:
    """A TLS server that keeps what clients say: ``first``, the first byte of each connection on the wire, and
    ``said``, what they sent within TLS. ``certificate`` None: it never answers.
    """

    def __init__(self, certificate=None):
        self.first = []
        self.said = b""
        self._context = None
        self._kept = []
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate["cert"], certificate["key"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(3)
                self._kept.append(connection)
                with contextlib.suppress(OSError):  # the client went, or refused the certificate
                    self._serve(connection)

    def _serve(self, connection):
        self.first.append(connection.recv(1, socket.MSG_PEEK))
        if self._context is not None:
            with self._context.wrap_socket(connection, server_side=True) as secure:
                self.said += secure.recv(1000)

    def close(self):
        self._listener.close()
        for connection in self._kept:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def node(kind, port, tls, host="localhost", **options):
    return RemoteConnection(kind, brokers=[(host, port)], tls=tls, client_id=f"tls-{kind}", **options)


@pytest.fixture(scope="module")
def broker(folder, ours, certificate):
    with Mosquitto(folder, tls={"ca": ours.ca, **certificate}) as running:
        yield running


@pytest.fixture(scope="module")
def strict(folder, ours, certificate):
    """Wants a client certificate of ours, and takes its common name for the user name."""
    tls = {"ca": ours.ca, **certificate, "client_certificates": True, "user_from_certificate": True}
    with Mosquitto(folder, tls=tls, acl="user node\ntopic readwrite #\n") as running:
        yield running


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_broker_that_is_verified_by_name_or_address(kind, broker, ours, host):
    with node(kind, broker.port, {"ca": ours.ca}, host) as connection:
        connection.up()
        connection.order("subscribe", [["n/#", 1]])
        connection.wait("subscribed")
        connection.order("burst", "n/sample", 200, 1000)
        connection.wait("burst")
        connection.wait("heard", count=200)
        connection.order("publish", "n/large", "x" * 3000, 1, False)
        assert connection.wait("heard", "n/large")[1][2] == "x" * 3000
        connection.order("disconnect")
        connection.wait("closed")


def test_authority_as_der_and_among_others(kind, broker, ours, foreign, folder):
    bundle = folder / "bundle.pem"
    with open(foreign.ca) as one, open(ours.ca) as other:
        bundle.write_text("subject=foreign\n" + one.read() + "\nsubject=ours\n" + other.read())
    for path in (str(bundle), der(ours.ca)):
        with node(kind, broker.port, {"ca": path}) as connection:
            connection.up()


@pytest.mark.parametrize("key_type", ["ec", "rsa"])
def test_client_certificate_is_presented(kind, strict, ours, key_type):
    client = ours.issue("node", client=True, key_type=key_type)
    with node(kind, strict.port, {"ca": ours.ca, **client}) as connection:
        connection.up()
        connection.order("burst", "n/sample", 10, 20)
        connection.wait("burst")


REFUSALS = {  # by OpenSSL and by mbedTLS
    "expired": ("certificate has expired", "validity has expired"),
    "foreign": ("unable to get local issuer certificate", "not correctly signed by the trusted CA"),
    "self-signed": ("self-signed certificate", "not correctly signed by the trusted CA"),
    "other host": ("Hostname mismatch", "does not match with the expected CN"),
    "other address": ("IP address mismatch", "does not match with the expected CN"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_broker_that_can_not_be_verified_hears_no_mqtt(kind, ours, foreign, fault):
    hosts = ["localhost", "127.0.0.1"]
    host = "localhost"
    if fault == "expired":
        shown = ours.issue("broker", hosts, expired=True)
    elif fault == "foreign":
        shown = foreign.issue("broker", hosts)
    elif fault == "self-signed":
        shown = Authority.self_signed(foreign, "broker", hosts)
    elif fault == "other host":
        shown = ours.issue("broker", ["broker.example", "127.0.0.1"])
    else:
        shown, host = ours.issue("broker", ["localhost", "127.0.0.2"]), "127.0.0.1"
    wanted = REFUSALS[fault][kind == "micropython"]
    with Trap(shown) as trap, node(kind, trap.port, {"ca": ours.ca}, host) as connection:
        assert wait_for(lambda: wanted in connection.stats()["last_error"]), connection.stats()
        stats = connection.stats()
        assert stats["last_error"].startswith(f"{host}:{trap.port}: TLS: ")
        assert (stats["connected"], stats["generation"]) == (False, 0)
        time.sleep(0.3)
        assert connection.stats()["attempts"] == 1  # a certificate does not mend itself within a second
        assert set(trap.first) == {b"\x16"}  # a handshake, never a CONNECT
        assert trap.said == b""


@pytest.mark.parametrize("fault", ["none", "foreign", "expired"])
def test_client_that_the_broker_refuses_is_told_so(kind, strict, ours, foreign, fault):
    tls = {"ca": ours.ca}
    if fault == "foreign":
        tls.update(foreign.issue("node", client=True))
    elif fault == "expired":
        tls.update(ours.issue("node", client=True, expired=True))
    with node(kind, strict.port, tls) as connection:
        assert wait_for(lambda: connection.stats()["last_error"])
        said = connection.stats()["last_error"]
        assert "certificate" in said.lower() or "alert" in said.lower(), said
        assert not connection.all("up")


def test_broker_that_speaks_no_tls_is_refused(kind, mosquitto, ours):
    with node(kind, mosquitto.port, {"ca": ours.ca}) as connection:
        assert wait_for(lambda: connection.stats()["last_error"])
        assert not connection.all("up")


def test_handshake_that_is_never_answered_has_a_deadline(kind, ours):
    deadlines = {"connect_ms": 500, "response_ms": 700}
    with Trap() as trap, node(kind, trap.port, {"ca": ours.ca}, **deadlines) as connection:
        assert wait_for(lambda: connection.stats()["attempts"] == 2)
        assert "within" in connection.stats()["last_error"]


@pytest.mark.parametrize(("files", "said"), [
    ({"ca": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
    ({"ca": __file__}, "test_connection_tls.py"),
    ({"cert": "/tmp/x"}, "expected both or neither"),
    ({"verify": False}, "unknown key 'verify'"),
])
def test_file_that_can_not_be_used_is_said_at_the_start(kind, ours, files, said):
    with node(kind, 1, {"ca": ours.ca, **files}) as connection:
        assert said in connection.wait("failed")[1][1]


def test_key_with_a_passphrase_is_refused_and_nobody_is_asked(kind, ours):
    client = ours.issue("node", client=True, passphrase=b"secret")
    with node(kind, 1, {"ca": ours.ca, **client}) as connection:
        assert "is encrypted, expected a key without a passphrase" in connection.wait("failed")[1][1]


def test_renewed_certificate_is_taken_up_without_a_restart(kind, folder, foreign, ours, broker):
    ca = folder / f"renewed-{kind}.pem"
    ca.write_text(open(foreign.ca).read())
    with node(kind, broker.port, {"ca": str(ca)}) as connection:
        assert wait_for(lambda: "TLS: " in connection.stats()["last_error"])
        ca.write_text(open(ours.ca).read())
        connection.up()


def test_will_fires_over_tls_when_the_node_is_killed(kind, broker, ours):
    context = ssl.create_default_context(cafile=ours.ca)
    context.check_hostname = True
    with node(kind, broker.port, {"ca": ours.ca}, will=["n/state", "offline %d", 1, False]) as connection:
        connection.up()
        with Subscriber(broker.port, "n/state", tls=context) as watcher:
            connection.process.kill()
            assert wait_for(lambda: watcher.payloads("n/state") == [b"offline 1"])
