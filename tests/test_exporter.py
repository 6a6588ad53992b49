"""What the daemon answers to those who look from outside, and that each number is the stored one."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.jobs.closing import close
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate, evaluate_all
from keyresults.jobs.exported import CATALOGUE
from keyresults.jobs.exporter import CannotListen, serve
from keyresults.jobs.pulse import Pulse
from keyresults.krs.grading import HandGrade
from keyresults.krs.judgement import Status
from keyresults.metrics.table import microseconds
from keyresults.storage.account import Quota
from keyresults.storage.errors import StoreUnreachable
from keyresults.storage.outbox import Notice
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parent.parent
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGUN = NOW - DAY


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def seen(tmp_path, clock):
    """A workspace after its first collection and evaluation."""
    one = replace(workspace(write_scene(tmp_path, rows(200))), clock=clock)
    with one:
        collect(one)
        yield one


@contextmanager
def told(one, pulse=None, listen="127.0.0.1:0"):
    exporter = serve(lambda: one, pulse or Pulse(ready=True), listen)
    try:
        yield exporter
    finally:
        exporter.close()


def ask(exporter, path="/metrics", method="GET", **headers):
    request = urllib.request.Request(f"http://{exporter.address}{path}", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read().decode()


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(one, pulse=None):
    with told(one, pulse) as exporter:
        status, _, text = ask(exporter)
    assert status == 200
    return samples(text)


def only(found, name, /, **labels):
    """The one sample of that name with these labels among its own; None where there is none."""
    wanted = set(labels.items())
    values = [value for (told, *own), value in found.items() if told == name and wanted <= set(own)]
    assert len(values) <= 1, values
    return values[0] if values else None


def test_key_results_are_told_as_they_were_evaluated(seen):
    found = scrape(seen)
    report = evaluate(seen, as_of=NOW)
    key_results = [(o.id, kr) for o in report.objectives for kr in o.key_results]
    assert len(key_results) == 3
    for objective, kr in key_results:
        labels = {"cycle": "2026-Q4", "objective": objective, "key_result": kr.id}
        judgement = kr.judgement
        for name, value in {
            "progress_ratio": judgement.progress,
            "raw_progress_ratio": judgement.raw_progress,
            "expected_ratio": judgement.expected,
            "reading": judgement.reading.value if judgement.reading else None,
            "target": judgement.target_value,
            "forecast_probability_ratio": kr.forecast.probability if kr.forecast else None,
        }.items():
            assert only(found, f"keyresults_key_result_{name}", **labels) == value, name
        statuses = {s: only(found, "keyresults_key_result_status", **labels, status=s.value) for s in Status}
        assert statuses == {s: float(s is judgement.status) for s in Status}


def test_a_cycle_that_was_closed_early_grows_no_older(seen, clock):
    before = scrape(seen)
    for name in ("daily", "mood"):
        assert only(before, "keyresults_key_result_max_age_seconds", key_result=name) is not None
    close(seen, "2026-Q4", {"mood": HandGrade(0.4, "as people said")}, by="ana", early=True)
    clock.now = NOW + 5 * DAY
    evaluate_all(seen)
    found = scrape(seen)
    assert only(found, "keyresults_key_result_progress_ratio", key_result="daily") is not None
    for name in ("daily", "mood"):
        assert only(found, "keyresults_key_result_data_age_seconds", key_result=name) is None
        assert only(found, "keyresults_key_result_max_age_seconds", key_result=name) is None


def test_a_missing_number_is_absent(seen):
    found = scrape(seen)
    mood = {"key_result": "mood"}
    for name in ("progress_ratio", "reading", "data_age_seconds", "forecast_probability_ratio"):
        assert only(found, f"keyresults_key_result_{name}", **mood) is None
    assert only(found, "keyresults_key_result_status", **mood, status="unknown") == 1
    assert only(found, "keyresults_key_result_target", **mood) == pytest.approx(0.8)
    assert all(value == value for value in found.values())


def test_data_grows_older_between_evaluations(seen, clock):
    # The file covers the 19th of November, which ends in Berlin at 23:00 UTC.
    covered = datetime(2026, 11, 19, 23, tzinfo=UTC)
    daily = {"key_result": "daily"}
    with told(seen) as exporter:
        for later in (timedelta(0), 5 * HOUR, 3 * DAY):
            clock.now = NOW + later
            found = samples(ask(exporter)[2])
            assert (
                only(found, "keyresults_key_result_data_age_seconds", **daily) == (clock.now - covered).total_seconds()
            )
            assert (
                only(found, "keyresults_stream_data_age_seconds", source="exports")
                == (clock.now - covered).total_seconds()
            )
            limit = seen.config.metrics["often"].max_age.total_seconds()
            assert only(found, "keyresults_key_result_max_age_seconds", **daily) == limit
            assert only(found, "keyresults_stream_max_age_seconds", source="exports") == limit
        clock.now = datetime(2027, 1, 1, 12, tzinfo=UTC)
        assert only(samples(ask(exporter)[2]), "keyresults_key_result_data_age_seconds", **daily) is None


def test_a_new_evaluation_is_told_at_the_next_look(seen, clock):
    with told(seen) as exporter:
        before = samples(ask(exporter)[2])
        clock.now = NOW + DAY
        evaluate_all(seen)
        after = samples(ask(exporter)[2])
    name = "keyresults_evaluation_timestamp_seconds"
    assert (only(before, name), only(after, name)) == (NOW.timestamp(), (NOW + DAY).timestamp())
    unknown = {"key_result": "daily", "status": "unknown"}
    told_unknown = [only(found, "keyresults_key_result_status", **unknown) for found in (before, after)]
    assert told_unknown == [0, 1], "after a day without news it is stale"


def test_holes_in_what_was_collected_are_told_in_seconds(seen):
    start, end = NOW - 20 * DAY, NOW - 17 * DAY - HOUR
    (state,) = [state for state in seen.store.states() if state.stream.source == "exports"]
    with closing(sqlite3.connect(seen.config.path.parent / ".keyresults/store.db")) as store, store:
        ((number, _, last),) = store.execute(
            "SELECT * FROM coverage WHERE stream IN (SELECT id FROM streams WHERE name = ?)", (state.stream.id,)
        )
        store.execute("UPDATE coverage SET [end] = ? WHERE stream = ?", (microseconds(start), number))
        store.execute("INSERT INTO coverage VALUES (?, ?, ?)", (number, microseconds(end), last))
    found = scrape(seen)
    assert only(found, "keyresults_stream_uncovered_seconds", source="exports") == (3 * DAY - HOUR).total_seconds()


def test_what_nobody_needs_any_more_is_lacked_no_longer(tmp_path, clock):
    """Without a cycle, what is needed moves on with the days: four weeks and a day, from midnight in Berlin."""
    path = write_scene(tmp_path, rows(20))
    path.write_text(re.sub(r"cycle = .*", "", path.read_text().partition("[[objectives]]")[0]))
    needed = datetime(2026, 10, 21, 22, tzinfo=UTC)
    with replace(workspace(path), clock=clock) as one:
        collect(one)
        with told(one) as exporter:
            for days in (0, 1, 60):
                # From the 26th of October on midnight is an hour later, as UTC has it.
                since = needed + days * DAY + (HOUR if days > 5 else timedelta(0))
                clock.now = NOW + days * DAY
                found = samples(ask(exporter)[2])
                lacked = only(found, "keyresults_stream_uncovered_seconds", source="people")
                assert lacked == (clock.now - since).total_seconds(), days


def test_a_stream_without_anything_lacks_all_that_is_needed(seen):
    # A baseline may look back 92 days, the quarter's length, and a day more: to the 30th of June, as Berlin has it.
    needed = datetime(2026, 6, 29, 22, tzinfo=UTC)
    found = scrape(seen)
    assert only(found, "keyresults_stream_uncovered_seconds", source="people") == (NOW - needed).total_seconds()
    assert only(found, "keyresults_stream_data_age_seconds", source="people") is None


def test_outcomes_failures_and_requests_of_a_source_are_told(seen):
    store = seen.store
    (state,) = [s for s in store.states() if s.stream.source == "exports"]
    with told(seen) as exporter:
        first = samples(ask(exporter)[2])
        assert only(first, "keyresults_source_last_run_outcome", source="exports", outcome="ok") == 1
        assert only(first, "keyresults_source_requests_total", source="exports") == 0
        slow = store.start_run("exports", state.stream, NOW)
        quick = store.start_run("exports", None, NOW)
        store.finish_run(quick, NOW, "ok", None, 7, 0, 0, 0)
        assert only(samples(ask(exporter)[2]), "keyresults_source_requests_total", source="exports") == 7
        store.finish_run(slow, NOW, "failed", "it broke", 5, 0, 0, 0)
        store.start_job("collect/exports", NOW, NOW)
        store.finish_job("collect/exports", NOW + 90 * DAY / 86400, "failed", "it broke", NOW + HOUR)
        for _ in range(2):
            found = samples(ask(exporter)[2])
            assert only(found, "keyresults_source_requests_total", source="exports") == 12
    outcomes = {"ok": 0, "retry": 0, "config": 0, "failed": 1, "unauthorized": 0}
    for outcome, value in outcomes.items():
        assert only(found, "keyresults_source_last_run_outcome", source="exports", outcome=outcome) == value
    assert only(found, "keyresults_source_consecutive_failures", source="exports") == 1
    job = {"name": "collect/exports"}
    assert only(found, "keyresults_job_last_duration_seconds", **job) == 90
    assert only(found, "keyresults_job_consecutive_failures", **job) == 1
    assert only(found, "keyresults_job_last_success_timestamp_seconds", **job) is None
    assert only(found, "keyresults_job_next_due_timestamp_seconds", **job) == (NOW + HOUR).timestamp()


def test_a_job_that_went_well_tells_when_and_one_no_longer_planned_tells_nothing(seen):
    for name, due in (("evaluate", NOW + HOUR), ("collect/gone", None)):
        seen.store.start_job(name, NOW, NOW)
        seen.store.finish_job(name, NOW + HOUR, "ok", None, due)
    found = scrape(seen)
    assert only(found, "keyresults_job_last_success_timestamp_seconds", name="evaluate") == (NOW + HOUR).timestamp()
    assert not [key for key in found if ("name", "collect/gone") in key]


def test_a_job_that_fails_goes_on_telling_when_it_last_went_well(seen):
    seen.store.finish_job("evaluate", NOW, "ok", None, NOW + HOUR)
    seen.store.finish_job("evaluate", NOW + HOUR, "failed", "it broke", NOW + 2 * HOUR)
    assert only(scrape(seen), "keyresults_job_last_success_timestamp_seconds", name="evaluate") == NOW.timestamp()


def test_quotas_are_told_with_the_end_of_their_window(seen):
    reset = NOW + HOUR / 2
    quota = Quota(limit=5000, remaining=321, reset=microseconds(reset))
    seen.store.hear("0123456789abcdef0123", "core", quota, free=False, now=microseconds(NOW))
    seen.store.spend("fedcba", "search", 1, reserve=0.0, per_minute=None, now=microseconds(NOW), paced_at=0)
    found = scrape(seen)
    labels = {"credential": "0123456789ab", "resource": "core"}
    assert only(found, "keyresults_quota_limit_requests", **labels) == 5000
    assert only(found, "keyresults_quota_remaining_requests", **labels) == 321
    assert only(found, "keyresults_quota_reset_timestamp_seconds", **labels) == reset.timestamp()
    assert only(found, "keyresults_quota_limit_requests", resource="search") is None, "nothing was heard of it"


def test_notices_that_wait_are_counted(seen, clock):
    notices = [Notice(key=k, channel="chat", occasion="status", title="t", body="b") for k in ("a", "b", "c")]
    seen.store.tell(notices, {}, NOW)
    seen.store.end_notice(seen.store.unsent()[0].id, NOW, "delivered")
    clock.now = NOW + HOUR
    found = scrape(seen)
    assert only(found, "keyresults_notices_waiting", channel="chat") == 2
    assert only(found, "keyresults_notices_oldest_waiting_seconds", channel="chat") == 3600


def test_well_is_who_has_beaten_within_two_minutes(seen, monkeypatch):
    pulse = Pulse()
    with told(seen, pulse) as exporter:
        status, headers, body = ask(exporter, "/healthz")
        assert (status, json.loads(body)) == (200, {"status": "ok"})
        assert headers["Content-Type"].startswith("application/json")
        monkeypatch.setattr("keyresults.jobs.pulse.monotonic", lambda: time.monotonic() + 121)
        status, _, body = ask(exporter, "/healthz")
        assert status == 503
        assert json.loads(body) == {"status": "hanging", "reason": "nothing was scheduled for 121 s"}
        pulse.beat()
        assert ask(exporter, "/healthz")[0] == 200


def test_ready_is_who_has_evaluated_and_is_not_stopping(seen):
    pulse = Pulse()
    with told(seen, pulse) as exporter:
        status, _, body = ask(exporter, "/readyz")
        assert (status, json.loads(body)["status"]) == (503, "starting")
        pulse.ready = True
        assert ask(exporter, "/readyz")[0] == 200
        pulse.config_error = "keyresults.toml:3: unknown key"
        status, _, body = ask(exporter, "/readyz")
        assert status == 200
        assert "keyresults.toml:3: unknown key" in json.loads(body)["reason"]
        assert only(samples(ask(exporter)[2]), "keyresults_config_ok") == 0
        pulse.stopping = True
        status, _, body = ask(exporter, "/readyz")
        assert (status, json.loads(body)["status"]) == (503, "stopping")
        assert ask(exporter, "/healthz")[0] == 200


def test_a_store_that_cannot_be_read_is_told_and_nothing_of_it(seen, monkeypatch):
    def refuse(*_, **__):
        raise StoreUnreachable("postgresql://kr@db/kr does not answer")

    monkeypatch.setattr(type(seen.store), "jobs", refuse)
    monkeypatch.setattr(type(seen.store), "job", refuse)
    with told(seen) as exporter:
        status, _, body = ask(exporter, "/readyz")
        assert (status, json.loads(body)["reason"]) == (503, "postgresql://kr@db/kr does not answer")
        status, _, text = ask(exporter)
    found = samples(text)
    assert status == 200
    assert only(found, "keyresults_store_up") == 0
    assert only(found, "keyresults_ready") == 1
    assert not [name for name, *_ in found if name.startswith("keyresults_key_result")]


def test_a_defect_is_no_answer_and_tells_nothing_of_itself(seen, monkeypatch, caplog):
    def crash(*_, **__):
        raise ZeroDivisionError("made to crash")

    monkeypatch.setattr(type(seen.store), "states", crash)
    with told(seen) as exporter:
        status, _, body = ask(exporter)
        assert (status, json.loads(body)) == (500, {"status": "failed", "reason": "the log says why"})
        assert ask(exporter, "/healthz")[0] == 200
    assert "made to crash" in caplog.text


def test_only_looking_is_allowed_and_only_at_what_is_there(seen):
    with told(seen) as exporter:
        for path in ("/", "/metrics/", "/..", "/healthz/x"):
            assert ask(exporter, path)[0] == 404
        assert ask(exporter, "/metrics?x=1")[0] == 200
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            status, headers, _ = ask(exporter, "/metrics", method)
            assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert ask(exporter, "/metrics", "TRACE")[0] == 501
        for path in ("/metrics", "/healthz", "/readyz"):
            status, headers, body = ask(exporter, path, "HEAD")
            assert (status, body) == (200, "")
            assert int(headers["Content-Length"]) > 10


def test_it_listens_on_either_loopback(seen):
    for listen in ("127.0.0.1:0", "[::1]:0", "localhost:0"):
        with told(seen, listen=listen) as exporter:
            assert ask(exporter, "/healthz")[0] == 200, listen


def test_an_address_that_cannot_be_had_is_said(seen):
    with told(seen) as first, pytest.raises(CannotListen, match=f"can't listen on {first.address}: Address already"):
        serve(lambda: seen, Pulse(), first.address)
    for wrong in ("127.0.0.1:99999", "192.0.2.1:9464", "no-such-host.invalid:9464"):
        with pytest.raises(CannotListen, match=r"\[daemon\] listen"):
            serve(lambda: seen, Pulse(), wrong)


def test_closing_frees_the_address_and_may_be_done_twice(seen):
    with told(seen) as first:
        first.close()
        with told(seen, listen=first.address) as again:
            assert ask(again, "/healthz")[0] == 200


def test_whoever_connects_and_says_nothing_holds_up_nobody(seen):
    with told(seen) as exporter:
        host, _, port = exporter.address.rpartition(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(30)]
        assert ask(exporter, "/healthz")[0] == 200
        for one in silent:
            one.close()


def test_many_looks_at_once_leave_no_thread_behind(seen):
    with told(seen) as exporter:
        ask(exporter)
        before = threading.active_count()
        asking = [threading.Thread(target=ask, args=(exporter,)) for _ in range(20)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
        deadline = time.monotonic() + 5
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert threading.active_count() <= before  # the thread of the first look may have been among them
    with suppress(urllib.error.URLError):
        ask(exporter, "/healthz")
        pytest.fail("it answers after it was closed")


def test_promtool_finds_nothing_to_complain_about(seen):
    full(seen)
    with told(seen) as exporter:
        _, headers, text = ask(exporter)
    assert headers["Content-Type"].startswith("text/plain")
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def full(one):
    """Something of everything."""
    store = one.store
    quota = Quota(limit=5000, remaining=321, reset=microseconds(NOW + HOUR))
    store.hear("0123456789abcdef0123", "core", quota, free=False, now=microseconds(NOW))
    store.tell([Notice(key="a", channel="chat", occasion="status", title="t", body="b")], {}, NOW)
    store.start_job("collect/exports", NOW, NOW)
    store.finish_job("collect/exports", NOW, "ok", None, NOW + HOUR)


def documented():
    """The rows of the page's tables: name, labels."""
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `(keyresults_\w+)` \|([^|]*)\|", page, re.MULTILINE)
    return [(name, tuple(re.findall(r"`(\w+)`", labels))) for name, labels in found]


def test_every_name_is_documented_with_its_labels_and_none_besides(seen):
    full(seen)
    assert sorted(documented()) == sorted((one.shown, one.labels) for one in CATALOGUE)
    known = {name: set(labels) for name, labels in documented()}
    for name, *labels in scrape(seen):
        if name.startswith("keyresults_"):
            assert {label for label, _ in labels} == known.pop(name, {label for label, _ in labels})
    # The little history of this scene has no forecast.
    assert set(known) <= {"keyresults_key_result_forecast_probability_ratio"}


def test_titles_and_words_of_people_are_not_told(seen):
    with told(seen) as exporter:
        text = ask(exporter)[2]
    for words in ("Releases nobody fears", "Reduce rollback", str(seen.config.path.parent)):
        assert words not in text
