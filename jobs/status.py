"""The last stored evaluation: what `status` shows at once, without computing anything anew."""

from __future__ import annotations

from pathlib import Path

from ..config.peek import peek
from ..metrics.calendar import Calendar
from ..metrics.table import from_microseconds
from ..reports.progress_report import ProgressReport
from ..reports.upcoming import Upcoming
from ..storage.last_said import last_said, planned_jobs
from .clock import now


def upcoming(config: Path) -> Upcoming | None:
    """What the daemon does next; None where none ever ran on this store, or only the server's own tools could say."""
    found = peek(config)
    planned = planned_jobs(found.store.url)
    if not planned:
        return None
    return Upcoming(now(), found.timezone, {name: from_microseconds(due) for name, due in planned.items()})


def stored_report(config: Path, cycle: str | None) -> ProgressReport | None:
    """What was said of the cycle today, under the config as it is; None where it has to be computed."""
    found = peek(config)
    name = cycle or found.cycle
    said = None if name is None else last_said(found.store.url, name, found.digest)
    if said is None:
        return None
    try:
        report = ProgressReport.from_json(said)
    except ValueError:
        return None  # kept by another release: what it rests on is still there to be computed again
    calendar = Calendar(found.timezone)
    # Said on another day, it would hide for ever that nobody collects any more.
    return report if calendar.day_of(report.as_of) == calendar.day_of(now()) else None
