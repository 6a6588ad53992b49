"""Forecasts of key results over stored facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from job_scenes import DESK, NOW, TICKETS, rows, workspace, write_scene, write_tickets
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate

FEWER = """
  [[objectives.key_results]]
  id = "tickets"
  title = "Reduce tickets"
  metric = "tickets"
  target = { at_most = 30 }

  [[objectives.key_results]]
  id = "quiet"
  title = "Keep it quiet"
  metric = "tickets"
  target = { keep = { at_most = 40 }, share = "90%" }
"""


def written(folder, *, until=date(2026, 11, 20), value=lambda day: 45 if day.weekday() < 5 else 20):
    path = write_scene(folder, rows(60), sources=DESK, metrics=TICKETS % "7d", key_results=FEWER)
    write_tickets(folder, date(2026, 8, 1), until, value)
    return path


def told(path, as_of=NOW, now=NOW):
    with workspace(path, now) as one:
        collect(one)
        report = evaluate(one, as_of=as_of)
    return {kr.id: kr for o in report.objectives for kr in o.key_results}


def test_what_repeats_each_week_is_forecast_to_go_on(tmp_path):
    krs = told(written(tmp_path))
    found = krs["tickets"].forecast
    # Five days of 45 and two of 20, whatever weekdays the last week begins with.
    level = (5 * 45 + 2 * 20) / 7
    assert found.low <= level <= found.high
    assert found.median == pytest.approx(level, rel=0.05)
    assert found.probability < 0.2
    assert krs["quiet"].forecast.probability > 0.8


def test_it_says_why_there_is_none(tmp_path):
    krs = told(written(tmp_path, until=date(2026, 11, 1)))
    assert krs["tickets"].forecast is None
    assert krs["tickets"].no_forecast == "there is no usable reading now"
    assert krs["mood"].forecast is None
    assert krs["mood"].no_forecast


def test_nobody_is_told_why_after_the_deadline(tmp_path):
    later = datetime(2027, 1, 2, tzinfo=UTC)
    krs = told(written(tmp_path), as_of=later, now=later)
    assert {(kr.forecast, kr.no_forecast) for kr in krs.values()} == {(None, "")}


def test_facts_after_the_origin_change_no_byte_of_it(tmp_path):
    as_of = datetime(2026, 11, 10, 23, tzinfo=UTC)
    one = told(written(tmp_path / "one"), as_of=as_of)
    other = told(
        written(tmp_path / "two", value=lambda d: 999 if d > date(2026, 11, 10) else 45 if d.weekday() < 5 else 20),
        as_of=as_of,
    )
    assert one["tickets"].forecast is not None
    assert repr(one["tickets"].forecast) == repr(other["tickets"].forecast)
    assert repr(one["quiet"].forecast) == repr(other["quiet"].forecast)


def test_the_same_is_said_each_time_and_kept_with_what_is_said(tmp_path):
    path = written(tmp_path)
    first, again = told(path), told(path)
    assert first["daily"].forecast == again["daily"].forecast != None  # noqa: E711 (both at once)
    with workspace(path, writing=False) as one:
        stored = one.store.last_evaluation("2026-Q4")
    assert f'"probability":{first["daily"].forecast.probability}' in stored.content


def test_the_tracker_may_want_none(tmp_path):
    path = written(tmp_path)
    path.write_text(path.read_text().replace("[tracker]\n", "[tracker]\nforecast = false\n"))
    krs = told(path)
    assert {kr.forecast for kr in krs.values()} == {None}
    assert replace(krs["tickets"], forecast=None).no_forecast == ""
