"""What people said, kept: added to, never changed, and carried along where a key result gets another id."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.krs.checkin import CheckIn
from keyresults.storage.errors import StoreReadOnly
from keyresults.storage.store import Store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def url(store_url):
    return store_url


@pytest.fixture
def store(url):
    with Store.open(url) as opened:
        yield opened
        assert opened.check() == []


def said(hour=0.0, confidence=7, note="", by="ana"):
    return CheckIn(at=NOON + timedelta(hours=hour), by=by, confidence=confidence, note=note)


def test_each_comes_back_as_it_was_oldest_first_and_by_key_result(store):
    late, early = said(2, note="the cache is live"), said(1, None, "waiting")
    other = said(1.5, 0)
    for kr, one in (("p99", late), ("p99", early), ("errors", other)):
        assert store.put_check_in("2026-Q4", kr, one)
    assert store.check_ins("2026-Q4") == {"p99": (early, late), "errors": (other,)}
    assert store.check_ins("2026-Q3") == {}


def test_the_same_twice_is_kept_once_and_another_at_the_same_time_beside_it(store):
    for one in (said(), said(), said(by="ben"), said(confidence=None, note="n"), said(confidence=None, note="n")):
        store.put_check_in("c", "k", one)
    assert store.check_ins("c")["k"] == (said(), said(by="ben"), said(confidence=None, note="n"))
    assert store.put_check_in("c", "k", said()) is False


def test_only_what_was_said_by_then_is_given_that_instant_included(store):
    for hour in (1, 2, 3):
        store.put_check_in("c", "k", said(hour))
    assert store.check_ins("c", until=NOON + timedelta(hours=2)) == {"k": (said(1), said(2))}
    assert store.check_ins("c", until=NOON) == {}


def test_a_renamed_key_result_takes_its_check_ins_along_and_keeps_its_own(store):
    store.put_check_in("c", "old", said(1))
    store.put_check_in("c", "new", said(2))
    store.put_check_in("other cycle", "old", said(3))
    store.rename("c", "old", "new")
    store.rename("c", "old", "new")
    assert store.check_ins("c") == {"new": (said(1), said(2))}
    assert store.check_ins("other cycle") == {"old": (said(3),)}


def test_a_store_opened_for_reading_takes_none(store, url):
    with Store.open(url, read_only=True) as reader, pytest.raises(StoreReadOnly):
        reader.put_check_in("c", "k", said())


def test_what_no_database_keeps_is_replaced_and_the_rest_stays(store):
    store.put_check_in("c", "k", said(note="a\0b\ud800 \u202e'; DROP TABLE check_ins; --", by="\0"))
    (kept,) = store.check_ins("c")["k"]
    assert (kept.by, kept.note) == ("\ufffd", "a\ufffdb\ufffd \u202e'; DROP TABLE check_ins; --")


CHECK_INS = st.builds(
    said,
    hour=st.integers(0, 5),
    confidence=st.none() | st.integers(0, 10),
    note=st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=5),
    by=st.sampled_from(["ana", "ben"]),
)


@settings(max_examples=25, deadline=None)
@given(said=st.lists(st.tuples(st.sampled_from(["a", "b"]), CHECK_INS), max_size=8))
def test_whatever_is_said_none_is_lost_and_a_repetition_adds_nothing(tmp_path_factory, said):
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('kept')}/store.db") as store:
        for kr, one in said * 2:
            store.put_check_in("c", kr, one)
        kept = store.check_ins("c")
    for kr in ("a", "b"):
        mine = [one for name, one in dict.fromkeys(said) if name == kr]
        assert sorted(kept.get(kr, ()), key=repr) == sorted(mine, key=repr)
        assert [one.at for one in kept.get(kr, ())] == sorted(one.at for one in mine)
