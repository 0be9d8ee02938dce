"""Loops from signals to demands."""
