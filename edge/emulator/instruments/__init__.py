"""Instruments on the emulated line: one file per family, registers from the driver of that family."""
