"""Values against the limits of targets and guardrails, and progress cut for showing.

Every comparison goes through `metrics.comparison`, with its relative tolerance of 1e-9.
"""

from __future__ import annotations

import math

from ..metrics.comparison import TOLERANCE, above, at_least, at_most, below
from .model import Between, Comparison, Threshold

MOST_UNSATISFIED = 0.99
"""The most progress shown of what is not reached."""

_COMPARISONS = {"at_most": at_most, "below": below, "at_least": at_least, "above": above}


def satisfies(value: float, comparison: Comparison, limit: float) -> bool:
    return _COMPARISONS[comparison](value, limit)


def within(value: float, limit: Threshold | Between) -> bool:
    """Whether a value is on the right side of a limit; both ends of `Between` are included."""
    return excess(value, limit) is None


def excess(value: float, limit: Threshold | Between) -> float | None:
    """How far a value is beyond its limit (0 on a strict one); None where the limit holds."""
    if isinstance(limit, Between):
        if below(value, limit.low):
            return limit.low - value
        return value - limit.high if above(value, limit.high) else None
    return None if satisfies(value, limit.comparison, limit.limit) else abs(value - limit.limit)


def cut(fraction: float) -> float:
    """To two decimals downwards, so that nothing reads as reached before it is: 0.849 is 0.84.

    The tolerance is added first: 0.29 held as 0.28999999999999998 stays 0.29.
    """
    return math.floor((fraction + TOLERANCE) * 100) / 100


def percent(fraction: float) -> str:
    """A fraction in whole percents, cut."""
    return f"{cut(fraction):.0%}"
