"""Targets that must hold on a share of the days."""

from __future__ import annotations

from collections.abc import Sequence

from ..metrics.calendar import Calendar
from ..metrics.comparison import above, at_least, at_most
from ..metrics.reading import Reading
from .comparison import within
from .judgement import KeptDays
from .model import Keep, KeyResult
from .progress import kept_share
from .terms import Moment, terms

ENOUGH = 0.80
"""The share of its days that must be measured for a verdict."""


def kept_days(kr: KeyResult, keep: Keep, moment: Moment, readings: Sequence[Reading], calendar: Calendar) -> KeptDays:
    """The days closed up to the moment, each judged by the limit in force on it.

    The open day counts once it has ended. A day on which another kind of target was in force can
    be measured but not bad.
    """
    days = (moment.deadline_day - kr.start).days + 1
    usable = [r for r in readings if r.at == calendar.end_of(r.day) and r.usable(kr.accept_partial)]
    bad = sum(1 for r in usable if _is_bad(kr, r))
    return KeptDays(days=days, measured=len(usable), bad=bad, budget=(1 - keep.share) * days)


def _is_bad(kr: KeyResult, reading: Reading) -> bool:
    target = terms(kr, reading.day).target
    assert reading.value is not None
    return isinstance(target, Keep) and not within(reading.value, target.limit)


def within_budget(kept: KeptDays) -> bool:
    return at_most(kept.bad, kept.budget)


def is_measured(kept: KeptDays) -> bool:
    return at_least(kept.measured, ENOUGH * kept.days)


def keep_progress(kept: KeptDays, elapsed: float) -> float:
    """The share of the time that has passed, less what an overspent budget takes away."""
    return elapsed * kept_share(kept.bad, kept.budget, within_budget(kept))


def spends_too_fast(spent: float, budget: float, elapsed: float) -> bool:
    """Whether more is used than the time passed gives, with a quarter of the budget to spare."""
    return above(spent, budget * (elapsed + 0.25))
