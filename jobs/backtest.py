"""Forecasts of the past: made anew at days gone by, with what was known then, and held against what came."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ..krs.comparison import satisfies
from ..krs.forecast import RANGE, forecast
from ..krs.model import Comparison
from ..krs.scoring import Place
from ..krs.trials import Trial
from ..metrics.calendar import Calendar
from ..metrics.definition import MetricDefinition
from ..metrics.measures import MEASURES
from ..metrics.ranges import TimeRanges
from ..metrics.simulation import DRAWS, NotEnough, simulate
from ..metrics.span import Spans
from ..metrics.value import SHAPES, Counted

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

Kind = Literal["count", "rate", "duration", "level"]

DAYS_LEFT = (60, 30, 14, 7)

FIRST_AFTER = 84
"""Days of past that there are at the first origin: twelve weeks."""

APART = 28
"""Days between two origins, where the window isn't longer."""

TARGETS_FROM = 364
"""Days before an origin whose readings a target is set from."""

LEAST_ERRORS = 7
"""Forecasts that the rival must have been wrong by before it makes one."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A metric's counted facts over all of its history, and the time they are complete for.

    `name` says what is measured of `subject`; `kind` is what its figures are put together with.
    """

    subject: str
    name: str
    kind: Kind
    definition: MetricDefinition
    counted: Counted
    usable: TimeRanges
    calendar: Calendar

    @cached_property
    def days(self) -> list[datetime]:
        """The ends of the days that may have a reading, one after the other."""
        start, end = self.usable.start, self.usable.end
        if start is None or end is None:
            return []
        first = self.calendar.days_before(start, -(self.definition.window.days or 0))
        return [first, *self.calendar.day_ends(first, end)] if first <= end else []

    @cached_property
    def readings(self) -> Numbers:
        """The value at each of the days, NaN where there is none. Each rests on facts before its day's end alone."""
        import numpy as np

        found = [self._value(at) for at in self.days]
        return np.array([np.nan if value is None else value for value in found])

    def _value(self, at: datetime) -> float | None:
        span = Spans(self.usable, (), self.calendar).of(self.definition.window.ending(at, self.calendar, at))
        value_of = SHAPES[MEASURES[self.definition.measure].shape]
        return value_of(self.definition, self.counted, span, self.calendar).value

    def origins(self) -> Iterator[int]:
        """The days (by number) to forecast from: after twelve weeks, a window or four weeks apart, whichever is longer,
        while the outcome of every forecast is known. Days without a reading are left out."""
        import numpy as np

        window = self.definition.window.days or 0
        for day in range(max(0, FIRST_AFTER - window), len(self.days) - max(DAYS_LEFT), max(window, APART)):
            if np.isfinite(self.readings[day]):
                yield day


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What two simple rules say: no change, give or take what that was wrong by before; and how often the past did."""

    low: float
    high: float
    probability: float
    past_frequency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked at an origin: the value at a deadline, and whether a target will be satisfied then.

    `known` is the reading at the origin; `outcome` is None where there was none at the deadline. `chance` (0 to 1)
    places the outcome among draws equal to it.
    """

    origin: datetime
    deadline: datetime
    days_left: int
    known: float
    comparison: Comparison
    target: float
    rival: Rival
    chance: float
    outcome: float | None

    def holds(self, value: float) -> bool:
        return satisfies(value, self.comparison, self.target)


def backtest(series: Series, *, draws: int = DRAWS) -> Iterator[Trial]:
    """Every forecast that a series can be tried with, oldest first."""
    for number, day in enumerate(series.origins()):
        asked = _questions(series, number, day)
        drawn = _drawn(series, asked, draws) if asked else []
        for question, values in zip(asked, drawn, strict=True):
            yield _trial(series, question, values)


def _drawn(series: Series, asked: list[Question], draws: int) -> list[Numbers | NotEnough]:
    """The values drawn for each question of one origin: all at once, or one by one where the last lets them down."""
    origin, deadlines = asked[0].origin, [question.deadline for question in asked]
    found = simulate(
        series.definition,
        series.counted,
        series.usable,
        series.calendar,
        now=origin,
        instants=deadlines,
        start=origin,
        seed=int.from_bytes(_digest(series, origin)[:4], "big"),
        draws=draws,
    )
    if not isinstance(found, NotEnough):
        return [found.values[:, column] for column in range(len(asked))]
    return [found] if len(asked) == 1 else [*_drawn(series, asked[:-1], draws), found]


def _trial(series: Series, question: Question, values: Numbers | NotEnough) -> Trial:
    said = None if isinstance(values, NotEnough) else forecast(values, question.holds)
    place = None if isinstance(values, NotEnough) else _place(question, values)
    return Trial(
        subject=series.subject,
        series=series.name,
        kind=series.kind,
        unit=series.definition.unit.text,
        origin=question.origin,
        deadline=question.deadline,
        days_left=question.days_left,
        known=question.known,
        low=None if said is None else said.low,
        high=None if said is None else said.high,
        median=None if said is None else said.median,
        probability=None if said is None else said.probability,
        target=question.target,
        direction=question.comparison,
        outcome=question.outcome,
        satisfied=None if question.outcome is None else question.holds(question.outcome),
        below=None if place is None else place.below,
        not_above=None if place is None else place.not_above,
        chance=question.chance,
        pit=None if place is None else place.randomised(question.chance),
        rival_low=question.rival.low,
        rival_high=question.rival.high,
        rival_probability=question.rival.probability,
        past_frequency=question.rival.past_frequency,
        no_forecast=values.reason if isinstance(values, NotEnough) else "",
    )


def _place(question: Question, values: Numbers) -> Place | None:
    import numpy as np

    if question.outcome is None:
        return None
    return Place.among(values[np.isfinite(values)].tolist(), question.outcome)


def _questions(series: Series, number: int, day: int) -> list[Question]:
    """One for each number of days left, the shortest first. Targets lie above and below in turn."""
    comparison: Comparison = "above" if number % 2 else "at_most"
    target = _target(series.readings[max(0, day + 1 - TARGETS_FROM) : day + 1])
    found = []
    for days in sorted(DAYS_LEFT):
        rival = _rival(series.readings[: day + 1], days, comparison, target)
        if rival is not None:
            found.append(_question(series, day, days, comparison, target, rival))
    return found


def _question(series: Series, day: int, days: int, comparison: Comparison, target: float, rival: Rival) -> Question:
    origin, deadline = series.days[day], series.days[day + days]
    outcome = float(series.readings[day + days])
    return Question(
        origin=origin,
        deadline=deadline,
        days_left=days,
        known=float(series.readings[day]),
        comparison=comparison,
        target=target,
        rival=rival,
        chance=int.from_bytes(_digest(series, origin, deadline)[:6], "big") / 2**48,
        outcome=outcome if outcome == outcome else None,  # NaN is not itself
    )


def _digest(series: Series, *instants: datetime) -> bytes:
    said = "|".join([series.subject, series.name, *(f"{at:%Y-%m-%d}" for at in instants)])
    return hashlib.sha256(said.encode()).digest()


def _target(recent: Numbers) -> float:
    """The value that as many of the recent readings lie above of as not, as nearly as there is one."""
    import numpy as np

    values, counts = np.unique(recent[np.isfinite(recent)], return_counts=True)
    return float(values[np.argmin(np.abs(np.cumsum(counts) / counts.sum() - 0.5))])


def _rival(past: Numbers, days: int, comparison: Comparison, target: float) -> Rival | None:
    """No change from the last of the past, give or take what that was wrong by; None where there is little to go by."""
    import numpy as np

    errors = past[days:] - past[:-days]
    errors = errors[np.isfinite(errors)]
    if len(errors) < LEAST_ERRORS:
        return None
    values = past[-1] + errors
    low, high = np.quantile(values, RANGE, method="inverted_cdf")
    return Rival(
        low=float(low),
        high=float(high),
        probability=_share(values, comparison, target),
        past_frequency=_share(past[np.isfinite(past)], comparison, target),
    )


def _share(values: Numbers, comparison: Comparison, target: float) -> float:
    """How many of the values satisfy a target, as a share."""
    ordered = sorted(values.tolist(), reverse=comparison in ("at_most", "below"))
    return 1 - bisect_left(ordered, True, key=lambda value: satisfies(value, comparison, target)) / len(ordered)
