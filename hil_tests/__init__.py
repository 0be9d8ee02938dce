"""The node as another process or another runtime, on a serial line, against the emulator."""
