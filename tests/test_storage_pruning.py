"""Letting go of old records: what a source looks like from outside stays the same."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from keyresults.storage.outbox import Notice
from keyresults.storage.pruning import Pruned, prune, thin_said
from keyresults.storage.store import Store
from storage_samples import START, hours, stream

STREAMS = (stream(), stream("runs"), stream(source="forge"), None)


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        yield opened
        assert opened.check() == []


def collected(store, at, outcome="ok", of=STREAMS[0], source="github"):
    run = store.start_run(source, of, hours(at))
    if outcome is not None:
        store.finish_run(run, hours(at) + timedelta(minutes=1), outcome, None, 1, 0, 0, 0)
    return run


def ids(store):
    return {run.id for run in store.runs(limit=10_000)}


def shown(store):
    """All that is told of streams and sources."""
    return store.states(), [store.last_source_run(source) for source in ("github", "forge")]


def test_old_records_go_and_newer_ones_stay(store):
    old = {collected(store, at) for at in range(10)}
    new = {collected(store, at) for at in range(100, 105)}
    assert prune(store, hours(50)) == Pruned(runs=len(old), notices=0)
    assert ids(store) == new


def test_the_newest_of_each_stream_and_source_stay(store):
    kept = set()
    for of in STREAMS:
        for source in ("github", "forge") if of is None else (of.source,):
            collected(store, 1, of=of, source=source)
            kept.add(collected(store, 2, of=of, source=source))
    assert prune(store, hours(1000)).runs == 5
    assert ids(store) == kept


def test_the_last_success_and_the_last_end_stay_behind_failures_and_deaths(store):
    collected(store, 0)
    good = collected(store, 1)
    collected(store, 2, "failed")
    failed = collected(store, 3, "failed")
    collected(store, 4, None)
    dead = collected(store, 5, None)
    before = shown(store)
    prune(store, hours(1000))
    assert ids(store) == {good, failed, dead}
    assert shown(store) == before


@pytest.mark.parametrize("seed", range(5))
def test_nothing_that_is_shown_changes(store, seed):
    chance = random.Random(seed)
    for at in range(120):
        of = chance.choice(STREAMS)
        source = of.source if of else chance.choice(["github", "forge"])
        collected(store, at + chance.uniform(0, 3), chance.choice(["ok", "failed", "retry", None]), of, source)
    before, all_ids = shown(store), ids(store)
    gone = prune(store, hours(90))
    assert gone.runs == len(all_ids) - len(ids(store)) > 50
    assert shown(store) == before
    assert prune(store, hours(90)).runs == 0


def test_notices_that_ended_go_and_those_that_wait_stay(store):
    for number in range(3):
        notice = Notice(key=f"k{number}", channel="chat", occasion="status", title="p99", body="on track")
        store.tell([notice], {"status/p99": "on_track"}, START)
    first, second, waiting = store.unsent()
    store.end_notice(first.id, hours(1), "delivered")
    store.end_notice(second.id, hours(60), "given_up", "no such channel")
    store.put_off(waiting.id, hours(2), "later")
    assert prune(store, hours(50)) == Pruned(runs=0, notices=1)
    assert prune(store, hours(70)) == Pruned(runs=0, notices=1)
    assert [one.id for one in store.unsent()] == [waiting.id]
    assert store.told() == {"status/p99": "on_track"}


def test_what_was_said_by_the_end_of_each_day_stays_said(store):
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(6)]
    for cycle in ("2026-Q4", "2026-H2"):
        for number, day in enumerate(sorted(days * 5)):
            said = {"cycle": cycle, "day": day, "config_digest": "c", "ground": f"{number}", "content": f'"{number}"'}
            assert store.put_evaluation(at=hours(number), **said)

    def by_day():
        return [store.said_by(cycle, day) for cycle in ("2026-Q4", "2026-H2") for day in days]

    before = by_day()
    assert thin_said(store, days[3]) == 2 * 3 * 4
    assert by_day() == before
    assert len(store.evaluations()) == 2 * (3 + 3 * 5)
    assert [store.first_said("2026-Q4"), thin_said(store, days[3])] == [days[0], 0]
