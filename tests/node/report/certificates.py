"""A certificate authority for one test: made in memory, written as PEM files."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _name(common_name: str):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """Signs certificates; ``folder``: where ``ca`` (its own certificate) and what it issues are written."""

    def __init__(self, folder, name: str = "authority"):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        certificate = (
            _builder(self._name, self._name, self._key, expired=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = str(folder / f"{name}.pem")
        with open(self.ca, "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, common_name: str, hosts=(), expired: bool = False, client: bool = False,
              key_type: str = "ec", passphrase=None) -> dict:
        """{"cert", "key"}: paths of PEM files for ``hosts`` (names and addresses). The key has mode 0600."""
        key = (ec.generate_private_key(ec.SECP256R1()) if key_type == "ec"
               else rsa.generate_private_key(public_exponent=65537, key_size=2048))
        return self._write(common_name, hosts, client, key, self._name, self._key, expired, passphrase)

    def self_signed(self, common_name: str, hosts) -> dict:
        """As ``issue``, signed by its own key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(common_name, hosts, False, key, _name(common_name), key, False, None)

    def _write(self, common_name, hosts, client, key, issuer, issuer_key, expired, passphrase) -> dict:
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (
            _builder(_name(common_name), issuer, key, expired)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), False)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(h) for h in hosts]), False)
        certificate = builder.sign(issuer_key, hashes.SHA256())
        stem = self._folder / f"{common_name}-{certificate.serial_number:x}"
        paths = {"cert": f"{stem}.cert.pem", "key": f"{stem}.key.pem"}
        with open(paths["cert"], "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        encryption = (serialization.NoEncryption() if passphrase is None
                      else serialization.BestAvailableEncryption(passphrase))
        with open(os.open(paths["key"], os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         encryption))
        return paths


def _builder(subject, issuer, key, expired: bool):
    """Valid for 30 days from yesterday on, or until yesterday."""
    end = datetime.datetime.now(datetime.UTC) + (-DAY if expired else 30 * DAY)
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(end - 31 * DAY).not_valid_after(end)
    )


def _general(host: str):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def der(pem_path: str) -> str:
    """A copy of a PEM certificate as DER; returns its path."""
    with open(pem_path, "rb") as file:
        certificate = x509.load_pem_x509_certificate(file.read())
    path = pem_path.removesuffix(".pem") + ".der"
    with open(path, "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.DER))
    return path
