"""One fixture, the same tests on every target; what a target can't do is skipped by name."""

import pytest

from edge.box import micropython
from hil_tests.targets import TARGETS
from tests.parts import missing_part


def make(name: str, folder):
    """A started target."""
    if name == "micropython":
        try:
            micropython.executable()
        except FileNotFoundError as error:
            missing_part(str(error))
    return TARGETS[name](folder).start()


@pytest.fixture(params=list(TARGETS), scope="session")
def shared(request, tmp_path_factory):
    """A target that has come up and controls; tests put faults on its line and take them away."""
    target = make(request.param, tmp_path_factory.mktemp(request.param))
    try:
        target.wait(target.all_well, 90)
        yield target
    finally:
        target.finish()


@pytest.fixture
def bench(shared):
    """The shared target, all well before the test and left without faults after it."""
    shared.wait(shared.all_well, 120)
    yield shared
    shared.clear()


@pytest.fixture(params=list(TARGETS))
def own(request, tmp_path):
    """A target of the test's own, which the test may bring down."""
    target = make(request.param, tmp_path)
    try:
        target.wait(lambda: target.telemetry() is not None and target.quality("t850") == "good", 60)
        yield target
    finally:
        target.finish()
