"""Which way a key result wants its value to go."""

from __future__ import annotations

from ..krs.model import Comparison
from ..metrics.comparison import above, below
from .dates import Dates
from .progress_report import ReportedKeyResult


def limit(kr: ReportedKeyResult) -> tuple[Comparison, float] | None:
    """The side of which value it wants to be on; None where there is no single one."""
    target, start = kr.target, kr.judgement.baseline
    if target.value is None:
        return None
    if target.comparison is not None:
        return target.comparison, target.value
    if start is None:
        return None
    return ("at_least" if above(target.value, start.value) else "at_most"), target.value


def is_better(kr: ReportedKeyResult, value: float, than: float) -> bool:
    """False where there is no single way, too."""
    wanted = limit(kr)
    if wanted is None:
        return False
    return above(value, than) if wanted[0] in ("at_least", "above") else below(value, than)


def runs_one_way(kr: ReportedKeyResult, dates: Dates) -> bool:
    """A count that runs from the start is the highest every day, and its limit holds until it is used up."""
    decides = kr.judgement.decides_on
    return kr.unit == "count" and decides is not None and dates.first_day(decides) == kr.start
