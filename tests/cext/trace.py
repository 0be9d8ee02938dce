"""Golden traces of the numerical core: what the production .py gave, to be given again by every runtime.

    python -m tests.cext.trace --write                          make the golden traces again, all of them

and, as the tests use it, from the root of the project, on CPython or with MICROPYPATH=.:micropython

    python tests/cext/trace.py interpreted|compiled TRACE COUNT [FIRST LAST]
    micropython tests/cext/trace.py micropython TRACE COUNT [FIRST LAST]

print the files that the core came from, then for each block of 100 steps the number of its last step, the
SHA-256 of the results of all its steps (little-endian 64-bit floats) and the results of that last step in
hexadecimal; with FIRST and LAST the results of each of these steps instead.
"""

import hashlib
import struct
import sys

TRACES = ("pid", "cascade", "air", "ratio", "thermocouple", "filters")
STEPS = 10000
BLOCK = 100


def load(runtime, trace):
    """Return the module of a trace, with the core as `runtime` has it; ValueError if that is not so."""
    if runtime == "interpreted":
        interpret()
    module = __import__("tests.cext.traces." + trace, None, None, ["steps"])
    expected = ".so" if runtime == "compiled" else ".py"
    files = []
    for name in sorted(sys.modules):
        if name.startswith("cext."):
            files.append(sys.modules[name].__file__)
            if not files[-1].endswith(expected):
                raise ValueError("expected a " + expected + " file for " + runtime + ", got " + files[-1])
    print(" ".join(files))
    return module


def interpret():
    """From now on import the core from its .py, also where it is compiled."""
    from importlib.machinery import FileFinder, SourceFileLoader

    import cext

    cext.__path__ = list(cext.__path__)
    finder = FileFinder(cext.__path__[0], (SourceFileLoader, [".py"]))

    class Interpreted:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return finder.find_spec(name) if name.startswith("cext.") else None

    sys.meta_path.insert(0, Interpreted)


def packed(results):
    """The bytes of a step's results. A NaN may have many patterns of bits, and has one here."""
    nan = struct.pack("<d", float("nan"))
    return b"".join([struct.pack("<d", x) if x <= 0.0 or x >= 0.0 else nan for x in results])


def hexadecimal(data):
    return "".join(["%02x" % byte for byte in data])


def run(runtime, trace, count, first=-1, last=-1):
    number = 0
    block = hashlib.sha256()
    for results in load(runtime, trace).steps(count):
        data = packed(results)
        if first >= 0:
            if first <= number <= last:
                print(number, hexadecimal(data))
        else:
            block.update(data)
            if number % BLOCK == BLOCK - 1:
                print(number, hexadecimal(block.digest()), hexadecimal(data))
                block = hashlib.sha256()
        number += 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        from tests.cext.golden import write

        write()
    elif len(sys.argv) in (4, 6) and sys.argv[1] in ("interpreted", "compiled", "micropython"):
        run(sys.argv[1], sys.argv[2], *[int(argument) for argument in sys.argv[3:]])
    else:
        raise SystemExit("usage: trace.py --write | RUNTIME TRACE COUNT [FIRST LAST]")
