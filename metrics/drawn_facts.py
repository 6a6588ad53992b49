"""A metric's facts of the days ahead, drawn from those of its past, and the windows they fall into with the known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
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

        times = self._restlessness
        return self.ahead.wandering(LEVEL_NOW * times, LEVEL_WEEKLY * times, LEVEL_WITHIN * times)

    @cached_property
    def _restlessness(self) -> float:
        """How much the number of facts changed from month to month, compared with what is usual (which is 1).

        Months here are four weeks. The fewer of them there are, the more the usual counts.
        """
        import numpy as np

        month = 4 * WEEK * self.ahead.parts
        months = len(self.ahead.past) // month
        shape = (months, month)
        usable = self.ahead.past.usable[-months * month :].reshape(shape).mean(axis=1) >= 0.5
        numbers = self.per_cell()[-months * month :].reshape(shape).sum(axis=1)
        changes = np.diff(np.log(numbers + UNSEEN))[usable[1:] & usable[:-1]]
        squares = USUAL_MONTHS * USUAL_CHANGE**2 + float(np.square(changes).sum())
        return math.sqrt(squares / (USUAL_MONTHS + len(changes))) / USUAL_CHANGE

    def numbers(self, among: Numbers | None = None) -> Numbers:
        """By draw and cell ahead, how many facts are drawn there."""
        unseen = (self.ahead.picks >= 0) * (UNSEEN / (26 * WEEK * self.ahead.parts))
        return whole(self.ahead.totals(self.per_cell(among)) * self.level + unseen, self.ahead.rng)

    def each(self) -> tuple[Numbers, Numbers, Numbers]:
        """Every single fact drawn: by which draw, in which cell ahead, and which known one it repeats."""
        import numpy as np

        facts, cells = self.past
        first = cells.searchsorted(np.arange(len(self.ahead.past) + 1))
        held = self.ahead.totals(np.diff(first))
        draw, cell = held.nonzero()
        n = held[draw, cell]
        draw, cell = np.repeat(draw, n), np.repeat(cell, n)
        place = np.arange(len(draw)) - np.repeat(np.cumsum(n) - n, n)
        fact = facts[first[self.ahead.picks[draw, cell]] + place]
        times = whole(self.level[draw, cell], self.ahead.rng)
        return np.repeat(draw, times), np.repeat(cell, times), np.repeat(fact, times)


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
