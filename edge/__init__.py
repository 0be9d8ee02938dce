"""furnace-edge: a compact controller for furnace nodes, on an industrial Linux box or a MicroPython board."""

__version__ = "0.1.0"
