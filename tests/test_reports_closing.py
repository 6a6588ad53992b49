"""What is said of grades: the words, and pages that nothing others wrote can harm."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from keyresults.cli.printing import rendered
from keyresults.krs.grading import FirstGrade, Grade, ObjectiveGrade
from keyresults.krs.judgement import Status
from keyresults.metrics.calendar import Calendar
from keyresults.reports import grade_words, machine
from keyresults.reports.progress_report import Closed, ProgressReport
from keyresults.reports.retrospective import QUESTIONS, retrospective
from keyresults.reports.terminal_closing import closing
from keyresults.reports.values import ClosingPreview, Learned
from markdown_it import MarkdownIt
from report_cases import AS_OF, DATES, HOSTILE, hostile_report, judgement, key_result, latency, report

STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")
DAYS = tuple(date(2026, 10, 1) + timedelta(days=n) for n in (0, 1, 2, 30, 31))
GRADE = Grade(value=0.8, succeeded=False, first=FirstGrade(0.5, False), days=92, unknown=DAYS)
OBJECTIVE = ObjectiveGrade(value=0.8, graded=1, succeeded=0, total=1, too_easy=False)


def graded(one, grade=GRADE, by="ana"):
    objectives = tuple(
        replace(o, grade=OBJECTIVE, key_results=tuple(replace(kr, grade=grade) for kr in o.key_results))
        for o in one.objectives
    )
    return replace(one, closed=Closed(AS_OF, by), objectives=objectives)


def words(grade, status=Status.MISSED, **more):
    return grade_words.of_key_result(key_result(grade=grade, judgement=judgement(status=status), **more))


def test_a_grade_says_whether_it_is_a_success():
    assert words(Grade(value=0.8, succeeded=False)) == "0.80, no success"
    assert words(Grade(value=0.7, succeeded=True), Status.LANDED) == "0.70, a success"
    assert words(None) == ""


def test_a_revised_target_has_its_own_grade():
    began = latency().first_target
    assert words(GRADE, first_target=began) == "0.80, no success; 0.50 by the target it began with (-40%), no success"
    assert words(GRADE) == "0.80, no success; 0.50 by the metric it began with, no success"


@pytest.mark.parametrize(
    ("grade", "status", "said"),
    [
        (Grade(value=0.4, succeeded=False, by_hand="we asked"), "not_measured", "0.40 by hand, no success: we asked"),
        (
            Grade(value=None, succeeded=None, by_hand="gone"),
            "not_measured",
            "not measured, and nobody can grade it: gone",
        ),
        (Grade(value=None, succeeded=None), "not_measured", "not measured: to be graded by hand"),
        (Grade(value=None, succeeded=False), "missed", "no success; how far it came is not known"),
        (Grade(value=None, succeeded=None), "withdrawn", ""),
        (Grade(value=None, succeeded=None), "draft", ""),
        (
            Grade(value=0.5, succeeded=False, early=True),
            "on_track",
            "0.50, no success; given before its deadline, by where it stood",
        ),
    ],
)
def test_what_has_no_plain_grade_says_why(grade, status, said):
    assert words(grade, Status(status)) == said


@pytest.mark.parametrize(
    ("grade", "said"),
    [
        (OBJECTIVE, "0.80: 1 of 1 graded, none a success"),
        (
            ObjectiveGrade(value=None, graded=0, succeeded=0, total=2, too_easy=False),
            "–: 0 of 2 graded, none a success",
        ),
        (
            ObjectiveGrade(value=1.0, graded=2, succeeded=2, total=2, too_easy=True),
            "1.00: 2 of 2 graded, 2 successes; all came to 1.00, too easy for an aspirational objective",
        ),
        (None, ""),
    ],
)
def test_an_objectives_grade_says_how_much_of_it_was_graded(grade, said):
    assert grade_words.of_objective(grade) == said


def test_days_unknown_are_told_in_spans():
    assert grade_words.unknown_days(GRADE, DATES) == "5 of 92 days: 1–3 Oct, 31 Oct – 1 Nov"
    every_other = tuple(date(2026, 10, 1) + timedelta(days=2 * n) for n in range(8))
    said = grade_words.unknown_days(replace(GRADE, unknown=every_other), DATES)
    assert said == "8 of 92 days: 1 Oct, 3 Oct, 5 Oct, 7 Oct, 9 Oct, 11 Oct and 2 times more"
    assert grade_words.unknown_days(replace(GRADE, unknown=()), DATES) == "none of 92 days"


def test_a_closed_report_comes_back_from_the_store_as_it_was():
    one = graded(report())
    assert ProgressReport.from_json(one.to_json()) == one


LESSONS = (Learned("p99", HOSTILE, HOSTILE, AS_OF), Learned(None, HOSTILE, HOSTILE, AS_OF))
GRADED_BY_HAND = replace(GRADE, by_hand=HOSTILE)


def hostile():
    return graded(hostile_report(), GRADED_BY_HAND, by=HOSTILE)


def test_nothing_others_wrote_steers_a_terminal():
    text = rendered(closing(ClosingPreview(report=hostile(), hindrances=(HOSTILE,))), colour=False)
    assert max(map(len, text.splitlines())) <= 80
    assert not STEERING.search(text)
    assert not STEERING.search(machine.retrospective(hostile(), LESSONS))
    assert not STEERING.search(machine.closing(ClosingPreview(report=hostile())))


def test_nothing_others_wrote_is_markup_in_a_retrospective():
    text = retrospective(hostile(), LESSONS)
    assert not STEERING.search(text)
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<script" not in page
    assert 'href="http://evil.example"' not in page
    assert "<em>" not in page
    assert page.count("<strong>") == page.count("</strong>") == text.count("**") // 2
    assert page.count("<table>") == 1


def test_a_retrospective_leaves_room_for_what_was_learned():
    text = retrospective(graded(report()), (Learned("p99", "Measure first", "ana", AS_OF),))
    assert all(text.count(f"**{question}**\n\n- \n") == 4 for question in QUESTIONS)  # three key results and the whole
    assert text.count("**What we learned**") == 1
    assert "- Measure first (ana)" in text.partition("### Keep payment latency")[0]


def test_times_are_those_of_the_trackers_zone():
    one = replace(graded(report()), closed=Closed(datetime(2026, 12, 31, 23, 30, tzinfo=AS_OF.tzinfo), "ana"))
    assert Calendar("Europe/Berlin").day_of(one.closed.at) == date(2027, 1, 1)
    assert "closed on 1 Jan 2027 00:30 by ana" in retrospective(one, ())
