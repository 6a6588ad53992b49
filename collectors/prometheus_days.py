"""Which days have been asked, kept in the cursor, and which are to be asked now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from ..metrics.calendar import Calendar
from ..metrics.ranges import TimeRange
from ..metrics.stream import Json

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class AskedDays:
    """`done` days are final. `silent` ones, before the first sample, were empty when asked on the day `on`.

    Silent days are asked again on another day, for the server may have been a wrong one; not at each poll.
    """

    on: date
    done: set[date] = field(default_factory=set)
    silent: set[date] = field(default_factory=set)

    @classmethod
    def read(cls, cursor: Json | None, today: date) -> AskedDays:
        told: Any = cursor or {}
        fresh = told.get("on") == today.isoformat()
        return cls(today, _days(told.get("done", [])), _days(told.get("silent", [])) if fresh else set())

    def cursor(self) -> Json:
        return {"done": _spans(self.done), "silent": _spans(self.silent), "on": self.on.isoformat()}

    @property
    def oldest_done(self) -> date | None:
        return min(self.done, default=None)

    def leads(self, day: date) -> bool:
        """Whether nothing was found on this day or before it, so far."""
        return self.oldest_done is None or day < self.oldest_done

    def answered(self, day: date, *, finished: bool) -> None:
        self.silent.discard(day)
        if finished:
            self.done.add(day)

    def to_ask(self, window: TimeRange, now: datetime, calendar: Calendar) -> list[date]:
        """The days the window touches, ascending: without those that are final, with the newest finished one.

        That one is asked at every poll of the open day, for samples that arrived late.
        """
        end = min(window.end, now)
        if window.start >= end:
            return []
        newest_finished = self.on - ONE_DAY
        last = calendar.day_closed_by(end)
        first = calendar.day_of(window.start)
        touched = {first + n * ONE_DAY for n in range((last - first).days + 1)}
        again = {newest_finished} & (self.done | touched) if self.on in touched else set()
        return sorted((touched - self.done - self.silent) | again | (touched & {self.on}))


def _days(spans: Iterable[tuple[str, str]]) -> set[date]:
    days: set[date] = set()
    for first, last in spans:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        days |= {start + n * ONE_DAY for n in range((end - start).days + 1)}
    return days


def _spans(days: Iterable[date]) -> list[list[str]]:
    """First and last day of each unbroken run."""
    spans: list[list[date]] = []
    for day in sorted(days):
        if spans and day - spans[-1][1] == ONE_DAY:
            spans[-1][1] = day
        else:
            spans.append([day, day])
    return [[first.isoformat(), last.isoformat()] for first, last in spans]
