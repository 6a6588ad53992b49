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
