"""What the daemon keeps in the store: its timetable and its outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from keyresults.metrics.table import microseconds
from keyresults.storage.account import Quota
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


def test_requests_are_told_of_runs_that_are_new_or_were_awaited(store):
    assert (store.newest_run(), store.requests_since(0, set())) == (0, [])
    first = store.start_run("github", None, NINE)
    second = store.start_run("files", None, NINE)
    store.finish_run(second, NINE, "failed", "no answer", 3, 0, 0, 0)
    assert store.newest_run() == second
    assert store.requests_since(0, set()) == [(first, "github", None), (second, "files", 3)]
    store.finish_run(first, NINE, "ok", None, 7, 0, 0, 0)
    assert store.requests_since(second, set()) == []
    assert store.requests_since(second, {first}) == [(first, "github", 7)]


def test_all_quotas_are_listed_each_as_of_now(store):
    now, later = microseconds(NINE), microseconds(NINE + HOUR)
    for resource, reset in (("graphql", later), ("core", now + 1)):
        store.hear("digest", resource, Quota(limit=5000, remaining=100, reset=reset), free=False, now=now)
    told = {resource: account for _, resource, account in store.accounts(later - 1)}
    assert list(told) == ["core", "graphql"]
    assert told["core"].limit is None, "its window is over, and nothing was heard of the next"
    assert (told["graphql"].limit, told["graphql"].remaining, told["graphql"].reset) == (5000, 100, later)


def test_when_a_cycle_was_last_evaluated_is_told_without_reading_it(store):
    assert store.last_confirmed("2026-Q4") is None
    for hour, ground in enumerate(("a", "a", "b")):
        at = NINE + hour * HOUR
        store.put_evaluation(at=at, cycle="2026-Q4", day=at.date(), config_digest="c", content="{}", ground=ground)
        assert store.last_confirmed("2026-Q4") == at
    assert store.last_confirmed("2026-Q3") is None


def test_many_definitions_are_noted_as_if_one_by_one(store):
    store.put_definitions("c", {"a": {"target": 1}, "b": {"target": 1}}, NINE)
    store.put_definitions("c", {"a": {"target": 2}, "b": {"target": 1}, "d": {"target": 1}}, NINE + HOUR)
    store.put_definitions("c", {}, NINE + 2 * HOUR)
    found = store.definitions("c")
    assert {kr: (d.snapshot["target"], d.first_seen, d.last_seen) for kr, d in found.items()} == {
        "a": (2, NINE + HOUR, NINE + HOUR),
        "b": (1, NINE, NINE + HOUR),
        "d": (1, NINE + HOUR, NINE + HOUR),
    }
    assert [one.snapshot["target"] for one in found["a"].earlier] == [1]
