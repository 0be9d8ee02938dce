"""A line on which the master hears itself."""

from edge.emulator.faults.kind import Kind


def _echo(fault, data: bytes) -> bytes:
    return data


KINDS = (
    Kind("echo", "the line echoes what the master sends; for `all` only", whole_line=True, echoes=_echo),
)
