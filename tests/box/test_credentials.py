"""Passwords and keys are only taken from files that nobody else can read, and never shown."""

import os
from pathlib import Path

import pytest

from edge.box import credentials
from edge.box.credentials import CredentialError
from tests.node.report.certificates import Authority


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "password"
    path.write_bytes("gänsefüßchen\nsecond line\n".encode())
    path.chmod(0o600)
    return path


def test_first_line_of_a_private_file_is_the_password(secret):
    access = credentials.of({"username": "node", "password_file": str(secret), "keepalive_s": 15})
    assert (access.username, access.password, access.tls) == ("node", "gänsefüßchen".encode(), None)
    assert "gänse" not in repr(access)


def test_nothing_asked_for_is_nothing():
    assert credentials.of({"tls": False}) == credentials.Access(None, None, None)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_file_that_others_have_access_to_is_refused(secret, mode):
    secret.chmod(mode)
    with pytest.raises(CredentialError, match=f"password_file .* mode {mode:04o}.*chmod 0600") as caught:
        credentials.of({"username": "node", "password_file": str(secret)})
    assert "gänse" not in str(caught.value)


def test_read_only_file_is_right(secret):
    secret.chmod(0o400)
    assert credentials.secret(str(secret), "password_file") == "gänsefüßchen".encode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_refused(secret):
    os.chown(secret, 12345, 12345)
    with pytest.raises(CredentialError, match="owner 12345, expected .*owner 0: chown 0"):
        credentials.secret(str(secret), "password_file")


@pytest.mark.parametrize(("content", "said"), [(b"", "0 bytes"), (b"\nsecret\n", "0 bytes"),
                                               (b"x" * 70000, "65537 bytes")])
def test_file_without_a_password_is_refused(secret, content, said):
    secret.write_bytes(content)
    with pytest.raises(CredentialError, match=f"first line of {said}"):
        credentials.secret(str(secret), "password_file")


def test_file_that_is_missing_or_none_is_named(tmp_path):
    with pytest.raises(CredentialError, match="password_file /nowhere/p: No such file"):
        credentials.secret("/nowhere/p", "password_file")
    with pytest.raises(CredentialError, match="Is a directory"):
        credentials.secret(str(tmp_path), "password_file")


def test_password_without_a_user_name_is_refused(secret):
    with pytest.raises(CredentialError, match="without username"):
        credentials.of({"password_file": str(secret)})


def test_two_places_for_the_password_are_refused(secret):
    with pytest.raises(CredentialError, match="expected one of them"):
        credentials.of({"username": "n", "password_file": str(secret), "credential": "mqtt"})


class TestSystemd:
    """As a service sees them: files of mode 0400, or 0440 by the mask of an access list."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        return tmp_path

    @pytest.mark.parametrize("mode", [0o400, 0o440])
    def test_credential_is_read(self, folder, mode):
        (folder / "mqtt").write_text("secret\n")
        (folder / "mqtt").chmod(mode)
        assert credentials.of({"username": "node", "credential": "mqtt"}).password == b"secret"

    def test_credential_that_anybody_may_read_is_refused(self, folder):
        (folder / "mqtt").write_text("secret\n")
        (folder / "mqtt").chmod(0o444)
        with pytest.raises(CredentialError, match="mode 0444"):
            credentials.of({"username": "node", "credential": "mqtt"})

    def test_mode_0440_is_for_systemd_alone(self, folder, tmp_path_factory):
        other = tmp_path_factory.mktemp("elsewhere") / "mqtt"
        other.write_text("secret\n")
        other.chmod(0o440)
        (folder / "link").symlink_to(other)
        with pytest.raises(CredentialError, match="mode 0440"):
            credentials.of({"username": "node", "credential": "link"})

    @pytest.mark.parametrize("name", ["../mqtt", "a/b", "..", ""])
    def test_name_that_leads_out_of_the_folder_is_refused(self, folder, name):
        with pytest.raises(CredentialError, match="without /"):
            credentials.located(f"$CREDENTIALS_DIRECTORY/{name}", "credential")

    def test_without_systemd_it_is_said_how(self, monkeypatch):
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
        with pytest.raises(CredentialError, match="LoadCredential=mqtt:"):
            credentials.of({"username": "node", "credential": "mqtt"})

    def test_certificate_and_key_by_the_same_name(self, folder, tmp_path_factory):
        for name, content in pem(tmp_path_factory.mktemp("issued")).items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o400)
        keys = {f"{name}_file": f"$CREDENTIALS_DIRECTORY/{name}" for name in ("ca", "cert", "key")}
        assert credentials.of({"tls": True, **keys}).tls == {
            name: str(folder / name) for name in ("ca", "cert", "key")}


def pem(folder) -> dict:
    """What the files ca, cert and key hold, as an authority has issued them."""
    authority = Authority(folder)
    paths = {"ca": authority.ca, **authority.issue("node", client=True)}
    return {name: Path(path).read_bytes() for name, path in paths.items()}


@pytest.fixture
def certificates(tmp_path):
    """The keys of a node file for three files that belong together; the key has mode 0644."""
    paths = {}
    for name, content in pem(tmp_path).items():
        paths[f"{name}_file"] = str(tmp_path / name)
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o644)
    return paths


def test_key_of_a_certificate_must_be_private_and_the_certificate_need_not(tmp_path, certificates):
    with pytest.raises(CredentialError, match="key_file .*mode 0644"):
        credentials.of({"tls": True, **certificates})
    (tmp_path / "key").chmod(0o600)
    assert credentials.of({"tls": True, **certificates}).tls["cert"] == str(tmp_path / "cert")
    assert credentials.of({"tls": True}).tls == {}  # the system's authorities
    assert credentials.of({"ca_file": str(tmp_path / "ca")}).tls == {"ca": str(tmp_path / "ca")}


@pytest.mark.parametrize(("name", "said"), [("ca", "TLS: .*/ca: "), ("cert", "TLS: .*/cert and .*/key: "),
                                            ("key", "TLS: .*/cert and .*/key: ")])
def test_file_that_tls_can_not_use_is_named(tmp_path, certificates, name, said):
    (tmp_path / "key").chmod(0o600)
    (tmp_path / name).write_text("no certificate and no key")
    with pytest.raises(CredentialError, match=said):
        credentials.of({"tls": True, **certificates})


def test_certificate_and_key_belong_together(tmp_path, certificates):
    (tmp_path / "key").chmod(0o600)
    del certificates["key_file"]
    with pytest.raises(CredentialError, match="expected both or neither"):
        credentials.of({"tls": True, **certificates})
