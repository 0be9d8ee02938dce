"""README.md: its pieces of the node file are those of the file, and the pages that it names are there."""

import re
import tomllib
from pathlib import Path

import pytest

from edge.box.config import find

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
(NODE_FILE,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


def flat(tables):
    return {
        f"{table}.{name}": entry
        for table, entries in tables.items()
        if isinstance(entries, dict)
        for name, entry in entries.items()
        if isinstance(entry, dict)
    }


def test_every_piece_of_the_node_file_is_a_piece_of_the_packaged_one():
    packaged = flat(tomllib.loads(find("bishkek").read_text()))
    shown = flat(tomllib.loads(NODE_FILE))
    assert shown
    for name, entry in shown.items():
        assert entry.items() <= packaged[name].items(), name


PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{one.name}" for one in (ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_links_to_what_is_there(page):
    text = (ROOT / page).read_text()
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}, link
