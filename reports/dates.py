"""Days and times as people read them: one style, with the year only where it isn't today's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..metrics.calendar import Calendar
from ..metrics.window import Window

_FORTNIGHT = 14
_ISO_DAY = re.compile(r"(?<![\w@/:.-])\d{4}-\d\d-\d\d(?![\w@/:-])")


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates in the tracker's zone, for somebody who reads them on `today`."""

    timezone: str
    today: date

    @classmethod
    def seen_at(cls, as_of: datetime, timezone: str) -> Dates:
        return cls(timezone, Calendar(timezone).day_closed_by(as_of))

    def day(self, on: date) -> str:
        """`4 Dec`, `4 Dec 2027`."""
        return f"{on.day} {on:%b}" if on.year == self.today.year else f"{on.day} {on:%b %Y}"

    def days(self, first: date, last: date) -> str:
        """`4–31 Dec`, `28 Nov – 4 Dec`; both included."""
        if first == last:
            return self.day(last)
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{self.day(last)}"
        return f"{self.day(first)} – {self.day(last)}"

    def from_to(self, start: date, end: date) -> str:
        """`from 9 to 16 Nov`, `from 28 Oct to 4 Nov`: of what is known at the ends of days."""
        alike = (start.year, start.month) == (end.year, end.month)
        return f"from {start.day if alike else self.day(start)} to {self.day(end)}"

    def window(self, of: Window) -> str:
        """The local days a window holds or cuts."""
        calendar = Calendar(self.timezone)
        return self.days(calendar.day_of(of.start), calendar.day_closed_by(of.end))

    def edges(self, of: Window) -> str:
        """The days of a window, with the time wherever it cuts one: `26 Oct 15:51 – 23 Nov`."""
        calendar = Calendar(self.timezone)
        last = calendar.day_closed_by(of.end)
        if self.day_begun_at(of.start) and of.end == calendar.end_of(last):
            return self.window(of)
        start = self.day(calendar.day_of(of.start)) if self.day_begun_at(of.start) else self.instant(of.start)
        return f"{start} – {self.day(last) if of.end == calendar.end_of(last) else self.instant(of.end)}"

    def last_day(self, of: Window) -> date:
        """The local day in which a window's last instant lies: where its data ends."""
        return Calendar(self.timezone).day_closed_by(of.end)

    def day_begun_at(self, at: datetime) -> date | None:
        """The local day whose first instant this is; None for other instants."""
        calendar = Calendar(self.timezone)
        day = calendar.day_of(at)
        return day if at == calendar.start_of(day) else None

    def nearly(self, on: date) -> str:
        """`today`, `yesterday`, else the day."""
        return {self.today: "today", self.today - timedelta(days=1): "yesterday"}.get(on) or self.day(on)

    def day_closed_by(self, at: datetime) -> date:
        return Calendar(self.timezone).day_closed_by(at)

    def day_of(self, at: datetime) -> date:
        return Calendar(self.timezone).day_of(at)

    def ago(self, at: datetime) -> str:
        """`today`, `yesterday`, `3 days ago`; from a fortnight on the day: `on 4 Nov`."""
        on = min(self.day_of(at), self.today)
        days = (self.today - on).days
        if days < 2:
            return self.nearly(on)
        return f"{days} days ago" if days < _FORTNIGHT else f"on {self.day(on)}"

    def instant(self, at: datetime) -> str:
        """`23 Nov 09:12`."""
        local = at.astimezone(Calendar(self.timezone).zone)
        return f"{self.day(local.date())} {local:%H:%M}"

    def as_of(self, at: datetime) -> str:
        """`23 Nov 2026 09:12 Europe/Berlin`, of a midnight the day it ends: every other date is read beside it."""
        calendar = Calendar(self.timezone)
        day = calendar.day_closed_by(at)
        if at == calendar.end_of(day):
            return f"the end of {day.day} {day:%b %Y} {self.timezone}"
        return f"{day.day} {day:%b %Y} {at.astimezone(calendar.zone):%H:%M} {self.timezone}"

    def in_text(self, sentence: str) -> str:
        """A sentence of ours whose dates are written as in JSON, with dates as people read them."""
        return _ISO_DAY.sub(self._day_found, sentence)

    def _day_found(self, found: re.Match[str]) -> str:
        try:
            return self.day(date.fromisoformat(found[0]))
        except ValueError:
            return found[0]
