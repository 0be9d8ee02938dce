"""What a small chip gets of the core: source without docstrings, in pieces that its heap can compile.

The BBC micro:bit (nRF51, Cortex-M0, 16 kB RAM) runs MicroPython 1.9.2 with 10 kB of heap, which holds the
source, its parse tree and the bytecode together. A class of 6 kB of source never compiles as a whole there;
method by method it does, and each piece is forgotten before the next one comes:

    class PID:                      def step(self, ...):
     pass                            ...
                                    PID.step=step
                                    del step

Docstrings, comments and blank lines go, and four blanks of indentation become one; what remains has the same
syntax tree. The longest pieces come first: they find the heap empty, and leave room in which the others fit.

    pieces = take([("cext/pid.py", source, ["PID"]), ("cext/crc.py", source, ["crc16"])])

RawRepl moves source and files over a serial line that ends in a raw REPL, be it a chip on a desk or in QEMU.
"""

import ast
import os
import select
import time

# The chip keeps 64 bytes that arrive while it is busy. A block is smaller, and waits for the answer to the
# one before.
BLOCK = 48
# How long an answer may take: a chip in QEMU beside a busy machine has its pauses.
WITHIN_S = 60.0
# Runs on the chip: n bytes from the line, a full stop for each block taken.
RECEIVER = """\
from microbit import uart,sleep
def _take(n):
 b=b''
 while len(b)<n:
  m=min(len(b)+48,n)
  while len(b)<m:
   if uart.any():
    b+=uart.read(m-len(b))
   else:
    sleep(1)
  uart.write('.')
 return b
"""


class ChipError(Exception):
    """The chip did not answer, or answered with a traceback; says which, and what it said last."""


def strip(source: str) -> str:
    """`source` without docstrings, comments and blank lines, indented by one blank; the same syntax tree."""
    return "\n".join(_text(statement) for statement in _bare(source).body) + "\n"


def take(modules: list) -> list:
    """The pieces of some modules, in an order in which one namespace can take them.

    `modules` holds (file name, source, wanted) with the names wanted of each: "PID" a class or function with
    all that it uses, "PID.step" a method with all that it uses, [] everything. ValueError for a name that
    isn't there, for what can't be taken apart, and where two modules give one name two meanings.
    """
    pieces = {}
    for path, source, wanted in modules:
        for piece in _Module(path, source).wanted(wanted):
            other = pieces.setdefault(piece.key, piece)
            if other.text != piece.text:
                raise ValueError(f"{path}: {piece.key} is something else in {other.path}; load the two apart")
    left = list(pieces.values())
    done = set()
    taken = []
    while left:
        ready = [piece for piece in left if piece.before <= done]
        # Statements keep their order, and come as soon as what they call is there.
        piece = next((piece for piece in left if not piece.function), None)
        if piece not in ready:
            piece = max(ready, key=lambda piece: piece.function * len(piece.text))
        left.remove(piece)
        done.add(piece.key)
        taken.append(piece.text)
    return taken


def flash_file(pieces: list) -> bytes:
    """The pieces as one file, which boards/microbit/main.py reads: before each a line with its length."""
    return "".join(f"#{len(piece)}\n{piece}" for piece in pieces).encode()


def _bare(source: str) -> ast.Module:
    """The syntax tree without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        if documented and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _text(node) -> str:
    """Source of a node, indented by one blank."""
    lines = []
    for line in ast.unparse(node).splitlines():
        text = line.lstrip(" ")
        if text:
            lines.append(" " * ((len(line) - len(text)) // 4) + text)
    return "\n".join(lines)


class _Piece:
    """``key`` what it gives: "NAME", "CLASS.METHOD", or (file, number) for a statement that gives no name."""

    def __init__(self, path, key, text, uses, before, function):
        self.path = path
        self.key = key
        self.text = text
        self.uses = uses  # keys that it needs sooner or later
        self.before = before  # keys that must be there when it runs
        self.function = function


class _Module:
    """One module taken apart."""

    def __init__(self, path, source):
        self._path = path
        self._pieces = {}
        body = [part for node in _bare(source).body for part in _one_by_one(node)]
        members = {}  # class -> its keys
        for node in body:
            if isinstance(node, ast.ClassDef):
                names = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
                members[node.name] = {node.name, *(f"{node.name}.{name}" for name in names)}
        self._given = {name: members.get(name, {name}) for node in body for name in _gives(node)}
        for number, node in enumerate(body):
            if isinstance(node, ast.ClassDef):
                self._class(node, members[node.name])
            elif isinstance(node, ast.FunctionDef):
                self._refuse(node, node.decorator_list, "no decorators")
                self._add(node.name, node, _text(node), self._uses(node), self._uses(node.args))
            else:
                names = _gives(node)
                self._refuse(node, len(names) > 1, "one name in each statement")
                self._add(names[0] if names else (path, number), node, _text(node), self._uses(node), None)
        for piece in self._pieces.values():
            if piece.before is None:
                piece.before = self._closure(piece.uses) - {piece.key}

    def _class(self, node, members):
        self._refuse(node, node.bases or node.decorator_list, "a class without bases and decorators")
        special = {key for key in members if "." in key and key.split(".")[1].startswith("__")}
        self._add(node.name, node, f"class {node.name}:\n pass", special, set())
        for part in node.body:
            if isinstance(part, ast.Pass):
                continue
            apart = isinstance(part, ast.FunctionDef) and not part.decorator_list
            self._refuse(part, not apart, "methods without decorators, and nothing else, in a class")
            key = f"{node.name}.{part.name}"
            own = {f"{node.name}.{name}" for name in _attributes(part)} & members
            text = f"{_text(part)}\n{key}={part.name}\ndel {part.name}"
            uses = own | self._uses(part) - members | {node.name}
            self._add(key, part, text, uses, self._uses(part.args) | {node.name})

    def _add(self, key, node, text, uses, before):
        self._refuse(node, key in self._pieces, f"{key} once only")
        self._pieces[key] = _Piece(self._path, key, text, uses, before, isinstance(node, ast.FunctionDef))

    def _refuse(self, node, wrong, expected):
        if wrong:
            where = f"{self._path}, line {node.lineno}"
            raise ValueError(f"{where}: a chip's module is taken apart; expected {expected}")

    def _uses(self, node) -> set:
        names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
        read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
        return {key for name in read for key in self._given.get(name, ())}

    def wanted(self, names) -> list:
        """The pieces that these names need, in the order of the file."""
        if not names:
            return list(self._pieces.values())
        kept = set()
        for name in names:
            if name not in self._pieces:
                raise ValueError(f"{self._path}: there is no {name}")
            kept |= self._closure(self._given.get(name, {name}))
        # A statement without a name, such as the call that fills a table, goes with what it works on.
        for key in self._pieces:
            if isinstance(key, tuple) and self._closure({key}) & kept:
                kept |= self._closure({key})
        return [piece for key, piece in self._pieces.items() if key in kept]

    def _closure(self, keys) -> set:
        found = set()
        left = list(keys)
        while left:
            key = left.pop()
            if key not in found:
                found.add(key)
                left += self._pieces[key].uses
        return found


def _one_by_one(node) -> list:
    """The statement, or an import for each name. What comes from the core is in the same namespace there."""
    if not isinstance(node, ast.ImportFrom):
        return [node]
    if node.module.split(".")[0] == "cext":
        return []
    return [ast.copy_location(ast.ImportFrom(node.module, [alias], 0), node) for alias in node.names]


def _gives(node) -> list:
    """The names that a statement of a module makes."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _attributes(node) -> set:
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


class RawRepl:
    """A MicroPython prompt in raw mode at the other end of a file descriptor.

    ChipError where the chip does not answer in time, or answers with a traceback. The line has no handshake,
    so the chip is never sent more than it keeps before it has answered what came before: no byte is lost.
    """

    def __init__(self, fd: int):
        self._fd = fd
        self._received = b""

    def enter(self, within_s: float = WITHIN_S):
        """Break what runs, reach the raw prompt and send the receiver."""
        self.prompt(within_s)
        # Without a receiver yet: lines that the chip can keep whole.
        self._run(b"import gc\n_s=''")
        for start in range(0, len(RECEIVER), 24):
            self._run(f"_s+={RECEIVER[start : start + 24]!r}".encode())
        self._run(b"exec(_s)\n_s=0")

    def prompt(self, within_s: float):
        """Break what runs and reach the raw prompt; ChipError where a program keeps Ctrl-C from it."""
        deadline = time.monotonic() + within_s
        while True:
            # What breaks into a line of output takes a letter of it along, so it is asked for again.
            self.send(b"\r\x03\x03\x01")
            try:
                self.until(b"raw REPL; CTRL-B to exit\r\n>", 0.5)
                break
            except ChipError:
                if time.monotonic() > deadline:
                    raise
        self.forget()  # an answer to an attempt before may still be on its way

    def execute(self, source: str, within_s: float = WITHIN_S, data: bytes = b"", size: int = 0) -> bytes:
        """Run `source` and return what it printed; the first `size` bytes of that may be any.

        A short source may ask for `data` by _take(): it is sent then.
        """
        if len(source) < BLOCK:
            return self._run(source.encode(), within_s, data, size)
        self.put("piece.py", flash_file([source]))
        self._run(b"_f=open('piece.py')")
        return self._next_piece(source, within_s, size)

    def load(self, pieces: list):
        """Run one piece after the other."""
        self.put("core.py", flash_file(pieces))
        self._run(b"_f=open('core.py')")
        for piece in pieces:
            self._next_piece(piece)

    def _next_piece(self, piece: str, within_s: float = WITHIN_S, size: int = 0) -> bytes:
        """Run what the flash has next. Collections before and after: so small a heap fails by fragments."""
        try:
            self._run(b"_s=_f.read(int(_f.readline()[1:]))", within_s)
            self._run(b"gc.collect()", within_s)
            printed = self._run(b"exec(_s)", within_s, size=size)
            self._run(b"_s=0", within_s)
            self._run(b"gc.collect()", within_s)
        except ChipError as error:
            raise ChipError(f"{error}, in the piece: {piece.splitlines()[0]}") from error
        return printed

    def put(self, name: str, data: bytes):
        """Write a file into the chip's flash; ValueError for a byte 3, which the prompt takes for Ctrl-C."""
        if b"\x03" in data:
            raise ValueError(f"{name}: byte 3 at {data.index(3)}; expected text")
        self._run(f"_f=open({name!r},'wb')".encode())
        for start in range(0, len(data), 240):
            part = data[start : start + 240]
            self._run(b"_f.write(_take(%d))" % len(part), data=part)
        self._run(b"_f.close()\n_f=0\ngc.collect()")

    def free(self) -> int:
        """Bytes of heap that are free after a collection."""
        return int(self._run(b"gc.collect()\nprint(gc.mem_free())"))

    def reset(self):
        """Reset the chip, as at power-on: it runs its main.py."""
        self._received = b""
        self.begin("from microbit import reset\nreset()")

    def begin(self, source: str, within_s: float = WITHIN_S):
        """Run a short `source` that goes on to speak over the line by itself."""
        self.send(source.encode() + b"\x04")
        self.until(b"OK", within_s)

    def finish(self, within_s: float = WITHIN_S, size: int = 0) -> bytes:
        """What was printed before `source` ended."""
        printed = self.take(size, within_s) + self.until(b"\x04", within_s)
        complaint = self.until(b"\x04", within_s).decode(errors="replace").strip()
        self.until(b">", within_s)
        if complaint:
            raise ChipError(complaint.splitlines()[-1])
        return printed

    def _run(self, line: bytes, within_s: float = WITHIN_S, data: bytes = b"", size: int = 0) -> bytes:
        """Run a line that the chip can keep whole, and hand it the `data` that it asks for."""
        self.begin(line.decode(), within_s)
        for start in range(0, len(data), BLOCK):
            self.send(data[start : start + BLOCK])
            self.until(b".", within_s)
        try:
            return self.finish(within_s, size)
        except ChipError as error:
            raise ChipError(f"{error}, at: {line.decode()}") from error

    def forget(self, quiet_s: float = 0.1):
        """Drop what comes, until nothing has come for `quiet_s`."""
        self._received = b""
        while select.select([self._fd], [], [], quiet_s)[0]:
            os.read(self._fd, 4096)

    def send(self, data: bytes):
        while data:
            data = data[os.write(self._fd, data) :]

    def until(self, end: bytes, within_s: float) -> bytes:
        """The bytes received before `end`; ChipError when it doesn't come within the time."""
        deadline = time.monotonic() + within_s
        while end not in self._received:
            self._receive(deadline, repr(end))
        found, self._received = self._received.split(end, 1)
        return found

    def take(self, count: int, within_s: float) -> bytes:
        """The next `count` bytes; ChipError when they don't come within the time."""
        deadline = time.monotonic() + within_s
        while len(self._received) < count:
            self._receive(deadline, f"{count} bytes")
        found, self._received = self._received[:count], self._received[count:]
        return found

    def _receive(self, deadline: float, expected: str):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._fd], [], [], left)[0]:
            raise ChipError(f"no {expected} from the chip in time, but {self._received[-200:]!r}")
        self._received += os.read(self._fd, 4096)
