"""The number that `explain` and `metric` print is the one that the status prints."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.cli.printing import rendered
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate, explain, metric_series
from keyresults.reports import terminal_tables

WEEKLY = """
  [[objectives.key_results]]
  id = "weekly"
  title = "Release every week"
  metric = "weekly"
  target = { at_least = "1/week" }
"""
METRIC = """
[metrics.weekly]
source = "exports"
measure = "deployment_frequency"
window = "28d"
"""


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path, rows(60), metrics=METRIC, key_results=WEEKLY)
    with workspace(path) as one:
        collect(one)
    return path


def explained(config, name, **more):
    with workspace(config, writing=False) as one:
        return rendered(terminal_tables.explanation(explain(one, name, as_of=more.get("as_of", NOW))), colour=False)


def in_status(config, id_):
    with workspace(config, writing=False) as one:
        report = evaluate(one, as_of=NOW)
    found = next(kr.judgement.reading for o in report.objectives for kr in o.key_results if kr.id == id_)
    assert found is not None
    assert found.value is not None
    return found.value


@pytest.mark.parametrize("name", ["weekly", "metric:weekly", "2026-Q4/weekly"])
def test_a_rate_is_explained_per_the_period_of_its_target(config, name):
    value = in_status(config, "weekly")
    assert value >= 0.3, "by itself it would be shown per day"
    said = explained(config, name)
    assert f"reading   {7 * value:.3g}/week," in said
    assert "/day" not in said


def test_the_series_of_a_metric_is_shown_per_that_period_too(config):
    with workspace(config, writing=False) as one:
        said = rendered(
            terminal_tables.metric(metric_series(one, "weekly", since=None, until=None, as_of=NOW)), colour=False
        )
    assert f"{7 * in_status(config, 'weekly'):.3g}/week" in said
    assert "/day" not in said


def test_a_metric_whose_key_results_differ_in_it_has_the_period_that_reads_best(config):
    config.write_text(
        config.read_text().replace(
            'id = "weekly"\n  title = "Release every week"\n  metric = "weekly"',
            'id = "weekly"\n  title = "Release every week"\n  metric = "often"',
        )
    )
    assert "/day" in explained(config, "metric:often")
    assert "/week" in explained(config, "weekly")


def test_a_window_that_cuts_days_is_told_with_its_times(config):
    """13:00 in Berlin is 12:00 UTC; the file covers up to the end of 19 November, where the window's data ends."""
    assert "\nwindow    23 Oct 13:00 – 19 Nov (Europe/Berlin)\n" in explained(config, "weekly")


def test_a_window_of_whole_days_is_told_in_days(config):
    end = datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert "\nwindow    24 Oct – 19 Nov (Europe/Berlin)\n" in explained(config, "weekly", as_of=end)


@pytest.mark.parametrize("name", ["mood", "daily"])
def test_where_nothing_is_known_there_is_no_window(tmp_path, name):
    path = write_scene(tmp_path / "new", rows(1))
    with workspace(path) as made:
        evaluate(made, as_of=NOW, store=True)
    said = explained(path, name)
    assert "was not collected for this yet" in said
    assert "window  " not in said
