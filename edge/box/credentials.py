"""Who the node is to the broker: user name, password and certificates, from files with the right permissions.

``of`` takes the keys of [report.mqtt] that say where they are. A password is the first line of a file that
belongs to the user the process runs as and that nobody else may read (mode 0600 or 0400); the same holds for
the key of a certificate. A systemd credential is the file of its name in $CREDENTIALS_DIRECTORY, which
systemd fills for the service alone; "$CREDENTIALS_DIRECTORY/NAME" does for certificates and keys what
``credential`` does for a password.

Nothing here is ever printed: an error names the file, not what is in it.
"""

import os
import stat
from dataclasses import dataclass, field

from edge.node.report.connections.tcp import Untrusted
from edge.node.report.connections.tls import context_of

SECRET_MAX = 65535  # bytes of an MQTT password
DIRECTORY = "CREDENTIALS_DIRECTORY"


class CredentialError(ValueError):
    """A file of credentials can't be used; the text says which, and what to do."""


@dataclass(frozen=True)
class Access:
    """``username`` (str), ``password`` (bytes), ``tls`` (paths of ca, cert, key); None where not."""

    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    tls: dict | None = None


def of(mqtt: dict) -> Access:
    """Access by the keys of [report.mqtt]: tls, username, password_file, credential, ca_file, cert_file,
    key_file; the others are not looked at. Raises CredentialError, also for certificates that TLS can't use.
    """
    username = mqtt.get("username")
    password = None
    if mqtt.get("password_file") and mqtt.get("credential"):
        raise CredentialError("password_file and credential, expected one of them")
    if mqtt.get("password_file"):
        password = secret(mqtt["password_file"], "password_file")
    elif mqtt.get("credential"):
        password = secret(f"${DIRECTORY}/{mqtt['credential']}", "credential")
    if password is not None and username is None:
        raise CredentialError("a password without username, expected both or neither")
    return Access(username, password, _tls(mqtt))


def _tls(mqtt: dict):
    if not mqtt.get("tls", "ca_file" in mqtt):
        return None
    tls = {}
    for key in ("ca", "cert", "key"):
        name = f"{key}_file"
        if mqtt.get(name):
            tls[key] = located(mqtt[name], name)
            with _opened(tls[key], name) as file:
                if key == "key":
                    _must_be_private(file, mqtt[name], name)
    if tls:
        try:
            context_of(tls)
        except Untrusted as error:
            raise CredentialError(f"TLS: {error}") from error
    return tls


def secret(path: str, key: str) -> bytes:
    """The first line of ``path``, without its end; ``key``: what to call it in an error."""
    with _opened(located(path, key), key) as file:
        _must_be_private(file, path, key)
        line = file.readline(SECRET_MAX + 2).rstrip(b"\r\n")
    if not line or len(line) > SECRET_MAX:
        raise CredentialError(f"{key} {path}: a first line of {len(line)} bytes, expected 1 to {SECRET_MAX}")
    return line


def located(path: str, key: str) -> str:
    """``path``, with $CREDENTIALS_DIRECTORY at its beginning replaced by what systemd has set."""
    head, _, name = path.partition("/")
    if head != f"${DIRECTORY}":
        return path
    folder = os.environ.get(DIRECTORY)
    if not folder:
        raise CredentialError(f"{key}: {name} is a systemd credential, but {DIRECTORY} is not set; start the "
                              f"node by systemd, with LoadCredential={name}:/path/to/file in its unit")
    if name != os.path.basename(name) or name in ("", ".", ".."):
        raise CredentialError(f"{key}: {name!r}, expected the name of a systemd credential, without /")
    return os.path.join(folder, name)


def _opened(path: str, key: str):
    try:
        return open(path, "rb")
    except OSError as error:
        raise CredentialError(f"{key} {path}: {error.strerror}") from error


def _must_be_private(file, path: str, key: str):
    status = os.fstat(file.fileno())
    user, mode = os.geteuid(), stat.S_IMODE(status.st_mode)
    folder = os.environ.get(DIRECTORY)
    if folder and os.path.dirname(os.path.realpath(file.name)) == os.path.realpath(folder):
        # systemd's own: root's or the service's, with the service's right to read in an access list, whose
        # mask stands where the rights of the group do.
        wrong = status.st_uid not in (0, user) or mode & 0o027
    else:
        wrong = status.st_uid != user or mode & 0o077
    if wrong or not stat.S_ISREG(status.st_mode):
        raise CredentialError(
            f"{key} {path} has mode {mode:04o} and owner {status.st_uid}, expected a file with mode 0600 or "
            f"0400 and owner {user}: chown {user} {path} && chmod 0600 {path}"
        )
