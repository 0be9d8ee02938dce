"""Hypothesis draws the same examples every time, so that a run says the same of the same tree.

`make long` explores: there it draws new ones and takes its time. Every test has a state folder of its own.
"""

import itertools
import os
import shutil
import tempfile

import pytest
from hypothesis import settings

_FOLDER = tempfile.mkdtemp(prefix="furnace-edge-tests-")
_NUMBERS = itertools.count()


def pytest_configure(config):
    exploring = config.getoption("markexpr") == "long"
    settings.register_profile("repeatable", derandomize=True, deadline=None)
    settings.register_profile("exploring", max_examples=2000, deadline=None)
    settings.load_profile("exploring" if exploring else "repeatable")
    # For what starts before the first test.
    os.environ["STATE_DIRECTORY"] = os.path.join(_FOLDER, "shared")


def pytest_unconfigure(config):
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.fixture(autouse=True)
def _own_state_folder(monkeypatch):
    """What a test's node has not sent is no concern of the next test's. Made by whoever needs it."""
    monkeypatch.setenv("STATE_DIRECTORY", os.path.join(_FOLDER, str(next(_NUMBERS))))
