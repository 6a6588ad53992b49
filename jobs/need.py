"""How far back facts are needed: the earliest key result's start less the longest window, its baseline's included."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ..config.model import Config
from ..krs.model import KeyResult
from ..metrics.ahead import PAST_WEEKS
from ..metrics.definition import MetricDefinition

SPARE_DAYS = 1
"""A day more, so that the first window's first day is whole in any zone."""

DEFAULT_DAYS = 28


def needed_from(config: Config, metrics: list[MetricDefinition], source: str, now: datetime) -> datetime:
    """The instant from which on `source` is to be collected for these metrics, its own `since` respected."""
    earliest = min(_metric_from(config, metric, now) for metric in metrics)
    since = config.sources[source].since
    return config.calendar.start_of(max(earliest, since) if since else earliest)


def evaluated_from(config: Config) -> date | None:
    """A day before all windows of all key results, and before those of their baselines; None without any."""
    longest = max((metric.window.days or DEFAULT_DAYS for metric in config.metrics.values()), default=DEFAULT_DAYS)
    starts = (
        kr.start - timedelta(days=_baseline_days(kr, longest) + SPARE_DAYS)
        for objective in config.objectives
        for kr in objective.key_results
    )
    return min(starts, default=None)


def forecast_from(config: Config, data_end: datetime) -> date:
    """A week before all that forecasts look back on, where data ends then."""
    return config.calendar.day_of(data_end) - timedelta(weeks=PAST_WEEKS + 1)


def _metric_from(config: Config, metric: MetricDefinition, now: datetime) -> date:
    window = metric.window.days or DEFAULT_DAYS
    starts = [
        kr.start - timedelta(days=max(window, _baseline_days(kr, window))) for kr in config.users.get(metric.name, ())
    ]
    if not starts:
        start = config.cycle.start if config.cycle else config.calendar.day_of(now)
        starts = [start - timedelta(days=window)]
    return min(starts) - timedelta(days=SPARE_DAYS)


def _baseline_days(kr: KeyResult, window: int) -> int:
    """The longest a measured baseline can look back; for counts over a cycle the key result's own length."""
    own = (kr.deadline - kr.start).days + 1
    return max(kr.baseline_days or DEFAULT_DAYS, window, own if kr.baseline is None and not kr.baseline_days else 0)
