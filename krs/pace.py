"""Where the plan wants progress to be, and how a gap to it reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..metrics.calendar import Calendar
from ..metrics.comparison import above, at_most, below
from ..metrics.window import Window, WindowLength
from .judgement import Status
from .model import Pace, PlanPoint

GRACE = 0.10
"""In this first share of its time a key result is at worst at_risk by pace."""

_NOTICEABLE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The time progress is expected over: from `start` (progress 0) to `deadline` (progress 1).

    Time runs in local calendar days, so days of 23 and 25 hours count as one each. `window` is how
    far a reading looks back, which is by how much it lags.
    """

    start: datetime
    deadline: datetime
    window: WindowLength
    plan: tuple[PlanPoint, ...]
    calendar: Calendar

    def elapsed(self, at: datetime) -> float:
        """The share of the time that has passed at an instant, 0 to 1."""
        if self.deadline <= self.start:
            return 1.0 if at >= self.deadline else 0.0
        return _clamp(self._days(at) / self._days(self.deadline))

    def expected(self, at: datetime) -> float:
        """Progress a reading of a team exactly on plan shows where its data ends at `at`, 0 to 1.

        A reading that looks back over w days averages the line of progress over them; for it to
        be whole at the deadline the line must be through at deadline − w.
        """
        if at >= self.deadline:
            return 1.0
        if self.plan:
            return self._planned(at)
        lag = self.window.days or 0
        rise = self._days(self.deadline) - lag
        if lag == 0 or rise <= 0:
            return self.elapsed(at)
        now = self._days(at)
        return _clamp((_area(now, rise) - _area(now - lag, rise)) / lag)

    def decides_on(self) -> Window:
        """The window of the reading at the deadline; of one that doesn't look back, the last day."""
        return Window(self.calendar.days_before(self.deadline, max(1, self.window.days or 0)), self.deadline)

    def _days(self, at: datetime) -> float:
        return self.calendar.days_between(self.start, at)

    def _planned(self, at: datetime) -> float:
        before, reached = self.start, 0.0
        for point in sorted(self.plan, key=lambda p: p.on):
            end = self.calendar.end_of(point.on)
            if end <= self.start or end >= self.deadline:
                continue
            if at <= end:
                return self._between(at, before, reached, end, point.progress)
            before, reached = end, point.progress
        return self._between(at, before, reached, self.deadline, 1.0)

    def _between(self, at: datetime, left: datetime, low: float, right: datetime, high: float) -> float:
        share = self.calendar.days_between(left, at) / self.calendar.days_between(left, right)
        return low + _clamp(share) * (high - low)


def _area(days: float, rise: float) -> float:
    """Under the line that climbs from 0 to 1 in `rise` days and stays there, up to `days`."""
    if days <= 0:
        return 0.0
    return days * days / (2 * rise) if days <= rise else days - rise / 2


def _clamp(share: float) -> float:
    return min(1.0, max(0.0, share))


def needed_pace(progress: float, expected: float) -> float | None:
    """How many times faster than planned the rest must go; None where there is none, or no time is planned for it."""
    return (1 - progress) / (1 - expected) if below(progress, 1.0) and below(expected, 1.0) else None


def pace_status(progress: float, expected: float, elapsed: float, pace: Pace) -> Status:
    """The worse of gap and needed pace. `progress` is in shares of what the goal asks for (1 is all of it)."""
    gap = expected - progress
    needed = needed_pace(progress, expected)
    levels = [_level(gap, pace.on_track, pace.at_risk)]
    if needed is not None and above(gap, _NOTICEABLE):
        levels.append(_level(needed, pace.needed_on_track, pace.needed_at_risk))
    worst = max(levels)
    if below(elapsed, GRACE):
        worst = min(worst, 1)
    return (Status.ON_TRACK, Status.AT_RISK, Status.OFF_TRACK)[worst]


def _level(size: float, fine: float, bearable: float) -> int:
    if at_most(size, fine):
        return 0
    return 1 if at_most(size, bearable) else 2
