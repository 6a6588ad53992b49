"""Options of a metric that mean what they say, whatever its source and measure."""

from __future__ import annotations

from typing import Any

from ..metrics.definition import Exclusion
from ..metrics.window import WindowLength
from .schema_metrics import MetricTable

FOUR_WEEKS = WindowLength(28)


def as_written(options: MetricTable) -> dict[str, Any]:
    """Fields of a `MetricDefinition`; what nobody wrote is left to its own defaults."""
    unsaid = {name: getattr(options, name) for name in ("duplicates_within", "settle", "failure_window", "quantile")}
    return {
        "window": options.window or FOUR_WEEKS,
        "min_samples": options.min_samples,
        "min_covered": options.min_covered,
        "exclude": tuple(Exclusion(e.start, e.end, e.reason, e.added) for e in options.exclude),
        "coverage_kind": options.kind or "line",
        **_deployments(options),
        **{name: value for name, value in unsaid.items() if value is not None},
    }


def _deployments(options: MetricTable) -> dict[str, Any]:
    return {
        "environment": options.environment,
        "task": options.task,
        "count": options.count,
        "across": options.across,
        "rollback_rules": tuple(options.rollback.rules),
        "rollback_mark": options.rollback.mark,
        "hotfix_labels": tuple(options.hotfix.labels),
        "hotfix_branches": tuple(options.hotfix.branches),
        "lead_time_from": options.lead_time_from,
    }
