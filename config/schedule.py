"""When something is due: `at`, `cron`, and the longest time that may pass between two runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

_AT = re.compile(r"^\s*(?:([A-Za-z]+)\s+)?([01]?\d|2[0-3]):([0-5]\d)\s*$")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)
_DAYS_LOOKED_AT = 800


def cron_of(at: str) -> str:
    """The cron line of `"06:00"` or `"monday 09:00"`, in the tracker's zone.

    Raises:
        ValueError: in words for the author of the config.
    """
    hour, weekday = hour_of(at)
    return f"{hour.minute} {hour.hour} * * {'*' if weekday is None else (weekday + 1) % 7}"


def hour_of(at: str) -> tuple[time, int | None]:
    """The local time that `"06:00"` or `"monday 09:00"` names, and its weekday: Monday is 0, None means every day.

    Raises:
        ValueError: in words for the author of the config.
    """
    match = _AT.match(at)
    day = match[1].lower() if match and match[1] else None
    names = [name for name in _DAYS if day is not None and len(day) >= 3 and name.startswith(day)]
    if match is None or (day is not None and not names):
        raise ValueError(f'{at!r} is no time: write "06:00", or "monday 09:00"')
    return time(int(match[2]), int(match[3])), _DAYS.index(names[0]) if names else None


def longest_gap(cron: str) -> timedelta:
    """The longest time between two runs of a cron line, changes of clocks aside.

    Raises:
        ValueError: for what is no cron line of five fields, or never comes.
    """
    from croniter import croniter

    if len(cron.split()) != 5:
        raise ValueError(f'{cron!r} is no cron line: five fields, such as "0 6 * * *"')
    try:
        minutes, hours, *_ = croniter.expand(cron)[0]
    except (ValueError, KeyError, AttributeError):
        raise ValueError(f'{cron!r} is no cron line: five fields, such as "0 6 * * *"') from None
    times = sorted(timedelta(hours=h, minutes=m) for h in _numbers(hours, 24) for m in _numbers(minutes, 60))
    inside = max((later - earlier for earlier, later in pairwise(times)), default=timedelta(0))
    overnight = _longest_days(cron) - (times[-1] - times[0])
    return max(inside, overnight)


def _longest_days(cron: str) -> timedelta:
    """The longest distance between two days a cron line speaks of."""
    from croniter import CroniterBadDateError, croniter

    walk = croniter(f"0 0 {' '.join(cron.split()[2:])}", datetime(2024, 1, 1, tzinfo=UTC))
    try:
        days: list[datetime] = [
            walk.get_next(datetime) for _ in range(_DAYS_LOOKED_AT if cron.split()[2:] != ["*"] * 3 else 2)
        ]
    except CroniterBadDateError:
        raise ValueError(f"{cron!r} never comes") from None
    return max(later - earlier for earlier, later in pairwise(days))


def _numbers(field: Sequence[int | str], size: int) -> list[int]:
    return list(range(size)) if list(field) == ["*"] else [int(n) for n in field]
