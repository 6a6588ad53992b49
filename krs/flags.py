"""Flags: what is worth knowing beside the status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ..metrics.calendar import Calendar
from ..metrics.comparison import TOLERANCE, above, at_least, at_most, below
from ..metrics.reading import Health
from .comparison import percent
from .judgement import Flag, GuardrailState, Status
from .model import Between, Keep, Revision
from .pace import Course
from .progress import Goal, TargetError, resolve
from .standing import Case, Standing, is_coarse, stand
from .terms import Terms, revised, revisions_until, terms

_STALL_TIME = 1 / 6
_STALL_MOVE = 0.02
_LATE = 0.80


def flags(case: Case, standing: Standing, guardrails: Sequence[GuardrailState]) -> tuple[Flag, ...]:
    return (
        *_of_progress(standing),
        *_of_stalling(case, standing),
        *_of_measurement(case, standing),
        *_of_revisions(case, standing),
        *_of_guardrails(guardrails),
    )


def _of_progress(standing: Standing) -> Iterator[Flag]:
    if standing.goal and standing.goal.met_at_start:
        yield Flag("met_at_start", "The target was met at the start: holding it is all that is asked; `keep` says so")
    if standing.raw is None or standing.is_budget:
        return
    if standing.raw < -TOLERANCE:
        yield Flag("regressed", "It is further from the target than at the start")
    if above(standing.raw, 1.0):
        yield Flag("exceeded", "It is beyond the target")


def _of_stalling(case: Case, standing: Standing) -> Iterator[Flag]:
    if standing.raw is None or standing.satisfied or standing.is_budget or standing.moment.ended:
        return
    before = _raw_before(case, standing)
    if before is not None and below(abs(standing.raw - before), _STALL_MOVE):
        yield Flag("stalled", "It has moved by less than 2% of the way in the last sixth of its time")


def _raw_before(case: Case, standing: Standing) -> float | None:
    """Progress a sixth of the time earlier, towards the target of today and of the same metric."""
    assert standing.goal is not None
    moment, course = standing.moment, _whole_course(case, standing.moment.terms)
    latest = course.elapsed(moment.at) - _STALL_TIME
    for reading in reversed(case.readings):
        if reading.at <= moment.start or reading.at > moment.at or not at_most(course.elapsed(reading.at), latest):
            continue
        same_metric = terms(case.kr, reading.day).metric == moment.terms.metric
        if same_metric and case.usable(reading) and reading.value is not None:
            return standing.goal.raw_progress(reading.value, 0.0)
    return None


def _of_measurement(case: Case, standing: Standing) -> Iterator[Flag]:
    reading = standing.reading
    if reading is not None and is_coarse(standing):
        yield Flag(
            "coarse",
            f"One fact of {reading.n:g} moves it by more than what lies between the target and its end of the scale",
        )
    uses_baseline = standing.goal is not None and standing.goal.from_baseline
    if uses_baseline and case.baseline and case.baseline.provisional:
        yield Flag("provisional", "The baseline may still change: the time before the start is not collected yet")
    if reading is not None and standing.usable and reading.health is Health.PARTIAL:
        yield Flag("partial", f"Only {percent(reading.covered)} of the window was collected")
    if reading is not None and standing.late:
        yield Flag("last_usable", f"Judged by the reading of {reading.day}: there was no usable one at the deadline")


def _of_guardrails(guardrails: Sequence[GuardrailState]) -> Iterator[Flag]:
    for guardrail in guardrails:
        if guardrail.holds is not True:
            yield Flag("guardrail", f"{guardrail.metric} ({guardrail.limit}): {guardrail.words}")


def _of_revisions(case: Case, standing: Standing) -> Iterator[Flag]:
    now = terms(case.kr, date.min)
    for revision in revisions_until(case.kr, standing.moment.day):
        then, now = now, revised(now, revision)
        if now.target != then.target:
            yield Flag(
                "retargeted",
                f"The target was {then.target.text}; it is {now.target.text} since {revision.on}: {revision.reason}",
            )
        when = _suspicious_time(case, revision, then)
        if when is not None and _is_easier(case, revision, then, now):
            yield Flag("eased", f"Made easier on {revision.on}, {when}: {revision.reason}")


def _suspicious_time(case: Case, revision: Revision, then: Terms) -> str | None:
    at = case.calendar.start_of(revision.on)
    if at_least(_whole_course(case, then).elapsed(at), _LATE):
        return "in the last fifth of its time"
    before = stand(case, at)
    if before.usable and before.by_pace is Status.OFF_TRACK:
        return "while it was off track"
    return None


def _is_easier(case: Case, revision: Revision, then: Terms, now: Terms) -> bool:
    if now.deadline > then.deadline or _asks_less(case, then, now):
        return True
    at = case.calendar.start_of(revision.on)
    return below(_whole_course(case, now).expected(at), _whole_course(case, then).expected(at))


def _asks_less(case: Case, then: Terms, now: Terms) -> bool:
    """Whether the target in itself is easier; two kinds of target or of metric can't be compared."""
    if now.target == then.target or now.metric != then.metric:
        return False
    if isinstance(now.target, Keep) or isinstance(then.target, Keep):
        return isinstance(now.target, Keep) and isinstance(then.target, Keep) and _keeps_less(then.target, now.target)
    goals = [_goal(case, t) for t in (then, now)]
    before, after = goals
    return before is not None and after is not None and _is_nearer(before, after)


def _goal(case: Case, one: Terms) -> Goal | None:
    assert not isinstance(one.target, Keep)
    try:
        return resolve(one.target, case.traits[one.metric], case.baseline.value if case.baseline else None)
    except TargetError:
        return None


def _is_nearer(before: Goal, after: Goal) -> bool:
    if before.rising != after.rising:
        return False
    easier = below if after.rising else above
    moved_start = before.origin is not None and after.origin is not None and easier(after.origin, before.origin)
    return easier(after.limit, before.limit) or moved_start


def _keeps_less(before: Keep, after: Keep) -> bool:
    return below(after.share, before.share) or _is_wider(before, after)


def _is_wider(before: Keep, after: Keep) -> bool:
    old, new = before.limit, after.limit
    if isinstance(old, Between) or isinstance(new, Between):
        return (
            isinstance(old, Between)
            and isinstance(new, Between)
            and (below(new.low, old.low) or above(new.high, old.high))
        )
    old_rises, new_rises = (limit.comparison in ("at_least", "above") for limit in (old, new))
    return old_rises == new_rises and (below if new_rises else above)(new.limit, old.limit)


def _whole_course(case: Case, one: Terms) -> Course:
    """From the key result's first to its last day, by the plan of the terms."""
    calendar: Calendar = case.calendar
    return Course(
        start=calendar.start_of(case.kr.start),
        deadline=calendar.end_of(one.deadline),
        window=case.traits[one.metric].window,
        plan=one.plan,
        calendar=calendar,
    )
