"""The error of everything that reads records."""


class RecordError(Exception):
    """A record that can't be read: one problem a line, with file and line number."""


# How many faulty rows are told one by one.
TOLD = 5


def refuse(path: str, problems: list) -> None:
    """Raise RecordError of `problems`, (line number, sentence) each, in the order of the file; none, none."""
    if problems:
        lines = [f"{path}:{line}: {problem}" for line, problem in sorted(problems)[:TOLD]]
        more = [f"{path}: and {len(problems) - TOLD} problems more"] if len(problems) > TOLD else []
        raise RecordError("\n".join(lines + more))
