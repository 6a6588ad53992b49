"""The days ahead, drawn: which days of the past stand for them, and how far the level may have moved by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from .calendar import Calendar
from .ranges import TimeRange, TimeRanges
from .table import from_microseconds, microseconds

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

WEEK = 7
"""Days of a block: what is drawn keeps its weekdays, and days next to each other stay together."""

PAST_WEEKS = 104
"""How far back facts stand for those to come."""

HALF_LIFE = 13
"""Weeks after which a week of the past is drawn half as often: half of all that is drawn is from the last quarter."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Grid:
    """Local days counted from an instant, each cut into the same parts, so that cells seven days apart are alike.

    `anchors` are where the parts of day 0 begin; the first is the instant itself. Cell `n` is part
    `n % parts` of day `n // parts`; those before 0 are past.
    """

    anchors: tuple[datetime, ...]
    calendar: Calendar

    @classmethod
    def cut(cls, origin: datetime, at: Iterable[datetime], calendar: Calendar) -> Grid:
        """Days that begin at the local time of `origin`, and are cut at the local times of the others."""
        today = calendar.day_of(origin)
        anchors = {origin}
        for instant in at:
            days = (calendar.day_of(instant) - today).days
            same = calendar.days_before(instant, days)
            anchors.add(same if same >= origin else calendar.days_before(instant, days - 1))
        return cls(tuple(sorted(anchors)), calendar)

    @property
    def origin(self) -> datetime:
        return self.anchors[0]

    @property
    def parts(self) -> int:
        return len(self.anchors)

    def edges(self, first: int, last: int) -> list[datetime]:
        """Where the days from `first` up to `last` (not included) and their parts begin, and where the last ends."""
        found = [self.calendar.days_before(a, -day) for day in range(first, last) for a in self.anchors]
        return [*found, self.calendar.days_before(self.origin, -last)]


@lru_cache(maxsize=16)
def _laid_out(grid: Grid, first: int, last: int) -> tuple[Numbers, Numbers]:
    """The edges of these days' cells, and which of them lie on closed days.

    Metrics whose data ends together share them: two years of local times take longer to find than to draw from.
    """
    import numpy as np

    edges = grid.edges(first, last)
    closed = np.array([grid.calendar.is_closed(grid.calendar.day_of(edge)) for edge in edges[:-1]], dtype=bool)
    numbers = np.array([microseconds(edge) for edge in edges], dtype=np.int64)
    for one in (numbers, closed):
        one.setflags(write=False)
    return numbers, closed


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Cells of a grid, in order: where they begin (`edges` has one more), and which of them may hold facts."""

    edges: Numbers
    usable: Numbers

    @classmethod
    def past(cls, grid: Grid, weeks: int, usable: TimeRanges, *, closed_too: bool) -> Cells:
        """The days of `weeks` weeks before the grid's origin. Days that are closed count where `closed_too`."""
        return cls._of(grid, -WEEK * weeks, 0, usable, closed_too=closed_too)

    @classmethod
    def future(cls, grid: Grid, until: datetime, excluded: TimeRanges, *, closed_too: bool) -> Cells:
        days = 1
        while grid.calendar.days_before(grid.origin, -days) < until:
            days += 1
        end = grid.calendar.days_before(grid.origin, -days)
        ahead = TimeRanges.of(TimeRange(grid.origin, end)) - excluded
        return cls._of(grid, 0, days, ahead, closed_too=closed_too)

    @classmethod
    def _of(cls, grid: Grid, first: int, last: int, usable: TimeRanges, *, closed_too: bool) -> Cells:
        import numpy as np

        edges, closed = _laid_out(grid, first, last)
        inside = np.zeros(len(edges) - 1, dtype=bool)
        for r in usable:
            inside |= (edges[:-1] >= microseconds(r.start)) & (edges[1:] <= microseconds(r.end))
        return cls(edges=edges, usable=inside if closed_too else inside & ~closed)

    def __len__(self) -> int:
        return len(self.usable)

    def holding(self, at: Numbers) -> Numbers:
        """The cell that each instant lies in; -1 before the first, `len` after the last."""
        return self.edges.searchsorted(at, side="right") - 1

    def until(self, instant: datetime) -> int:
        """How many cells end by then."""
        return int(self.edges[1:].searchsorted(microseconds(instant), side="right"))

    def start(self, cell: int) -> datetime:
        return from_microseconds(int(self.edges[cell]))


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """For each draw and each cell ahead the cell of the past that stands for it; -1 where nothing happens."""

    past: Cells
    future: Cells
    parts: int
    picks: Numbers
    rng: np.random.Generator

    @classmethod
    def drawn(cls, past: Cells, future: Cells, parts: int, draws: int, rng: np.random.Generator) -> Ahead:
        """Blocks of seven days, the younger the likelier, each on its own weekdays.

        A day of a block that was closed, excluded or not collected is replaced by the same weekday of another one.
        """
        import numpy as np

        a_week = WEEK * parts
        weeks = len(past) // a_week
        # Row 0 is the newest week.
        usable = past.usable.reshape(weeks, a_week)[::-1]
        weights = 0.5 ** (np.arange(weeks) / HALF_LIFE)
        some = weights * usable.any(axis=1)
        blocks = -(-len(future) // a_week)
        chosen = rng.choice(weeks, size=(draws, blocks), p=some / some.sum())
        place = np.arange(len(future))
        rows = chosen[:, place // a_week]
        rows = _replaced(rows, place % a_week, usable, weights, rng)
        picks = np.where(rows < 0, -1, (weeks - 1 - rows) * a_week + place % a_week)
        picks[:, ~future.usable] = -1
        return cls(past=past, future=future, parts=parts, picks=picks, rng=rng)

    @property
    def draws(self) -> int:
        return len(self.picks)

    def totals(self, per_cell: Numbers) -> Numbers:
        """What each cell ahead holds, by draw, of what the cells of the past hold."""
        import numpy as np

        return np.append(per_cell, 0)[self.picks]

    @cached_property
    def blocks(self) -> Numbers:
        """The number of the block that each cell ahead belongs to."""
        import numpy as np

        return np.arange(len(self.future)) // (WEEK * self.parts)

    def wandering(self, now: float, weekly: float, within: float = 0.0) -> Numbers:
        """By draw and cell ahead, how many times as high as in the past a level may be; on average it is the same.

        All are standard deviations of the level's logarithm: what is unsure of it `now`, what each week ahead adds as
        a step of a random walk, and how far single weeks lie beside that.
        """
        import numpy as np

        steps = self.rng.normal(0, weekly, (self.draws, int(self.blocks[-1]) + 1))
        steps[:, 0] = self.rng.normal(0, now, self.draws)
        grown = np.square(now) + np.square(weekly) * np.arange(steps.shape[1]) + np.square(within)
        walk = np.cumsum(steps, axis=1) + self.rng.normal(0, within, steps.shape)
        times: Numbers = np.exp(walk - grown / 2)[:, self.blocks]
        return times


def _replaced(rows: Numbers, place: Numbers, usable: Numbers, weights: Numbers, rng: np.random.Generator) -> Numbers:
    """The rows (weeks) chosen, with others where the cell is unusable; -1 where no week has a usable one there."""
    import numpy as np

    bad = ~usable[rows, place]
    for column in np.flatnonzero(bad.any(axis=0)):
        fit = weights * usable[:, place[column]]
        here = bad[:, column]
        rows[here, column] = rng.choice(len(fit), size=int(here.sum()), p=fit / fit.sum()) if fit.any() else -1
    return rows


def whole(expected: Numbers, rng: np.random.Generator) -> Numbers:
    """Whole numbers that are on average what was expected."""
    import numpy as np

    return np.floor(expected + rng.random(expected.shape)).astype(np.int64)
