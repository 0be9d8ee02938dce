"""The floats of a small chip on CPython, and how far they may be from 64-bit ones.

MicroPython 1.9.2 keeps a float in the word that refers to an object: an IEEE 754 single whose two lowest
bits are cut off after every operation, which leaves 22 significant bits. interpreted() runs source of the
core with such floats, and the chip is held to the same bits.
"""

import ast
import math
import struct

# Half a unit of the single and then at most 3/4 of a unit of what is left, relative to the result.
UNIT = 2.0**-21


def cut(x: float) -> float:
    """`x` as the chip holds it.

    For + - * / and the root of singles the 64-bit result rounds to the single that the exact one rounds to.
    """
    try:
        bits = struct.pack("<f", x)
    except OverflowError:
        return math.copysign(math.inf, x)
    return struct.unpack("<f", bytes((bits[0] & 0xFC,)) + bits[1:])[0]


class ChipFloat(float):
    """A float whose arithmetic is the chip's."""

    def __new__(cls, x):
        return float.__new__(cls, cut(x))

    def __add__(self, other):
        return ChipFloat(float(self) + float(other))

    def __radd__(self, other):
        return ChipFloat(float(other) + float(self))

    def __sub__(self, other):
        return ChipFloat(float(self) - float(other))

    def __rsub__(self, other):
        return ChipFloat(float(other) - float(self))

    def __mul__(self, other):
        return ChipFloat(float(self) * float(other))

    def __rmul__(self, other):
        return ChipFloat(float(other) * float(self))

    def __truediv__(self, other):
        return ChipFloat(float(self) / float(other))

    def __rtruediv__(self, other):
        return ChipFloat(float(other) / float(self))

    def __neg__(self):
        return ChipFloat(-float(self))

    def __eq__(self, other):
        # There a NaN is equal to itself: the words are the same.
        return float(self) == float(other) or (self != self and other != other)

    def __ne__(self, other):
        return float.__ne__(self, other)

    __hash__ = float.__hash__


class Bounded:
    """A 64-bit number and how far it may be from the chip's: running error analysis, operation by operation.

    For formulas (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.3): where a
    state comes back into its own equation, errors that cancel are counted as if they added up.
    """

    def __init__(self, value, error=None):
        self.value = float(value)
        self.error = UNIT * abs(self.value) if error is None else error

    def _result(self, value, error):
        return Bounded(value, error + UNIT * abs(value))

    def __add__(self, other):
        other = _bounded(other)
        return self._result(self.value + other.value, self.error + other.error)

    def __sub__(self, other):
        return self + -_bounded(other)

    def __mul__(self, other):
        other = _bounded(other)
        error = abs(self.value) * other.error + abs(other.value) * self.error + self.error * other.error
        return self._result(self.value * other.value, error)

    def __truediv__(self, other):
        other = _bounded(other)
        value = self.value / other.value
        least = abs(other.value) - other.error
        if not least > 0.0:
            return Bounded(value, math.inf)
        return self._result(value, (self.error + abs(value) * other.error) / least)

    def __radd__(self, other):
        return _bounded(other) + self

    def __rsub__(self, other):
        return _bounded(other) - self

    def __rmul__(self, other):
        return _bounded(other) * self

    def __rtruediv__(self, other):
        return _bounded(other) / self

    def __neg__(self):
        return Bounded(-self.value, self.error)

    def __lt__(self, other):
        return self.value < _bounded(other).value

    def __le__(self, other):
        return self.value <= _bounded(other).value

    def __gt__(self, other):
        return self.value > _bounded(other).value

    def __ge__(self, other):
        return self.value >= _bounded(other).value


def _bounded(number):
    return number if isinstance(number, Bounded) else Bounded(number, 0.0)


class _Literals(ast.NodeTransformer):
    def __init__(self, values):
        self._values = values

    def visit_Constant(self, node):
        if not _is_float(node):
            return node
        number = ast.Constant(self._values.get(node.value, node.value))
        return ast.copy_location(ast.Call(ast.Name("Number", ast.Load()), [number], []), node)


def literals(source: str) -> list:
    """The float literals in `source`, each once."""
    return sorted({node.value for node in ast.walk(ast.parse(source)) if _is_float(node)})


def _is_float(node) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def interpreted(source: str, number=ChipFloat, values=()) -> dict:
    """The names of a source of the core whose literals are of the class `number`.

    `values` what the chip makes of a literal: MicroPython 1.9.2 reads decimals to within one UNIT only.
    """
    tree = ast.fix_missing_locations(_Literals(dict(values)).visit(ast.parse(source)))
    names = {"Number": number, "__name__": "interpreted"}
    exec(compile(tree, "<core with other numbers>", "exec"), names)
    if "sqrt" in names:
        names["sqrt"] = lambda x: number(math.sqrt(x))
    return names
