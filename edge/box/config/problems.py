"""What is wrong with a node file, said so that the reader can put it right."""

import difflib
import json
import re

_DIGITS = re.compile(r"\d+")


class NodeFileError(Exception):
    """A node file that must not start a node.

    ``path``: the file as it was named; ``problems``: list of (line, text), lines counted from 1,
    in the order of the file.
    """

    def __init__(self, path, problems: list):
        self.path = str(path)
        self.problems = sorted((line, printable(text)) for line, text in problems)
        Exception.__init__(self, self.path, self.problems)

    def __str__(self) -> str:
        return "\n".join(located(self.path, line, text) for line, text in self.problems)


def printable(text: str) -> str:
    """One line for a terminal: what a file has put into a name can't break or colour it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def located(path, line: int, text: str) -> str:
    """``FILE:LINE: text``, the form that editors and terminals make into a link."""
    return f"{path}:{line}: {text}"


def nearest(word: str, known) -> str:
    """The known word that ``word`` was most likely meant to be, or an empty string.

    Another number is no misspelling: ``ai8`` may have been meant to be any of ``ai0`` to ``ai7``. But where
    one known name alone has those letters, four at least, it is what was meant: ``eurotherm3216``.
    """
    letters = _DIGITS.sub("", word)
    lower = {name.lower(): name for name in known if _DIGITS.sub("", name) != letters or letters == word}
    begun = [name for name in lower if len(word) >= 3 and name.startswith(word.lower())]
    found = difflib.get_close_matches(word.lower(), list(lower), 1, 0.65)
    alike = [name.lower() for name in known if len(letters) >= 4 and _DIGITS.sub("", name) == letters.lower()]
    if len(begun) == 1 and not found:
        found = begun
    if len(alike) == 1 and not found:
        return next(name for name in known if name.lower() == alike[0])
    return lower[found[0]] if found else ""


def did_you_mean(word: str, known, otherwise: str) -> str:
    """``did you mean 'steam'?``, or ``otherwise`` where nothing comes near."""
    name = nearest(word, known)
    return f"did you mean '{name}'?" if name else otherwise


def number(value) -> str:
    """A number as a person writes it: 38400, 0.5, -80."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def shown(value) -> str:
    """A value as it stands in the file, cut where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (int, float)):
        try:
            text = str(value)
        except ValueError:  # CPython writes no integer of more than 4300 digits
            return "a number of thousands of digits"
    elif isinstance(value, list):
        text = "[" + ", ".join(shown(element) for element in value[:9]) + "]"
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:56] + " ..."


def listed(words) -> str:
    """``a, b or c``."""
    words = list(words)
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " or " + words[-1]
