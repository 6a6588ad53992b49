"""What a report tells of the time before: what was said, what moved, and by what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import closing_scenes
import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate, explain
from keyresults.jobs.telling import NotBefore, report_of
from keyresults.reports.dates import Dates
from keyresults.reports.first_screen import first_screen
from sqlalchemy import text

LATER = NOW + timedelta(days=7)


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(240))


def collected(config, at):
    with workspace(config, at) as one:
        collect(one)


def told(config, at, **more):
    with workspace(config, at, writing=False) as one:
        return report_of(one, as_of=at, **more)


def by_id(report):
    return {kr.id: kr for o in report.objectives for kr in o.key_results}


class TestBefore:
    def test_it_is_what_was_stored_that_day_and_not_what_today_s_facts_say(self, config):
        collected(config, NOW)
        with workspace(config, NOW, writing=False) as one:
            then = by_id(evaluate(one, as_of=NOW))["rollbacks"].judgement
        (config.parent / "deployments.csv").write_text((config.parent / "deployments.csv").read_text().split("\n")[0])
        before = by_id(told(config, LATER))["rollbacks"].before
        assert (before.at, before.status, before.value, before.progress) == (
            NOW,
            then.status,
            then.reading.value,
            then.progress,
        )

    def test_what_was_never_said_is_not_there(self, config):
        collected(config, NOW)
        assert by_id(told(config, NOW))["rollbacks"].before is None

    def test_what_is_damaged_is_not_there_and_the_rest_is(self, config):
        collected(config, NOW)
        with workspace(config, NOW) as one, one.store._writing() as conn:
            conn.execute(text("UPDATE evaluations SET content = :junk"), {"junk": b"junk"})
        kr = by_id(told(config, LATER))["rollbacks"]
        assert kr.before is None
        assert kr.judgement.reading is not None

    def test_a_renamed_key_result_is_known_by_its_old_id(self, config):
        collected(config, NOW)
        config.write_text(config.read_text().replace('id = "rollbacks"', 'id = "returns"\n  was = "rollbacks"'))
        assert by_id(told(config, LATER))["returns"].before.at == NOW


class TestMoved:
    def test_it_goes_from_the_end_of_that_day_to_the_newest_reading(self, config):
        collected(config, NOW)
        report = told(config, NOW, since=date(2026, 11, 10))
        kr = by_id(report)["daily"]
        values = {d.day: d.value for d in kr.series}
        assert report.since == date(2026, 11, 10)
        assert (kr.moved.start, kr.moved.before) == (date(2026, 11, 10), values[date(2026, 11, 10)])
        assert (kr.moved.end, kr.moved.after) == (date(2026, 11, 20), kr.judgement.reading.value)

    def test_a_week_is_looked_back_unless_it_is_told(self, config):
        collected(config, NOW)
        assert told(config, NOW).since == date(2026, 11, 13)
        at_midnight = datetime(2026, 11, 15, 23, tzinfo=UTC)
        assert told(config, at_midnight).since == date(2026, 11, 8)

    def test_a_day_that_is_not_over_can_be_compared_with_nothing(self, config):
        collected(config, NOW)
        with pytest.raises(NotBefore, match=r"2026-11-20 is not before the report's own day"):
            told(config, NOW, since=date(2026, 11, 20))

    def test_what_was_never_measured_did_not_move(self, config):
        collected(config, NOW)
        assert by_id(told(config, NOW))["mood"].moved is None


class TestAQuietWeek:
    def test_what_stayed_as_it_was_can_be_compared_and_is_said_to_be_unchanged(self, tmp_path):
        """The newest values are of 1 and 15 October."""
        closing_scenes.write_scene(tmp_path)
        at = closing_scenes.local(2026, 10, 28, 12)
        with closing_scenes.workspace(tmp_path, at, writing=False) as one:
            report = report_of(one, as_of=at)
        # Of values alone: nobody collected in between, so that statuses are of the day before.
        told = (
            replace(o, key_results=tuple(replace(kr, before=None) for kr in o.key_results)) for o in report.objectives
        )
        screen = first_screen(replace(report, objectives=tuple(told)), Dates.seen_at(at, report.timezone))
        assert screen.quiet == "Nothing changed since 21 Oct"


class TestWhy:
    def test_the_move_is_told_by_what_came_and_left_and_shows_these_facts(self, config):
        collected(config, NOW)
        kr = by_id(told(config, NOW, since=date(2026, 11, 10)))["rollbacks"]
        went_up = kr.moved.after > kr.moved.before
        assert kr.moved.why
        assert all("rolled-back deployment" in why or "other deployment" in why for why in kr.moved.why)
        assert any(("left the window" in why) != went_up for why in kr.moved.why if "rolled-back" in why)
        assert all(fact.counted for fact in kr.moved.facts)

    def test_the_biggest_moves_end_days_that_are_over(self, config):
        collected(config, NOW)
        for kr in by_id(told(config, NOW)).values():
            assert len(kr.moves) <= 3
            assert all(move.end < date(2026, 11, 20) for move in kr.moves)
            sizes = [abs(move.after - move.before) for move in kr.moves]
            assert sizes == sorted(sizes, reverse=True)

    def test_the_evidence_is_the_newest_facts_first_and_at_most_fifty(self, config):
        collected(config, NOW)
        kr = by_id(told(config, NOW))["rollbacks"]
        with workspace(config, NOW, writing=False) as one:
            whole = explain(one, "rollbacks", as_of=NOW).facts
        assert list(kr.evidence) == list(reversed(whole))[:50]
        assert len(whole) > len(kr.evidence)


class TestTakes:
    def test_an_open_key_result_says_what_it_takes_and_others_nothing(self, config):
        collected(config, NOW)
        found = by_id(told(config, NOW))
        assert found["daily"].takes.endswith("days that decide")
        assert "rolled-back" in found["rollbacks"].takes
        assert found["mood"].takes == ""


class TestTitles:
    SOURCES = """
[sources.merges]
type = "file"
files = ["changes.csv"]
facts = "changes"
covers = { from = 2026-08-01, to = 2026-11-19 }

[sources.measured]
type = "file"
files = ["coverage.csv"]
facts = "samples"
"""
    METRICS = """
[metrics.merged]
source = "merges"
measure = "change_count"

[metrics.coverage]
source = "measured"
measure = "sampled"
unit = "%"
aggregate = "last"
"""
    KEY_RESULTS = """
  [[objectives.key_results]]
  id = "coverage"
  title = "Tests cover most of it"
  metric = "coverage"
  target = { from = "60%", to = "80%" }

  [[objectives.key_results]]
  id = "merged"
  title = "Small steps"
  metric = "merged"
  target = { at_least = 4 }
"""

    def test_changes_are_named_by_number_and_title(self, tmp_path):
        config = write_scene(
            tmp_path, rows(60), sources=self.SOURCES, metrics=self.METRICS, key_results=self.KEY_RESULTS
        )
        (tmp_path / "changes.csv").write_text(
            "key,commit,merged_at,title\n"
            "7,aaaa1111,2026-11-02T10:00:00Z,Say what a refund costs\n"
            "123,bbbb2222,2026-11-16T10:00:00Z,Cache the price list\n"
        )
        (tmp_path / "coverage.csv").write_text(
            "at,value,commit\n2026-11-02T11:00:00Z,61,aaaa1111\n2026-11-16T11:00:00Z,70,bbbb2222\n"
        )
        collected(config, NOW)
        found = by_id(told(config, NOW))
        assert found["merged"].moved.why == ("1 change came in", "#123 Cache the price list")
        assert (found["coverage"].moved.before, found["coverage"].moved.after) == pytest.approx((0.61, 0.70))
        assert found["coverage"].moved.why == ("#123 Cache the price list",)
        assert [fact.at.day for fact in found["coverage"].moved.facts] == [16, 2]
