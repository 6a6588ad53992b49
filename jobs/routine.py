"""One thing the daemon does again and again, and when it does it next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ..storage.timetable import JobRecord
from .due import Schedule, caught_up

FIRST_RETRY, LAST_RETRY = timedelta(minutes=5), timedelta(hours=1)

JITTER = 0.05
LONGEST_JITTER = timedelta(minutes=1)
"""So that not everybody asks a source in the same second: up to this share of a rhythm, and no longer."""


class Failed(Exception):
    """A run did not do what it should; `str()` is for people, without secrets."""


@dataclass(frozen=True, slots=True)
class Later:
    """A run went well so far, and is to go on then: a source asked to wait. Where only a part of it has to, the rest
    keeps to its rhythm meanwhile."""

    at: datetime
    in_part: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """A run went well, and found nothing to do: hardly worth a line."""


Said = Later | Idle | None

Lane = Literal["default", "sources"]
"""What waits for others may hang: it has threads of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """`run` is told the time it is due for. `spread` is how much later than due it may begin.

    It raises `Failed` where it did not do what it should, and says `Later` where it has to wait. One that never ran
    is due at once, or, where it is not `at_once`, when its schedule first says so. One that is `behind` waits for
    sources that are to be collected by the time it is due.
    """

    name: str
    schedule: Schedule
    run: Callable[[datetime], Said]
    spread: timedelta = timedelta(0)
    at_once: bool = True
    lane: Lane = "default"
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """What time a run is for, and when it may begin: later, where it failed before."""

    due: datetime
    begins: datetime


def plan(routine: Routine, record: JobRecord | None, now: datetime) -> Planned:
    """By what is stored of it; at once where it never ran, or did not end."""
    if record is None or record.started_at is None:
        first = now if routine.at_once else _first_time(routine, record, now)
        return Planned(first, first)
    if record.finished_at is None or record.finished_at < record.started_at:
        return Planned(_owed(routine, record, now), now)
    if record.outcome == "failed" and record.next_due is not None:
        # As if the daemon had gone on: a failing source is not asked more often because it was started again.
        return Planned(_owed(routine, record, now), min(max(record.next_due, now), now + LAST_RETRY))
    regular = caught_up(routine.schedule, record.due, record.started_at, now)
    if record.outcome == "waits" and record.next_due is not None and record.next_due < regular:
        return Planned(_owed(routine, record, now), max(record.next_due, now))
    return Planned(regular, regular)


def _owed(routine: Routine, record: JobRecord, now: datetime) -> datetime:
    """For the time it was due for, so that what it told by then is not told twice; now, where another came since."""
    due = record.due
    return now if due is None or routine.schedule.after(due, due) <= now else min(due, now)


def _first_time(routine: Routine, record: JobRecord | None, now: datetime) -> datetime:
    """Now, where a time it was planned for has passed: a daemon that was stopped over a report owes it."""
    planned = record.next_due if record else None
    return now if planned is not None and planned <= now else routine.schedule.after(now, now)


def newest_due(routine: Routine, due: datetime, now: datetime) -> datetime:
    """The last of its times from `due` on that has come: what failed for a week is done for this week."""
    while (later := routine.schedule.after(due, due)) <= now:
        due = later
    return min(due, now)


def next_due(routine: Routine, due: datetime, begun: datetime, now: datetime, said: Said) -> datetime:
    """After a run for the time `due` that went well. What became due while it ran is due at once."""
    regular = caught_up(routine.schedule, due, begun, now)
    if not isinstance(said, Later):
        return regular
    on = max(said.at, now + timedelta(minutes=1))
    return min(on, regular) if said.in_part else on


def retry(failures: int, now: datetime) -> datetime:
    """After that many failures in a row: twice as long each time."""
    doubled = FIRST_RETRY * (1 << min(failures - 1, 10))
    return now + min(doubled, LAST_RETRY)


def spread_of(rhythm: timedelta) -> timedelta:
    return min(rhythm * JITTER, LONGEST_JITTER)
