"""Units of readings. Each has a base in which all arithmetic is done: fractions, seconds, rates per (work)day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dimension = Literal["ratio", "duration", "count", "per_day", "per_workday", "plain"]

SECONDS = {
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Unit:
    """`text` is shown; a value in this unit times `scale` is one in the base of its `dimension`."""

    dimension: Dimension
    text: str
    scale: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Unit:
        """The unit a sampled metric says its samples have: `"s"`, `"ms"`, `"%"`, `"ratio"`, or any word."""
        if text in SECONDS:
            return cls("duration", "s", SECONDS[text])
        if text in ("%", "percent"):
            return cls("ratio", "ratio", 0.01)
        known = {u.text: u for u in (RATIO, COUNT, PER_DAY, PER_WORKDAY)}
        return known.get(text) or cls("plain", text)


RATIO = Unit("ratio", "ratio")
DURATION = Unit("duration", "s")
COUNT = Unit("count", "count")
PER_DAY = Unit("per_day", "per_day")
PER_WORKDAY = Unit("per_workday", "per_workday")
