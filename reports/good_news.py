"""One good thing that is true of a report: what was newly reached, a best value, the most progress, a streak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from ..krs.comparison import satisfies
from ..krs.judgement import Status
from ..metrics.comparison import at_least, at_most, below
from ..metrics.reading import Health
from . import wording
from .dates import Dates
from .direction import is_better, limit, runs_one_way
from .looks import LOOKS
from .numbers import amount, many, percent
from .progress_report import DayValue, ProgressReport, ReportedKeyResult

WEEK = timedelta(days=7)
_LONG_AGO = 14
_MUCH = 0.05
_STREAK = 7
_REACHED = frozenset({Status.MET, Status.LANDED})
_SILENT = frozenset({Status.DRAFT, Status.WITHDRAWN, Status.NOT_STARTED, Status.UNKNOWN, Status.NOT_MEASURED})

_News = tuple[float, str]
"""How much it is, among others of its kind, and in words."""


def good_news(report: ProgressReport, dates: Dates) -> tuple[ReportedKeyResult, str] | None:
    """The best of the first kind of which there is any; of equals, the first in the report."""
    told = [kr for o in report.objectives for kr in o.key_results if kr.judgement.status not in _SILENT]
    kinds: Sequence[Callable[[ReportedKeyResult], _News | None]] = (
        lambda kr: _newly_reached(kr),
        lambda kr: _best_since(kr, dates),
        lambda kr: _gained(kr, report.since, dates),
        lambda kr: _streak(kr, dates),
    )
    for kind in kinds:
        found = [(kr, news) for kr in told if (news := kind(kr))]
        if found:
            kr, (_, words) = max(found, key=lambda pair: pair[1][0])
            return kr, words
    return None


def _newly_reached(kr: ReportedKeyResult) -> _News | None:
    status = kr.judgement.status
    if status not in _REACHED or kr.before is None or kr.before.status in _REACHED:
        return None
    return 1.0, f"{LOOKS[status].words} now, {LOOKS[kr.before.status].words} before: {wording.way(kr)}"


def _best_since(kr: ReportedKeyResult, dates: Dates) -> _News | None:
    """A value better than every one for at least two weeks, and not what it already was a week ago."""
    days = [d for d in kr.comparable if d.health is Health.OK]
    if limit(kr) is None or not days or not _is_now(kr, days[-1], dates) or runs_one_way(kr):
        return None
    now = days[-1]
    rivals = (d for d in reversed(days[:-1]) if not is_better(kr, _value(now), _value(d)))
    since = next((d.day for d in rivals), days[0].day)
    earlier = [d for d in days if d.day <= now.day - WEEK]
    if (now.day - since).days < _LONG_AGO or not earlier or _shown(kr, earlier[-1]) == _shown(kr, now):
        return None
    return float((now.day - since).days), f"{_shown(kr, now)}, the best since {dates.day(since)}"


def _gained(kr: ReportedKeyResult, since: date | None, dates: Dates) -> _News | None:
    """Of the same way: a revision in between makes another one of it."""
    now, before = kr.judgement.progress, kr.before
    if since is None or now is None or before is None or before.progress is None or wording.is_spent(kr):
        return None
    if below(now - before.progress, _MUCH) or any(since < r.on <= dates.today for r in kr.revisions):
        return None
    return now - before.progress, f"{percent(before.progress)} → {percent(now)} of the way since {dates.day(since)}"


def _streak(kr: ReportedKeyResult, dates: Dates) -> _News | None:
    days: list[DayValue] = []
    for one in reversed(_by_this_target(kr, dates)):
        if one.health is not Health.OK or not _reaches(kr, _value(one)):
            break
        days.append(one)
    if len(days) < _STREAK or not _is_now(kr, days[0], dates) or runs_one_way(kr):
        return None
    return len(days), f"within its target for {many(len(days), 'days')}, since {dates.day(days[-1].day)}"


def _by_this_target(kr: ReportedKeyResult, dates: Dates) -> list[DayValue]:
    """The days since the target, or the metric that gives it its meaning, was revised last."""
    changed = (r.on for r in kr.revisions if r.on <= dates.today and "the target" in r.changes)
    since = max(changed, default=date.min)
    return [d for d in kr.comparable if d.day >= since]


def _is_now(kr: ReportedKeyResult, one: DayValue, dates: Dates) -> bool:
    """Whether it is this week's, and what is shown as the value."""
    reading = kr.judgement.reading
    return dates.today - one.day < WEEK and reading is not None and reading.value == one.value


def _reaches(kr: ReportedKeyResult, value: float) -> bool:
    if kr.target.between is not None:
        low, high = kr.target.between
        return at_least(value, low) and at_most(value, high)
    wanted = limit(kr)
    return wanted is not None and satisfies(value, *wanted)


def _value(one: DayValue) -> float:
    assert one.value is not None  # its health is ok
    return one.value


def _shown(kr: ReportedKeyResult, one: DayValue) -> str:
    return amount(one.value, kr.unit, per=wording.period(kr))
