"""Rules that hold a key result against what its metric was like before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from ..metrics.comparison import TOLERANCE, above, below, equal
from ..metrics.definition import MetricTraits
from ..metrics.quantiles import linear
from .judgement import Judgement
from .lint_rules import Finding
from .model import Keep, KeyResult
from .progress import Goal, TargetError, resolve
from .standing import from_its_end
from .terms import Terms

USUAL_WEEKS, MOST_WEEKS, FEWEST_WEEKS = 13, 26, 8
"""How many weeks before the start are usual; how many are looked at; and how few say nothing yet."""

_FAR, _OFTEN = 3.0, 0.5
_MANY_RETURNS, _ENOUGH_DEPLOYMENTS = 0.15, 20
_UNMEASURED_DAYS = 7
_MISSED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of a key result beside the config, as of `day`.

    `terms` are those in force on it, `traits` those of their metric, `origin` the baseline's value where it is in that
    metric's unit, and `weekly` its usable readings at the ends of whole weeks before the start, oldest first.
    `returned` and `deployed` count the forward deployments that the same version came back over, and
    all; `reverted` those whose change was reverted. `missed` are the rounds of check-ins since the newest one, on
    `last_check_in`. `edited` is the former target's text where the file's target changed although revisions exist.
    """

    day: date
    terms: Terms
    traits: MetricTraits
    judgement: Judgement
    origin: float | None = None
    weekly: Sequence[float] = ()
    ever_measured: bool = True
    returned: int | None = None
    deployed: int | None = None
    reverted: int | None = None
    missed: int = 0
    last_check_in: date | None = None
    edited: str | None = None


@dataclass(frozen=True)
class _Found:
    code: str
    words: str
    amounts: tuple[tuple[str, float], ...] = ()


def of_its_past(objective: str, kr: KeyResult, past: Past) -> Iterator[Finding]:
    if past.terms.withdrawn:
        return
    for one in _found(kr, past):
        yield Finding(one.code, one.words, objective, kr.id, one.amounts, past.traits.unit.text)


def _found(kr: KeyResult, past: Past) -> Iterator[_Found]:
    if past.edited is not None:
        now = past.terms.target.text
        yield _Found("KR109", f"`target` was {past.edited} and was edited, although it has revisions (now {now})")
    goal = _goal(past)
    if goal is not None and goal.shape == "way" and goal.origin is not None:
        yield from _of_the_way(goal, goal.origin, past)
    yield from _of_its_fineness(goal, past)
    yield from _of_its_rollbacks(past)
    yield from _of_its_life(kr, past)


def _goal(past: Past) -> Goal | None:
    if isinstance(past.terms.target, Keep):
        return None
    try:
        return resolve(past.terms.target, past.traits, past.origin)
    except TargetError:
        return None


def _of_the_way(goal: Goal, origin: float, past: Past) -> Iterator[_Found]:
    amounts = (("origin", origin), ("limit", goal.limit))
    if goal.met_at_start:
        yield _Found("KR201", "it began at {origin}, where the target ({limit}) was met already", amounts)
        return
    if len(past.weekly) < FEWEST_WEEKS:
        return
    distance = abs(goal.limit - origin)
    usual = past.weekly[-USUAL_WEEKS:]
    low, high = min(past.weekly), max(past.weekly)
    if above(distance, _FAR * (high - low)) and not equal(high, low):
        spread = (*amounts, ("low", low), ("high", high))
        words = "from {origin} to {limit} is over three times as far as it moved in"
        yield _Found("KR202", f"{words} {len(past.weekly)} weeks before ({{low}} to {{high}})", spread)
    there = sum(goal.holds(value) for value in usual)
    if there >= _OFTEN * len(usual):
        yield _Found("KR203", f"in {there} of the {len(usual)} weeks before it was at {{limit}} already", amounts)
    noise = _quantile([abs(b - a) for a, b in pairwise(usual)], 0.5)
    if below(distance, noise):
        words = "from {origin} to {limit} is less than its usual change from week to week, {noise}"
        yield _Found("KR204", words, (*amounts, ("noise", noise)))
    ends = _quantile(usual, 0.1), _quantile(usual, 0.9)
    if past.judgement.baseline is not None and past.judgement.baseline.measured and _outside(origin, *ends):
        words = f"it began at {{origin}}; in eight of ten of the {len(usual)} weeks before it was {{low}} to {{high}}"
        yield _Found("KR205", words, (*amounts, ("low", ends[0]), ("high", ends[1])))


def _quantile(values: Sequence[float], q: float) -> float:
    import numpy as np

    return linear(np.array(values), q)


def _outside(value: float, low: float, high: float) -> bool:
    return below(value, low) or above(value, high)


def _of_its_fineness(goal: Goal | None, past: Past) -> Iterator[_Found]:
    reading = past.judgement.reading
    if goal is None or reading is None or all(flag.code != "coarse" for flag in past.judgement.flags):
        return
    needed = math.ceil(1 / from_its_end(goal.limit) - TOLERANCE)
    helps = "" if past.traits.window.is_cycle else '; window = "cycle" counts more'
    words = f"one of {reading.n:g} decides whether it is at {{limit}}; that takes {needed} at least{helps}"
    yield _Found("KR206", words, (("limit", goal.limit),))


def _of_its_rollbacks(past: Past) -> Iterator[_Found]:
    if past.returned is None or not past.deployed:
        return
    if past.returned == 0 and past.reverted:
        several = "1 deployment was" if past.reverted == 1 else f"{past.reverted} deployments were"
        yield _Found("KR207", f'{several} reverted and none rolled back: add "revert" to the rules of rollback')
    if past.deployed >= _ENOUGH_DEPLOYMENTS and past.returned / past.deployed > _MANY_RETURNS:
        words = f"an earlier version came back over {past.returned} of {past.deployed} deployments"
        yield _Found("KR208", f"{words}: if several services share an environment, tell them apart under [services]")


def _of_its_life(kr: KeyResult, past: Past) -> Iterator[_Found]:
    lived = (min(past.day, past.terms.deadline) - kr.start).days
    if lived >= _UNMEASURED_DAYS and not past.ever_measured:
        yield _Found("KR210", f"it began on {kr.start} and was never measured")
    if past.missed >= _MISSED:
        last = f"since {past.last_check_in}" if past.last_check_in else "ever"
        yield _Found("KR209", f"no check-in {last}: `keyresults checkin {kr.id}`")
