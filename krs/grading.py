"""Grades: how far each key result came when a cycle is closed, and whether that is a success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from ..metrics.comparison import at_least
from .comparison import MOST_UNSATISFIED, cut
from .guardrails import all_hold
from .judgement import Judgement, Status
from .model import Between, Keep, KeyResult, Kind, Target
from .rollup import mean_progress
from .standing import LANDING, asked
from .terms import terms

_NOT_GRADED = frozenset({Status.WITHDRAWN, Status.DRAFT, Status.NOT_STARTED})
_NOT_MEASURED = frozenset({Status.UNKNOWN, Status.NOT_MEASURED})


class CannotGrade(ValueError):
    """A grade by hand where there is nothing to be graded by hand; `str()` says why."""


@dataclass(frozen=True, slots=True)
class HandGrade:
    """What people say of a key result that was not measured: 0 to 1, or None where they can't say either."""

    value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class FirstGrade:
    """The grade by the target a team began with. None where its metric has no usable reading."""

    value: float | None
    succeeded: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How far a key result came by its deadline, 0 to 1.

    `value` is its progress there, by the target then in force, as it is shown; None where nothing
    was measured. `succeeded` is None where there is nothing to say: withdrawn, draft, not started, or
    neither measured nor graded by hand. `first` is there where a revision replaced the target
    that the team began with. `by_hand` is the reason of people who graded what was not measured.
    `early` marks one that was graded before its deadline, by where it stood. Of the `days` of its
    time up to then, `unknown` are those without a usable reading.
    """

    value: float | None
    succeeded: bool | None
    first: FirstGrade | None = None
    by_hand: str = ""
    early: bool = False
    days: int = 0
    unknown: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveGrade:
    """`graded` and `succeeded` of `total` key results; `value` is the weighted mean of those graded.

    `too_easy` marks an aspirational objective whose key results all came to 1.00.
    """

    value: float | None
    graded: int
    succeeded: int
    total: int
    too_easy: bool


def wants_hand(judgement: Judgement) -> bool:
    """Whether only people can say how far it came."""
    return judgement.status in _NOT_MEASURED


def grade(
    kind: Kind,
    judgement: Judgement,
    *,
    first: Judgement | None = None,
    hand: HandGrade | None = None,
    early: bool = False,
    days: int = 0,
    unknown: tuple[date, ...] = (),
) -> Grade:
    """The grade of a key result by its judgement at the deadline, or now where that is still to come (`early`).

    `first` is the judgement by the target it began with, where that is another (`as_begun`).

    Raises:
        CannotGrade: where it was measured, or isn't graded at all, and a grade by hand is given.
    """
    aside = judgement.status in _NOT_GRADED
    of_first = None if first is None or aside else FirstGrade(_value(first), _succeeded(kind, first))
    if hand is None:
        value, succeeded = _value(judgement), _succeeded(kind, judgement)
    else:
        value, succeeded = _by_hand(kind, judgement, hand)
    return Grade(
        value=value,
        succeeded=succeeded,
        first=of_first,
        by_hand=hand.reason if hand else "",
        early=early and not aside,
        days=days,
        unknown=unknown,
    )


def _value(judgement: Judgement) -> float | None:
    return None if judgement.status in _NOT_GRADED | _NOT_MEASURED else judgement.progress


def _succeeded(kind: Kind, judgement: Judgement) -> bool | None:
    """As it was judged at the deadline; before it, by the same rule of where it stands."""
    if judgement.status in _NOT_GRADED | _NOT_MEASURED:
        return None
    landed = kind == "aspirational" and judgement.raw_progress is not None and at_least(judgement.raw_progress, LANDING)
    return bool(judgement.satisfied or landed) and all_hold(judgement.guardrails)


def _by_hand(kind: Kind, judgement: Judgement, hand: HandGrade) -> tuple[float | None, bool | None]:
    if judgement.status in _NOT_GRADED:
        raise CannotGrade(f"it is {judgement.status.value.replace('_', ' ')}: there is nothing to grade")
    if _value(judgement) is not None or not wants_hand(judgement):
        raise CannotGrade("it was measured, and only what was not measured is graded by hand")
    if not hand.reason.strip():
        raise CannotGrade("a grade by hand needs its reason")
    if hand.value is None:
        return None, None
    if not 0 <= hand.value <= 1:
        raise CannotGrade(f"{hand.value:g} is no grade: write one from 0 to 1, such as 0.4")
    return cut(hand.value), at_least(hand.value, asked(kind)) and all_hold(judgement.guardrails)


def as_begun(kr: KeyResult, day: date) -> KeyResult | None:
    """The key result as if its target and metric had never been revised; None where they are those of `day` too.

    Deadline, plan and weight stay as revised: the grade says how far it came by the same day.
    """
    now = terms(kr, day)
    if _wordless(now.target) == _wordless(kr.target) and now.metric == kr.metric:
        return None
    return replace(kr, revisions=tuple(replace(r, target=None, metric=None) for r in kr.revisions))


def _wordless(target: Target) -> Target:
    """Without the text: "85%" and 0.85 are one target."""
    if isinstance(target, Keep):
        limit = target.limit if isinstance(target.limit, Between) else replace(target.limit, text="")
        return replace(target, limit=limit, text="")
    return replace(target, text="")


def grade_objective(kind: Kind, key_results: Sequence[tuple[Judgement, Grade]]) -> ObjectiveGrade:
    """Withdrawn key results, drafts, those not started and those of weight 0 are left out."""
    ours = [(j, g) for j, g in key_results if j.status not in _NOT_GRADED and j.weight > 0]
    graded = [(j, g) for j, g in ours if g.value is not None]
    full = all(g.value is not None and at_least(g.value, 1.0) for _, g in graded)
    mean = mean_progress([(j.weight, _exact(j, g)) for j, g in graded])
    return ObjectiveGrade(
        value=mean if mean is None or full else min(mean, MOST_UNSATISFIED),
        graded=len(graded),
        succeeded=sum(1 for _, g in ours if g.succeeded),
        total=len(ours),
        too_easy=full and 0 < len(graded) == len(ours) and kind == "aspirational",
    )


def _exact(judgement: Judgement, given: Grade) -> float:
    """Progress before it was cut for showing, so that a mean loses nothing."""
    assert given.value is not None
    return given.value if given.by_hand or judgement.raw_progress is None else judgement.raw_progress
