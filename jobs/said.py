"""What was said on a day, as it was said then: the stored evaluation that was in force at the day's end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from ..reports.progress_report import ProgressReport, Said
from ..storage.rows import StoredEvaluation
from .evaluate import cycle_named
from .workspace import Workspace


class NothingSaid(LookupError):
    """In words for the user: since when there is something."""


def said_on(workspace: Workspace, *, day: date, cycle: str | None = None) -> ProgressReport:
    """The report that was in force at the end of the local day (now, if it is today), with its `said`.

    Raises:
        NoCycle: where neither `cycle` nor the config says which.
        NothingSaid: where nothing was by then, where the day is yet to come, and where another release said it in a
            form that this one can't read.
    """
    today = workspace.config.calendar.day_of(workspace.clock())
    if day > today:
        raise NothingSaid(f"{day} lies in the future; nothing was said of it yet")
    known = cycle is not None and workspace.store.first_said(cycle) is not None
    # What was said of a cycle stays said when its objectives have left the config.
    name = cycle if cycle is not None and known else cycle_named(workspace.config, cycle).name
    stored = workspace.store.said_by(name, day)
    if stored is None:
        raise NothingSaid(
            f"nothing was said of {name} by the end of {day}: {_since_when(workspace, name)}; {_else(day)}"
        )
    try:
        report = ProgressReport.from_json(stored.content)
    except ValueError:
        raise NothingSaid(
            f"what was said of {name} on {stored.day} was kept by another release and can't be read by this one; "
            f"{_else(day)}"
        ) from None
    return replace(report, said=_said(workspace, day, stored))


def _said(workspace: Workspace, day: date, stored: StoredEvaluation) -> Said:
    return Said(
        on=day,
        first_at=stored.at,
        config_digest=stored.config_digest,
        same_config=stored.config_digest == workspace.config.digest,
    )


def _since_when(workspace: Workspace, cycle: str) -> str:
    first = workspace.store.first_said(cycle)
    return "nothing was collected yet" if first is None else f"the first time was on {first}"


def _else(day: date) -> str:
    return f"`keyresults status --as-of {day}` says what today's facts say of that day"
