"""Where the lines of a chart's grid lie, and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from .dates import Dates
from .numbers import Period, on_scale, size_of_one

At = TypeVar("At", float, date)

_STEPS = (1.0, 2.0, 5.0, 10.0)
_ROOM = 0.06
_ABOUT = 5
_ALIKE = 1e-3
_FEW_DAYS, _SOME_DAYS = 45, 200
_FROM_ZERO = 0.4
_APART = 0.2


@dataclass(frozen=True, slots=True)
class Axis(Generic[At]):
    """From `low` to `high`, with lines at `at` that are told by `texts`."""

    low: At
    high: At
    at: tuple[At, ...]
    texts: tuple[str, ...]


def value_axis(values: Sequence[float], unit: str, per: Period) -> Axis[float]:
    """Room for all values, at least one; it begins at 0 where they come near it."""
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    one = size_of_one(largest, unit, per)
    if high - low < largest * _ALIKE or high == low:
        low, high = low - largest / 4, high + (largest / 4 or one)
    if 0 <= low <= high * _FROM_ZERO:
        low = 0.0
    spread = high - low
    step = _nice(spread / _ABOUT / one) * one
    bottom, top = low and low - spread * _ROOM, high + spread * _ROOM
    at = tuple(n * step for n in range(math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9) + 1))
    return Axis(bottom, top, at, tuple(on_scale(v, largest, unit, per) for v in at))


def _nice(size: float) -> float:
    power = 10.0 ** math.floor(math.log10(size))
    return next(step for step in _STEPS if step * power >= size * (1 - 1e-9)) * power


def day_axis(first: date, last: date, dates: Dates) -> Axis[date]:
    """Mondays of some weeks, firsts of the months of a quarter, of every third month of a year; and the end."""
    days = (last - first).days
    if days <= _FEW_DAYS:
        monday = first + timedelta(days=-first.weekday() % 7)
        apart = 7 if days <= _FEW_DAYS // 2 else 14
        at = [monday + timedelta(days=n) for n in range(0, days + 1, apart)]
    else:
        months = 1 if days <= _SOME_DAYS else 3 * math.ceil(days / 900)
        count = (last.year - first.year) * 12 + last.month - first.month + 2
        begun = first.year * 12 + first.month - 1
        at = [date(n // 12, n % 12 + 1, 1) for n in range(begun, begun + count, months)]
    shown = (*(day for day in at if first <= day and (last - day).days > days * _APART), last)
    return Axis(first, last, shown, tuple(dates.day(day) for day in shown))
