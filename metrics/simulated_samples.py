"""Measured levels at instants to come: today's level, moved on by the daily steps of the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .ahead import WEEK
from .definition import Aggregate
from .drawn_facts import Drawn, at_each, divided, summed
from .quantiles import linear_of_each
from .value import is_within

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

LEAST_SAMPLES = 5

TOO_FEW = f"fewer than {LEAST_SAMPLES} samples in the past year"

STEP_SPREAD = 0.3
"""How unsure it is, as a standard deviation of the logarithm, whether steps will be as large as they were."""

UNIT_ROOT = 4.0
"""What a level without any pull seems to be pulled a week, times the weeks looked at (the bias of least squares)."""


def newest(drawn: Drawn, instants: Sequence[datetime]) -> Numbers | str:
    """The level at each instant, carried forward from the last sample before it."""
    import numpy as np

    levels = _levels(drawn)
    if levels is None:
        return TOO_FEW
    here = np.concatenate([np.full((len(levels), 1), _last(drawn)), levels], axis=1)
    return at_each(instants, lambda at: here[:, drawn.ahead.future.until(at)])


def samples(drawn: Drawn, instants: Sequence[datetime]) -> Numbers | str:
    """The aggregate of each window's samples: those known, and those of the days ahead."""
    if drawn.definition.aggregate.name == "last":
        return newest(drawn, instants)
    levels = _levels(drawn)
    if levels is None:
        return TOO_FEW
    present = drawn.ahead.totals(drawn.per_cell()) > 0
    aggregate = _aggregate(drawn, levels, present)

    def value(at: datetime) -> Numbers:
        known, cells = drawn.within(drawn.span(at))
        return aggregate(drawn.counted.values[known], cells)  # type: ignore[index]  # samples have values

    return at_each(instants, value)


def _aggregate(drawn: Drawn, levels: Numbers, present: Numbers) -> Callable[[Numbers, slice], Numbers]:
    """What the known values and those of some cells ahead come to, by draw."""
    import numpy as np

    how = drawn.definition.aggregate
    n = summed(present)
    match how.name:
        case "sum" | "mean":
            ahead = summed(np.where(present, levels, 0.0))
            if how.name == "sum":
                return lambda known, cells: known.sum() + ahead(cells)
            return lambda known, cells: divided(known.sum() + ahead(cells), len(known) + n(cells))
        case "share_within":
            good = summed(np.where(present, _within(levels, how), False))
            return lambda known, cells: divided(_within(known, how).sum() + good(cells), len(known) + n(cells))
        case "min" | "max":
            least = how.name == "min"
            best, empty = (np.minimum, np.inf) if least else (np.maximum, -np.inf)
            shown = np.where(present, levels, empty)

            def extreme(known: Numbers, cells: slice) -> Numbers:
                of_known = best.reduce(known, initial=empty)
                found = best(best.reduce(shown[:, cells], axis=1, initial=empty), of_known)
                return np.where(np.isfinite(found), found, np.nan)

            return extreme
    quantile = 0.5 if how.name == "median" or how.quantile is None else how.quantile

    def of_all(known: Numbers, cells: slice) -> Numbers:
        draw, cell = present[:, cells].nonzero()
        whose = np.concatenate([draw, np.repeat(np.arange(len(levels)), len(known))])
        values = np.concatenate([levels[:, cells][draw, cell], np.tile(known, len(levels))])
        return linear_of_each(whose, values, len(levels), quantile)

    return of_all


def _within(values: Numbers, how: Aggregate) -> Numbers:
    import numpy as np

    return np.array([is_within(value, how) for value in values.ravel()], dtype=bool).reshape(values.shape)


def _last(drawn: Drawn) -> float:
    assert drawn.counted.values is not None
    return float(drawn.counted.values[drawn.known - 1])


def _levels(drawn: Drawn) -> Numbers | None:
    """The level in each cell ahead, by draw; None where too little is known.

    Each step is one of the past, on the same weekday, and seven in a row stay together. A level that keeps coming
    back to its mean is pulled to it; one that may as well be wandering isn't.
    """
    import numpy as np

    facts, cells = drawn.past
    values = drawn.counted.values
    if values is None or len(facts) < LEAST_SAMPLES:
        return None
    scale = _Scale.of(values[facts], ratio=drawn.definition.unit.dimension == "ratio")
    past = scale.to(_carried(values[facts], cells, len(drawn.ahead.past)))
    seen = np.isfinite(past)
    mean = past[seen].mean()
    pull = _pull(past[seen], WEEK * drawn.ahead.parts)
    steps = np.diff(past, prepend=np.nan) + pull * (np.concatenate([[np.nan], past[:-1]]) - mean)
    drawn_steps = drawn.ahead.totals(_usual_where_unknown(steps, WEEK * drawn.ahead.parts))
    drawn_steps = drawn_steps * np.exp(drawn.ahead.rng.normal(0, STEP_SPREAD, (len(drawn_steps), 1)))
    level = np.full(len(drawn_steps), scale.to(np.array([_last(drawn)]))[0])
    path = np.empty_like(drawn_steps)
    for cell in range(path.shape[1]):
        level = level + pull * (mean - level) + drawn_steps[:, cell]
        path[:, cell] = level
    return scale.back(path)


def _usual_where_unknown(steps: Numbers, week: int) -> Numbers:
    """The first level has no step that led to it; none at all would move the level for good by a weekday's habit."""
    import numpy as np

    usual = [float(known.mean()) if len(known := day[np.isfinite(day)]) else 0.0 for day in steps.reshape(-1, week).T]
    return np.where(np.isfinite(steps), steps, np.tile(usual, len(steps) // week))


def _carried(values: Numbers, cells: Numbers, number: int) -> Numbers:
    """The newest value at the end of each cell; NaN before the first."""
    import numpy as np

    newest = cells.searchsorted(np.arange(number), side="right") - 1
    return np.where(newest >= 0, values[newest], np.nan)


def _pull(past: Numbers, week: int) -> float:
    """The share of its distance from its mean that a level loses in a cell, as far as its past leaves no doubt."""
    import numpy as np

    before, change = past[:-week] - past.mean(), past[week:] - past[:-week]
    weight = float(np.square(before).sum())
    if weight == 0:
        return 0.0
    weekly = -float((before * change).sum()) / weight - UNIT_ROOT * week / len(past)
    return float(1 - (1 - min(1.0, max(0.0, weekly))) ** (1 / week))


class _Scale:
    """What steps are taken on: the logarithm of what was always above zero; never beyond the ends a value can have."""

    def __init__(self, *, logarithmic: bool, low: float, high: float) -> None:
        self._logarithmic, self._low, self._high = logarithmic, low, high

    @classmethod
    def of(cls, values: Numbers, *, ratio: bool) -> _Scale:
        least, most = float(values.min()), float(values.max())
        logarithmic = least > 0 and not ratio
        return cls(
            logarithmic=logarithmic,
            low=0.0 if least >= 0 else -float("inf"),
            high=1.0 if ratio and most <= 1 else float("inf"),
        )

    def to(self, values: Numbers) -> Numbers:
        import numpy as np

        return np.log(values) if self._logarithmic else values

    def back(self, values: Numbers) -> Numbers:
        import numpy as np

        return np.exp(values) if self._logarithmic else np.clip(values, self._low, self._high)
