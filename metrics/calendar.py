"""Days, workdays and zones: where a day begins, and how much of it counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from .ranges import TimeRanges

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """Days on which nobody is expected to ship; both ends included."""

    start: date
    end: date
    reason: str

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, repr=False)
class Calendar:
    """The tracker's zone and its open workdays. `workdays` counts Monday as 0."""

    timezone: str = "UTC"
    workdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    holidays: frozenset[date] = frozenset()
    closed: tuple[ClosedPeriod, ...] = ()
    _starts: dict[date, datetime] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        """In one order: sets of days have another one in each process."""
        days, holidays = sorted(self.workdays), [d.isoformat() for d in sorted(self.holidays)]
        return f"Calendar({self.timezone!r}, workdays={days}, holidays={holidays}, closed={self.closed})"

    @cached_property
    def zone(self) -> ZoneInfo:
        return _zone(self.timezone)

    def day_of(self, instant: datetime) -> date:
        """The local day that holds the instant."""
        return instant.astimezone(self.zone).date()

    def day_closed_by(self, instant: datetime) -> date:
        """The day a window ending at `instant` closes: the day before, where it is a midnight."""
        return self.day_of(instant - timedelta(microseconds=1))

    def start_of(self, day: date) -> datetime:
        """The instant the local day begins, in UTC; days after a change of clocks may be 23 or 25 hours long."""
        known = self._starts.get(day)
        if known is None:
            known = _first_instant(day, self.zone)
            self._starts[day] = known
        return known

    def end_of(self, day: date) -> datetime:
        return self.start_of(day + timedelta(days=1))

    def days_before(self, at: datetime, days: int) -> datetime:
        """The same local time, `days` calendar days earlier."""
        local = at.astimezone(self.zone)
        earlier = local.replace(tzinfo=None) - timedelta(days=days)
        # Where the clocks jump over midnight, a day begins at 01:00; the day that ends there is still a whole one.
        if earlier.time() == time.min or at == self.start_of(local.date()):
            return self.start_of(earlier.date())
        return earlier.replace(tzinfo=self.zone).astimezone(UTC)

    def days_between(self, start: datetime, end: datetime) -> float:
        """Calendar days from `start` to `end`; a day cut by an edge counts by its share, whatever its hours."""
        return self._position(end) - self._position(start)

    def open_days_between(self, start: datetime, end: datetime) -> float:
        """Open workdays from `start` to `end`, cut days by their share inside."""
        first, last = self.day_of(start), self.day_of(end)
        if first == last:
            return self.days_between(start, end) if self.is_open(first) else 0.0
        inside = sum(1 for n in range(1, (last - first).days) if self.is_open(first + timedelta(days=n)))
        head = self.days_between(start, self.end_of(first)) if self.is_open(first) else 0.0
        tail = self.days_between(self.start_of(last), end) if self.is_open(last) else 0.0
        return head + inside + tail

    def days_in(self, ranges: TimeRanges) -> float:
        return sum(self.days_between(r.start, r.end) for r in ranges)

    def open_days_in(self, ranges: TimeRanges) -> float:
        return sum(self.open_days_between(r.start, r.end) for r in ranges)

    def is_open(self, day: date) -> bool:
        return day.weekday() in self.workdays and not self.is_closed(day)

    def is_closed(self, day: date) -> bool:
        """Whether it is a holiday or in a closed period; a plain weekend isn't."""
        return day in self.holidays or any(day in c for c in self.closed)

    def day_ends(self, start: datetime, end: datetime) -> list[datetime]:
        """Every local midnight in `(start, end]`, oldest first."""
        ends, day = [], self.day_of(start)
        while (instant := self.end_of(day)) <= end:
            ends.append(instant)
            day += timedelta(days=1)
        return ends

    def _position(self, instant: datetime) -> float:
        day = self.day_of(instant)
        start, end = self.start_of(day), self.end_of(day)
        return day.toordinal() + (instant - start) / (end - start)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    # Where the clocks jump over midnight, the wall time that never was reads as the instant of the jump.
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
