"""Changes of course: new targets, and what makes it easier when it gets hard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ..metrics.comparison import above, at_least, below
from .judgement import Flag, Status
from .model import Between, Keep, Revision
from .progress import Goal, TargetError, resolve
from .standing import Case, Standing, stand
from .terms import Terms, revised, revisions_until, terms

_LATE = 0.80


def revision_flags(case: Case, day: date) -> Iterator[Flag]:
    """`retargeted` and `eased`, for every revision in force on a day."""
    now = terms(case.kr, date.min)
    for revision in revisions_until(case.kr, day):
        then, now = now, revised(now, revision)
        if now.target != then.target:
            yield Flag(
                "retargeted",
                f"The target was {then.target.text}; it is {now.target.text} since {revision.on}: {revision.reason}",
                revision.on,
            )
        when = _suspicious_time(case, revision, then)
        if when is not None and _is_easier(case, revision, then, now):
            yield Flag("eased", f"Made easier on {revision.on}, {when}: {revision.reason}", revision.on, when)


def exclusion_flags(case: Case, standing: Standing) -> Iterator[Flag]:
    """`eased`, for days left out of what is judged, where that was written down once they had begun."""
    moment = standing.moment
    first = case.calendar.day_of(case.calendar.days_before(moment.start, moment.traits.window.days or 0))
    for one in moment.traits.exclude:
        was_late = one.added is not None and one.start < one.added <= moment.day
        if was_late and one.end >= first:
            yield Flag("eased", f"Since {one.added} the days from {one.start} to {one.end} are left out: {one.reason}")


def _suspicious_time(case: Case, revision: Revision, then: Terms) -> str | None:
    at = case.calendar.start_of(revision.on)
    if at_least(case.whole_course(then).elapsed(at), _LATE):
        return "in the last fifth of its time"
    before = stand(case, at)
    if before.usable and before.by_pace is Status.OFF_TRACK:
        return "while it was off track"
    return None


def _is_easier(case: Case, revision: Revision, then: Terms, now: Terms) -> bool:
    if now.deadline > then.deadline or _asks_less(case, then, now):
        return True
    if now.plan == then.plan:
        return False
    at = case.calendar.start_of(revision.on)
    return below(case.whole_course(now).expected(at), case.whole_course(then).expected(at))


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
