"""Where a key result starts from."""

from __future__ import annotations

from datetime import datetime

from ..metrics.calendar import Calendar
from ..metrics.definition import MetricTraits
from ..metrics.reading import Reading
from ..metrics.window import WindowLength
from .judgement import Baseline
from .model import KeyResult, Reach

USUAL_DAYS = 28


def baseline_window(kr: KeyResult, traits: MetricTraits, calendar: Calendar) -> tuple[datetime, WindowLength]:
    """The instant a measured baseline is read at, and how far it looks back.

    A count is compared with a count over as long a time: over a cycle window that is the key
    result's own length, else the metric's window.
    """
    at = calendar.start_of(kr.start)
    if kr.baseline_days is not None:
        return at, WindowLength(kr.baseline_days)
    days = traits.window.days
    if traits.counts:
        return at, WindowLength((kr.deadline - kr.start).days + 1 if days is None else days)
    return at, WindowLength(max(days or 0, USUAL_DAYS))


def may_start_late(traits: MetricTraits) -> bool:
    """Whether a first reading after the start can stand in for one before it: a running total's first day can't."""
    return not (traits.counts and traits.window.is_cycle)


def choose_baseline(
    kr: KeyResult,
    *,
    calendar: Calendar,
    measured: Reading | None,
    settled: bool,
    first_ok_after_start: Reading | None,
) -> Baseline | None:
    """The baseline, stated or measured; None while there is nothing to take it from.

    `measured` is the reading over `baseline_window`. `settled` says that its time is covered or
    older than all the source can tell: until then a measured baseline is provisional.
    """
    start = calendar.start_of(kr.start)
    stated = _stated(kr)
    if stated is not None:
        return Baseline(value=stated, at=None, measured=False, provisional=False, pace_start=start)
    if measured is not None and measured.usable(kr.accept_partial):
        return _of(measured, start, provisional=not settled)
    if first_ok_after_start is not None and first_ok_after_start.usable(kr.accept_partial):
        return _of(first_ok_after_start, first_ok_after_start.at, provisional=not settled)
    return None


def _stated(kr: KeyResult) -> float | None:
    if kr.baseline is None and isinstance(kr.target, Reach):
        return kr.target.start
    return kr.baseline


def _of(reading: Reading, pace_start: datetime, *, provisional: bool) -> Baseline:
    assert reading.value is not None
    return Baseline(
        value=reading.value,
        at=reading.at,
        measured=True,
        provisional=provisional,
        pace_start=pace_start,
        reading=reading,
    )
