"""What renderers say of grades and of closed cycles, the same in each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from ..krs.grading import Grade, ObjectiveGrade
from ..krs.judgement import Status
from . import wording
from .dates import Dates
from .looks import tally
from .numbers import count, graded, many
from .progress_report import ProgressReport, ReportedKeyResult
from .values import ClosingStep

_NO_MORE_THAN = 6
"""Spans of days that are named; the rest are counted."""


def of_key_result(kr: ReportedKeyResult) -> str:
    """`1.00, a success; 0.50 by the target it began with (≤ 300 ms), no success`; empty where none was to be given."""
    grade = kr.grade
    if grade is None or _not_asked_for(kr, grade):
        return ""
    said = [_graded(grade)]
    if grade.first is not None:
        said.append(f"{graded(grade.first.value)} by {_first(kr)}{_success(grade.first.succeeded)}")
    if grade.early and grade.value is not None:
        said.append("given before its deadline, by where it stood")
    return "; ".join(said)


def _not_asked_for(kr: ReportedKeyResult, grade: Grade) -> bool:
    asked_for = kr.judgement.status in (Status.MISSED, Status.UNKNOWN, Status.NOT_MEASURED)
    return grade.value is None and not asked_for


def _graded(grade: Grade) -> str:
    if grade.by_hand and grade.value is None:
        return f"not measured, and nobody can grade it: {grade.by_hand}"
    if grade.by_hand:
        return f"{graded(grade.value)} by hand{_success(grade.succeeded)}: {grade.by_hand}"
    if grade.value is None and grade.succeeded is None:
        return "not measured: to be graded by hand"
    if grade.value is None:
        return "no success; how far it came is not known"
    return f"{graded(grade.value)}{_success(grade.succeeded)}"


def _success(succeeded: bool | None) -> str:
    return {True: ", a success", False: ", no success", None: ""}[succeeded]


def _first(kr: ReportedKeyResult) -> str:
    if kr.first_target is None:
        return "the metric it began with"
    return f"the target it began with ({wording.target(kr.first_target, kr.unit)})"


def of_objective(grade: ObjectiveGrade | None) -> str:
    """`0.73: 3 of 3 graded, 1 a success`."""
    if grade is None:
        return ""
    said = f"{graded(grade.value)}: {count(grade.graded)} of {count(grade.total)} graded, {_successes(grade.succeeded)}"
    return f"{said}; all came to 1.00, too easy for an aspirational objective" if grade.too_easy else said


def _successes(number: int) -> str:
    return (
        "none a success"
        if number == 0
        else f"{count(number)} a success"
        if number == 1
        else f"{count(number)} successes"
    )


def dates_of(report: ProgressReport) -> Dates:
    """Dates as they are read within a cycle, or after it: its own year goes without saying."""
    seen = Dates.seen_at(report.as_of, report.timezone)
    return replace(seen, today=min(seen.today, report.cycle.end))


def closed(report: ProgressReport, dates: Dates) -> str:
    """`closed on 4 Jan 09:00 by ana`; empty while the cycle is open."""
    return "" if report.closed is None else f"closed on {dates.instant(report.closed.at)} by {report.closed.by}"


def step(one: ClosingStep, dates: Dates) -> str:
    """`reopened on 11 Jan 09:00 by ben: The survey came in`."""
    said = f"{one.action} on {dates.instant(one.at)} by {one.by}"
    return f"{said}: {one.reason}" if one.reason else said


def summary(report: ProgressReport, dates: Dates) -> str:
    """The key results by status; of a closed cycle that it is one, too."""
    end = closed(report, dates)
    return "; ".join(part for part in (f"{end}, its grades are frozen" if end else "", tally(report)) if part)


def unknown_days(grade: Grade, dates: Dates) -> str:
    """`72 of 92 days: 1–14 Oct, 4 Nov – 31 Dec`."""
    if not grade.unknown:
        return f"none of {many(grade.days, 'days')}" if grade.days else ""
    spans = [dates.days(first, last) for first, last in _spans(grade.unknown)]
    more = len(spans) - _NO_MORE_THAN
    listed = ", ".join(spans[:_NO_MORE_THAN]) + (f" and {count(more)} times more" if more > 0 else "")
    return f"{count(len(grade.unknown))} of {many(grade.days, 'days')}: {listed}"


def _spans(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    first = days[0]
    for day, following in pairwise((*days, date.max)):
        if following - day != timedelta(days=1):
            yield first, day
            first = following
