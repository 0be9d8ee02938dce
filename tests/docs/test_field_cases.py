"""docs/field-cases.md is that of this source; the recordings, which take longer, have a test of their own."""

import pytest

from docs import make_field_cases as maker
from docs.field_tests import row


@pytest.mark.parametrize("group", [one for one in maker.GROUPS if one[0] != maker.RECORDINGS], ids=lambda one: one[0])
def test_a_section_is_up_to_date(group):
    title, text, rows = group
    page = maker.PAGE.read_text(encoding="utf-8")
    assert maker.section(title, text, rows()) in page, "make it again: python docs/make_field_cases.py"


def test_a_case_whose_test_is_gone_is_refused():
    with pytest.raises(ValueError, match="has no test test_that_is_gone"):
        row("a case", "before", "now", "tests/docs/test_field_cases.py::test_that_is_gone")
