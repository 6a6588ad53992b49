"""What the daemon keeps in the store: its timetable and its outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from keyresults.storage.outbox import Notice
from keyresults.storage.store import Store

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        yield opened
        assert opened.check() == []


def notice(key="status/p99/2026-11-02", channel="chat", **more):
    return Notice(**{"key": key, "channel": channel, "occasion": "status", "title": "p99", "body": "on track"} | more)


def test_a_job_nobody_planned_is_unknown(store):
    assert store.job("collect/github") is None
    assert store.jobs() == {}


def test_a_planned_job_has_not_run(store):
    store.plan_job("collect/github", NINE)
    found = store.job("collect/github")
    assert (found.next_due, found.started_at, found.outcome, found.failures) == (NINE, None, None, 0)


def test_failures_in_a_row_are_counted_until_it_goes_well(store):
    for hour, outcome in enumerate(["failed", "failed", "ok", "failed"]):
        at = NINE + hour * HOUR
        store.start_job("collect/github", at, at + timedelta(seconds=1))
        store.finish_job("collect/github", at + timedelta(seconds=2), outcome, "no answer", at + HOUR)
    found = store.job("collect/github")
    assert (found.due, found.outcome, found.failures, found.error) == (NINE + 3 * HOUR, "failed", 1, "no answer")
    assert found.next_due == NINE + 4 * HOUR


def test_a_job_whose_process_died_is_seen_to_run_still(store):
    store.start_job("evaluate", NINE, NINE)
    store.finish_job("evaluate", NINE + HOUR, "ok", None, None)
    store.start_job("evaluate", NINE + 2 * HOUR, NINE + 2 * HOUR)
    found = store.job("evaluate")
    assert found.finished_at < found.started_at


def test_a_notice_waits_until_it_is_told(store):
    assert store.tell([notice(), notice(channel="mail")], {"status/p99": "on_track"}, NINE) == 2
    chat, mail = store.waiting(NINE)
    assert (chat.notice, mail.notice.channel, chat.attempts) == (notice(), "mail", 0)
    store.end_notice(chat.id, NINE + HOUR, "delivered")
    assert [w.id for w in store.waiting(NINE + HOUR)] == [mail.id]
    assert store.told() == {"status/p99": "on_track"}


def test_the_same_notice_is_put_in_once_whatever_became_of_it(store):
    store.tell([notice()], {}, NINE)
    store.end_notice(store.waiting(NINE)[0].id, NINE, "delivered")
    assert store.tell([notice(body="told in other words")], {}, NINE + HOUR) == 0
    assert store.waiting(NINE + HOUR) == []


def test_what_is_put_off_comes_back_later(store):
    store.tell([notice()], {}, NINE)
    (first,) = store.waiting(NINE)
    assert store.begin_notice(first, NINE + HOUR / 60)
    store.put_off(first.id, NINE + HOUR, "no answer")
    assert store.waiting(NINE + HOUR - timedelta(microseconds=1)) == []
    (again,) = store.waiting(NINE + HOUR)
    assert (again.attempts, again.error, again.notice.key) == (1, "no answer", notice().key)
    assert [w.id for w in store.unsent()] == [again.id]


def test_what_was_begun_and_came_to_no_end_comes_back_too(store):
    store.tell([notice()], {}, NINE)
    (first,) = store.waiting(NINE)
    assert store.begin_notice(first, NINE + HOUR)
    assert store.waiting(NINE) == []
    (again,) = store.waiting(NINE + HOUR)
    assert again.attempts == 1
    assert "not known" in again.error


def test_of_two_who_begin_the_same_notice_one_tells_it(store):
    store.tell([notice()], {}, NINE)
    (first,) = store.waiting(NINE)
    assert store.begin_notice(first, NINE + HOUR)
    assert not store.begin_notice(first, NINE + HOUR)
    store.end_notice(first.id, NINE, "delivered")
    assert not store.begin_notice(first, NINE + HOUR)


def test_notices_and_topics_are_kept_together_or_not_at_all(store):
    broken = notice(title=None)
    with pytest.raises((TypeError, AttributeError)):
        store.tell([notice(), broken], {"status/p99": "on_track"}, NINE)
    assert (store.waiting(NINE), store.told()) == ([], {})


def test_a_topic_says_what_was_told_last(store):
    store.tell([], {"blind/github": "blind"}, NINE)
    store.tell([], {"blind/github": "sees", "status/p99": "met"}, NINE + HOUR)
    assert store.told() == {"blind/github": "sees", "status/p99": "met"}
