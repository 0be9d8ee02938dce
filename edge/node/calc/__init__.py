"""Signals that are calculated from others, one file per kind."""
