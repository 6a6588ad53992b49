"""The terms of a key result: what its definition and its revisions say on a day, and which day decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ..metrics.calendar import Calendar
from ..metrics.definition import MetricTraits
from .model import KeyResult, PlanPoint, Revision, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a key result is held to on one local day."""

    target: Target
    deadline: date
    metric: str
    plan: tuple[PlanPoint, ...]
    weight: float
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The instant a key result is judged at, and the terms that judge it.

    `at` is never after `deadline`. `day` is the local day `at` closes; `traits` are those of the
    metric in force on it. `ended` from the deadline on.
    """

    terms: Terms
    traits: MetricTraits
    day: date
    at: datetime
    start: datetime
    deadline: datetime
    deadline_day: date
    ended: bool


def terms(kr: KeyResult, day: date) -> Terms:
    """The terms in force on the local day `day`. Revisions replace whole keys; a withdrawal is not taken back."""
    now = Terms(
        target=kr.target,
        deadline=kr.deadline,
        metric=kr.metric,
        plan=kr.plan,
        weight=kr.weight,
        withdrawn=False,
    )
    for revision in revisions_until(kr, day):
        now = revised(now, revision)
    return now


def revisions_until(kr: KeyResult, day: date) -> list[Revision]:
    """Those in force on `day`, oldest first."""
    return sorted((r for r in kr.revisions if r.on <= day), key=lambda r: r.on)


def measured_since(kr: KeyResult, day: date) -> date | None:
    """Since when the metric in force on `day` measures it; None where it is the one it began with."""
    since, metric = None, kr.metric
    for revision in revisions_until(kr, day):
        if revision.metric not in (None, metric):
            since, metric = revision.on, revision.metric
    return since


def revised(now: Terms, revision: Revision) -> Terms:
    return Terms(
        target=now.target if revision.target is None else revision.target,
        deadline=now.deadline if revision.deadline is None else revision.deadline,
        metric=now.metric if revision.metric is None else revision.metric,
        plan=now.plan if revision.plan is None else revision.plan,
        weight=now.weight if revision.weight is None else revision.weight,
        withdrawn=now.withdrawn or revision.withdraw,
    )


def moment(kr: KeyResult, traits: Mapping[str, MetricTraits], calendar: Calendar, as_of: datetime) -> Moment:
    """When and by which terms `kr` is judged, seen from `as_of`.

    From the deadline on the terms are those of the deadline's day, so that a later revision of
    the target changes nothing any more; one that moves the deadline into the future reopens it.
    """
    today = calendar.day_closed_by(as_of)
    now = terms(kr, today)
    last = _deciding_day(kr, now, traits[now.metric], calendar)
    deadline = calendar.end_of(last)
    ended = as_of >= deadline
    if ended:
        now = replace(terms(kr, last), deadline=now.deadline)
    return Moment(
        terms=now,
        traits=traits[now.metric],
        day=last if ended else today,
        at=deadline if ended else as_of,
        start=calendar.start_of(kr.start),
        deadline=deadline,
        deadline_day=last,
        ended=ended,
    )


def _deciding_day(kr: KeyResult, now: Terms, traits: MetricTraits, calendar: Calendar) -> date:
    """The deadline; for a rate per workday the last open day up to it, as closed days decide nothing."""
    if traits.unit.dimension != "per_workday":
        return now.deadline
    day = now.deadline
    while day >= kr.start:
        if calendar.is_open(day):
            return day
        day -= timedelta(days=1)
    return now.deadline
