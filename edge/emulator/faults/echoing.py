"""A line on which the master hears itself."""

from edge.emulator.faults.kind import Argument, Kind


def _echo(fault, data: bytes) -> bytes:
    return data


def _cut_echo(fault, data: bytes) -> bytes:
    return data[: len(data) // 2 if fault.arg is None else fault.arg]


KINDS = (
    Kind("echo", "the line echoes what the master sends; for `all` only", whole_line=True, echoes=_echo),
    Kind(
        "cut_echo",
        "of what the master sends only the first bytes come back, by default half of them; for `all` only",
        Argument("bytes", None, 0, 256),
        whole_line=True,
        echoes=_cut_echo,
    ),
)
