"""Every measure there is: what facts it needs, its unit, its better direction, what it may be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from .facts import FactKind
from .unit import COUNT, DURATION, PER_DAY, RATIO, Unit

Direction = Literal["higher", "lower"]
Shape = Literal["rate", "days", "count", "ratio", "quantile", "newest", "samples", "histogram"]

EVERY = ("window", "min_samples", "min_covered", "max_age", "exclude", "repositories", "services", "better")
"""Options that every measure takes."""

_TRACKS = ("environment", "task", "count", "duplicates_within", "deployments")
_ROLLBACK = (*_TRACKS, "rollback", "settle")
_FAILURE = ("changes", "hotfix", "failure_window", "incidents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One way to turn facts into a number.

    `shape` is how a window's facts become the value: `rate` (facts ÷ days), `days` (share of days), `count`, `ratio`
    (of counts), `quantile` (of values), `newest` (the newest sample, carried forward), `samples` (an aggregate of daily
    samples), `histogram`. `unit` is None where the config says it. `besides` are kinds it uses where they are told.
    `few` is the default `min_samples`. `words` say what it is, for reports, and `counted` (a plural) what `n` counts.
    """

    name: str
    shape: Shape
    kinds: tuple[FactKind, ...]
    unit: Unit | None
    better: Direction | None
    besides: tuple[FactKind, ...] = ()
    options: tuple[str, ...] = ()
    few: int = 0
    words: str
    counted: str = ""


def _deployments(
    name: str,
    shape: Shape,
    unit: Unit,
    better: Direction | None,
    *options: str,
    few: int = 0,
    words: str,
    counted: str = "deployments",
) -> Measure:
    return Measure(
        name=name,
        shape=shape,
        kinds=("deployments",),
        unit=unit,
        better=better,
        options=options,
        few=few,
        words=words,
        counted=counted,
    )


_TABLE = (
    _deployments(
        "deployment_frequency",
        "rate",
        PER_DAY,
        "higher",
        *_TRACKS,
        "per",
        "across",
        words="forward deployments (redeploys and rollbacks left out) ÷ days",
    ),
    _deployments(
        "deployment_days",
        "days",
        RATIO,
        "higher",
        *_TRACKS,
        words="share of the finished open workdays that had a forward deployment",
        counted="workdays",
    ),
    _deployments(
        "deployment_count",
        "count",
        COUNT,
        None,
        *_TRACKS,
        words="forward deployments (redeploys and rollbacks left out)",
    ),
    _deployments(
        "rollback_rate",
        "ratio",
        RATIO,
        "lower",
        *_ROLLBACK,
        few=5,
        words="forward deployments rolled back later ÷ forward deployments",
    ),
    _deployments(
        "deployment_duration",
        "quantile",
        DURATION,
        "lower",
        *_TRACKS,
        "quantile",
        few=5,
        words="time from the start of a successful deployment to its first success",
    ),
    _deployments(
        "deployment_attempt_failure_rate",
        "ratio",
        RATIO,
        "lower",
        *_TRACKS,
        few=5,
        words="attempts whose first final status is failure or error ÷ all attempts that reached one",
        counted="attempts",
    ),
    Measure(
        name="change_failure_rate",
        shape="ratio",
        kinds=("deployments", "changes"),
        besides=("incidents",),
        unit=RATIO,
        better="lower",
        options=(*_ROLLBACK, *_FAILURE),
        few=5,
        words="forward deployments that failed in production ÷ forward deployments",
        counted="deployments",
    ),
    Measure(
        name="failed_deployment_recovery_time",
        shape="quantile",
        kinds=("deployments", "changes"),
        besides=("incidents",),
        unit=DURATION,
        better="lower",
        options=(*_TRACKS, "rollback", *_FAILURE, "quantile"),
        few=5,
        words="time from a failed deployment's success to its rollback, its fix or the end of its incident",
        counted="deployments",
    ),
    Measure(
        name="deployment_rework_rate",
        shape="ratio",
        kinds=("deployments", "changes"),
        unit=RATIO,
        better="lower",
        options=(*_TRACKS, "rollback", "changes", "hotfix"),
        few=5,
        words="rollbacks and deployments of nothing but reverts or hotfixes ÷ deployments (redeploys left out)",
        counted="deployments",
    ),
    Measure(
        name="lead_time_for_changes",
        shape="quantile",
        kinds=("deployments", "changes"),
        unit=DURATION,
        better="lower",
        options=(*_TRACKS, "changes", "from", "quantile"),
        few=5,
        words="time from a change's merge (or first commit) to the first success of the deployment that shipped it",
        counted="changes",
    ),
    Measure(
        name="ci_success_rate",
        shape="ratio",
        kinds=("runs",),
        unit=RATIO,
        better="higher",
        few=5,
        words="successful CI runs ÷ successful and failed ones, by each run's latest finished attempt",
        counted="runs",
    ),
    Measure(
        name="ci_duration",
        shape="quantile",
        kinds=("runs",),
        unit=DURATION,
        better="lower",
        options=("quantile",),
        few=5,
        words="time from start to end of the latest attempt of CI runs that succeeded",
        counted="runs",
    ),
    Measure(
        name="ci_flaky_rate",
        shape="ratio",
        kinds=("runs",),
        unit=RATIO,
        better="lower",
        few=5,
        words="successful CI runs with an earlier attempt that failed ÷ successful CI runs",
        counted="runs",
    ),
    Measure(
        name="change_count",
        shape="count",
        kinds=("changes",),
        unit=COUNT,
        better=None,
        words="merged changes",
        counted="changes",
    ),
    Measure(
        name="change_cycle_time",
        shape="quantile",
        kinds=("changes",),
        unit=DURATION,
        better="lower",
        options=("quantile",),
        few=5,
        words="time from the first commit of a merged change to its merge, bots left out",
        counted="changes",
    ),
    Measure(
        name="change_review_time",
        shape="quantile",
        kinds=("changes",),
        unit=DURATION,
        better="lower",
        options=("quantile",),
        few=5,
        words="time from the opening of a merged change to its first review by someone else, bots left out",
        counted="changes",
    ),
    Measure(
        name="incident_count",
        shape="count",
        kinds=("incidents",),
        unit=COUNT,
        better="lower",
        words="incidents by when they were opened",
        counted="incidents",
    ),
    Measure(
        name="test_coverage",
        shape="newest",
        kinds=("samples",),
        unit=RATIO,
        better="higher",
        options=("kind",),
        words="covered ÷ coverable code of the newest measured commit",
        counted="lines",
    ),
    Measure(
        name="test_pass_rate",
        shape="newest",
        kinds=("samples",),
        unit=RATIO,
        better="higher",
        words="passed ÷ (passed + failed + errors) of the newest test run",
        counted="tests",
    ),
    Measure(
        name="test_count",
        shape="newest",
        kinds=("samples",),
        unit=COUNT,
        better="higher",
        words="tests that ran (passed + failed + errors) in the newest test run",
        counted="tests",
    ),
    Measure(
        name="sampled",
        shape="samples",
        kinds=("samples",),
        unit=None,
        better=None,
        options=("unit", "aggregate"),
        words="an aggregate of the window's samples",
        counted="samples",
    ),
    Measure(
        name="histogram_quantile",
        shape="histogram",
        kinds=("samples",),
        unit=None,
        better="lower",
        options=("unit", "quantile"),
        few=5,
        words="quantile over all requests of the window, from merged histogram buckets",
        counted="requests",
    ),
)


def kinds_needed(measure: Measure, rollback_rules: Iterable[object]) -> tuple[FactKind, ...]:
    """The kinds of fact a metric rests on: reverts are only seen in changes."""
    listens = "rollback" in measure.options and "revert" in tuple(rollback_rules)
    return (*measure.kinds, "changes") if listens and "changes" not in measure.kinds else measure.kinds


MEASURES: Mapping[str, Measure] = {m.name: m for m in _TABLE}
