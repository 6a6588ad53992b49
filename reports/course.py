"""What of a key result's way can be drawn as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from ..krs.planned import PlannedDay
from ..metrics.calendar import Calendar
from .dates import Dates
from .progress_report import DayValue, ReportedKeyResult

Point = tuple[date, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The days of the metric that judges now, from `first` to `last`: of two metrics no line can be drawn.

    `revised` and `checked_in` are the days of revisions and check-ins, `excluded` first and last days
    of what the metric leaves out, each between `first` and `last`.
    """

    values: tuple[DayValue, ...]
    accept_partial: bool
    planned: tuple[PlannedDay, ...]
    first: date
    last: date
    revised: tuple[date, ...]
    checked_in: tuple[date, ...]
    excluded: tuple[tuple[date, date], ...]

    @classmethod
    def of(cls, kr: ReportedKeyResult, dates: Dates) -> Course:
        metric, calendar = kr.judgement.metric, Calendar(dates.timezone)
        others = {one.day for one in kr.planned if one.metric != metric}
        values = tuple(one for one in kr.series if one.day not in others)
        planned = tuple(one for one in kr.planned if one.metric == metric)
        days = [one.day for one in values] + [one.day for one in planned]
        first, last = min(days, default=kr.start), max(days, default=kr.start)
        checked_in = {calendar.day_of(one.at) for one in kr.check_ins}
        return cls(
            values=values,
            accept_partial=kr.accept_partial,
            planned=planned,
            first=first,
            last=last,
            revised=tuple(one.on for one in kr.revisions if first <= one.on <= last),
            checked_in=tuple(sorted(day for day in checked_in if first <= day <= last)),
            excluded=tuple(
                (max(first, one.start), min(last, one.end))
                for one in kr.excluded
                if one.start <= last and first <= one.end
            ),
        )

    @property
    def known(self) -> Sequence[Point]:
        """The days with a value, whatever it is worth."""
        return [(one.day, one.value) for one in self.values if one.value is not None]

    @property
    def doubtful(self) -> Sequence[Point]:
        """Those whose value can't be used."""
        return [(d.day, d.value) for d in self.values if d.value is not None and not self.is_usable(d)]

    def is_usable(self, one: DayValue) -> bool:
        return one.usable(self.accept_partial)

    @property
    def expected(self) -> Sequence[Point]:
        return [(one.day, one.expected) for one in self.planned if one.expected is not None]

    @property
    def limits(self) -> Sequence[Sequence[Point]]:
        """The target's line, or the two of a range."""
        lines = max((len(one.limits) for one in self.planned), default=0)
        return [[(one.day, one.limits[n]) for one in self.planned if len(one.limits) > n] for n in range(lines)]

    @property
    def stretches(self) -> Iterator[Sequence[Point]]:
        """The usable values, cut where a day has none."""
        for usable, days in groupby(self.values, key=self.is_usable):
            if usable:
                yield [(one.day, one.value) for one in days if one.value is not None]


def corners(line: Sequence[Point]) -> list[Point]:
    """The same line without the points that lie on the way between their neighbours."""
    found = list(line[:1])
    for before, here, after in zip(line, line[1:], line[2:], strict=False):
        if not _is_between(before, here, after):
            found.append(here)
    return found + list(line[len(line) - 1 :] if len(line) > 1 else ())


def _is_between(before: Point, here: Point, after: Point) -> bool:
    rise, run = after[1] - before[1], (after[0] - before[0]).days
    level = before[1] + rise * (here[0] - before[0]).days / run
    return abs(level - here[1]) <= 1e-9 * max(abs(before[1]), abs(after[1]))
