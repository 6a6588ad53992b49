"""Collecting as users see it: what is kept, what is left alone, and what a failing source costs."""

from __future__ import annotations

import random
import signal
from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import (
    NOW,
    collecting,
    dump,
    forward_times,
    kept,
    kill_while_collecting,
    rows,
    workspace,
    write_rows,
    write_scene,
)
from keyresults.jobs.collect import backfill, collect
from keyresults.jobs.evaluate import evaluate, explain
from keyresults.jobs.record import CannotRecord, record
from keyresults.krs.judgement import Status
from keyresults.metrics.reading import Health
from urllib3.util.retry import Retry

PROMETHEUS = """
[sources.metrics]
type = "prometheus"
url = "{url}"
"""
LATENCY = """
[metrics.latency]
source = "metrics"
query = "max(latency_seconds)"
unit = "s"
better = "lower"
window = "7d"
"""
FASTER = """
  [[objectives.key_results]]
  id = "latency"
  title = "Answer faster"
  metric = "latency"
  baseline = "2s"
  target = { to = "1s" }
"""


def key_result(report, id_):
    return next(kr for o in report.objectives for kr in o.key_results if kr.id == id_).judgement


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(200))


def test_collecting_twice_with_clock_and_source_standing_still_changes_nothing(config):
    with workspace(config) as first:
        assert not collect(first).failed
    before = dump(config.parent / ".keyresults/store.db")
    with workspace(config) as second:
        collect(second)
    assert dump(config.parent / ".keyresults/store.db") == before


@pytest.mark.soak
def test_a_killed_collection_ends_in_the_same_store_as_one_that_was_not(tmp_path):
    written = rows(15_000)
    calm, shot = write_scene(tmp_path / "calm", written), write_scene(tmp_path / "shot", written)
    with workspace(calm) as undisturbed:
        collect(undisturbed)
    chance = random.Random(3)
    cut_off = [kill_while_collecting(shot, chance) for _ in range(2)]
    assert any(cut_off)
    assert collecting(shot).wait() == 0
    assert kept(shot) == kept(calm)


@pytest.mark.soak
def test_killed_again_and_again_it_ends_in_the_same_store(tmp_path, soak):
    written = rows(60_000)
    calm, shot = write_scene(tmp_path / "calm", written), write_scene(tmp_path / "shot", written)
    with workspace(calm) as undisturbed:
        collect(undisturbed)
    chance = random.Random(5)
    cut_off = 0
    for _ in range(soak(short=4, whole=30)):
        cut_off += kill_while_collecting(shot, chance)
        if chance.random() < 0.25:
            (shot.parent / ".keyresults/store.db").unlink()  # begin anew, so that there is something to cut off
            for beside in ("store.db-wal", "store.db-shm"):
                (shot.parent / ".keyresults" / beside).unlink(missing_ok=True)
    assert cut_off
    assert collecting(shot).wait() == 0
    assert kept(shot) == kept(calm)


def test_an_interrupted_run_leaves_no_lease_that_blocks_the_next(config):
    with workspace(config) as one:
        one.store.lease("exports", "dead:1", NOW - timedelta(hours=2), NOW - timedelta(hours=1))
        assert [run.outcome for run in collect(one).runs] == ["ok", "ok"]


def test_a_stream_that_another_process_collects_is_left_to_it(config):
    with workspace(config) as one:
        collect(one)
        stream = next(s.stream.id for s in one.store.states("exports"))
        one.store.lease(stream, "elsewhere:7", NOW, NOW + timedelta(minutes=5))
        result = collect(one)
    assert [run.outcome for run in result.runs] == ["busy", "ok"]
    assert not result.failed


class TestAFailingSource:
    @pytest.fixture
    def config(self, tmp_path, httpserver, monkeypatch):
        self.server = httpserver
        monkeypatch.setattr(Retry, "get_backoff_time", lambda self: 0.0)
        sources = PROMETHEUS.format(url=httpserver.url_for("/"))
        return write_scene(tmp_path, rows(200), sources=sources, metrics=LATENCY, key_results=FASTER)

    def test_it_costs_the_others_nothing(self, config):
        self.server.expect_request("/api/v1/query").respond_with_data("down for maintenance", status=503)
        with workspace(config) as one:
            result = collect(one)
            assert result.failed
            assert {r.source: r.outcome for r in result.runs} == {"exports": "ok", "people": "ok", "metrics": "failed"}
            assert "503" in next(r.error for r in result.runs if r.source == "metrics")
            report = evaluate(one, as_of=NOW)
        assert key_result(report, "daily").status is not Status.UNKNOWN
        assert key_result(report, "latency").status is Status.UNKNOWN
        assert [s.name for s in report.blind_sources] == ["metrics"]

    def test_its_readings_stay_until_they_are_too_old(self, config):
        self.server.expect_request("/api/v1/query").respond_with_handler(_seconds(1.25))
        with workspace(config) as one:
            assert not collect(one).failed
            assert key_result(evaluate(one, as_of=NOW), "latency").reading.value == 1.25
        self.server.clear()
        self.server.expect_request("/api/v1/query").respond_with_data("", status=503)
        for later, health, status in (
            (timedelta(days=1), Health.OK, Status.ON_TRACK),
            (timedelta(days=2, minutes=1), Health.FAILED, Status.UNKNOWN),
        ):
            with workspace(config, NOW + later) as one:
                assert collect(one).failed
                judgement = key_result(evaluate(one, as_of=NOW + later), "latency")
            assert judgement.reading.health is health
            assert judgement.status is status
            assert "503" in " ".join(judgement.reading.notes)

    def test_it_is_left_alone_until_the_time_it_asked_for(self, config):
        self.server.expect_request("/api/v1/query").respond_with_data("", status=429, headers={"Retry-After": "3600"})
        with workspace(config) as one:
            first = next(r for r in collect(one).runs if r.source == "metrics")
            asked = len(self.server.log)
            again = next(r for r in collect(one).runs if r.source == "metrics")
        assert first.outcome == again.outcome == "retry"
        assert first.retry_at == again.retry_at
        assert first.retry_at >= NOW + timedelta(minutes=59)
        assert len(self.server.log) == asked


def _seconds(value):
    def answer(request):
        import json

        from werkzeug import Response

        at = float(request.args.get("time", "0")) if "time" in request.args else 0.0
        result = [{"metric": {}, "value": [at, str(value)]}]
        body = {"status": "success", "data": {"resultType": "vector", "result": result}}
        return Response(json.dumps(body), content_type="application/json")

    return answer


def test_reading_commands_need_neither_the_source_nor_a_secret(tmp_path, httpserver, monkeypatch):
    guarded = PROMETHEUS.format(url=httpserver.url_for("/")) + 'bearer = { env = "KR_TEST_BEARER" }\n'
    config = write_scene(tmp_path, rows(200), sources=guarded, metrics=LATENCY, key_results=FASTER)
    httpserver.expect_request("/api/v1/query").respond_with_handler(_seconds(1.5))
    monkeypatch.setenv("KR_TEST_BEARER", "s3cr3t-t0ken")
    with workspace(config) as one:
        assert not collect(one).failed
    monkeypatch.delenv("KR_TEST_BEARER")
    httpserver.stop()
    try:
        with workspace(config, writing=False) as reading:
            assert key_result(evaluate(reading, as_of=NOW), "latency").reading.value == 1.5
            assert explain(reading, "latency", as_of=NOW).reading.value == 1.5
    finally:
        httpserver.start()
    left = b"".join(p.read_bytes() for p in config.parent.rglob("*") if p.is_file())
    assert b"s3cr3t-t0ken" not in left


def test_a_missing_secret_is_that_sources_trouble_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("KR_TEST_BEARER", raising=False)
    guarded = PROMETHEUS.format(url="http://127.0.0.1:9") + 'bearer = { env = "KR_TEST_BEARER" }\n'
    config = write_scene(tmp_path, rows(200), sources=guarded, metrics=LATENCY, key_results=FASTER)
    with workspace(config) as one:
        result = collect(one)
        report = evaluate(one, as_of=NOW)
    failed = next(r for r in result.runs if r.source == "metrics")
    assert failed.outcome == "unauthorized"
    assert "KR_TEST_BEARER" in failed.error
    assert key_result(report, "latency").reading.health is Health.UNAUTHORIZED
    assert key_result(report, "daily").status is not Status.UNKNOWN


def test_backfill_reaches_further_back_than_key_results_need(tmp_path):
    covers_all = rows(200)
    config = write_scene(tmp_path, covers_all)
    with workspace(config) as one:
        backfill(one, since=datetime(2026, 8, 1, tzinfo=UTC).date())
        state = one.store.states("exports")[0]
    assert state.facts == 200
    assert state.coverage.start == datetime(2026, 7, 31, 22, tzinfo=UTC)


class TestRecording:
    def test_a_value_moves_its_key_result(self, config):
        with workspace(config) as one:
            collect(one)
            record(one, "mood", "60%", at=NOW - timedelta(hours=1), by="ana", evidence="https://wiki/mood")
            judgement = key_result(evaluate(one, as_of=NOW), "mood")
            facts = explain(one, "mood", as_of=NOW).facts
        assert judgement.reading.value == pytest.approx(0.6)
        assert judgement.raw_progress == pytest.approx(0.5)
        assert [(f.counted, f.url) for f in facts] == [(True, "https://wiki/mood")]

    def test_the_newest_value_counts_and_the_one_before_is_shown_as_replaced(self, config):
        with workspace(config) as one:
            for days, value in ((3, "50%"), (1, "70%")):
                record(one, "mood", value, at=NOW - timedelta(days=days), by=None, evidence=None)
            facts = explain(one, "mood", as_of=NOW).facts
            then = key_result(evaluate(one, as_of=NOW - timedelta(days=2)), "mood")
        assert [(f.counted, "replaced" in f.why) for f in facts] == [(False, True), (True, False)]
        assert then.reading.value == pytest.approx(0.5)

    def test_it_is_too_old_after_fifteen_days(self, config):
        with workspace(config, NOW + timedelta(days=16)) as one:
            record(one, "mood", "60%", at=NOW, by=None, evidence=None)
            fresh = key_result(evaluate(one, as_of=NOW + timedelta(days=14)), "mood")
            old = key_result(evaluate(one, as_of=NOW + timedelta(days=15, hours=1)), "mood")
        assert (fresh.reading.health, old.reading.health) == (Health.OK, Health.STALE)
        assert old.status is Status.UNKNOWN

    def test_a_metric_that_collects_itself_takes_no_value(self, config):
        with workspace(config) as one, pytest.raises(CannotRecord, match="collected by itself"):
            record(one, "often", "3", at=None, by=None, evidence=None)

    def test_a_value_in_the_wrong_unit_is_refused(self, config):
        with workspace(config) as one, pytest.raises(CannotRecord, match="doesn't fit"):
            record(one, "mood", "3 h", at=None, by=None, evidence=None)


def test_explain_lists_every_deployment_and_its_counts_give_the_reading(config):
    with workspace(config) as one:
        collect(one)
        found = explain(one, "rollbacks", as_of=NOW)
    counted = [f for f in found.facts if f.counted]
    assert found.reading.denominator == len(counted)
    assert found.reading.numerator == sum("taken back by" in f.why for f in counted)
    assert found.reading.value == found.reading.numerator / found.reading.denominator
    start = NOW - timedelta(days=28)
    looked_at = [f"payments/{r['key']}" for r in rows(200) if datetime.fromisoformat(r["at"]) >= start]
    # Berlin left summer time inside the window: 28 days before noon UTC is an hour earlier.
    assert {f.key for f in found.facts} >= set(looked_at)
    assert all(f.why for f in found.facts)


def test_a_row_withdrawn_from_the_file_is_gone_from_the_reading(config):
    with workspace(config) as one:
        collect(one)
        before = evaluate(one, as_of=NOW)
        write_rows(config.parent / "deployments.csv", rows(200)[:-20])
        collect(one)
        after = evaluate(one, as_of=NOW)
    assert key_result(before, "daily").reading.numerator > key_result(after, "daily").reading.numerator


@pytest.mark.soak
def test_ctrl_c_keeps_what_was_stored(tmp_path):
    written, chance = rows(15_000), random.Random(1)
    scenes = (write_scene(tmp_path / str(n), written) for n in range(4))
    config = next(scene for scene in scenes if kill_while_collecting(scene, chance, signal.SIGINT))
    with workspace(config, writing=False) as one:
        assert one.store.check() == []
        assert one.store.states("exports")[0].facts > 0
    assert collecting(config).wait() == 0
    with workspace(config) as one:
        assert one.store.states("exports")[0].facts == 15_000


def test_a_report_shows_the_value_with_and_without_what_is_excluded(tmp_path):
    config = write_scene(tmp_path, rows(200))
    measure = 'measure = "deployment_frequency"\n'
    excluded = 'exclude = [{ from = 2026-11-02, to = 2026-11-08, reason = "A migration" }]\n'
    config.write_text(config.read_text().replace(measure, measure + excluded))
    with workspace(config) as one:
        collect(one)
        report = evaluate(one, as_of=NOW)
    kr = next(kr for o in report.objectives for kr in o.key_results if kr.id == "daily")
    forward = forward_times(rows(200))
    since = NOW - timedelta(days=28)
    everything = [day for day in forward if day >= since]
    left = [
        d for d in everything if not datetime(2026, 11, 1, 23, tzinfo=UTC) <= d < datetime(2026, 11, 8, 23, tzinfo=UTC)
    ]
    # The file covers the days up to the 19th, so half a day of the window has no data yet.
    covered = 28 - 13 / 24
    assert kr.with_excluded == pytest.approx(len(everything) / covered)
    assert kr.judgement.reading.value == pytest.approx(len(left) / (covered - 7))
