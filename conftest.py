"""Hypothesis draws the same examples every time, so that a run says the same of the same tree.

`make long` explores: there it draws new ones and takes its time.
"""

from hypothesis import settings


def pytest_configure(config):
    exploring = config.getoption("markexpr") == "long"
    settings.register_profile("repeatable", derandomize=True, deadline=None)
    settings.register_profile("exploring", max_examples=2000, deadline=None)
    settings.load_profile("exploring" if exploring else "repeatable")
