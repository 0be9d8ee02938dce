"""A password from a file of its own, on a board."""

import os


def read_secret(path: str) -> bytes:
    """The first line of ``path``, without its end.

    ValueError when group or others have access to it, where the file system knows of rights (the unix port;
    that of a board does not), or when it is empty; OSError when it can't be read. No error tells its content.
    """
    mode = os.stat(path)[0] & 0o777
    if mode & 0o077:
        raise ValueError("%s has mode %04o, expected 0600 or 0400: chmod 600 it" % (path, mode))
    with open(path, "rb") as file:
        line = file.readline()
    while line[-1:] in (b"\r", b"\n"):
        line = line[:-1]
    if not line:
        raise ValueError("%s: its first line is empty, expected a password" % path)
    return line
