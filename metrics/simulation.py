"""What a metric's value may be at instants to come: facts that are known stay, those to come are drawn from its past.

Never are readings drawn: windows of neighbouring days share most of their facts, so readings say less than their
number seems to. docs/forecast.md tells the method, its assumptions, and how often it was right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import simulated_facts, simulated_samples
from .ahead import PAST_WEEKS, WEEK, Ahead, Cells, Grid
from .calendar import Calendar
from .definition import MetricDefinition
from .drawn_facts import Drawn
from .measures import MEASURES, Shape
from .ranges import TimeRange, TimeRanges
from .table import from_microseconds, microseconds
from .traits import still_unsettled
from .value import Counted

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

DRAWS = 1000

FEWEST_DRAWS, MOST_DRAWN = 300, 400_000
"""A quantile needs every single fact: with many of them fewer draws are made, of so many facts together."""

HALF_A_YEAR = 26 * WEEK

LEAST_DAYS = 42
"""Days that must have been collected in the past half year."""

MEASURED = 0.25
"""The share of draws in which there is something to measure at all; with less there is no forecast."""


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """`values` has a row for each draw and a column for each instant, in the metric's base unit.

    It is NaN where a draw leaves nothing to measure. Facts are known up to `origin`.
    """

    values: Numbers
    origin: datetime


@dataclass(frozen=True)
class NotEnough:
    """Why nothing is forecast, in words."""

    reason: str


def simulate(
    definition: MetricDefinition,
    counted: Counted,
    usable: TimeRanges,
    calendar: Calendar,
    *,
    now: datetime,
    instants: Sequence[datetime],
    start: datetime,
    seed: int,
    draws: int = DRAWS,
) -> Simulated | NotEnough:
    """The metric's values at `instants`, by the facts before `now`; no later one is looked at.

    The instants come after `now` and in order; whether there is enough to measure is asked of the last. `counted` are
    the metric's counted facts, `usable` is the time collected completely and not excluded, and `start` is where a cycle
    window begins. The same facts and the same `seed` give the same values.
    """
    usable = usable.clip(from_microseconds(0), now - still_unsettled(definition))
    if usable.start is None or usable.end is None:
        return NotEnough("nothing was collected yet")
    shape = MEASURES[definition.measure].shape
    origin = _data_end(usable.end, counted, calendar) if shape in MEASURED_DAILY else usable.end
    if calendar.days_in(usable.clip(calendar.days_before(origin, HALF_A_YEAR), origin)) < LEAST_DAYS:
        fewer = f"fewer than {LEAST_DAYS} days of the past half year were collected"
        return NotEnough(f"{fewer}; `keyresults backfill` fetches more where the source knows it")
    if shape == "quantile":
        past = usable.clip(calendar.days_before(origin, WEEK * PAST_WEEKS), origin)
        draws = min(draws, max(FEWEST_DRAWS, MOST_DRAWN // _a_draw(counted, past, instants[-1])))
    excluded = _excluded(definition, calendar)
    grid = Grid.cut(origin, [*instants, start], calendar)
    drawn = Drawn(
        definition=definition,
        counted=counted,
        known=int(counted.at.searchsorted(microseconds(origin))),
        usable=usable,
        excluded=excluded,
        calendar=calendar,
        start=start,
        origin=origin,
        ahead=_ahead(grid, usable, excluded, instants[-1], seed, draws, closed_too=shape in MEASURED_DAILY),
    )
    return _checked(_SHAPES[shape](drawn, instants), origin)


def _a_draw(counted: Counted, past: TimeRanges, until: datetime) -> int:
    """About how many facts one draw is made of, where they go on as in the past."""
    assert past.start is not None
    assert past.end is not None
    here = counted.between(past.start, past.end)
    a_day = (here.stop - here.start) / (sum((r.length for r in past), timedelta()) / timedelta(days=1))
    return 1 + int(min(a_day, simulated_facts.FACTS_A_DAY) * ((until - past.end) / timedelta(days=1)))


def _data_end(covered: datetime, counted: Counted, calendar: Calendar) -> datetime:
    """Where days ahead begin. Samples that stand for whole days, stamped with their start, leave none of them cut."""
    last = int(counted.at.searchsorted(microseconds(covered))) - 1
    if last < 0:
        return covered
    at = from_microseconds(int(counted.at[last]))
    today = calendar.start_of(calendar.day_of(covered))
    return today if at == calendar.start_of(calendar.day_of(at)) and at < today else covered


def _checked(values: Numbers | str, origin: datetime) -> Simulated | NotEnough:
    import numpy as np

    if isinstance(values, str):
        return NotEnough(values)
    if np.isfinite(values[:, -1]).mean() < MEASURED:
        return NotEnough("a window holds too rarely anything to measure")
    return Simulated(values=values, origin=origin)


def _excluded(definition: MetricDefinition, calendar: Calendar) -> TimeRanges:
    days = (TimeRange(calendar.start_of(e.start), calendar.end_of(e.end)) for e in definition.exclude)
    return TimeRanges.of(*days)


def _ahead(
    grid: Grid, usable: TimeRanges, excluded: TimeRanges, until: datetime, seed: int, draws: int, *, closed_too: bool
) -> Ahead:
    import numpy as np

    assert usable.start is not None
    weeks = min(PAST_WEEKS, int(grid.calendar.days_between(usable.start, grid.origin) // WEEK) + 1)
    past = Cells.past(grid, weeks, usable, closed_too=closed_too)
    future = Cells.future(grid, until, excluded, closed_too=closed_too)
    return Ahead.drawn(past, future, grid.parts, draws, np.random.default_rng(seed))


MEASURED_DAILY = ("newest", "samples", "histogram")
"""Shapes whose facts a machine tells, on closed days too."""

_SHAPES: Mapping[Shape, Callable[[Drawn, Sequence[datetime]], Numbers | str]] = {
    "rate": simulated_facts.rate,
    "days": simulated_facts.days,
    "count": simulated_facts.count,
    "ratio": simulated_facts.ratio,
    "quantile": simulated_facts.quantile,
    "histogram": simulated_facts.histogram,
    "newest": simulated_samples.newest,
    "samples": simulated_samples.samples,
}
