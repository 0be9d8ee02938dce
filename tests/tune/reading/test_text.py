"""Bytes to text: every encoding that loggers write, and what is no text."""

import pytest

from edge.tune.reading.text import decode

TEXT = "time;Temperature (°C)\r\n0;20,5\r\n"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"),
     ("utf-16-be", "UTF-16"), ("cp1252", "Windows-1252")],
)  # fmt: skip
def test_encodings_of_loggers(encoding, name):
    assert decode(TEXT.encode(encoding)) == (TEXT, name)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe\x00", "no UTF-16 text, as its first bytes promise"),
        (b"\xef\xbb\xbf\xff", "no UTF-8-SIG text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is no text"),
        (b"time,pv\n0,1\x00,2\n", "control characters"),
        (b"\x81\x8d\x8f", "no text in UTF-8, UTF-16 or Windows-1252"),
    ],
)
def test_what_is_no_text_is_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        decode(data)
