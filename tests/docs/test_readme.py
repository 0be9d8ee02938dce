"""README.md and the other pages: pieces of node files are right, and what they link to is there."""

import re
import tomllib
from pathlib import Path

import pytest

from edge.box.config import find
from edge.box.config.document import parse, read_entries
from edge.box.config.tables import REFUSED_KEYS

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


@pytest.mark.parametrize("page", PAGES)
def test_every_piece_of_a_node_file_has_keys_that_the_check_knows(page):
    for text in re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        document = parse(page, ("schema = 2\n" + text).encode())
        read_entries(document)
        told = [sentence for _, sentence in document.problems]
        # A piece need not be whole: tables and keys that are missing are no fault of it.
        assert [one for one in told if not re.search(r"the file has no \[| has no \w+, expected", one)] == [], text


def test_every_key_that_is_refused_as_one_of_schema_1_stands_in_the_table_of_what_to_change():
    page = (ROOT / "docs" / "node-file.md").read_text()
    section = page[page.index("## Files of schema 1") : page.index("## Tables")]
    old = [key for (_, key), told in REFUSED_KEYS.items() if "of schema 1" in told]
    assert old and [key for key in old if key not in section] == []
    kinds = re.findall(r'^### `\[calc\.NAME\]`.*?\| `kind` \| (.*?) \|', page, re.DOTALL | re.MULTILINE)[0]
    for row in section.splitlines():
        if row.startswith("| calc"):
            now = row.split("|")[2]
            assert any(kind in now for kind in re.findall(r'"(\w+)"', kinds)), row
