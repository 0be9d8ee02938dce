"""TLS over a TcpStream, on CPython (OpenSSL) and MicroPython (mbedTLS), always verified.

``tls`` is a dict of paths: ``ca``, the certificates of the authorities that may have signed the broker's;
``cert`` and ``key``, this client's own, both or neither. The files are read anew for every connection, so
that a renewed certificate needs no restart. Without ``ca`` CPython takes the system's authorities;
MicroPython has none. There is no way to switch the verification off: the chain, the dates and the name of the
broker, as it stands in the node file (an address, where the certificate names one), must be right before a
byte of MQTT is sent.

MicroPython takes certificates and keys as DER only: a PEM file is converted here. CPython takes the client's
own as PEM only. A key with a passphrase is refused by both.

The handshake does not block on the network: each ``step`` of its owner does what the bytes at hand allow,
until the owner's deadline. Its arithmetic can't be cut in pieces: one step of it takes milliseconds on the
unix port; on a microcontroller it has not been measured, and may well be a second.
"""

import binascii
import ssl
import sys

from edge.node.report.connections.tcp import CHUNK, TcpStream, Untrusted

_MICROPYTHON = sys.implementation.name == "micropython"
_WANT = () if _MICROPYTHON else (ssl.SSLWantReadError, ssl.SSLWantWriteError)
_BEGIN = b"-----BEGIN "
_END = b"-----END "
_HINT = ": does the broker want another client certificate?"


def blocks(data: bytes, path: str) -> list:
    """The DER blocks of a file that is PEM (several, with comments between them) or DER (one)."""
    if _BEGIN not in data:
        return [data]
    found = []
    for piece in data.split(_BEGIN)[1:]:
        if _END not in piece:
            raise Untrusted("%s: a PEM block without its end" % path)
        inner = piece.split(_END)[0].split(b"\n")
        if b"ENCRYPTED" in inner[0] or b"ENCRYPTED" in inner[1]:
            raise Untrusted("%s is encrypted, expected a key without a passphrase" % path)
        if b"PARAMETERS" in inner[0]:
            continue  # what openssl ecparam writes before the key itself
        try:
            found.append(binascii.a2b_base64(b"\n".join(inner[1:])))
        except ValueError as error:
            raise Untrusted("%s: %s" % (path, error)) from None
    return found


def _blocks_of(path: str) -> list:
    with open(path, "rb") as file:
        return blocks(file.read(), path)


def context_of(tls: dict):
    """An SSLContext that verifies; Untrusted when a file can't be read or used."""
    for key in tls:
        if key not in ("ca", "cert", "key"):
            raise Untrusted("unknown key %r, expected ca, cert and key" % key)
    ca, cert, key = tls.get("ca"), tls.get("cert"), tls.get("key")
    if bool(cert) != bool(key):
        raise Untrusted("cert = %r and key = %r, expected both or neither" % (cert, key))
    if _MICROPYTHON and not ca:
        raise Untrusted("ca is missing: a board knows no other authorities")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    if not _MICROPYTHON:
        context.check_hostname = True
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not ca:
            context.load_default_certs()
    path = ca
    try:
        if ca:
            for block in _blocks_of(ca):
                context.load_verify_locations(cadata=block)
        if cert:
            path = cert + " and " + key
            if _MICROPYTHON:
                context.load_cert_chain(_blocks_of(cert)[0], _blocks_of(key)[0])
            else:
                _blocks_of(key)  # says it when the key is encrypted, before OpenSSL asks for a passphrase
                context.load_cert_chain(cert, key, password="")
    except (OSError, ValueError, IndexError) as error:
        raise Untrusted("%s: %s" % (path, explain(error))) from None
    return context


def explain(error) -> str:
    """What a library's error says, on one line."""
    said = getattr(error, "verify_message", "")
    if not said:
        said = str(error.args[-1]) if error.args else str(error)
    return " ".join(said.split())


def _of_tls(error: OSError) -> bool:
    """Whether it is a refusal by TLS rather than the end of a connection."""
    if _MICROPYTHON:
        return bool(error.errno) and error.errno < 0 and "EOF" not in explain(error)
    return isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)


class TlsStream(TcpStream):
    """A TcpStream with TLS; ``tls`` as described above. Untrusted when a file of ours can't be used."""

    def __init__(self, host: str, port: int, tls: dict):
        super().__init__(host, port)
        self._tls = tls
        self._context = context_of(tls)
        self._secure = None
        self._proved = False  # the handshake is over

    def open(self):
        """Begin to connect. Raises OSError when that fails at once, Untrusted for our own files."""
        self._proved = False
        self._context = context_of(self._tls)
        super().open()

    def connected(self) -> bool:
        """True once the handshake is over (CPython), or goes on with the next ``send`` (MicroPython)."""
        if self._secure is None:
            if not super().connected():
                return False
            self._secure = self._guarded(self._wrap)
            if not _MICROPYTHON:
                self.socket = self._secure  # CPython's takes the descriptor over
        return _MICROPYTHON or self._guarded(self._handshake)

    def hint(self, greeting: bool) -> str:
        if not greeting:
            return ""
        return " in the TLS handshake or just after it" + _HINT

    def _wrap(self):
        return self._context.wrap_socket(self.socket, server_hostname=self.host,
                                         do_handshake_on_connect=False)

    def _handshake(self) -> bool:
        try:
            self._secure.do_handshake()
            return True
        except _WANT:
            return False

    @staticmethod
    def _guarded(action, *arguments):
        """Do it; what does not verify is Untrusted, in the words of the library."""
        try:
            return action(*arguments)
        except ValueError as error:  # MicroPython; CPython's SSLCertVerificationError is one, too
            raise Untrusted("TLS: " + explain(error)) from None
        except OSError as error:
            if _of_tls(error):
                said = explain(error)
                raise Untrusted("TLS: " + said + (_HINT if said.endswith("ALERT_MESSAGE") else "")) from None
            if not _MICROPYTHON and isinstance(error, ssl.SSLError):
                raise OSError("closed by the broker") from None  # its number is none of errno's
            raise

    def send(self, data: bytes) -> int:
        return self._guarded(self._send, data)

    def _send(self, data: bytes) -> int:
        try:
            count = self._secure.write(data) or 0
        except _WANT:
            return 0
        except OSError:
            self._secure.read(1)  # raises what the broker said before it closed, if it did
            raise
        self._proved = self._proved or count > 0
        return count

    def recv(self):
        if not self._proved:
            return None  # MicroPython's handshake goes on in ``send``, which alone says what is wrong
        return self._guarded(self._recv)

    def _recv(self):
        try:
            return self._secure.read(CHUNK)
        except _WANT:
            return None

    def close(self):
        if self._secure is not None:
            self._secure.close()
            self._secure = None
        super().close()
