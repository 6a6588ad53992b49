"""What was done to cycles is added to, and stands as it was written."""

from __future__ import annotations

import pytest
from keyresults.storage.errors import StoreReadOnly
from keyresults.storage.rows import StoredClosing
from keyresults.storage.store import Store
from storage_samples import hours


@pytest.fixture
def url(store_url):
    return store_url


@pytest.fixture
def store(url):
    with Store.open(url) as opened:
        yield opened
        assert opened.check() == []


def put(store, cycle="2026-Q4", action="closed", hour=1, by="ana", content="{}"):
    return store.put_closing(cycle, action, at=hours(hour), by=by, content=content)


def test_all_that_was_done_comes_back_in_its_order(store):
    put(store, content='{"a":1}')
    put(store, action="reopened", hour=3, by="ben")
    put(store, action="closed", hour=2)
    assert store.closings("2026-Q4")[0] == StoredClosing(
        cycle="2026-Q4", at=hours(1), by="ana", action="closed", content='{"a":1}'
    )
    assert [(c.action, c.at, c.by) for c in store.closings("2026-Q4")] == [
        ("closed", hours(1), "ana"),
        ("reopened", hours(3), "ben"),
        ("closed", hours(2), "ana"),
    ]


def test_what_is_closed_is_not_closed_again_and_what_is_open_not_opened(store):
    assert not put(store, action="reopened")
    assert put(store, by="ana")
    assert put(store, action="learned")
    assert not put(store, by="ben")
    assert put(store, action="reopened")
    assert put(store, action="learned")
    assert not put(store, action="reopened")
    assert put(store, by="ben")
    assert [c.by for c in store.closings("2026-Q4") if c.action == "closed"] == ["ana", "ben"]


def test_each_cycle_has_its_own(store):
    put(store)
    assert store.closings("2026-Q3") == []


def test_names_and_texts_that_no_database_keeps_are_made_storable(store):
    put(store, cycle="a\0b", by="\ud800", content="\0")
    (one,) = store.closings("a\0b")
    assert (one.cycle, one.by, one.content) == ("a\ufffdb", "\ufffd", "\ufffd")


def test_they_outlast_the_process_and_are_not_written_by_readers(url):
    with Store.open(url) as store:
        put(store)
    with Store.open(url, read_only=True) as store:
        assert len(store.closings("2026-Q4")) == 1
        with pytest.raises(StoreReadOnly):
            put(store)
