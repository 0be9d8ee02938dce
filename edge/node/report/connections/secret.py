"""Files of a board that are for the node alone: its password, and the key of its certificate."""

import os


def must_be_private(path: str):
    """ValueError when group or others have access to ``path``, where the file system knows of rights (the
    unix port; that of a board does not), or when it isn't there.
    """
    try:
        mode = os.stat(path)[0] & 0o777
    except OSError as error:
        raise ValueError("%s can't be read: %s" % (path, error)) from None
    if mode & 0o077:
        raise ValueError("%s has mode %04o, expected 0600 or 0400: chmod 600 it" % (path, mode))


def read_secret(path: str) -> bytes:
    """The first line of ``path``, without its end.

    ValueError when it is not private (see above) or empty; OSError when it can't be read. No error tells its
    content.
    """
    must_be_private(path)
    with open(path, "rb") as file:
        line = file.readline()
    while line[-1:] in (b"\r", b"\n"):
        line = line[:-1]
    if not line:
        raise ValueError("%s: its first line is empty, expected a password" % path)
    return line
