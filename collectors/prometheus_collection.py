"""One collection: day after day, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ..metrics.calendar import Calendar
from ..metrics.facts import Sample
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch
from .prometheus_days import ONE_DAY, AskedDays
from .prometheus_queries import SamplesQuery
from .prometheus_results import Measured, measure

if TYPE_CHECKING:
    from .prometheus_api import Answer

DAYS_PER_BATCH = 14
SHORTEST = timedelta(seconds=1)
FIRST_DAY = "the first day the server knows of: its beginning may be missing"


class Ask(Protocol):
    def __call__(self, promql: str, at: datetime) -> Answer: ...


@dataclass
class _Step:
    """What the days of one batch brought."""

    facts: list[Sample] = field(default_factory=list)
    covered: list[TimeRange] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    horizon: datetime | None = None
    requests: int = 0


@dataclass(kw_only=True)
class Collection:
    """Asks the days of a window, oldest first.

    Empty days before the first sample are not covered: whether nothing happened on them or the
    server has forgotten them can't be told. The first day with a sample after such days is the horizon.
    """

    query: SamplesQuery
    ask: Ask
    subject: str
    calendar: Calendar
    now: datetime
    days: AskedDays
    doubtful: bool = False

    def batches(self, window: TimeRange) -> Iterator[Batch]:
        asked = self.days.to_ask(window, self.now, self.calendar)
        for first in range(0, len(asked), DAYS_PER_BATCH):
            yield self._batch(asked[first : first + DAYS_PER_BATCH])

    def _batch(self, days: Sequence[date]) -> Batch:
        step = _Step()
        for day in days:
            self._day(day, step)
        return Batch(
            facts=tuple(step.facts),
            covered=TimeRanges.of(*step.covered),
            cursor=self.days.cursor(),
            open_keys=tuple(fact.key for fact in step.facts if not fact.final),
            horizon=step.horizon,
            requests=step.requests,
            problems=tuple(dict.fromkeys(step.problems)),
        )

    def _day(self, day: date, step: _Step) -> None:
        start, finish = self.calendar.start_of(day), self.calendar.end_of(day)
        end = min(finish, self.now.replace(microsecond=0))
        if end - start < SHORTEST:
            return
        measured, warnings = self._measure(end, end - start, step)
        if warnings:
            step.problems.append(
                f"{day}: Prometheus answered in part only ({'; '.join(warnings)}); asked again next time"
            )
            self.doubtful = True
            return
        if measured.remark is not None:
            step.problems.append(f"{day}: {measured.remark}")
        if measured.empty and self.days.leads(day):
            self._silent(day, step)
            return
        if not measured.empty:
            horizon = self._horizon(day)
            step.horizon = horizon or step.horizon
            step.facts.append(self._sample(day, measured, end, None if horizon is None else FIRST_DAY))
        step.covered.append(TimeRange(start, end))
        self.days.answered(day, finished=end == finish)

    def _measure(self, at: datetime, length: timedelta, step: _Step) -> tuple[Measured, tuple[str, ...]]:
        step.requests += 1
        values = self.ask(self.query.value_promql(length), at)
        warnings = values.warnings
        counting = self.query.count_promql(length)
        if counting is None:
            return measure(self.query, values.result, None), warnings
        step.requests += 1
        counts = self.ask(counting, at)
        return measure(self.query, values.result, counts.result), warnings + counts.warnings

    def _silent(self, day: date, step: _Step) -> None:
        self.days.silent.add(day)
        if day + ONE_DAY == self.days.oldest_done and not self.doubtful:
            step.horizon = self.calendar.start_of(day + ONE_DAY)

    def _horizon(self, day: date) -> datetime | None:
        """The start of this day, where it has the first sample after days that had none."""
        before = day - ONE_DAY
        first = self.days.leads(day) and before in self.days.silent and not self.doubtful
        return self.calendar.start_of(day) if first else None

    def _sample(self, day: date, measured: Measured, end: datetime, note: str | None) -> Sample:
        return Sample(
            key=day.isoformat(),
            subject=self.subject,
            at=self.calendar.start_of(day),
            until=end,
            value=measured.value,
            n=measured.n,
            parts=measured.parts,
            final=end == self.calendar.end_of(day),
            note=note,
        )
