"""The collectors' pages in docs/collectors say what the collectors say of themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from keyresults.collectors.contract import FILES_KEY
from keyresults.collectors.documentation import page, write_pages
from keyresults.collectors.registry import BUILT_IN, collector_type

PAGES = Path(__file__).parent.parent / "docs" / "collectors"


@pytest.mark.parametrize("word", BUILT_IN)
def test_the_page_is_up_to_date(word):
    written = PAGES / f"{word}.md"
    assert written.is_file(), "run: make docs"
    assert written.read_text(encoding="utf-8") == page(collector_type(word)), "run: make docs"


def test_there_is_no_page_of_a_collector_that_is_no_more():
    assert {one.stem for one in PAGES.glob("*.md")} == set(BUILT_IN)


def test_writing_removes_what_is_no_more(tmp_path):
    (tmp_path / "pigeon.md").write_text("coo")
    write_pages(tmp_path)
    assert {one.stem for one in tmp_path.glob("*.md")} == set(BUILT_IN)


@pytest.mark.parametrize("word", BUILT_IN)
def test_every_key_that_people_write_has_its_row(word):
    kind = collector_type(word)
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.+) \|$", page(kind), re.MULTILINE)
    expected = [f.alias or name for m in (kind.Options, *kind.Queries.values()) for name, f in m.model_fields.items()]
    assert [key for key, _ in rows] == [key for key in expected if key != FILES_KEY]
