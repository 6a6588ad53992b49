"""What a config may already say of the measures that a later release computes."""

from __future__ import annotations

from collections.abc import Mapping

from ..metrics.facts import FactKind
from ..metrics.measures import MEASURES, Direction, Measure, Shape
from ..metrics.unit import DURATION, RATIO, Unit

_TRACKS = ("environment", "task", "count", "duplicates_within")
_FAILURES = (*_TRACKS, "rollback", "settle", "hotfix", "failure_window", "incidents")


def _planned(
    name: str, shape: Shape, kinds: tuple[FactKind, ...], unit: Unit, better: Direction | None, *options: str
) -> Measure:
    return Measure(
        name=name, shape=shape, kinds=kinds, unit=unit, better=better, options=options, words="not computed yet"
    )


_TABLE = (
    _planned(
        "failed_deployment_recovery_time",
        "quantile",
        ("deployments", "changes", "incidents"),
        DURATION,
        "lower",
        *_FAILURES,
        "quantile",
    ),
    _planned(
        "deployment_rework_rate", "ratio", ("deployments", "changes"), RATIO, "lower", *_TRACKS, "rollback", "hotfix"
    ),
)

PLANNED_MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _TABLE}

ALL_MEASURES: Mapping[str, Measure] = {**MEASURES, **PLANNED_MEASURES}
"""Every measure a config may name."""
