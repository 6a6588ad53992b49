"""How a value moved: since a day, and in its biggest strides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from ..metrics.comparison import above, equal

STRIDE = timedelta(days=7)
"""How long a stride is at most, so that every weekday is in it once, and how far apart two of them end."""

MOST = 3


@dataclass(frozen=True, slots=True)
class DayOf:
    """The usable value that closes a day."""

    day: date
    value: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """From the end of one day to the end of a later one."""

    start: DayOf
    end: DayOf

    @property
    def change(self) -> float:
        return self.end.value - self.start.value


def stretch_since(days: Sequence[DayOf], since: date) -> Stretch | None:
    """From the last value up to the end of `since` (else the first one after it) to the newest.

    `days` are oldest first. None where there is no later one.
    """
    if not days:
        return None
    start = next((d for d in reversed(days) if d.day <= since), days[0])
    return Stretch(start, days[-1]) if start.day < days[-1].day else None


def biggest_strides(days: Sequence[DayOf]) -> list[Stretch]:
    """Up to `MOST` of the biggest changes within `STRIDE`, biggest first; they share no time, and end apart.

    Only those beyond what `STRIDE` days of the usual change from day to day come to, where up and down
    follow each other by chance: that many times the root of their number. Days on which nothing
    changed at either end are cut off.
    """
    usual = _usual_change(days) * math.sqrt(STRIDE.days)
    found: list[Stretch] = []
    for one in sorted(_strides(days), key=lambda s: (-abs(s.change), s.end.day)):
        if len(found) == MOST or not above(abs(one.change), usual):
            break
        if all(_are_apart(one, other) for other in found):
            found.append(_trimmed(days, one))
    return found


def _usual_change(days: Sequence[DayOf]) -> float:
    """The median change from one day to the next."""
    changes = [abs(b.value - a.value) for a, b in pairwise(days) if b.day - a.day == timedelta(days=1)]
    return median(changes) if changes else 0.0


def _strides(days: Sequence[DayOf]) -> list[Stretch]:
    """One for each day it may end on, as long as there are days for it."""
    found, low = [], 0
    for high, end in enumerate(days):
        while end.day - days[low].day > STRIDE:
            low += 1
        if low < high:
            found.append(Stretch(days[low], end))
    return found


def _are_apart(one: Stretch, other: Stretch) -> bool:
    first, last = sorted((one, other), key=lambda s: s.end.day)
    return first.end.day <= last.start.day and last.end.day - first.end.day >= STRIDE


def _trimmed(days: Sequence[DayOf], one: Stretch) -> Stretch:
    inside = [d for d in days if one.start.day <= d.day <= one.end.day]
    while len(inside) > 2 and equal(inside[1].value, inside[0].value):
        inside.pop(0)
    while len(inside) > 2 and equal(inside[-2].value, inside[-1].value):
        inside.pop()
    return Stretch(inside[0], inside[-1])
