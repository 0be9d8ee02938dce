"""What a missing package is answered with: the command that brings it, for this installation."""

import json
import shlex
import sys

import pytest

from edge.box import extras

PIP = f"{sys.executable} -m pip install "
ORIGINS = {
    "a clone": ({"url": "file:///home/an%20na/edge", "dir_info": {}}, "'/home/an na/edge[demo]'"),
    "a clone, editable": ({"url": "file:///c", "dir_info": {"editable": True}}, "--editable '/c[demo]'"),
    "a wheel": (
        {"url": "file:///tmp/f.whl", "archive_info": {}}, "'furnace-edge[demo] @ file:///tmp/f.whl'"
    ),
    "an index": (None, "'furnace-edge[demo]'"),
}  # fmt: skip


@pytest.mark.parametrize(("origin", "words"), ORIGINS.values(), ids=ORIGINS)
def test_the_command_names_where_the_installation_came_from(monkeypatch, origin, words):
    class Distribution:
        def read_text(self, name):
            assert name == "direct_url.json"
            return origin and json.dumps(origin)

    monkeypatch.setattr(extras.importlib.metadata, "distribution", lambda name: Distribution())
    assert extras.install_command("demo") == PIP + words
    assert shlex.split(extras.install_command("demo"))[3] == "install"


def test_a_tree_that_was_never_installed_gets_the_name(monkeypatch):
    def none(name):
        raise extras.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(extras.importlib.metadata, "distribution", none)
    said = f"rich is not installed. This brings it: {PIP}'furnace-edge[demo]'"
    assert extras.missing("rich", "demo") == said
