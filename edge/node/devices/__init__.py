"""Drivers of the instruments: one file per family, registers named as in the data sheet."""
