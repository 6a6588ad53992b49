"""When a baseline is taken, from what, and when it is frozen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import NOW, forward_times, rows, workspace, write_scene
from keyresults.jobs.collect import collect, fetch
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.record import record
from keyresults.krs.judgement import Status

START = datetime(2026, 9, 30, 22, tzinfo=UTC)  # midnight of 1 October in Berlin

COUNT = """
[metrics.total]
source = "exports"
measure = "deployment_count"
window = "cycle"
"""
MORE = """
  [[objectives.key_results]]
  id = "more"
  title = "Half as many again"
  metric = "total"
  target = { change = "+50%" }
"""


def baseline(report, id_):
    return next(kr for o in report.objectives for kr in o.key_results if kr.id == id_).judgement.baseline


def judged(config, id_, at=NOW):
    with workspace(config, at) as one:
        collect(one)
        return baseline(evaluate(one, as_of=at), id_)


def covers(config, start, end="2026-11-19"):
    text = config.read_text()
    config.write_text(text.replace("from = 2026-08-01, to = 2026-11-19", f"from = {start}, to = {end}"))


def test_a_covered_past_gives_a_frozen_baseline_read_at_the_start(tmp_path):
    found = judged(write_scene(tmp_path, rows(200)), "daily")
    since = datetime(2026, 9, 2, 22, tzinfo=UTC)
    forward = [at for at in forward_times(rows(200)) if since <= at < START]
    assert found.value == pytest.approx(len(forward) / 28)
    assert (found.at, found.provisional, found.pace_start) == (START, False, START)


def test_without_a_past_it_is_the_first_ok_reading_and_the_pace_starts_there(tmp_path):
    config = write_scene(tmp_path, rows(200))
    covers(config, "2026-10-10")
    found = judged(config, "daily")
    # 98 % of 28 days are first covered 28 days after the tenth less half a day: at the end of 6 November.
    assert found.at == datetime(2026, 11, 6, 23, tzinfo=UTC)
    assert found.pace_start == found.at


def test_a_running_total_has_no_late_baseline(tmp_path):
    """Its first day's total says nothing of the time before."""
    config = write_scene(tmp_path, rows(200), metrics=COUNT, key_results=MORE)
    with workspace(config) as one:
        collect(one)
        report = evaluate(one, as_of=NOW)
    judgement = next(kr for o in report.objectives for kr in o.key_results if kr.id == "more").judgement
    assert judgement.baseline is None
    assert judgement.status is Status.UNKNOWN


def test_a_running_total_is_compared_with_one_over_as_long_a_time(tmp_path):
    config = write_scene(
        tmp_path, rows(200), metrics=COUNT, key_results=MORE.replace("target", "start = 2026-11-01\n  target")
    )
    found = judged(config, "more")
    # 1 November to 31 December are 61 days; 61 days before 1 November is 1 September.
    since, until = datetime(2026, 8, 31, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert found.value == sum(since <= at < until for at in forward_times(rows(200)))


def test_a_frozen_baseline_stays_when_its_facts_change(tmp_path):
    config = write_scene(tmp_path, rows(200))
    before = judged(config, "daily")
    write_scene(tmp_path, rows(100, seed=1))
    assert judged(config, "daily", NOW + timedelta(hours=1)) == before


def test_of_two_processes_that_freeze_at_once_both_say_what_the_first_did(tmp_path, monkeypatch):
    with workspace(write_scene(tmp_path, rows(200))) as one:
        fetch(one)
        put = one.store.put_baseline

        def second(cycle, kr, digest, found, evidence, at):
            put(cycle, kr, digest, replace(found, value=found.value / 2), evidence, at)  # by facts of a moment before
            put(cycle, kr, digest, found, evidence, at)

        monkeypatch.setattr(one.store, "put_baseline", second)
        said = baseline(evaluate(one, as_of=NOW, store=True), "daily")
        assert said == baseline(evaluate(one, as_of=NOW), "daily")


def test_a_baseline_is_not_known_before_its_own_instant(tmp_path):
    config = write_scene(tmp_path, rows(200))
    covers(config, "2026-10-10")
    with workspace(config) as one:
        collect(one)
        assert baseline(evaluate(one, as_of=NOW), "daily") is not None
        assert baseline(evaluate(one, as_of=datetime(2026, 11, 1, tzinfo=UTC)), "daily") is None


def test_reading_commands_freeze_nothing(tmp_path):
    config = write_scene(tmp_path, rows(200))
    with workspace(config) as one:
        collect(one)
    config.write_text(config.read_text().replace('window = "28d"', 'window = "21d"'))
    with workspace(config, writing=False) as reading:
        assert baseline(evaluate(reading, as_of=NOW), "daily").value != 0


def test_the_evidence_of_a_frozen_baseline_is_kept(tmp_path):
    from keyresults.jobs.baselines import definition_digest
    from keyresults.jobs.evidence import Evaluation

    config = write_scene(tmp_path, rows(200))
    with workspace(config) as one:
        collect(one)
        kr = next(kr for o in one.config.objectives for kr in o.key_results if kr.id == "daily")
        digest = definition_digest(Evaluation(one.config, one.store, NOW), kr)
        stored = one.store.baseline("2026-Q4", "daily", digest)
        evidence = one.store.baseline_evidence("2026-Q4", "daily", digest)
    assert sum(note.counted for note in evidence) / 28 == pytest.approx(stored.baseline.value)


def test_a_stated_baseline_wins_over_one_that_was_frozen(tmp_path):
    config = write_scene(tmp_path, rows(200))
    judged(config, "daily")
    config.write_text(
        config.read_text().replace(
            'target = { at_least = "1/day" }', 'baseline = "0.5/day"\n  target = { at_least = "1/day" }'
        )
    )
    found = judged(config, "daily", NOW + timedelta(hours=1))
    assert (found.value, found.measured) == (0.5, False)


def test_a_value_recorded_after_the_start_is_a_late_baseline(tmp_path):
    config = write_scene(tmp_path, rows(60))
    config.write_text(config.read_text().replace('target = { from = "40%", to = "80%" }', 'target = { to = "80%" }'))
    with workspace(config) as one:
        record(one, "mood", "60%", at=NOW - timedelta(days=3), by=None, evidence=None)
        found = baseline(evaluate(one, as_of=NOW), "mood")
    assert found.value == pytest.approx(0.6)
    # The end of the day it was recorded on.
    assert found.at == datetime(2026, 11, 17, 23, tzinfo=UTC)
