"""When something is due: cron lines by the wall clock of a zone, and rhythms by the time that passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Schedule(Protocol):
    """What is due again and again."""

    def after(self, due: datetime, begun: datetime) -> datetime:
        """The first time that comes after `begun`, where something due at `due` was begun then."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """`span` after the time before, however late that was begun."""

    span: timedelta

    def after(self, due: datetime, begun: datetime) -> datetime:
        return due + self.span * ((begun - due) // self.span + 1)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line by the wall clock of an IANA zone.

    A time that a change of clocks leaves out is due when the clock goes on; one that comes twice is due the first
    time. Lines for any hour (`*/15 * * * *`) go on in both hours that bear one name, and in none that is left out.
    """

    line: str
    timezone: str

    def after(self, due: datetime, begun: datetime) -> datetime:
        return self.following(max(due, begun))

    def following(self, then: datetime) -> datetime:
        """The first time after an instant."""
        from croniter import croniter

        zone = ZoneInfo(self.timezone)
        if self.line.split()[1].startswith("*"):
            return self._in_any_hour(then, zone)
        wall = then.astimezone(zone).replace(tzinfo=None)
        # From an hour the clock shows twice, or has left out, looking back a little finds what was meant.
        walk = croniter(self.line, wall - _MOST_SHIFTED)
        while True:
            due = _instant(walk.get_next(datetime), zone)
            if due > then:
                return due

    def _in_any_hour(self, then: datetime, zone: ZoneInfo) -> datetime:
        """As time passes: on the wall of one offset up to the next change of clocks, then on that of the next."""
        from croniter import croniter

        wall, offset = then.astimezone(zone).replace(tzinfo=None), _offset(then, zone)
        while True:
            local: datetime = croniter(self.line, wall).get_next(datetime)
            due = (local - offset).replace(tzinfo=UTC)
            changed = _next_change(then, due, zone)
            if changed is None:
                return due
            then, offset = changed, _offset(changed, zone)
            wall = changed.astimezone(zone).replace(tzinfo=None) - timedelta(seconds=1)


_MOST_SHIFTED = timedelta(hours=3)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When a clock on the wall first shows this time, or the first time after it."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # Left out: before the change the clock would have shown it at `first`; the change came within that hour.
    return _change_before(first, zone)


def _change_before(instant: datetime, zone: ZoneInfo) -> datetime:
    """The change of clocks within the hours before an instant."""
    changed = _next_change(instant - _MOST_SHIFTED, instant, zone)
    return instant if changed is None else changed


def _next_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant after `start`, up to `end`, with another offset than `start` has; no two lie within a day."""
    offset = _offset(start, zone)
    low = start
    while low < end:
        high = min(low + timedelta(days=1), end)
        if _offset(high, zone) != offset:
            break
        low = high
    else:
        return None
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high.replace(microsecond=0)


def caught_up(schedule: Schedule, due: datetime | None, begun: datetime | None, now: datetime) -> datetime:
    """When it is next due, where the run for the time `due` was begun at `begun` (None: never, so it is due now).

    Of all that was missed since then, one is due, at once. Times that are yet to come are those of a clock that was
    set back, and keep nothing waiting.
    """
    if due is None or begun is None:
        return now
    due = min(due, now)
    return max(schedule.after(due, max(due, min(begun, now))), now)
