"""The firmware: runs unmodified on CPython and MicroPython."""
