"""Targets as people would set them: a step beyond where one stands, in round figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

STEP = 1 / 3
"""How much better than before a first target is."""

NOTICEABLE = 0.1
"""Less of a difference is none."""

LIMITS = (0.02, 0.03, 0.05, 0.08, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)

_GRIDS = ((20.0, 1.0), (50.0, 5.0), (200.0, 10.0), (math.inf, 50.0))
_HALVES = ((5.0, 0.5), *_GRIDS)


def raised(total: float) -> int:
    """A third more, in whole numbers that grow coarser."""
    return int(_raised(total, _GRIDS))


def raised_rate(rate: float) -> float:
    """A third more, in halves below five."""
    return _raised(rate, _HALVES)


def _raised(value: float, grids: Sequence[tuple[float, float]]) -> float:
    wanted = value * (1 + STEP)
    grid = next(grid for below, grid in grids if wanted < below)
    target = max(grid, math.floor(wanted / grid + 0.5) * grid)
    while target < value * (1 + NOTICEABLE):
        target += grid
    return target


def raised_share(share: float, way: float = STEP) -> float:
    """That part of the way to all of it, to the nearest twentieth; above nine tenths to the nearest hundredth."""
    wanted = share + (1 - share) * way
    grid = 20 if wanted < 0.9 else 100
    target = math.floor(wanted * grid + 0.5) / grid
    return target if target >= share + 0.02 else math.ceil((share + 0.02) * 100) / 100


def shortened(seconds: float) -> int:
    """A third less, in whole minutes where there are three or more, else in steps of ten seconds."""
    wanted = seconds * (1 - STEP)
    grid = 60 if wanted >= 180 else 10
    return max(grid, int(wanted // grid) * grid)


def roomy_limit(worst: float, n: float) -> float:
    """A round limit with room above the worst seen, and for two more of the `n` that are counted."""
    needed = max(worst * 1.5, worst + 2 / n)
    return next((limit for limit in LIMITS if limit >= needed), 1.0)


def percent(share: float) -> str:
    return f"{share * 100:.10g}%"


def plain(number: float) -> str:
    """At most two decimals: 1.05, 6.8, 12."""
    return f"{number:,.2f}".rstrip("0").rstrip(".")
