"""A board's password and key, on both runtimes."""

import subprocess

import pytest

from tests.node.report.connections.agents import ROOT, environment, interpreter

PASSWORD = """
from edge.node.report.connections.secret import read_secret as asked
"""
KEY = """
from edge.node.report.onboard import access_of
def asked(path):
    return access_of({"tls": True, "ca_file": "ca", "cert_file": "cert", "key_file": path})
"""
SCRIPT = """
import sys
try:
    print(asked(sys.argv[1]))
except (ValueError, OSError) as error:
    print("refused", error)
"""


@pytest.fixture(params=["cpython", "micropython"])
def read(request, tmp_path):
    """What the runtime says of a file with a content and a mode."""
    def asked(content, mode, what=PASSWORD):
        path, script = tmp_path / ("nowhere" if content is None else "password"), tmp_path / "script.py"
        if content is not None:
            path.write_bytes(content)
            path.chmod(mode)
        script.write_text(what + SCRIPT)
        done = subprocess.run([*interpreter(request.param), str(script), str(path)], cwd=ROOT,
                              env=environment(), capture_output=True, text=True, timeout=120)
        return done.stdout.strip()
    return asked


def test_first_line_of_a_private_file(read):
    assert read(b"secret \r\nmore\n", 0o600) == "b'secret '"
    assert read(b"\xc3\xbc", 0o400) == "b'\\xc3\\xbc'"


@pytest.mark.parametrize("mode", ["0644", "0640", "0604"])
def test_file_that_others_have_access_to(read, mode):
    said = read(b"secret\n", int(mode, 8))
    assert said.startswith("refused") and f"mode {mode}, expected 0600" in said and "secret" not in said


def test_key_of_a_certificate_that_others_have_access_to(read):
    said = read(b"secret\n", 0o644, KEY)
    assert said.startswith("refused") and "mode 0644, expected 0600" in said
    assert read(b"secret\n", 0o600, KEY).startswith("(None, None, {")


def test_empty_first_line(read):
    assert "expected a password" in read(b"\nsecret\n", 0o600)


def test_file_that_is_missing_is_named(read, tmp_path):
    for what in (PASSWORD, KEY):
        assert f"{tmp_path}/nowhere can't be read" in read(None, 0, what)
