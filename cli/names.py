"""Names on the command line, held against the config; unknown ones are `UnknownNameError`s with near matches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config.model import Config


def metric_named(name: str, config: Config, as_of: datetime) -> str:
    """A metric, or that of a key result where no metric has the name."""
    if name in config.metrics:
        return name
    from ..krs.names import MetricName, key_results_of, resolve
    from ..krs.terms import terms

    found = resolve(name, config.objectives, config.metrics, config.cycle.name if config.cycle else "")
    if isinstance(found, MetricName):
        return found.name
    key_result = key_results_of(found.cycle, config.objectives)[found.id]
    return terms(key_result, config.calendar.day_closed_by(as_of)).metric


def known_sources(names: Sequence[str], config: Config) -> Sequence[str]:
    from ..krs.names import UnknownNameError

    for name in names:
        if name not in config.sources:
            raise UnknownNameError("source", name, config.sources)
    return names


def known_metrics(names: Sequence[str], config: Config) -> Sequence[str]:
    """Those named, or all there are."""
    from ..krs.names import UnknownNameError

    for name in names:
        if name not in config.metrics:
            raise UnknownNameError("metric", name, config.metrics)
    return names or list(config.metrics)
