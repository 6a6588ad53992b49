"""The time that evaluations are made for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ..metrics.calendar import Calendar


def now() -> datetime:
    return datetime.now(UTC)


def parse_measured_at(text: str, calendar: Calendar, at: datetime) -> datetime:
    """The instant something recorded by hand was measured at; as `parse_as_of`, but a date stays inside its day.

    Raises:
        ValueError: for the future and for text that is no time, in words for the user.
    """
    instant = parse_as_of(text, calendar, at)
    return instant - timedelta(seconds=1) if _day(text) is not None and instant != at else instant


def parse_as_of(text: str | None, calendar: Calendar, at: datetime) -> datetime:
    """The instant that `text` speaks of; `at` is now.

    A date means its end in the tracker's zone, or now if it is today. A time without an offset is
    in the tracker's zone. Nothing means now.

    Raises:
        ValueError: for the future and for text that is no time, in words for the user.
    """
    if text is None:
        return at
    day = _day(text)
    instant = _time(text, calendar) if day is None else _end_of(day, calendar, at)
    if instant > at:
        raise ValueError(f"{text} lies in the future; nothing is known of it yet")
    return instant


def _end_of(day: date, calendar: Calendar, at: datetime) -> datetime:
    return at if day == calendar.day_of(at) else calendar.end_of(day)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _time(text: str, calendar: Calendar) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 2026-11-23 or 2026-11-23T09:00+01:00") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=calendar.zone)
    return instant.astimezone(UTC)
