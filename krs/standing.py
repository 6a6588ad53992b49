"""Where a key result stands at one instant: its numbers, before anything is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..metrics.calendar import Calendar
from ..metrics.comparison import above
from ..metrics.definition import MetricTraits
from ..metrics.reading import Reading
from ..metrics.window import Window, WindowLength
from .judgement import Baseline, KeptDays, Status
from .keep import keep_progress, kept_days, spends_too_fast, within_budget
from .model import Keep, KeyResult, Kind, Pace
from .pace import Course, needed_pace, pace_status
from .progress import Goal, TargetError, resolve
from .terms import Moment, Terms, moment, terms

LANDING = 0.70
"""The share of an aspirational target that is asked for."""

_LAST_DAYS = 14


def asked(kind: Kind) -> float:
    """The share of the target that counts as all of it."""
    return LANDING if kind == "aspirational" else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is known of a key result, whatever instant is judged.

    `traits` holds every metric the key result ever had, and its guardrails. `readings` is the daily series of
    the metric in force on each day, oldest first, from the key result's start: one at each day's
    end and, before the deadline, one at `as_of`; those after the judged instant are ignored.
    """

    kr: KeyResult
    kind: Kind
    pace: Pace
    calendar: Calendar
    traits: Mapping[str, MetricTraits]
    baseline: Baseline | None
    readings: Sequence[Reading]

    @property
    def asked(self) -> float:
        return asked(self.kind)

    def moment(self, as_of: datetime) -> Moment:
        return moment(self.kr, self.traits, self.calendar, as_of)

    def whole_course(self, one: Terms) -> Course:
        """From the key result's first day to its last, wherever its baseline came from."""
        return Course(
            start=self.calendar.start_of(self.kr.start),
            deadline=self.calendar.end_of(one.deadline),
            window=self.traits[one.metric].window,
            plan=one.plan,
            calendar=self.calendar,
        )

    def usable(self, reading: Reading | None) -> bool:
        return reading is not None and reading.usable(self.kr.accept_partial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`reading` judges; `usable` says whether it may. `by_pace` is the status that pace alone gives.

    `late` marks the reading of an earlier day that stands in for the one at the deadline.
    `problem` says in words why the target can't be resolved.
    """

    moment: Moment
    course: Course
    reading: Reading | None
    usable: bool
    late: bool = False
    goal: Goal | None = None
    problem: str | None = None
    kept: KeptDays | None = None
    raw: float | None = None
    satisfied: bool | None = None
    expected: float | None = None
    elapsed: float = 0.0
    needed: float | None = None
    by_pace: Status | None = None
    over_budget: bool = False

    @property
    def is_budget(self) -> bool:
        """Whether it can be used up but not reached before the deadline."""
        return self.kept is not None or (self.goal is not None and self.goal.shape == "budget")

    @property
    def decides_on(self) -> Window:
        if self.is_budget or self.moment.traits.window.is_cycle:
            return Window(self.moment.start, self.moment.deadline)
        return self.course.decides_on()


def stand(case: Case, as_of: datetime) -> Standing:
    """Where the key result stands, as of an instant, by the readings up to it."""
    at = case.moment(as_of)
    readings = [r for r in case.readings if at.start < r.at <= at.at]
    if isinstance(at.terms.target, Keep):
        return _keeping(case, at, at.terms.target, readings)
    reading, late = _judged_reading(case, at, readings)
    usable = case.usable(reading)
    try:
        goal = resolve(at.terms.target, at.traits, origin_of(case, at))
    except TargetError as problem:
        course = course_of(case, at, None)
        return Standing(moment=at, course=course, reading=reading, usable=usable, problem=str(problem))
    course = course_of(case, at, goal)
    blank = Standing(moment=at, course=course, reading=reading, usable=usable, late=late, goal=goal)
    if goal is None or not usable or reading is None or reading.value is None:
        return blank
    return _measured(case, blank, goal, reading, reading.value)


def origin_of(case: Case, at: Moment) -> float | None:
    """The baseline's value, where it is in the unit of the metric that is judged now."""
    return case.baseline.value if case.baseline is not None and measures_as_begun(case, at) else None


def measures_as_begun(case: Case, at: Moment) -> bool:
    """Whether the metric in force has the unit of the one the baseline was measured by: a revision may change both."""
    return case.traits[case.kr.metric].unit == at.traits.unit


def _judged_reading(case: Case, at: Moment, readings: Sequence[Reading]) -> tuple[Reading | None, bool]:
    """The newest reading; at the deadline, if that can't be used, the last usable of the final days."""
    newest = readings[-1] if readings else None
    if not at.ended:
        return newest, False
    earliest = at.deadline_day - timedelta(days=_LAST_DAYS)
    for reading in reversed(readings):
        same_metric = terms(case.kr, reading.day).metric == at.terms.metric
        if reading.day > earliest and same_metric and case.usable(reading):
            return reading, reading.at < at.at
    return newest, False


def course_of(case: Case, at: Moment, goal: Goal | None) -> Course:
    """Only the way from a baseline lags behind its window, and starts late where the baseline does."""
    is_way = goal is not None and goal.shape == "way"
    return Course(
        start=case.baseline.pace_start if case.baseline and is_way else at.start,
        deadline=at.deadline,
        window=at.traits.window if is_way else WindowLength(0),
        plan=at.terms.plan,
        calendar=case.calendar,
    )


def _keeping(case: Case, at: Moment, keep: Keep, readings: Sequence[Reading]) -> Standing:
    """Days already judged stand, so at the deadline no single reading is needed.

    Only ended days are kept or not: while the open one has no reading yet, the day before speaks.
    """
    usable_lately = (r for r in reversed(readings[-2:]) if case.usable(r))
    newest = next(usable_lately, readings[-1] if readings else None)
    course = course_of(case, at, None)
    kept = kept_days(case.kr, keep, at, readings, case.calendar)
    usable = at.ended or case.usable(newest)
    blank = Standing(moment=at, course=course, reading=newest, usable=usable, kept=kept)
    if not usable:
        return blank
    elapsed = _elapsed(blank)
    over = not within_budget(kept)
    return _spending(blank, keep_progress(kept, elapsed), kept.bad, kept.budget, over=over)


def _measured(case: Case, blank: Standing, goal: Goal, reading: Reading, value: float) -> Standing:
    elapsed = _elapsed(blank)
    raw = goal.raw_progress(value, elapsed)
    if raw is None:
        return replace(blank, satisfied=goal.holds(value))
    if goal.shape == "budget":
        return _spending(blank, raw, value, goal.limit, over=not goal.holds(value))
    expected = 1.0 if blank.moment.ended else blank.course.expected(reading.window.end)
    progress = raw / case.asked
    return replace(
        blank,
        raw=raw,
        satisfied=goal.holds(value),
        expected=expected,
        elapsed=elapsed,
        needed=needed_pace(progress, expected),
        by_pace=pace_status(progress, expected, elapsed, case.pace),
    )


def _spending(blank: Standing, raw: float, spent: float, budget: float, *, over: bool) -> Standing:
    elapsed = _elapsed(blank)
    by_pace = Status.ON_TRACK
    if over:
        by_pace = Status.OFF_TRACK
    elif spends_too_fast(spent, budget, elapsed):
        by_pace = Status.AT_RISK
    return replace(
        blank,
        raw=raw,
        satisfied=blank.moment.ended and not over,
        expected=elapsed,
        elapsed=elapsed,
        by_pace=by_pace,
        over_budget=over,
    )


def _elapsed(standing: Standing) -> float:
    if standing.moment.ended or standing.reading is None:
        return 1.0
    return standing.course.elapsed(standing.reading.window.end)


def is_coarse(standing: Standing) -> bool:
    """Whether the limit of a ratio of counts lies within one fact of 0 or 1, without being either."""
    goal, reading = standing.goal, standing.reading
    if goal is None or reading is None or not standing.moment.traits.ratio_of_counts or reading.n <= 0:
        return False
    off = from_its_end(goal.limit)
    return off > 0 and above(1 / reading.n, off)


def from_its_end(limit: float) -> float:
    """How far the limit of a ratio lies from the nearer end of the scale."""
    return min(limit, 1 - limit)
