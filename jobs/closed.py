"""Cycles that were closed: what their report said then is what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ..reports.progress_report import ProgressReport, ReportedKeyResult
from ..reports.values import ClosingStep, Learned
from ..storage.errors import StoreError
from ..storage.rows import StoredClosing
from ..storage.store import Store


def closed_report(store: Store, cycle: str, as_of: datetime) -> ProgressReport | None:
    """What was frozen of a cycle, with all that was told of it; None while it is open, and of the time before.

    A cycle that was reopened is open again, and was never closed.

    Raises:
        StoreError: where it was kept by a release that this one can't read.
    """
    closing = closing_in_force(store, cycle)
    if closing is None or closing.at > as_of:
        return None
    try:
        return ProgressReport.from_json(closing.content)
    except ValueError as problem:
        raise StoreError(
            f"the grades of {cycle} were kept by another release, and can't be read by this one"
        ) from problem


def closing_in_force(store: Store, cycle: str) -> StoredClosing | None:
    done = [one for one in store.closings(cycle) if one.action != "learned"]
    return done[-1] if done and done[-1].action == "closed" else None


def history(store: Store, cycle: str) -> tuple[ClosingStep, ...]:
    """When the cycle was closed and reopened, oldest first."""
    return tuple(
        ClosingStep(one.action, one.at, one.by, json.loads(one.content)["reason"] if one.action == "reopened" else "")
        for one in store.closings(cycle)
        if one.action != "learned"
    )


def for_every_day(report: ProgressReport) -> ProgressReport:
    """Without what only a retrospective tells: as evaluations are kept and shown."""
    return replace(
        report,
        since=None,
        objectives=tuple(replace(o, key_results=tuple(map(_in_short, o.key_results))) for o in report.objectives),
    )


def _in_short(kr: ReportedKeyResult) -> ReportedKeyResult:
    return replace(kr, before=None, moved=None, moves=(), evidence=(), planned=(), excluded=())


def learned(store: Store, cycle: str) -> Sequence[Learned]:
    """In the order it was written down."""
    found = []
    for one in store.closings(cycle):
        if one.action == "learned":
            said = json.loads(one.content)
            found.append(Learned(said["key_result"], said["text"], one.by, one.at))
    return found
