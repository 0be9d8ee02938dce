"""Line numbers of the keys of a TOML text; tomllib keeps none.

``find_lines`` reads texts that tomllib has accepted, so it only has to follow the shape: where a
key starts, where its value ends. What a value means is tomllib's business.
"""

import re
import tomllib
from bisect import bisect_right

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[^\s.=\[\]{},"\'#]+')
# A multi-line string may end in up to two quotes of its own before the closing three.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
# A number, a boolean or a date; a date may hold one blank.
_PLAIN = re.compile(r"[^,\]}#\n]+")


def find_lines(text: str) -> dict:
    """Map the path of each table, key and array element to its line, counted from 1.

    A path is a tuple of keys and, for arrays, of places: ``("loop", "steam", "gain")``,
    ``("calc", "t_peak", "of", 1)``. A table that no header opens has the line where it is first
    named. ``text``: TOML that tomllib accepts; ValueError where the shape can't be followed.
    """
    return _Scanner(text.replace("\r\n", "\n")).document()


def nearest_line(lines: dict, path: tuple) -> int:
    """The line of a path of ``find_lines``, or of the nearest table around it."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


class _Scanner:
    def __init__(self, text: str):
        self.text = text
        self.at = 0
        self.starts = [0] + [i + 1 for i, character in enumerate(text) if character == "\n"]
        self.lines = {(): 1}
        self.last = {}  # path of an array of tables -> place of its newest table

    def document(self) -> dict:
        table = ()
        while True:
            self.skip(_GAP)
            if self.at >= len(self.text):
                return self.lines
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)

    def line(self) -> int:
        return bisect_right(self.starts, self.at)

    def skip(self, pattern):
        self.at = pattern.match(self.text, self.at).end()

    def take(self, pattern) -> str:
        match = pattern.match(self.text, self.at)
        if match is None or match.end() == self.at:
            raise ValueError(f"the scanner of positions can't follow line {self.line()}")
        self.at = match.end()
        return match.group()

    def accept(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def key(self) -> list:
        """A dotted key as a list of its parts."""
        parts = []
        while True:
            self.skip(_BLANK)
            part = self.take(_KEY)
            parts.append(tomllib.loads("key = " + part)["key"] if part[0] in "\"'" else part)
            self.skip(_BLANK)
            if not self.accept("."):
                return parts

    def header(self) -> tuple:
        line = self.line()
        is_array = self.accept("[[")
        if not is_array:
            self.accept("[")
        parts = self.key()
        self.accept("]]" if is_array else "]")
        path = ()
        for i, part in enumerate(parts):
            path += (part,)
            self.lines.setdefault(path, line)
            if is_array and i == len(parts) - 1:
                self.last[path] = self.last.get(path, -1) + 1
            if path in self.last:
                path += (self.last[path],)
        self.lines[path] = line
        return path

    def pair(self, table: tuple):
        line = self.line()
        path = table
        for part in self.key():
            path += (part,)
            self.lines.setdefault(path, line)
        self.accept("=")
        self.skip(_BLANK)
        self.value(path)

    def value(self, path: tuple):
        mark = self.text[self.at : self.at + 1]
        if mark == "[":
            self.members(path, "]")
        elif mark == "{":
            self.members(path, "}")
        elif mark and mark in "\"'":
            self.take(_STRING)
        else:
            self.take(_PLAIN)

    def members(self, path: tuple, end: str):
        """The elements of an array or the pairs of an inline table."""
        self.at += 1
        place = 0
        while True:
            self.skip(_GAP)
            if self.accept(end):
                return
            if end == "}":
                self.pair(path)
            else:
                element = path + (place,)
                self.lines[element] = self.line()
                self.value(element)
            place += 1
            self.skip(_GAP)
            self.accept(",")
