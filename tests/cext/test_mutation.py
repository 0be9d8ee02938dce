"""What survives a mutation run stands, with its reason, in docs/mutation.md."""

from pathlib import Path

import pytest

from tests.cext import mutation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mutation.md"


def explained(module: str) -> set:
    """(change, text) of the survivors of a module on the page."""
    rows = [row.split(" | ") for row in PAGE.read_text().splitlines() if row.startswith(f"| {module} ")]
    return {(change, text.strip("`")) for _, change, text, _ in rows}


@pytest.mark.parametrize("module", mutation.TESTS)
def test_the_page_explains_lines_that_the_module_has(module):
    source = {line.strip() for line in (PAGE.parents[1] / "cext" / f"{module}.py").read_text().splitlines()}
    found = explained(module)
    assert found
    for _, text in found:
        assert text in source, text


@pytest.mark.long
@pytest.mark.parametrize("module", mutation.TESTS)
def test_nothing_survives_that_is_not_explained(module):
    _, survivors = mutation.run(module)
    assert {(change, text) for _, change, text in survivors} <= explained(module)
