"""What a metric is: everything the config says of one, checked and in base units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, timedelta
from typing import Literal

from .service import Service
from .stream import Json
from .unit import Unit
from .window import WindowLength

RollbackRule = Literal["version_return", "ancestor", "marked", "revert"]
AggregateName = Literal["last", "mean", "median", "min", "max", "sum", "quantile", "share_within"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """How a window's samples become one value; the limits (base unit) are for `share_within`."""

    name: AggregateName
    quantile: float | None = None
    at_most: float | None = None
    at_least: float | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Local days whose facts are left out, both ends included."""

    start: date
    end: date
    reason: str
    added: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """One `[metrics.NAME]`. Fields that a measure doesn't use keep their defaults.

    `queries` is what is put to the source(s) for each kind of fact, as the collector's query model
    normalised it; `sources` names the source of each kind. `subjects` limits which subjects count
    (None: all). `split` are the services that its repositories consist of, `services` the only ones
    that count (None: all); `own_environments` lets those of them that are told apart by their
    environment have that one instead of `environment`. `min_samples` and `max_age` are None where
    the measure's default holds.
    """

    name: str
    measure: str
    sources: Mapping[str, str]
    queries: Mapping[str, Json] = field(default_factory=dict)
    unit: Unit
    window: WindowLength
    better: Literal["higher", "lower"] | None = None
    subjects: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    split: tuple[Service, ...] = ()
    own_environments: bool = False
    environment: str = "production"
    task: str = "deploy"
    count: Literal["first", "last", "each"] = "first"
    across: Literal["sum", "worst", "max", "min", "mean"] | None = None
    duplicates_within: timedelta = timedelta(minutes=10)
    rollback_rules: tuple[RollbackRule, ...] = ("version_return",)
    rollback_mark: Literal["between", "newest"] = "between"
    settle: timedelta = timedelta(hours=24)
    quantile: float = 0.5
    coverage_kind: Literal["line", "branch", "statement", "combined"] = "line"
    aggregate: Aggregate = Aggregate("last")
    hotfix_labels: tuple[str, ...] = ()
    hotfix_branches: tuple[str, ...] = ()
    failure_window: timedelta = timedelta(hours=24)
    lead_time_from: Literal["merge", "first_commit"] = "merge"
    min_samples: int | None = None
    min_covered: float = 0.98
    max_age: timedelta
    exclude: tuple[Exclusion, ...] = ()


def essence(definition: MetricDefinition) -> str:
    """All that makes two definitions differ in what they measure: a new name is none, nor is a new option unused."""
    said = [
        f"{f.name}={getattr(definition, f.name)!r}"
        for f in fields(definition)
        if f.name != "name" and (f.default is MISSING or getattr(definition, f.name) != f.default)
    ]
    return " ".join(sorted(said))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTraits:
    """What judging a key result needs to know of its metric.

    `counts` marks a count (so that, over a cycle window, limits are budgets and totals), and
    `ratio_of_counts` a share of whole things, which moves in steps of 1/n. `exclude` are the days left out.
    """

    name: str
    unit: Unit
    window: WindowLength
    better: Literal["higher", "lower"] | None
    counts: bool = False
    ratio_of_counts: bool = False
    exclude: tuple[Exclusion, ...] = ()
