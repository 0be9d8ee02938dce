"""Parts of the bench that do not come with the project: a test that needs one asks for it here."""

import os
import shutil

import pytest


def require_command(name: str) -> str:
    """Path of the command ``name``. Without it the test is skipped by name, and fails when CI is "true"."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")
    if path is None:
        missing_part(f"the command {name} is not installed")
    return path


def missing_part(message: str):
    """Skip by name, or fail when CI is "true"."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
