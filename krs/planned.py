"""What was asked of a key result on each of its days, in the metric's own unit: the lines a chart needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .model import Between, Keep, Threshold
from .progress import Goal, TargetError, resolve
from .standing import Case, course_of, origin_of
from .terms import Moment, terms


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDay:
    """The terms in force at the end of a local day, in the base unit of `metric`.

    `limits` are the target's: one, two of a range, none while they can't be resolved. `expected` is
    the value of a team exactly on plan, None where nothing is planned for single days.
    """

    day: date
    metric: str
    limits: tuple[float, ...] = ()
    expected: float | None = None


def planned(case: Case) -> tuple[PlannedDay, ...]:
    """From the key result's first day to its last one, or to the day before it is withdrawn; each by its own terms."""
    kr, found = case.kr, []
    last = terms(kr, date.max).deadline
    day = kr.start
    while day <= last and not terms(kr, day).withdrawn:
        found.append(_planned_day(case, day))
        day += timedelta(days=1)
    return tuple(found)


def _planned_day(case: Case, day: date) -> PlannedDay:
    at = case.moment(case.calendar.end_of(day))
    if isinstance(at.terms.target, Keep):
        return PlannedDay(day=day, metric=at.terms.metric, limits=_bounds(at.terms.target.limit))
    try:
        goal = resolve(at.terms.target, at.traits, origin_of(case, at))
    except TargetError:
        goal = None
    if goal is None:
        return PlannedDay(day=day, metric=at.terms.metric)
    expected = goal.value_at(_due(case, at, goal, day))
    return PlannedDay(day=day, metric=at.terms.metric, limits=(goal.limit,), expected=expected)


def _due(case: Case, at: Moment, goal: Goal, day: date) -> float:
    """Raw progress that is due at the end of a day: of an aspirational target only a share, of a budget the time."""
    course, end = course_of(case, at, goal), case.calendar.end_of(day)
    return course.elapsed(end) if goal.shape == "budget" else course.expected(end) * case.asked


def _bounds(limit: Threshold | Between) -> tuple[float, ...]:
    return (limit.low, limit.high) if isinstance(limit, Between) else (limit.limit,)
