"""Targets resolved into limits, and how far a value has come towards one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..metrics.comparison import equal
from ..metrics.definition import MetricTraits
from .comparison import satisfies
from .model import ChangeBy, Comparison, Reach, Threshold

Shape = Literal["way", "budget", "total"]

_ALMOST = math.nextafter(1.0, 0.0)


class TargetError(ValueError):
    """The target means nothing beside its baseline; `str()` says why and what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A resolved target, in the metric's base unit.

    `shape` is how progress is measured: as a `way` from `origin` (where progress is 0; None where
    no baseline is known) to `limit`, as a `budget` that must last until the deadline, or as a
    `total` that grows from 0. `from_baseline` where it rests on a baseline that was not stated
    with the target.
    """

    shape: Shape
    comparison: Comparison
    limit: float
    origin: float | None = None
    from_baseline: bool = False

    @property
    def rising(self) -> bool:
        return self.comparison in ("at_least", "above")

    @property
    def met_at_start(self) -> bool:
        return self.shape == "way" and self.origin is not None and self.holds(self.origin)

    def holds(self, value: float) -> bool:
        return satisfies(value, self.comparison, self.limit)

    def raw_progress(self, value: float, elapsed: float) -> float | None:
        """Progress neither cut nor clamped; None where it needs a baseline that isn't known.

        `elapsed` is the share of the key result's time, which only a budget asks for. At least 1
        exactly where the limit holds, except for budgets, which reach 1 at the deadline.
        """
        if self.shape == "budget":
            return elapsed * kept_share(value, self.limit, self.holds(value))
        if self.shape == "total":
            return self._bounded(value, value / self.limit if self.limit > 0 else 0.0)
        if self.origin is None:
            return 1.0 if self.holds(value) else None
        # Strictly better than a limit that is the baseline itself: there is no way to measure.
        if self.met_at_start or equal(self.origin, self.limit):
            return 1.0 if self.holds(value) else 0.0
        return self._bounded(value, (value - self.origin) / (self.limit - self.origin))

    def value_at(self, raw: float) -> float | None:
        """The value whose raw progress (0 to 1) is `raw`; None where no way leads there.

        Of a budget `raw` is a share of the time, and the value what an even use of it comes to.
        """
        if self.shape in ("budget", "total"):
            return raw * self.limit
        if self.origin is None or self.met_at_start:
            return None
        return self.origin + raw * (self.limit - self.origin)

    def _bounded(self, value: float, raw: float) -> float:
        return max(1.0, raw) if self.holds(value) else min(_ALMOST, raw)


def kept_share(spent: float, budget: float, within: bool) -> float:
    """1 within a budget; beyond it, 1 less the overspend's share of the budget, never below 0."""
    if within:
        return 1.0
    return max(0.0, 1.0 - (spent - budget) / budget) if budget > 0 else 0.0


def resolve(target: Reach | ChangeBy | Threshold, traits: MetricTraits, baseline: float | None) -> Goal | None:
    """The goal a target means beside its baseline; None while it needs one that isn't known.

    Raises:
        TargetError: for a percentage change of 0, or where nothing tells which way is better.
    """
    found = _limit(target, traits, baseline)
    if found is None:
        return None
    comparison, limit = found
    if traits.counts and traits.window.is_cycle:
        shape: Shape = "total" if comparison in ("at_least", "above") else "budget"
        return Goal(shape=shape, comparison=comparison, limit=limit, from_baseline=isinstance(target, ChangeBy))
    origin = target.start if isinstance(target, Reach) and target.start is not None else baseline
    stated = isinstance(target, Reach) and target.start is not None
    return Goal(shape="way", comparison=comparison, limit=limit, origin=origin, from_baseline=not stated)


def _limit(
    target: Reach | ChangeBy | Threshold, traits: MetricTraits, baseline: float | None
) -> tuple[Comparison, float] | None:
    match target:
        case Threshold():
            return target.comparison, target.limit
        case Reach(start=None):
            return _to(target, traits, baseline)
        case Reach(start=float() | int() as start):
            if equal(start, target.to):
                raise TargetError(f"{target.text}: it starts where it ends; name two different values")
            return ("at_least" if target.to > start else "at_most"), target.to
        case ChangeBy():
            return _changed(target, baseline)
    raise TypeError(f"no target: {target!r}")


def _to(target: Reach, traits: MetricTraits, baseline: float | None) -> tuple[Comparison, float] | None:
    if traits.better is not None:
        return ("at_least" if traits.better == "higher" else "at_most"), target.to
    if baseline is None:
        return None
    if equal(baseline, target.to):
        raise TargetError(
            f"{target.text}: the baseline is that already, and nothing tells which way is better; "
            f'say better = "higher" or "lower" on the metric {traits.name!r}, or write at_least or at_most'
        )
    return ("at_least" if target.to > baseline else "at_most"), target.to


def _changed(target: ChangeBy, baseline: float | None) -> tuple[Comparison, float] | None:
    if target.amount == 0:
        raise TargetError(f"{target.text}: a change of nothing is no target")
    if baseline is None:
        return None
    if target.relative and baseline == 0:
        raise TargetError(
            f"{target.text}: a percentage of a baseline of 0 is 0; write the value to reach, or a difference"
        )
    # Of a negative baseline "-30%" is further down, as of a positive one.
    by = target.amount * abs(baseline) if target.relative else target.amount
    return ("at_least" if target.amount > 0 else "at_most"), baseline + by
