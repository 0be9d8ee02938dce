"""The other end of the line: plants that behave, instruments that answer, and a wire with its faults."""
