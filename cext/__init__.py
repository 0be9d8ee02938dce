"""The numerical core: numbers in, numbers out.

Each module is plain Python that imports ``math`` and nothing else, with a .pxd of C types beside it. The same
file is interpreted by CPython, compiled by Cython and run by MicroPython, and gives the same 64-bit numbers
on all three (``tests/cext/test_trace.py`` holds it to that).

A number that does not exist, such as the temperature of a voltage outside a thermocouple's range, is NaN,
never a plausible value.
"""
