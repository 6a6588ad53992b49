"""What every store does, whatever database holds it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, fields, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from keyresults.krs.judgement import Baseline
from keyresults.metrics.facts import Run, Sample, StatusChange
from keyresults.metrics.reading import FactNote, Health, Reading
from keyresults.metrics.stream import Batch, Stream
from keyresults.metrics.window import Window
from keyresults.storage.errors import BaselineFrozen, StoreMissing, StoreReadOnly
from keyresults.storage.store import Store
from storage_samples import ONE_OF_EACH, START, covered, deployment, hours, stream

WRITER = Path(__file__).with_name("storage_writer.py")


@pytest.fixture
def url(store_url):
    return store_url


@pytest.fixture
def store(url):
    with Store.open(url) as opened:
        yield opened
        assert opened.check() == []


def write(store, *facts, at=START, to=None, **batch):
    to = to or stream(facts[0].kind if facts else "deployments")
    return store.write(to, Batch(facts=facts, **batch), at)


class TestFacts:
    @pytest.mark.parametrize("fact", ONE_OF_EACH, ids=lambda f: f.kind)
    def test_each_kind_comes_back_as_it_was(self, store, fact):
        write(store, fact)
        assert store.fact(stream(fact.kind).id, fact.key) == fact

    @pytest.mark.parametrize("fact", ONE_OF_EACH, ids=lambda f: f.kind)
    def test_each_kind_survives_without_what_may_be_missing(self, store, fact):
        needed = [f.name for f in fields(fact) if f.default is MISSING and f.default_factory is MISSING]
        bare = type(fact)(**{name: getattr(fact, name) for name in needed})
        write(store, bare)
        assert store.fact(stream(fact.kind).id, bare.key) == bare

    def test_columns_are_plain_and_name_the_kinds_own_instant(self, store):
        write(store, deployment(1))
        found = store.facts("deployments", [stream().id])
        at = int(hours(1).timestamp()) * 1_000_000
        assert found["at"] == found["created_at"] == [at]
        assert found["stream"] == [stream().id]
        assert found["started_at"] == [at + 31_000_000]
        assert found["succeeded_at"] == found["finished_at"] == [at + 61_000_007]
        assert found["outcome"] == ["success"]
        assert found["waited_seconds"] == [30.0]
        assert found["marked_rollback"] == [True]
        assert found["marked_rollback"][0] is True
        assert json.loads(found["statuses"][0])[0] == ["waiting", at + 1_000_000]
        assert json.loads(found["payload"][0])["nested"] == {"list": [1, 2.5, None, True]}

    def test_a_failed_attempt_has_no_success(self, store):
        write(store, deployment(1, state="error"))
        found = store.facts("deployments", [stream().id])
        assert (found["succeeded_at"], found["outcome"]) == ([None], ["error"])

    def test_an_attempt_without_an_end_has_no_outcome(self, store):
        running = deployment(1)
        object.__setattr__(running, "statuses", (StatusChange("in_progress", START),))
        write(store, running)
        found = store.facts("deployments", [stream().id])
        assert (found["outcome"], found["finished_at"], found["waited_seconds"]) == ([None], [None], [0.0])

    def test_facts_come_in_the_order_of_time_stream_and_key(self, store):
        first, second = stream(subject="a"), stream(subject="b")
        write(store, deployment(9, hour=1), deployment(3, hour=2), deployment(1, hour=1), to=second)
        write(store, deployment(5, hour=2), deployment(7, hour=1), to=first)
        found = store.facts("deployments", [second.id, first.id], columns=["stream", "key"])
        assert list(zip(found["stream"], found["key"], strict=True)) == [
            (first.id, "d7"),
            (second.id, "d1"),
            (second.id, "d9"),
            (first.id, "d5"),
            (second.id, "d3"),
        ]

    def test_until_is_included_and_only_asked_columns_come(self, store):
        write(store, deployment(1), deployment(2), deployment(3))
        found = store.facts("deployments", [stream().id], until=hours(2), columns=["key", "created_at"])
        assert list(found) == ["key", "created_at"]
        assert found["key"] == ["d1", "d2"]

    def test_unknown_streams_give_empty_columns(self, store):
        found = store.facts("runs", ["never/heard/of@it"])
        assert found["key"] == found["created_at"] == []
        assert store.fact("never/heard/of@it", "k") is None
        assert store.keys("never/heard/of@it", start=START, end=hours(1)) == set()

    def test_keys_are_of_a_half_open_range(self, store):
        write(store, deployment(1), deployment(2), deployment(3))
        assert store.keys(stream().id, start=hours(1), end=hours(3)) == {"d1", "d2"}

    def test_a_batch_of_another_kind_is_refused(self, store):
        with pytest.raises(ValueError, match="may hold runs only"):
            write(store, deployment(1), to=stream("runs"))

    def test_a_broken_fact_leaves_nothing_of_its_batch(self, store):
        naive = deployment(2, hour=2)
        object.__setattr__(naive, "created_at", START.replace(tzinfo=None))
        with pytest.raises(TypeError):
            write(store, deployment(1), naive, covered=covered((0, 5)))
        assert store.state(stream().id) is None

    def test_text_that_no_database_keeps_is_replaced(self, store):
        odd = Run(
            key="k\0",
            subject="s",
            workflow="ci\ud800.yml",
            run="1",
            attempt=1,
            branch="é",
            commit="c",
            created_at=START,
        )
        write(store, odd)
        assert write(store, odd).changed == 0
        found = store.fact(stream("runs").id, "k\0")
        assert (found.key, found.workflow, found.branch) == ("k\ufffd", "ci\ufffd.yml", "é")
        assert write(store, to=stream("runs"), removed=("k\0",)).removed == 1

    def test_json_that_is_none_is_made_sayable(self, store):
        odd = deployment(1)
        object.__setattr__(odd, "payload", {"n": math.nan, "\0": ["\udfff", {1}, START], "ok": 1})
        write(store, odd)
        assert store.fact(stream().id, "d1").payload == {
            "n": None,
            "\ufffd": ["\ufffd", [1], "2026-10-01 00:00:00+00:00"],
            "ok": 1,
        }

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
    def test_what_is_no_number_is_missing(self, store, value):
        write(store, Sample(key="a", subject="s", at=START, value=value, n=value, parts={"0.1": 1.0, "+Inf": value}))
        found = store.fact(stream("samples").id, "a")
        assert (found.value, found.n, found.parts) == (None, None, {})


class TestWriting:
    def test_it_counts_what_was_added_changed_and_removed(self, store):
        assert write(store, deployment(1), deployment(2), deployment(3)).added == 3
        second = write(store, deployment(2, state="failure"), deployment(3), deployment(4), removed=("d1", "never"))
        assert (second.added, second.changed, second.removed) == (1, 1, 1)
        assert store.state(stream().id).facts == 3

    def test_the_same_batch_again_changes_nothing(self, store):
        batch = Batch(facts=(deployment(1), deployment(2)), covered=covered((0, 5)), cursor={"page": 2})
        store.write(stream(), batch, START)
        before = store.state(stream().id)
        again = store.write(stream(), batch, hours(1))
        assert (again.added, again.changed, again.removed, again.touched_from) == (0, 0, 0, None)
        assert store.state(stream().id) == before

    def test_touched_reaches_back_to_where_a_fact_was(self, store):
        write(store, deployment(1), deployment(5), covered=covered((0, 6)))
        assert write(store, deployment(5, hour=7)).touched_from == hours(5)
        assert write(store, deployment(5, hour=3)).touched_from == hours(3)
        assert write(store, removed=("d1",)).touched_from == hours(1)
        assert write(store, covered=covered((4, 9))).touched_from == hours(6)

    def test_a_fact_that_moved_in_time_is_still_one(self, store):
        write(store, deployment(1, hour=1))
        write(store, deployment(1, hour=9))
        assert store.facts("deployments", [stream().id])["key"] == ["d1"]
        assert store.state(stream().id).newest_fact == hours(9)

    def test_of_two_facts_with_one_key_the_later_counts(self, store):
        written = write(store, deployment(1, state="failure"), deployment(1))
        assert written.added == 1
        assert store.fact(stream().id, "d1").statuses[-1].state == "success"

    def test_an_edited_query_is_a_stream_of_its_own(self, store):
        other = Stream("github", "deployments", "acme/payments", {"environment": "staging"})
        write(store, deployment(1))
        write(store, deployment(1), deployment(2), to=other)
        assert [s.facts for s in sorted(store.states(), key=lambda s: s.facts)] == [1, 2]

    def test_many_facts_in_one_batch(self, store):
        facts = tuple(deployment(n) for n in range(3000))
        assert write(store, *facts).added == 3000
        assert write(store, *facts, removed=tuple(f"d{n}" for n in range(0, 3000, 2))).removed == 1500
        assert store.state(stream().id).facts == 1500


class TestStreams:
    def test_coverage_is_united(self, store):
        write(store, covered=covered((0, 2), (4, 6)))
        write(store, covered=covered((2, 3), (5, 8)))
        assert store.state(stream().id).coverage == covered((0, 3), (4, 8))

    def test_the_state_says_how_far_a_stream_reaches(self, store):
        write(
            store,
            deployment(1),
            deployment(4),
            at=hours(9),
            cursor={"after": "x"},
            covered=covered((0, 5)),
            open_keys=("d4",),
            horizon=START,
            problems=("row 7: no date",),
        )
        state = store.state(stream().id)
        assert state.stream == stream()
        assert state.stream.query == {"environment": "production"}
        assert (state.cursor, state.open_keys, state.problems) == ({"after": "x"}, ("d4",), ("row 7: no date",))
        assert (state.horizon, state.newest_fact, state.facts) == (START, hours(4), 2)
        assert (state.revision, state.changed_at) == (1, hours(9))
        assert (state.last_run, state.last_success) == (None, None)

    def test_cursor_and_horizon_stay_where_a_batch_has_none(self, store):
        write(store, cursor={"page": 1}, horizon=START)
        write(store, covered=covered((0, 1)))
        state = store.state(stream().id)
        assert (state.cursor, state.horizon) == ({"page": 1}, START)

    def test_the_revision_counts_real_changes_only(self, store):
        write(store, deployment(1), covered=covered((0, 5)))
        write(store, deployment(1), covered=covered((1, 2)), cursor={"page": 2}, problems=("a row",))
        assert store.state(stream().id).revision == 1
        write(store, covered=covered((5, 6)))
        write(store, horizon=hours(1))
        write(store, removed=("d1",))
        assert store.state(stream().id).revision == 4
        assert store.state(stream().id).newest_fact is None

    def test_states_are_those_of_a_source(self, store):
        write(store, to=stream(subject="b"))
        write(store, to=stream(subject="a"))
        write(store, to=stream(source="gitlab"))
        assert [s.stream.subject for s in store.states("github")] == ["a", "b"]
        assert len(store.states()) == 3
        assert store.state("never/heard/of@it") is None

    def test_problems_add_up_until_the_next_run(self, store):
        write(store, problems=("row 1", "row 2"))
        write(store, problems=("row 2", "row 3"))
        assert store.state(stream().id).problems == ("row 1", "row 2", "row 3")
        store.start_run("github", stream(), START)
        assert store.state(stream().id).problems == ()


class TestRuns:
    def test_a_run_is_recorded_from_start_to_end(self, store):
        run = store.start_run("github", stream(), START)
        assert store.runs()[0].outcome is None
        store.finish_run(run, hours(1), "ok", None, requests=3, added=2, changed=1, removed=0)
        (record,) = store.runs(stream().id)
        assert (record.id, record.source, record.stream, record.outcome) == (run, "github", stream().id, "ok")
        assert (record.started_at, record.finished_at, record.requests) == (START, hours(1), 3)
        assert (record.added, record.changed, record.removed, record.retry_at) == (2, 1, 0, None)
        assert store.state(stream().id).last_run == record

    def test_the_last_success_outlives_later_failures(self, store):
        good = store.start_run("github", stream(), START)
        store.finish_run(good, hours(1), "ok", None, 1, 0, 0, 0)
        bad = store.start_run("github", stream(), hours(2))
        store.finish_run(bad, hours(2), "retry", "limit reached", 1, 0, 0, 0, retry_at=hours(3))
        store.start_run("github", stream(), hours(4))
        state = store.state(stream().id)
        assert (state.last_run.id, state.last_run.error, state.last_run.retry_at) == (bad, "limit reached", hours(3))
        assert state.last_success == hours(1)

    def test_a_source_can_fail_before_its_streams_are_known(self, store):
        run = store.start_run("github", None, START)
        store.finish_run(run, START, "unauthorized", "bad token", 1, 0, 0, 0)
        assert [(r.stream, r.outcome) for r in store.runs()] == [(None, "unauthorized")]
        assert store.states() == []

    def test_the_last_run_of_a_source_itself_is_the_newest_finished(self, store):
        assert store.last_source_run("github") is None
        run = store.start_run("github", None, START)
        store.finish_run(run, START, "failed", "no answer", 1, 0, 0, 0)
        store.start_run("github", None, hours(1))
        other = store.start_run("github", stream(), hours(1))
        store.finish_run(other, hours(1), "ok", None, 1, 0, 0, 0)
        assert (store.last_source_run("github").id, store.last_source_run("gitlab")) == (run, None)

    def test_a_run_whose_process_died_has_ended_without_an_outcome_when_the_next_begins(self, store):
        died = store.start_run("github", stream(), START)
        died_early = store.start_run("github", None, START)
        elsewhere = store.start_run("github", stream(subject="b"), START)
        told = store.start_run("github", stream(), hours(1))
        store.finish_run(told, hours(1), "ok", None, 1, 0, 0, 0)
        store.start_run("github", stream(), hours(2))
        ended = {run.id: (run.outcome, run.finished_at) for run in store.runs()}
        assert ended[died] == (None, hours(1))
        assert ended[told] == ("ok", hours(1))
        assert [ended[run] for run in (died_early, elsewhere)] == [(None, None)] * 2
        assert store.state(stream().id).last_run.id == told

    def test_runs_are_newest_first_and_limited(self, store):
        for n in range(5):
            store.start_run("github", stream(), hours(n))
        assert [r.started_at for r in store.runs(limit=2)] == [hours(4), hours(3)]


class TestLeases:
    def test_a_stream_is_leased_to_one(self, store):
        assert store.lease("s", "a", hours(0), hours(1))
        assert not store.lease("s", "b", hours(0.5), hours(2))
        assert store.lease("t", "b", hours(0.5), hours(2))
        assert store.lease("s", "a", hours(0.5), hours(3))
        assert not store.lease("s", "b", hours(2), hours(4))

    def test_a_lease_given_back_is_free(self, store):
        store.lease("s", "a", hours(0), hours(1))
        store.release("s", "b")
        assert not store.lease("s", "b", hours(0), hours(1))
        store.release("s", "a")
        assert store.lease("s", "b", hours(0), hours(1))

    def test_the_lease_of_a_dead_process_expires(self, store):
        store.lease("s", "dead", hours(0), hours(1))
        assert store.lease("s", "alive", hours(1), hours(2))


class TestMemos:
    def test_a_memo_is_kept_for_its_source(self, store, url):
        memo = store.memo("github")
        memo["etag"] = "1"
        memo["etag"] = "2"
        store.memo("gitlab")["etag"] = "other"
        with Store.open(url) as other:
            assert dict(other.memo("github")) == {"etag": "2"}
        assert len(memo) == 1
        del memo["etag"]
        assert "etag" not in memo
        with pytest.raises(KeyError):
            del memo["etag"]


def reading(n: int, value: float | None = 0.5) -> Reading:
    at = START + timedelta(days=n)
    return Reading(
        at=at,
        day=date(2026, 9, 30) + timedelta(days=n),
        value=value,
        unit="ratio",
        interval=(0.25, 0.75),
        n=8,
        numerator=4,
        denominator=8,
        health=Health.OK,
        covered=1.0,
        window=Window(at - timedelta(days=28), at),
        notes=("a note – 1",),
    )


class TestReadings:
    AS_OF = START + timedelta(days=9)

    @pytest.fixture
    def collected(self, store):
        """A stream with a deployment at each of ten hours, covered until then."""
        facts = tuple(deployment(n) for n in range(10))
        store.write(stream(), Batch(facts=facts, covered=covered((0, 10))), START)
        return store

    def put(self, store, found, *, digest="d1", as_of=AS_OF, across_time=False, metric="p99", revision=None):
        rests_on = {stream().id: store.state(stream().id).revision if revision is None else revision}
        return store.put_readings(metric, digest, found, as_of=as_of, rests_on=rests_on, across_time=across_time)

    def test_they_come_back_whole(self, collected):
        found = [reading(1), reading(2, None), reading(3)]
        assert self.put(collected, found)
        assert collected.readings("p99", "d1", self.AS_OF) == found

    def test_more_of_the_same_definition_join_them(self, collected):
        self.put(collected, [reading(1)])
        self.put(collected, [reading(2), reading(3)])
        assert [r.at for r in collected.readings("p99", "d1", self.AS_OF)] == [reading(n).at for n in (1, 2, 3)]

    def test_those_of_another_definition_go(self, collected):
        self.put(collected, [reading(1), reading(2)])
        self.put(collected, [reading(1)], metric="other")
        self.put(collected, [reading(3)], digest="d2")
        assert collected.readings("p99", "d1", self.AS_OF) == []
        assert collected.readings("p99", "d2", self.AS_OF) == [reading(3)]
        assert collected.readings("other", "d1", self.AS_OF) == [reading(1)]

    def test_an_earlier_time_gets_none_for_they_know_more_than_it_does(self, collected):
        self.put(collected, [reading(1)])
        assert collected.readings("p99", "d1", self.AS_OF - timedelta(seconds=1)) == []

    def test_nothing_is_kept_of_facts_that_have_moved_on(self, collected):
        before = collected.state(stream().id).revision
        collected.write(stream(), Batch(facts=(deployment(11),)), START)
        assert not self.put(collected, [reading(1)], revision=before)
        assert collected.readings("p99", "d1", self.AS_OF) == []

    def test_a_later_fact_forgets_only_what_comes_after_it(self, collected):
        self.put(collected, [reading(0), reading(1), reading(2)])
        late = replace(deployment(30), created_at=START + timedelta(days=1, hours=1))
        collected.write(stream(), Batch(facts=(late,)), START)
        assert [r.at for r in collected.readings("p99", "d1", self.AS_OF)] == [reading(0).at, reading(1).at]

    def test_a_later_fact_forgets_all_that_reaches_across_time(self, collected):
        self.put(collected, [reading(0), reading(1), reading(2)], across_time=True)
        self.put(collected, [reading(0)], metric="other")
        late = replace(deployment(30), created_at=START + timedelta(days=1, hours=1))
        collected.write(stream(), Batch(facts=(late,)), START)
        assert collected.readings("p99", "d1", self.AS_OF) == []
        assert collected.readings("other", "d1", self.AS_OF) == [reading(0)]

    def test_newly_covered_time_forgets_what_comes_after_its_start(self, collected):
        self.put(collected, [reading(0), reading(1), reading(2)], across_time=True)
        collected.write(stream(), Batch(covered=covered((24, 48))), START)
        assert [r.at for r in collected.readings("p99", "d1", self.AS_OF)] == [reading(0).at, reading(1).at]

    def test_the_same_batch_again_forgets_nothing(self, collected):
        self.put(collected, [reading(0), reading(1)], across_time=True)
        collected.write(stream(), Batch(facts=(deployment(3),), covered=covered((0, 10))), START)
        assert len(collected.readings("p99", "d1", self.AS_OF)) == 2

    def test_no_nan_is_stored(self, collected):
        self.put(collected, [reading(1, math.nan)])
        assert collected.readings("p99", "d1", self.AS_OF)[0].value is None


NOTE = FactNote(key="d1", at=START, subject="acme/payments", counted=True, role="forward", why="first success")


def baseline(value: float, *, provisional: bool) -> Baseline:
    return Baseline(
        value=value, at=START, measured=True, provisional=provisional, pace_start=START, reading=reading(0, value)
    )


class TestBaselines:
    def test_it_comes_back_with_its_evidence(self, store):
        assert store.baseline("2026-Q4", "p99", "d1") is None
        store.put_baseline("2026-Q4", "p99", "d1", baseline(0.4, provisional=False), [NOTE], hours(1))
        stored = store.baseline("2026-Q4", "p99", "d1")
        assert stored.baseline == baseline(0.4, provisional=False)
        assert (stored.metric_digest, stored.at) == ("d1", hours(1))
        assert store.baseline_evidence("2026-Q4", "p99", "d1") == (NOTE,)
        assert store.baseline_evidence("2026-Q4", "p99", "d2") == ()

    def test_a_stated_number_has_neither_instant_nor_reading(self, store):
        stated = Baseline(value=4, at=None, measured=False, provisional=False, pace_start=START)
        store.put_baseline("2026-Q4", "p99", "d1", stated, [], START)
        assert store.baseline("2026-Q4", "p99", "d1").baseline == stated

    def test_a_provisional_one_is_replaced_and_a_frozen_one_never(self, store):
        store.put_baseline("c", "k", "d1", baseline(0.4, provisional=True), [], START)
        store.put_baseline("c", "k", "d1", baseline(0.5, provisional=False), [NOTE], hours(1))
        for other in (baseline(0.6, provisional=False), baseline(0.5, provisional=True)):
            with pytest.raises(BaselineFrozen, match="c/k was frozen on 2026-10-01"):
                store.put_baseline("c", "k", "d1", other, [], hours(2))
        store.put_baseline("c", "k", "d1", baseline(0.5, provisional=False), [], hours(3))
        assert store.baseline_evidence("c", "k", "d1") == (NOTE,)

    def test_another_definition_of_the_metric_has_a_baseline_of_its_own(self, store):
        store.put_baseline("c", "k", "d1", baseline(0.4, provisional=False), [NOTE], START)
        store.put_baseline("c", "k", "d2", baseline(0.7, provisional=False), [], hours(1))
        assert store.baseline("c", "k", "d1").baseline.value == 0.4
        assert store.baseline("c", "k", "d2").baseline.value == 0.7

    def test_renaming_hands_on_baseline_and_definitions(self, store):
        store.put_baseline("c", "old", "d1", baseline(0.4, provisional=False), [NOTE], START)
        store.put_definition("c", "old", {"target": 1}, START)
        store.rename("c", "old", "new")
        store.rename("c", "old", "new")
        assert store.baseline("c", "old", "d1") is None
        assert store.baseline("c", "new", "d1").baseline.value == 0.4
        assert list(store.definitions("c")) == ["new"]

    def test_renaming_replaces_a_provisional_one_but_no_frozen_one(self, store):
        store.put_baseline("c", "old", "d1", baseline(0.4, provisional=False), [], START)
        store.put_baseline("c", "new", "d1", baseline(0.9, provisional=True), [], START)
        store.rename("c", "old", "new")
        assert store.baseline("c", "new", "d1").baseline.value == 0.4
        store.put_baseline("c", "other", "d1", baseline(0.1, provisional=False), [], START)
        store.rename("c", "other", "new")
        assert store.baseline("c", "new", "d1").baseline.value == 0.4
        assert store.baseline("c", "other", "d1").baseline.value == 0.1


class TestDefinitions:
    def test_history_grows_only_where_they_differ(self, store):
        for hour, target in enumerate((1, 1, 2, 1)):
            store.put_definition("c", "k", {"target": target, "title": "T"}, hours(hour))
        store.put_definition("other", "k", {}, START)
        defined = store.definitions("c")["k"]
        assert (defined.snapshot, defined.first_seen) == ({"target": 1, "title": "T"}, hours(3))
        assert [(d.snapshot["target"], d.first_seen, d.last_seen) for d in defined.earlier] == [
            (1, hours(0), hours(1)),
            (2, hours(2), hours(2)),
        ]


class TestEvaluations:
    def put(self, store, hour, *, day=1, ground="g1", config="c1", cycle="2026-Q4"):
        said = json.dumps({"as_of": hour})
        return store.put_evaluation(
            at=hours(hour), cycle=cycle, day=date(2026, 10, day), config_digest=config, content=said, ground=ground
        )

    def test_one_is_kept_where_it_differs_from_the_last(self, store):
        assert store.last_evaluation("2026-Q4") is None
        assert self.put(store, 1)
        assert not self.put(store, 2)
        last = store.last_evaluation("2026-Q4")
        assert (last.at, last.confirmed_at, last.content) == (hours(1), hours(2), '{"as_of": 2}')
        assert (last.day, last.ground, last.config_digest) == (date(2026, 10, 1), "g1", "c1")
        assert self.put(store, 3, ground="g2")
        assert self.put(store, 4, ground="g1")
        assert self.put(store, 5, config="c2")

    def test_each_cycle_has_its_own(self, store):
        assert self.put(store, 1)
        assert self.put(store, 1, cycle="2026-H2", ground="g2")
        assert not self.put(store, 2)
        assert store.last_evaluation("2026-H2").ground == "g2"
        assert store.last_evaluation("2026-Q4").confirmed_at == hours(2)

    def test_what_was_computed_of_an_earlier_time_confirms_nothing(self, store):
        self.put(store, 5)
        assert not self.put(store, 2)
        last = store.last_evaluation("2026-Q4")
        assert (last.confirmed_at, last.content) == (hours(5), '{"as_of": 5}')

    def test_what_a_clock_said_that_ran_ahead_stands_no_longer_than_until_it_is_put_right(self, store):
        assert self.put(store, 1, day=1)
        assert self.put(store, 24 * 20, day=20, ground="ahead")
        assert self.put(store, 25, day=2, ground="right")
        assert store.last_evaluation("2026-Q4").ground == "right"
        assert store.said_by("2026-Q4", date(2026, 10, 2)).ground == "right"
        assert self.put(store, 24 * 20, day=20, ground="then")
        assert store.said_by("2026-Q4", date(2026, 10, 20)).ground == "then"

    def test_what_a_clock_said_that_was_set_back_for_long_is_of_no_other_day(self, store):
        assert self.put(store, 24 * 20, day=20, ground="right")
        assert self.put(store, 1, day=1, ground="back")
        assert store.said_by("2026-Q4", date(2026, 10, 20)).ground == "right"
        assert store.said_by("2026-Q4", date(2026, 10, 19)).ground == "back"

    def test_each_day_has_its_own(self, store):
        assert self.put(store, 1, day=1)
        assert self.put(store, 25, day=2)
        assert self.put(store, 49, day=3)
        days = [e.day.day for e in store.evaluations(since=date(2026, 10, 2), until=date(2026, 10, 3))]
        assert days == [2, 3]
        assert len(store.evaluations()) == 3


class TestOpening:
    def test_what_was_written_is_there_after_opening_again(self, url):
        with Store.open(url) as store:
            write(store, deployment(1))
        with Store.open(url) as store:
            assert store.fact(stream().id, "d1") == deployment(1)
        store.close()

    @pytest.mark.parametrize("how", [{"create": False}, {"read_only": True}])
    def test_it_is_not_made_where_nobody_asked(self, url, how):
        with pytest.raises(StoreMissing, match="keyresults collect"):
            Store.open(url, **how)

    def test_read_only_reads_and_refuses_to_write(self, url):
        with Store.open(url) as store:
            write(store, deployment(1), covered=covered((0, 5)))
            with Store.open(url, read_only=True) as reader:
                assert reader.fact(stream().id, "d1") == deployment(1)
                assert reader.state(stream().id).coverage == covered((0, 5))
                for change in (
                    lambda: write(reader, deployment(2)),
                    lambda: reader.lease("s", "me", START, hours(1)),
                    lambda: reader.start_run("github", None, START),
                ):
                    with pytest.raises(StoreReadOnly, match="for reading only"):
                        change()


class TestTogether:
    def test_two_processes_that_write_at_once_lose_nothing(self, url):
        started = [
            subprocess.Popen([sys.executable, WRITER, url, str(first), "40"], stdout=subprocess.DEVNULL)
            for first in (0, 1000)
        ]
        assert [process.wait(timeout=60) for process in started] == [0, 0]
        with Store.open(url) as store:
            state = store.state(stream().id)
            assert (state.facts, state.revision) == (800, 80)
            assert state.coverage == covered((0, 400), (1000, 1400))
            assert store.check() == []

    def test_threads_may_share_one(self, store):
        def work(name):
            for n in range(10):
                write(store, deployment(n), to=stream(subject=name))
                assert store.state(stream(subject=name).id).facts == n + 1

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, "abcd"))
        assert [state.facts for state in store.states()] == [10, 10, 10, 10]

    def test_a_process_killed_while_writing_leaves_whole_batches(self, url):
        with subprocess.Popen(
            [sys.executable, WRITER, url, "0", "100000"], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                process.stdout.readline()
                with Store.open(url) as watching:
                    while sum(state.facts for state in watching.states()) < 200:
                        assert process.poll() is None
            finally:
                process.kill()
        with Store.open(url) as store:
            assert store.check() == []
            state = store.state(stream().id)
            assert state.facts % 10 == 0
            assert state.coverage == covered((0, state.facts))
            assert write(store, deployment(10**6)).added == 1
