"""Objectives and key results, as the config file defines them. Values of targets are in the metric's base unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from .cycle import Cycle

Kind = Literal["committed", "aspirational"]
Comparison = Literal["at_most", "below", "at_least", "above"]


@dataclass(frozen=True, slots=True)
class Reach:
    """`{ from = …, to = … }` or `{ to = … }`: satisfied at or beyond `to`. `start` is None without `from`."""

    to: float
    start: float | None
    text: str


@dataclass(frozen=True, slots=True)
class ChangeBy:
    """`{ change = … }`: relative to the baseline (`relative`, -0.3 for "-30%") or a difference in the base unit."""

    amount: float
    relative: bool
    text: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """`{ at_most | below | at_least | above = … }`; the `at_` forms include the limit."""

    comparison: Comparison
    limit: float
    text: str


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Keep:
    """`{ keep = …, share = … }`: the limit holds on at least `share` (a fraction) of the days."""

    limit: Threshold | Between
    share: float
    text: str


Target = Reach | ChangeBy | Threshold | Keep


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """Expected progress (a fraction) at the end of the local day `on`."""

    on: date
    progress: float


@dataclass(frozen=True, slots=True)
class Guardrail:
    """Another metric that must hold while this key result is pursued; `limit` in that metric's base unit."""

    metric: str
    limit: Threshold | Between


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A dated, reasoned change of course, in force from the start of the local day `on`. None keeps what was."""

    on: date
    reason: str
    target: Target | None = None
    deadline: date | None = None
    metric: str | None = None
    plan: tuple[PlanPoint, ...] | None = None
    weight: float | None = None
    withdraw: bool = False


@dataclass(frozen=True, slots=True)
class Ignore:
    """A lint rule that does not hold for one key result, and why."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Thresholds of status: gaps in progress (fractions) and needed pace (multiples of the planned one)."""

    on_track: float = 0.10
    at_risk: float = 0.25
    needed_on_track: float = 1.5
    needed_at_risk: float = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyResult:
    """A metric that should get from a baseline to a target, until a deadline.

    `baseline` is a stated number in the base unit, or None where it is measured over
    `baseline_days` (None: 28, or the window if that is longer). `start` and `deadline` are local days,
    both included: the key result begins with the first and is judged at the end of the last.
    """

    id: str
    title: str
    metric: str
    target: Target
    start: date
    deadline: date
    owner: str | None = None
    baseline: float | None = None
    baseline_days: int | None = None
    plan: tuple[PlanPoint, ...] = ()
    weight: float = 1.0
    guardrails: tuple[Guardrail, ...] = ()
    revisions: tuple[Revision, ...] = ()
    accept_partial: bool = False
    draft: bool = False
    forecast: bool = True
    was: str | None = None
    initiatives: tuple[str, ...] = ()
    ignore: tuple[Ignore, ...] = ()

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric that it was, is or will be judged by, guardrails included."""
        return frozenset(
            {self.metric, *(g.metric for g in self.guardrails), *(r.metric for r in self.revisions if r.metric)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    id: str
    title: str
    cycle: Cycle
    kind: Kind = "committed"
    owner: str | None = None
    teams: tuple[str, ...] = ()
    parent: str | None = None
    ignore: tuple[Ignore, ...] = ()
    key_results: tuple[KeyResult, ...] = field(default_factory=tuple)
