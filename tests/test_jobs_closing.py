"""Closing a quarter: what is frozen, what is in the way, and what nobody can change afterwards."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta

import job_scenes
import pytest
from closing_scenes import AFTER, CONFIG, LATER, MIDWAY, local, note, workspace, write_scene
from keyresults.jobs import closing
from keyresults.jobs.closed import closed_report
from keyresults.jobs.closing import CannotClose, close, learn, looking_back, preview, reopen
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import NoCycle, evaluate, evaluate_all
from keyresults.jobs.notices import concerns_of
from keyresults.jobs.said import said_on
from keyresults.jobs.status import stored_report
from keyresults.krs.grading import FirstGrade, HandGrade
from keyresults.krs.judgement import Status
from keyresults.krs.names import UnknownNameError
from keyresults.reports.progress_report import Closed, ProgressReport

HAND = {"merchants": HandGrade(0.4, "four of ten merchants said so at the fair")}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quarter")
    write_scene(folder)
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return tmp_path


def grades(report):
    return {kr.id: kr.grade for o in report.objectives for kr in o.key_results}


def shown(report):
    return {id_: (g.value, g.succeeded) for id_, g in grades(report).items()}


FROZEN = {
    "coverage": (0.80, False),
    "fast": (1.00, True),
    "merchants": (0.40, False),
    "errors": (0.75, True),
    "gone": (None, None),
    "idea": (None, None),
}


def test_a_preview_tells_the_grades_and_writes_nothing(folder):
    with workspace(folder, AFTER, writing=False) as one:
        found = preview(one, "2026-Q4")
        assert shown(found.report) == FROZEN | {"merchants": (None, None)}
        assert [words.partition(";")[0] for words in found.hindrances] == ["merchants was not measured"]
        assert found.report.closed is None
        assert one.store.closings("2026-Q4") == []


def test_grades_are_frozen_with_who_closed_and_what_they_rest_on(folder):
    with workspace(folder, AFTER) as one:
        close(one, "2026-Q4", HAND, by="ana")
        report = closed_report(one.store, "2026-Q4", AFTER)
    assert shown(report) == FROZEN
    assert report.closed == Closed(AFTER, "ana")
    found = grades(report)
    assert found["fast"].first == FirstGrade(0.50, False)
    assert found["coverage"].first is None
    assert found["merchants"].by_hand == "four of ten merchants said so at the fair"
    (fast,) = (kr for o in report.objectives for kr in o.key_results if kr.id == "fast")
    assert fast.judgement.reading.value == pytest.approx(0.45)
    assert [(g.metric, g.holds) for g in fast.judgement.guardrails] == [("errors", True)]
    trust, calm = (o.grade for o in report.objectives)
    # (0.80 + 1.00 + 0.40) ÷ 3, and errors alone
    assert (trust.value, trust.graded, trust.succeeded, trust.total) == (0.73, 3, 1, 3)
    assert (calm.value, calm.graded, calm.succeeded, calm.total, calm.too_easy) == (0.75, 1, 1, 1, False)


def test_days_without_a_usable_reading_are_counted(folder):
    with workspace(folder, AFTER) as one:
        found = grades(preview(one, "2026-Q4").report)
    # Coverage is known from 1 October on; the survey of 15 October at 9:00 is too old 20 days later.
    assert (found["coverage"].days, found["coverage"].unknown) == (92, ())
    unknown = found["merchants"].unknown
    assert (found["merchants"].days, len(unknown)) == (92, 72)
    assert (unknown[0], unknown[13], unknown[14]) == (date(2026, 10, 1), date(2026, 10, 14), date(2026, 11, 4))


def test_what_becomes_known_later_changes_no_grade(folder):
    with workspace(folder, AFTER) as one:
        closed = close(one, "2026-Q4", HAND, by="ana")
    note(folder, "coverage", "90%", local(2026, 12, 31, 9), LATER)
    with workspace(folder, LATER) as one:
        now = evaluate(one, as_of=LATER, cycle="2026-Q4")
        assert shown(now) == FROZEN
        assert (now.closed, now.as_of) == (Closed(AFTER, "ana"), AFTER)
        assert looking_back(one, "2026-Q4")[0] == closed


def test_the_time_before_closing_is_shown_as_it_was(folder):
    with workspace(folder, AFTER) as one:
        close(one, "2026-Q4", HAND, by="ana")
        before = evaluate(one, as_of=MIDWAY, cycle="2026-Q4")
    assert (before.closed, before.as_of) == (None, MIDWAY)
    assert set(grades(before).values()) == {None}
    (coverage, *_), _ = (o.key_results for o in before.objectives)
    assert coverage.judgement.progress == 0.40  # 10 of 25 points


def test_what_is_said_from_now_on_is_what_was_frozen(folder):
    with workspace(folder, AFTER) as one:
        evaluate_all(one)
        close(one, "2026-Q4", HAND, by="ana")
        said = ProgressReport.from_json(one.store.last_evaluation("2026-Q4").content)
        assert said.closed == Closed(AFTER, "ana")
        assert shown(said) == FROZEN
    kept = len(stored_evaluations(folder))
    with workspace(folder, LATER) as one:
        evaluate_all(one)
    assert len(stored_evaluations(folder)) == kept


def stored_evaluations(folder):
    with workspace(folder, LATER) as one:
        return one.store.evaluations()


def test_status_does_not_show_what_was_said_before_the_closing(folder, monkeypatch):
    monkeypatch.setattr("keyresults.jobs.status.now", lambda: AFTER)
    with workspace(folder, AFTER) as one:
        evaluate_all(one)
        assert stored_report(folder / "keyresults.toml", None).closed is None
        close(one, "2026-Q4", HAND, by="ana")
    assert stored_report(folder / "keyresults.toml", None).closed == Closed(AFTER, "ana")
    with workspace(folder, AFTER) as one:
        reopen(one, "2026-Q4", by="ben", reason="The survey came in")
    assert stored_report(folder / "keyresults.toml", None).closed is None


def test_a_closed_cycle_is_shown_after_its_objectives_have_left_the_config(folder):
    with workspace(folder, AFTER) as one:
        close(one, "2026-Q4", HAND, by="ana")
    text = CONFIG.partition("[[objectives]]")[0].replace('cycle = "2026-Q4"', 'cycle = "2027-Q1"')
    (folder / "keyresults.toml").write_text(text)
    with workspace(folder, LATER) as one:
        assert shown(evaluate(one, as_of=LATER, cycle="2026-Q4")) == FROZEN
        assert preview(one, "2026-Q4").report.closed == Closed(AFTER, "ana")
        assert shown(said_on(one, day=LATER.date(), cycle="2026-Q4")).keys() == FROZEN.keys()
        with pytest.raises(CannotClose, match="no longer in the config"):
            reopen(one, "2026-Q4", by="ben", reason="The survey came in")


def test_a_closing_that_was_killed_before_it_was_said_is_said_by_the_next_evaluation(folder, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(closing, "keep", killed)
    with workspace(folder, AFTER) as one:
        evaluate(one, as_of=AFTER - timedelta(hours=1), cycle="2026-Q4", store=True)
        with pytest.raises(KeyboardInterrupt):
            close(one, "2026-Q4", HAND, by="ana")
    with workspace(folder, LATER) as one:
        evaluate(one, as_of=LATER, cycle="2026-Q4", store=True)
        evaluate(one, as_of=LATER, cycle="2026-Q4", store=True)
        assert said_on(one, day=LATER.date(), cycle="2026-Q4").closed == Closed(AFTER, "ana")
        said = [json.loads(told.content)["closed"] is not None for told in one.store.evaluations()]
        assert said[-2:] == [False, True]


def test_reopening_judges_again_and_is_on_record(folder):
    with workspace(folder, AFTER) as one:
        close(one, "2026-Q4", HAND, by="ana")
    note(folder, "coverage", "85%", local(2026, 12, 31, 9), LATER)
    with workspace(folder, LATER) as one:
        reopen(one, "2026-Q4", by="ben", reason="The last build was missing")
        now = evaluate(one, as_of=LATER, cycle="2026-Q4")
        assert now.closed is None
        (coverage, *_), _ = (o.key_results for o in now.objectives)
        assert coverage.judgement.status is Status.MET
        assert shown(close(one, "2026-Q4", HAND, by="ben"))["coverage"] == (1.00, True)
        done = [(c.action, c.by) for c in one.store.closings("2026-Q4")]
    assert done == [("closed", "ana"), ("reopened", "ben"), ("closed", "ben")]


def test_a_cycle_is_closed_once(folder):
    with workspace(folder, AFTER) as one:
        close(one, "2026-Q4", HAND, by="ana")
        with pytest.raises(CannotClose, match="--reopen --reason"):
            close(one, "2026-Q4", {}, by="ana")
        with pytest.raises(CannotClose, match="frozen"):
            close(one, "2026-Q4", HAND, by="ana")
        reopen(one, "2026-Q4", by="ana", reason="by mistake")
        with pytest.raises(CannotClose, match="not closed"):
            reopen(one, "2026-Q4", by="ana", reason="once more")
        with pytest.raises(CannotClose, match="reason"):
            reopen(one, "2026-Q4", by="ana", reason=" ")


def test_of_two_who_close_at_once_the_first_froze_the_grades(folder, monkeypatch):
    def overtaken(*args, **more):
        monkeypatch.setattr(closing, "preview", preview)
        found = preview(*args, **more)
        with workspace(folder, AFTER) as other:
            close(other, "2026-Q4", HAND, by="ben")
        return found

    monkeypatch.setattr(closing, "preview", overtaken)
    with workspace(folder, AFTER) as one:
        with pytest.raises(CannotClose, match="closed already"):
            close(one, "2026-Q4", HAND, by="ana")
        assert closed_report(one.store, "2026-Q4", AFTER).closed.by == "ben"


def test_what_was_not_measured_keeps_a_cycle_open_until_people_grade_it_or_say_that_nobody_can(folder):
    with workspace(folder, AFTER) as one:
        with pytest.raises(CannotClose, match=r"merchants was not measured; grade it by hand: --grade merchants=0\.4"):
            close(one, "2026-Q4", {}, by="ana")
        report = close(one, "2026-Q4", {"merchants": HandGrade(None, "nobody was asked")}, by="ana")
    merchants = grades(report)["merchants"]
    assert (merchants.value, merchants.succeeded, merchants.by_hand) == (None, None, "nobody was asked")
    assert (report.objectives[0].grade.graded, report.objectives[0].grade.value) == (2, 0.90)


def test_nobody_grades_by_hand_what_was_measured_or_is_not_there(folder):
    with workspace(folder, AFTER) as one:
        with pytest.raises(CannotClose, match="coverage: it was measured"):
            preview(one, "2026-Q4", {"coverage": HandGrade(1.0, "nearly")})
        with pytest.raises(UnknownNameError, match="merchants"):
            preview(one, "2026-Q4", {"merchant": HandGrade(1.0, "they said so")})
        with pytest.raises(NoCycle, match="2026-Q4"):
            preview(one, "2026-Q3")


def test_a_cycle_that_still_runs_is_closed_early_only_where_that_is_said(folder):
    now = MIDWAY
    hand = {"merchants": HandGrade(0.4, "asked at the fair")}
    with workspace(folder, now) as one:
        with pytest.raises(CannotClose, match="2026-Q4 runs until 2026-12-31; --early"):
            close(one, "2026-Q4", hand, by="ana")
        report = close(one, "2026-Q4", hand, by="ana", early=True)
    assert shown(report)["coverage"] == (0.40, False)  # 70% is 10 of 25 points far
    assert grades(report)["coverage"].early
    assert not grades(report)["gone"].early


def test_a_key_result_that_runs_longer_than_its_cycle_keeps_it_open(folder):
    config = folder / "keyresults.toml"
    longer = '  metric = "errors"\n  deadline = 2027-01-15\n'
    config.write_text(CONFIG.replace('  metric = "errors"\n', longer, 1))
    with workspace(folder, AFTER) as one:
        found = preview(one, "2026-Q4", HAND)
        assert found.hindrances == (
            "errors runs until 2027-01-15, longer than its cycle; --early grades it by where it stands",
        )
        report = close(one, "2026-Q4", HAND, by="ana", early=True)
    assert grades(report)["errors"].early
    assert not grades(report)["coverage"].early
    assert shown(report)["errors"] == (0.75, True)


def test_lessons_are_of_one_key_result_or_of_the_whole_cycle(folder):
    with workspace(folder, AFTER) as one:
        learn(one, "2026-Q4", ["fast= Measure = sooner ", "Ask merchants monthly", "x=y"], by="ana")
        close(one, "2026-Q4", HAND, by="ana")
        learn(one, "2026-Q4", ["gone=Say so sooner"], by="ben")
        report, lessons = looking_back(one, "2026-Q4")
        assert report.closed is not None
        assert [(lesson.key_result, lesson.text, lesson.by) for lesson in lessons] == [
            ("fast", "Measure = sooner", "ana"),
            (None, "Ask merchants monthly", "ana"),
            (None, "x=y", "ana"),
            ("gone", "Say so sooner", "ben"),
        ]
        with pytest.raises(CannotClose):
            learn(one, "2026-Q4", [" "], by="ana")
        with pytest.raises(NoCycle):
            learn(one, "2026-Q9", ["nothing"], by="ana")


def test_a_closed_cycles_key_results_may_leave_the_config_without_a_word(folder):
    text = CONFIG.replace('id = "coverage"', 'id = "lines"')
    with workspace(folder, AFTER) as one:
        evaluate_all(one)
    (folder / "keyresults.toml").write_text(text)
    with workspace(folder, AFTER) as one:
        assert any("coverage: vanished" in words for words in concerns_of(one))
        close(one, "2026-Q4", HAND, by="ana")
        assert not any("vanished" in words for words in concerns_of(one))


def test_of_a_rate_per_workday_the_last_open_day_is_what_counts_for_its_grade(tmp_path):
    """Its deadline is a Sunday; a new target on the Saturday before it comes after the Friday that decides."""
    metric = '[metrics.pace]\nsource = "exports"\nmeasure = "deployment_frequency"\nwindow = "28d"\nper = "workday"\n'
    revised = '{ on = 2026-11-14, reason = "Too late", target = { at_least = "0.1/workday" } }'
    key_result = f"""
  [[objectives.key_results]]
  id = "pace"
  title = "A deployment each workday"
  metric = "pace"
  target = {{ at_least = "9/workday" }}
  deadline = 2026-11-15
  revisions = [{revised}]
"""
    path = job_scenes.write_scene(tmp_path, job_scenes.rows(120), metrics=metric, key_results=key_result)
    with job_scenes.workspace(path) as one:
        collect(one)
    saturday = local(2026, 11, 14, 12)
    with job_scenes.workspace(path, saturday, writing=False) as one:
        grade = grades(preview(one, "2026-Q4", early=True).report)["pace"]
    assert (grade.first, grade.early, grade.succeeded) == (None, False, False)
