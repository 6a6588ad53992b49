"""What the daemon does next, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .escaping import clean

SHOWN = 3

LATE = timedelta(minutes=15)
"""What is later than this is not about to begin: nobody runs it."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """When each of the daemon's jobs is due, seen at `now`."""

    now: datetime
    timezone: str
    due: Mapping[str, datetime]

    def words(self) -> str:
        """`Next: collect/github 17:45, report/weekly Mon 09:00`; or since when nothing runs that should."""
        soonest = sorted(self.due.items(), key=lambda item: (item[1], item[0]))
        late = [(name, at) for name, at in soonest if at < self.now - LATE]
        if late:
            name, at = late[0]
            return f"The daemon does not seem to run: {clean(name)} was due {self._when(at)}."
        return "Next: " + ", ".join(f"{clean(name)} {self._when(at)}" for name, at in soonest[:SHOWN])

    def _when(self, at: datetime) -> str:
        there = at.astimezone(ZoneInfo(self.timezone))
        days = abs((there.date() - self.now.astimezone(ZoneInfo(self.timezone)).date()).days)
        if days == 0:
            return f"{there:%H:%M}"
        return f"{there:%a %H:%M}" if days < 7 else f"{there.day} {there:%b %H:%M}"
