"""The configuration reader: node files in TOML, checked with line numbers, and what is made of them."""

from edge.box.config.problems import NodeFileError
from edge.box.config.schema import NodeFile, check, describe, find, load, packaged, read

__all__ = ["NodeFile", "NodeFileError", "check", "describe", "find", "load", "packaged", "read"]
