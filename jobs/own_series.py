"""The stored past of a config's metrics, as series to try forecasts on."""

from __future__ import annotations

from collections.abc import Mapping

from ..krs.baseline import USUAL_DAYS
from ..metrics.measures import MEASURES, Shape
from ..metrics.window import WindowLength
from .backtest import Kind, Series
from .evidence import Evaluation
from .workspace import Workspace

_KINDS: Mapping[Shape, Kind] = {
    "count": "count",
    "rate": "rate",
    "days": "rate",
    "ratio": "rate",
    "quantile": "duration",
    "histogram": "duration",
    "newest": "level",
    "samples": "level",
}


def own_series(workspace: Workspace, metric: str) -> Series | str:
    """A metric's facts as they are stored now, or why it has none.

    What has no window of its own, as it counts from a key result's start, is read over 28 days.
    """
    definition = workspace.config.metrics[metric]
    whole = WindowLength(USUAL_DAYS) if definition.window.is_cycle else definition.window
    evaluation = Evaluation(workspace.config, workspace.store, workspace.clock())
    measurement = evaluation.measurement(metric, window=whole)
    if measurement.refusal is not None:
        return measurement.refusal
    return Series(
        subject=metric,
        name=definition.measure,
        kind=_KINDS[MEASURES[definition.measure].shape],
        definition=measurement.definition,
        counted=measurement.counted,
        usable=measurement.usable,
        calendar=workspace.config.calendar,
    )
