"""A metric's facts of the days ahead, drawn from those of its past, and the windows they fall into with the known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .ahead import WEEK, Ahead, whole
from .calendar import Calendar
from .definition import MetricDefinition
from .ranges import TimeRange, TimeRanges
from .span import Span, Spans
from .value import Counted

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

LEVEL_NOW, LEVEL_WEEKLY, LEVEL_WITHIN = 0.5, 0.15, 0.5
"""How far the logarithm of a frequency may be from the past's, as standard deviations: what is unsure of it today,
what each week ahead adds for good, and by how much single weeks are out of the ordinary."""

USUAL_CHANGE, USUAL_MONTHS = 0.9, 3
"""The usual change of the logarithm of a month's number of facts (root mean square), and how many months of a
metric's own it weighs."""

MOST_RESTLESS = 2.0
"""As many times the usual change at most: wild months say little of how wild the next ones are."""

UNSEEN = 0.5
"""Facts in half a year that may just not have been seen: what never happened may still happen (Jeffreys' prior)."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What is known of one metric before `origin` (its first `known` counted facts), and what was drawn after it.

    `start` is where a cycle window begins; `usable` and `excluded` are the past's, as for readings.
    """

    definition: MetricDefinition
    counted: Counted
    known: int
    usable: TimeRanges
    excluded: TimeRanges
    calendar: Calendar
    start: datetime
    origin: datetime
    ahead: Ahead

    def span(self, at: datetime) -> Span:
        """The window that ends at `at`, as if all of the days to come will be collected."""
        coverage = self.usable | self.excluded | TimeRanges.of(TimeRange(self.origin, max(self.origin, at)))
        spans = Spans(coverage, self.definition.exclude, self.calendar)
        return spans.of(self.definition.window.ending(at, self.calendar, self.start))

    def known_in(self, start: datetime, end: datetime) -> slice:
        """The known facts of `[start, end)`, by their numbers."""
        here = self.counted.between(start, end)
        return slice(min(here.start, self.known), min(here.stop, self.known))

    def cells_in(self, start: datetime, end: datetime) -> slice:
        """The cells ahead that lie in `[start, end)`."""
        return slice(self.ahead.future.until(start), self.ahead.future.until(end))

    def within(self, span: Span) -> tuple[slice, slice]:
        """The known facts of a window, and the cells ahead that it reaches into."""
        start, end = span.window.start, span.window.end
        return self.known_in(start, end), self.cells_in(start, end)

    @cached_property
    def past(self) -> tuple[Numbers, Numbers]:
        """The facts that stand for those to come, by their numbers, and the cell of the past that each lies in."""
        import numpy as np

        cells = self.ahead.past.holding(self.counted.at[: self.known])
        facts = np.flatnonzero((cells >= 0) & (cells < len(self.ahead.past)))
        return facts, cells[facts]

    def per_cell(self, among: Numbers | None = None) -> Numbers:
        """How many facts each cell of the past holds; `among` marks those of all that are asked for."""
        import numpy as np

        facts, cells = self.past
        mine = slice(None) if among is None else among[facts]
        return np.bincount(cells[mine], minlength=len(self.ahead.past))

    @cached_property
    def level(self) -> Numbers:
        """By draw and cell ahead, how many times as much happens as in the past."""
        numbers = self.monthly(lambda month: float(len(month)) + UNSEEN)
        times = restlessness(numbers, USUAL_CHANGE)
        return self.ahead.wandering(LEVEL_NOW * times, LEVEL_WEEKLY * times, LEVEL_WITHIN * times)

    def monthly(self, level: Callable[[Numbers], float]) -> list[float]:
        """What a level of known facts (given by their numbers) was in each month of the past, oldest first.

        Months are four weeks here. It is NaN for those of which less than half was collected.
        """
        facts, cells = self.past
        month = 4 * WEEK * self.ahead.parts
        starts = range(len(self.ahead.past) % month, len(self.ahead.past), month)
        found = []
        for start in starts:
            low, high = cells.searchsorted([start, start + month])
            collected = self.ahead.past.usable[start : start + month].mean() >= 0.5
            found.append(level(facts[low:high]) if collected else math.nan)
        return found

    def numbers(self, among: Numbers | None = None) -> Numbers:
        """By draw and cell ahead, how many facts are drawn there."""
        unseen = (self.ahead.picks >= 0) * (UNSEEN / (26 * WEEK * self.ahead.parts))
        return whole(self.ahead.totals(self.per_cell(among)) * self.level + unseen, self.ahead.rng)

    def each(self, every: int = 1) -> tuple[Numbers, Numbers, Numbers]:
        """Every single fact drawn: by which draw, in which cell ahead, and which known one it repeats.

        Of many, one fact in `every` stands for its neighbours.
        """
        import numpy as np

        facts, cells = (column[::every] for column in self.past)
        first = cells.searchsorted(np.arange(len(self.ahead.past) + 1))
        held = self.ahead.totals(np.diff(first))
        draw, cell = held.nonzero()
        n = held[draw, cell]
        draw, cell = np.repeat(draw, n), np.repeat(cell, n)
        place = np.arange(len(draw)) - np.repeat(np.cumsum(n) - n, n)
        fact = facts[first[self.ahead.picks[draw, cell]] + place]
        times = whole(self.level[draw, cell], self.ahead.rng)
        return np.repeat(draw, times), np.repeat(cell, times), np.repeat(fact, times)


def restlessness(levels: Sequence[float], usual: float) -> float:
    """How much a level changed from month to month, compared with the `usual` change of its logarithm (then it is 1).

    The fewer months there are the more the usual counts.
    """
    changes = [math.log(b / a) for a, b in pairwise(levels) if a > 0 and b > 0]
    squares = USUAL_MONTHS * usual**2 + sum(change * change for change in changes)
    return min(MOST_RESTLESS, math.sqrt(squares / (USUAL_MONTHS + len(changes))) / usual)


def summed(per_cell: Numbers) -> Callable[[slice], Numbers]:
    """The sums, by draw, over any cells that follow each other."""
    import numpy as np

    total: Numbers = np.concatenate([np.zeros((len(per_cell), 1)), np.cumsum(per_cell, axis=1)], axis=1)
    return lambda cells: total[:, cells.stop] - total[:, cells.start]


def at_each(instants: Sequence[datetime], value: Callable[[datetime], Numbers]) -> Numbers:
    """A column for each instant."""
    import numpy as np

    return np.stack([value(at) for at in instants], axis=1)


def divided(top: Numbers, bottom: Numbers | float) -> Numbers:
    """NaN where there is nothing to divide by."""
    import numpy as np

    by = np.broadcast_to(np.asarray(bottom, dtype=float), top.shape)
    quotient: Numbers = np.divide(top, by, out=np.full(top.shape, np.nan), where=by > 0)
    return quotient
