"""Quantiles of plain values, and how many of these one rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

TAIL = 0.9
"""From here up a quantile rests on few of the values."""

MANY = 20
"""Values that such a quantile needs by default."""


def linear(values: np.ndarray[Any, Any], quantile: float) -> float:
    """The linear quantile (Hyndman and Fan, 1996, definition 7) of at least one value."""
    import numpy as np

    return float(np.quantile(values, quantile))


def linear_of_each(
    groups: np.ndarray[Any, Any], values: np.ndarray[Any, Any], number: int, quantile: float
) -> np.ndarray[Any, Any]:
    """The same of every group from 0 to `number`; NaN for those without a value. `groups` says whose each value is."""
    import numpy as np

    order = np.lexsort((values, groups))
    ordered = np.append(values[order], np.nan)
    sizes = np.bincount(groups, minlength=number)
    first = np.cumsum(sizes) - sizes
    rank = quantile * np.maximum(sizes - 1, 0)
    below = np.floor(rank).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(sizes - 1, 0))
    low, high = ordered[first + below], ordered[first + above]
    return np.where(sizes > 0, low + (high - low) * (rank - below), np.nan)
