"""What a key result may come to by its deadline: which instants to simulate, and what the drawn values mean for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ..metrics.calendar import Calendar
from .comparison import within
from .forecast import Forecast, forecast
from .judgement import Judgement, KeptDays, Status
from .keep import is_measured, within_budget
from .model import Keep, KeyResult
from .standing import Case, stand
from .terms import Moment, terms

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

_NOT_FORECAST = frozenset({Status.WITHDRAWN, Status.DRAFT, Status.NOT_STARTED})


def instants_ahead(case: Case, judgement: Judgement, as_of: datetime) -> list[datetime]:
    """The instants after `as_of` whose values decide, the deadline last; none where nothing is to be forecast.

    Of days to keep, each day's end decides.
    """
    at = case.moment(as_of)
    if not case.kr.forecast or at.ended or judgement.status in _NOT_FORECAST:
        return []
    if isinstance(at.terms.target, Keep):
        return case.calendar.day_ends(as_of, at.deadline)
    return [at.deadline]


def outlook(case: Case, judgement: Judgement, as_of: datetime, values: Numbers) -> Forecast | None:
    """The forecast that values drawn for `instants_ahead` give (a row for each draw), by the target in force now."""
    standing = stand(case, as_of)
    if isinstance(standing.moment.terms.target, Keep):
        assert judgement.kept is not None
        days = _days_ahead(case.calendar, as_of, standing.moment)
        return forecast(values[:, -1], keeps(case.kr, judgement.kept, days, values))
    goal = standing.goal
    return None if goal is None else forecast(values[:, -1], goal.holds)


def _days_ahead(calendar: Calendar, as_of: datetime, moment: Moment) -> list[date]:
    return [calendar.day_closed_by(end) for end in calendar.day_ends(as_of, moment.deadline)]


def keeps(kr: KeyResult, kept: KeptDays, days: Sequence[date], values: Numbers) -> Numbers:
    """Of each row of values for `days`, whether the days to keep are kept at the end, with those `kept` so far.

    NaN is a day that can't be measured.
    """
    import numpy as np

    measured = np.isfinite(values)
    bad = np.zeros(values.shape, dtype=bool)
    for column, day in enumerate(days):
        target = terms(kr, day).target
        if isinstance(target, Keep):
            drawn = values[:, column]
            fits = {float(value): within(float(value), target.limit) for value in np.unique(drawn[measured[:, column]])}
            bad[:, column] = [bool(m) and not fits[float(v)] for v, m in zip(drawn, measured[:, column], strict=True)]
    ends = zip(kept.bad + bad.sum(axis=1), kept.measured + measured.sum(axis=1), strict=True)
    at_the_end = (replace(kept, bad=int(spent), measured=int(seen)) for spent, seen in ends)
    return np.array([within_budget(one) and is_measured(one) for one in at_the_end], dtype=bool)
