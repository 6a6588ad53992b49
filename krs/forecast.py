"""What the value at the deadline will likely be, by what the metric's own past was like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The value at the deadline, in the metric's base unit: in 80 of 100 cases between `low` and `high`.

    `probability` (0 to 1) is that of the target being satisfied then.
    """

    low: float
    high: float
    median: float
    probability: float
