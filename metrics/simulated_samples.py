"""Measured levels at instants to come: today's level, moved on by the daily steps of the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

LEAST_SAMPLES, LEAST_WEEKS = 3, 4

TOO_FEW = f"fewer than {LEAST_SAMPLES} samples, or {LEAST_WEEKS} whole weeks, in the past two years"

STEP_SPREAD = 0.5
"""How unsure it is, as a standard deviation of the logarithm, whether steps will be as large as they were."""

ANY_WEEK = 0.05
"""How likely a week is drawn whatever level it began at, beside 1 for one that began at the very same."""

LEVEL_HALF_LIFE = 52
"""Weeks after which a week counts half: the steps of a level change less than how often things happen."""


def newest(drawn: Drawn, instants: Sequence[datetime]) -> Numbers | str:
    """The level at each instant, carried forward from the last sample before it."""
    import numpy as np

    levels = _levels(drawn, _newest_of)
    if levels is None or drawn.counted.values is None:
        return TOO_FEW
    now = np.full((len(levels), 1), drawn.counted.values[drawn.known - 1])
    path = np.concatenate([now, levels], axis=1)
    return at_each(instants, lambda at: path[:, drawn.ahead.future.until(at)])


def samples(drawn: Drawn, instants: Sequence[datetime]) -> Numbers | str:
    """The aggregate of each window's samples: those known, and those of the days ahead."""
    if drawn.definition.aggregate.name == "last":
        return newest(drawn, instants)
    levels = _levels(drawn, _mean_of)
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


def _newest_of(weeks: Numbers) -> Numbers:
    newest: Numbers = weeks[:, -1]
    return newest


def _mean_of(weeks: Numbers) -> Numbers:
    """Single samples scatter; what lasts is where they lie on average."""
    mean: Numbers = weeks.mean(axis=1)
    return mean


def _levels(drawn: Drawn, level_of: Callable[[Numbers], Numbers]) -> Numbers | None:
    """The value in each cell ahead, by draw; None where too little is known.

    Each week ahead moves on from the level of the one before as a week of the past did that followed one of about the
    same level: so a level that keeps coming back does so in the draws, and one that wanders goes on wandering.
    """
    import numpy as np

    facts, cells = drawn.past
    values = drawn.counted.values
    if values is None or len(facts) < LEAST_SAMPLES:
        return None
    scale = _Scale.of(values[facts], ratio=drawn.definition.unit.dimension == "ratio")
    past = scale.to(_carried(values[facts], cells, len(drawn.ahead.past)))
    a_week = WEEK * drawn.ahead.parts
    weeks = _Weeks.of(past.reshape(-1, a_week), drawn.ahead.past.usable.reshape(-1, a_week), level_of)
    if len(weeks.begun) < LEAST_WEEKS:
        return None
    size = np.exp(drawn.ahead.rng.normal(0, STEP_SPREAD, drawn.ahead.draws))
    level = np.full(drawn.ahead.draws, level_of(past[None, -a_week:])[0])
    path: list[Numbers] = []
    for _ in range(0, len(drawn.ahead.future), a_week):
        chosen = weeks.like(level, drawn.ahead.rng)
        level = level + weeks.step[chosen] * size
        path.append(scale.bound(level[:, None] + weeks.around[chosen]))
        level = level_of(path[-1])
    return scale.back(np.concatenate(path, axis=1)[:, : len(drawn.ahead.future)])


@dataclass(frozen=True)
class _Weeks:
    """Completely collected weeks of the past, oldest first: the level of the week before each, the step from there to
    its own level, how its cells lie around that, and how much the week counts."""

    begun: Numbers
    step: Numbers
    around: Numbers
    weights: Numbers

    @classmethod
    def of(cls, past: Numbers, usable: Numbers, level_of: Callable[[Numbers], Numbers]) -> _Weeks:
        """`past` has a row for each week, and a column for each of its cells."""
        import numpy as np

        levels = level_of(past)
        whole = np.flatnonzero(usable[1:].all(axis=1) & np.isfinite(levels[:-1])) + 1
        return cls(
            begun=levels[whole - 1],
            step=levels[whole] - levels[whole - 1],
            around=past[whole] - levels[whole][:, None],
            weights=0.5 ** ((len(past) - 1 - whole) / LEVEL_HALF_LIFE),
        )

    def like(self, level: Numbers, rng: np.random.Generator) -> Numbers:
        """A week for each level, by its number: those that began near it are the likeliest."""
        import numpy as np

        width = 1.06 * self.begun.std() * len(self.begun) ** -0.2  # Silverman's rule
        near = np.ones((len(level), len(self.begun)))
        if width > 0:
            # Beyond what was ever seen the outermost weeks are the most alike.
            seen = level.clip(self.begun.min(), self.begun.max())
            near = np.exp(-0.5 * np.square((seen[:, None] - self.begun) / width)) + ANY_WEEK
        up_to = np.cumsum(near * self.weights, axis=1)
        chosen: Numbers = (rng.random((len(level), 1)) * up_to[:, -1:] > up_to).sum(axis=1)
        return chosen


def _carried(values: Numbers, cells: Numbers, number: int) -> Numbers:
    """The newest value at the end of each cell; NaN before the first."""
    import numpy as np

    newest = cells.searchsorted(np.arange(number), side="right") - 1
    return np.where(newest >= 0, values[newest], np.nan)


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

    def bound(self, values: Numbers) -> Numbers:
        return values if self._logarithmic else values.clip(self._low, self._high)

    def back(self, values: Numbers) -> Numbers:
        import numpy as np

        return np.exp(values) if self._logarithmic else np.clip(values, self._low, self._high)
