"""The time that first key results are proposed for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..krs.cycle import Cycle
from ..metrics.calendar import Calendar

LEAST_DAYS = 21
"""Less is no time to change anything in."""


@dataclass(frozen=True, slots=True)
class Period:
    """Key results begin today, for nobody had them before, and end with the cycle.

    `cut` is the quarter running today, where it is so nearly over that the next one was taken.
    """

    cycle: Cycle
    start: date
    cut: Cycle | None

    @property
    def days(self) -> int:
        return (self.cycle.end - self.start).days + 1

    @classmethod
    def now(cls, at: datetime, calendar: Calendar) -> Period:
        today = calendar.day_of(at)
        running = quarter_of(today)
        if (running.end - today).days + 1 >= LEAST_DAYS:
            return cls(running, today, None)
        return cls(quarter_of(running.end + timedelta(days=1)), today, running)


def quarter_of(day: date) -> Cycle:
    cycle = Cycle.named(f"{day.year}-Q{(day.month + 2) // 3}")
    assert cycle is not None
    return cycle
