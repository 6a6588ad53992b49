"""Which way a key result wants its value to go."""

from __future__ import annotations

from ..krs.model import Comparison
from ..metrics.comparison import above, below
from .progress_report import ReportedKeyResult


def limit(kr: ReportedKeyResult) -> tuple[Comparison, float] | None:
    """The side of which value it wants to be on; None where there is no single one, or none is resolved yet."""
    target = kr.target
    comparison = target.comparison or kr.judgement.comparison
    return None if target.value is None or comparison is None else (comparison, target.value)


def is_better(kr: ReportedKeyResult, value: float, than: float) -> bool:
    """False where there is no single way, too."""
    wanted = limit(kr)
    if wanted is None:
        return False
    return above(value, than) if wanted[0] in ("at_least", "above") else below(value, than)


def runs_one_way(kr: ReportedKeyResult) -> bool:
    """A count that runs from the start is the highest every day, and its limit holds until it is used up."""
    return kr.judgement.shape in ("budget", "total")
