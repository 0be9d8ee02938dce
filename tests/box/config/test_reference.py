"""The page about the node file is the one that its command writes, and says every key."""

from pathlib import Path

from edge.box.config.reference import page
from edge.box.config.tables import TABLES

PAGE = Path(__file__).parents[3] / "docs" / "node-file.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "run: python -m edge.box.config.reference > docs/node-file.md"


def test_every_key_stands_on_the_page_with_a_meaning():
    text = PAGE.read_text()
    for table in TABLES.values():
        for key, field in table.fields().items():
            assert f"| `{key}` | " in text
            assert field.meaning and field.expected()
