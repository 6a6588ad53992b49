"""What the value at the deadline will likely be, by what the metric's own past was like."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

RANGE = (0.1, 0.9)
"""The quantiles that a range of 80 % lies between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The value at the deadline, in the metric's base unit: in 80 of 100 cases between `low` and `high`.

    `probability` (0 to 1) is that of the target being satisfied then.
    """

    low: float
    high: float
    median: float
    probability: float


def forecast(
    values: np.ndarray[Any, Any], satisfied: Callable[[float], bool] | np.ndarray[Any, Any]
) -> Forecast | None:
    """What values drawn for the deadline say; None where none of them is a number.

    `satisfied` tells of each value whether the target is satisfied by it, as those on one side of a limit are; or has
    done so for each draw. Draws that leave nothing to measure count for nothing. The ends of the range are values that
    were drawn, so that those of a count are whole: then the range holds more than 80 of 100 cases, never fewer.
    """
    import numpy as np

    measured = np.isfinite(values)
    drawn = values[measured]
    if not len(drawn):
        return None
    low, median, high = np.quantile(drawn, [RANGE[0], 0.5, RANGE[1]], method="inverted_cdf")
    chance = satisfied[measured].mean() if isinstance(satisfied, np.ndarray) else _share(np.sort(drawn), satisfied)
    return Forecast(low=float(low), high=float(high), median=float(median), probability=float(chance))


def _share(ordered: np.ndarray[Any, Any], satisfied: Callable[[float], bool]) -> float:
    """The share of values, given in order, on the side of a limit that satisfies."""
    above = satisfied(float(ordered[-1]))
    turn = bisect_left(ordered, True, key=lambda value: satisfied(float(value)) is above)
    return float(len(ordered) - turn if above else turn) / len(ordered)
