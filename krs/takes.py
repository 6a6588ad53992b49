"""What it takes until the deadline: how many facts, how many of them well, or how much of the way.

Every number is found by asking the metric's own function over the window that decides: what is known of it stays, and
facts are put into what is left of it until the target is satisfied, or no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from ..metrics.basis import Basis
from ..metrics.calendar import Calendar
from ..metrics.comparison import at_most
from ..metrics.measures import MEASURES
from ..metrics.table import MICROSECOND
from ..metrics.window import Window
from .borders import MOST, border, halved
from .judgement import KeptDays
from .progress import Goal

Form = Literal["facts", "days", "hits", "misses", "within", "level", "distance", "bad_days"]

_DOUBLINGS = 40
_FAR = 1000.0
_INSIDE = 1e-6
"""Relative: how far within a strict limit a value is put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """What it takes in the `days` (local days, or open workdays where `in_workdays`) that are left of `window`.

    `at_least` says whether `number` is needed or allowed; None where nothing suffices. What it counts is the `form`:

    - `facts`: further facts (of `each` service, where the least frequent decides);
    - `days`: days with at least one fact;
    - `hits`, `misses`: of the next `of` facts those in the numerator, or the others; where not even none of them
      suffices, `enough` facts without one would;
    - `within`: of the next `of` facts those with a value within the target;
    - `level`: the value, in the base unit, that all that is to come may have;
    - `distance`: how far the value still has to go, in the base unit;
    - `bad_days`: days on which the limit may still not hold, below 0 where there were too many.

    `begun` once part of the window is known.
    """

    form: Form
    number: float | None
    at_least: bool
    days: int
    in_workdays: bool
    window: Window
    begun: bool
    of: int = 0
    each: bool = False
    enough: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is left of the window that decides. `basis` is over all of it, `lately` over the newest reading's own.

    `since` is where what is known ends, and `value` the newest reading's.
    """

    basis: Basis
    lately: Basis
    goal: Goal
    since: datetime
    value: float | None

    @property
    def window(self) -> Window:
        return self.basis.span.window

    @property
    def begins(self) -> datetime:
        return max(self.since, self.window.start)

    @property
    def shape(self) -> str:
        return MEASURES[self.basis.definition.measure].shape

    @property
    def in_workdays(self) -> bool:
        return self.shape == "days" or self.basis.definition.unit.dimension == "per_workday"

    @property
    def days(self) -> list[date]:
        """The local days left, the one that goes on included; where only open ones count, these."""
        days = days_from(self.begins, self.window.end, self.basis.calendar)
        return [day for day in days if not self.in_workdays or self.basis.calendar.is_open(day)]

    @property
    def last(self) -> datetime:
        """The last instant of the window: a place for facts to come."""
        return self.window.end - MICROSECOND

    def likely(self, *, daily: bool = False) -> int:
        """How many facts will come if they come as lately: by the open workday, or (`daily`) by the day."""
        calendar, inside = self.basis.calendar, self.lately.inside
        length = calendar.days_between if daily else calendar.open_days_between
        known = sum(length(r.start, r.end) for r in self.lately.span.counted)
        left = length(self.begins, self.window.end)
        return round((inside.stop - inside.start) / known * left) if known > 0 else 0

    def holds(self, value: float | None) -> bool:
        return value is not None and self.goal.holds(value)


def takes(rest: Rest) -> Takes | None:
    """None where nothing is left, or where no fact is likely to come that it would be said of."""
    return _BY_SHAPE[rest.shape](rest) if rest.begins < rest.window.end else None


def bad_days_left(kept: KeptDays, window: Window, since: datetime, calendar: Calendar) -> Takes:
    """Of a `keep`: how many of the days left may be bad."""
    allowed = next(n for n in range(int(kept.budget) + 1, -1, -1) if at_most(n, kept.budget))
    return Takes(
        form="bad_days",
        number=allowed - kept.bad,
        at_least=False,
        days=len(days_from(max(since, window.start), window.end, calendar)),
        in_workdays=False,
        window=window,
        begun=since > window.start,
    )


def days_from(start: datetime, end: datetime, calendar: Calendar) -> list[date]:
    """The local days that `[start, end)` holds or cuts."""
    if start >= end:
        return []
    first = calendar.day_of(start)
    return [first + timedelta(days=n) for n in range((calendar.day_closed_by(end) - first).days + 1)]


def _said(rest: Rest, form: Form, number: float | None, *, at_least: bool) -> Takes:
    return Takes(
        form=form,
        number=number,
        at_least=at_least,
        days=len(rest.days),
        in_workdays=rest.in_workdays,
        window=rest.window,
        begun=rest.since > rest.window.start,
    )


def _facts(rest: Rest) -> Takes | None:
    """The fewest further facts that suffice, or the most that may come."""
    each = rest.basis.definition.across == "worst" and len(rest.basis.counted.subjects) > 1
    known = rest.basis.reading()

    def value(more: int) -> float | None:
        if not each:
            return rest.basis.with_more([rest.last], each=more)
        # As many more of every service are as many more of the least frequent one.
        return ((known.numerator or 0) + more) / known.denominator if known.denominator else None

    number = border(lambda more: rest.holds(value(more)), rising=rest.goal.rising)
    if not rest.goal.rising and number == MOST:
        return None
    return replace(_said(rest, "facts", number, at_least=rest.goal.rising), each=each)


def _days(rest: Rest) -> Takes | None:
    """Days with a fact, the first of those left that have none yet."""
    calendar, basis = rest.basis.calendar, rest.basis
    free = [max(calendar.start_of(day), rest.begins) for day in rest.days if not _has_fact(basis, day)]
    rising = rest.goal.rising
    number = border(lambda n: rest.holds(basis.with_more(free[:n])), rising=rising, most=len(free))
    return _said(rest, "days", number, at_least=rising)


def _has_fact(basis: Basis, day: date) -> bool:
    here = basis.counted.between(basis.calendar.start_of(day), basis.calendar.end_of(day))
    return bool(here.stop > here.start)


def _ratio(rest: Rest) -> Takes | None:
    """The most facts on the wrong side among those likely to come; where none may be, how many it takes without any."""
    of, rising = rest.likely(), rest.goal.rising
    if of == 0:
        return None

    def value(wrong: int, n: int) -> float | None:
        return rest.basis.with_more([rest.last], each=n, hits=n - wrong if rising else wrong)

    number = border(lambda wrong: rest.holds(value(wrong, of)), rising=False, most=of)
    enough = border(lambda n: rest.holds(value(0, n)), rising=True) if number is None else None
    said = _said(rest, "misses" if rising else "hits", number, at_least=False)
    return replace(said, of=of, enough=enough)


def _within(rest: Rest) -> Takes | None:
    """The fewest facts within the target among those likely to come, the others being as far off as can be."""
    of = rest.likely()
    if of == 0:
        return None
    off = _FAR * max(1.0, abs(rest.goal.limit), *map(abs, rest.basis.values()))
    beyond = -off if rest.goal.rising else off
    return _counted_within(rest, of, _just_within(rest.goal), beyond)


def _counted_within(rest: Rest, of: int, within: float, beyond: float) -> Takes:
    def value(n: int) -> float | None:
        return rest.basis.with_more([rest.last], each=of, values=[*[within] * n, *[beyond] * (of - n)])

    number = border(lambda n: rest.holds(value(n)), rising=True, most=of)
    return replace(_said(rest, "within", number, at_least=True), of=of)


def _samples(rest: Rest) -> Takes | None:
    how, of = rest.basis.definition.aggregate, rest.likely(daily=True)
    if how.name == "last":
        return _distance(rest)
    if of == 0:
        return None
    if how.name == "share_within":
        if not rest.goal.rising:
            return None
        edge = how.at_most if how.at_most is not None else how.at_least or 0.0
        off = _FAR * max(1.0, abs(edge))
        return _counted_within(rest, of, edge, off if how.at_most is not None else -off)
    found = _level(lambda v: rest.holds(rest.basis.with_more([rest.last], each=of, values=[v] * of)), rest)
    return None if found is None else replace(found, of=of)


def _statement(rest: Rest) -> Takes:
    """Of merged histograms what is asked of the whole window: nobody knows how requests will spread."""
    return _said(rest, "level", rest.goal.limit, at_least=rest.goal.rising)


def _distance(rest: Rest) -> Takes | None:
    if rest.value is None:
        return None
    left = 0.0 if rest.goal.holds(rest.value) else abs(rest.goal.limit - rest.value)
    return _said(rest, "distance", left, at_least=rest.goal.rising)


def _level(holds: Callable[[float], bool], rest: Rest) -> Takes | None:
    """The worst value that all samples to come may have; None where they may have any."""
    worse = -1.0 if rest.goal.rising else 1.0
    start = _just_within(rest.goal)
    step = max(abs(start), *map(abs, rest.basis.values()), _INSIDE)
    fine = holds(start)
    floor = not rest.goal.rising and all(v >= 0 for v in rest.basis.values())
    for _ in range(_DOUBLINGS):
        other = start + step * (worse if fine else -worse)
        if not fine and floor:
            other = max(0.0, other)
        if holds(other) != fine:
            good, bad = (start, other) if fine else (other, start)
            return _said(rest, "level", halved(holds, good, bad), at_least=rest.goal.rising)
        if other == 0.0 and floor and not fine:
            break
        step *= 2
    return None if fine else _said(rest, "level", None, at_least=rest.goal.rising)


def _just_within(goal: Goal) -> float:
    if goal.comparison in ("at_most", "at_least"):
        return goal.limit
    inside = _INSIDE * max(abs(goal.limit), _INSIDE)
    return goal.limit + inside if goal.rising else goal.limit - inside


_BY_SHAPE: Mapping[str, Callable[[Rest], Takes | None]] = {
    "rate": _facts,
    "count": _facts,
    "days": _days,
    "ratio": _ratio,
    "quantile": _within,
    "newest": _distance,
    "samples": _samples,
    "histogram": _statement,
}
