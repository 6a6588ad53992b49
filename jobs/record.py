"""Values that people record by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..collectors.manual import Manual, manual_sample, manual_stream
from ..metrics.facts import Sample
from ..metrics.quantity import Quantity
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch, Stream
from ..metrics.unit import Unit
from .bindings import Bindings, questions
from .evaluate import evaluate_all
from .workspace import Workspace


class CannotRecord(ValueError):
    """The metric takes no value by hand, or not this one; `str()` says why."""


def record(
    workspace: Workspace, metric: str, value: str, *, at: datetime | None, by: str | None, evidence: str | None
) -> Sample:
    """Keep a value of a metric whose source is recorded by hand, then evaluate. `at` defaults to now.

    Raises:
        CannotRecord: where the metric has another kind of source, or the value doesn't fit its unit.
    """
    definition = workspace.config.metrics[metric]
    source = workspace.config.sources[definition.sources["samples"]] if "samples" in definition.sources else None
    if source is None or source.type != Manual.type:
        raise CannotRecord(f'{metric} is collected by itself; only metrics of a source of type "manual" are recorded')
    sample = manual_sample(
        metric, _amount(value, metric, definition.unit), at or workspace.clock(), by=by, evidence=evidence
    )
    _write(workspace, manual_stream(source.name, metric), sample)
    for question in questions(definition):
        Bindings(workspace.config, workspace.store).remember(question, [manual_stream(source.name, metric)])
    evaluate_all(workspace)
    return sample


def _amount(value: str, metric: str, unit: Unit) -> float:
    """The written value in the metric's own unit: samples are stored as their source has them."""
    try:
        return Quantity.parse(_number(value)).into(unit) / unit.scale
    except ValueError as error:
        raise CannotRecord(f"{value!r} is no value for {metric}: {error}") from None


def _number(value: str) -> str | float:
    try:
        return float(value)
    except ValueError:
        return value


def _write(workspace: Workspace, stream: Stream, sample: Sample) -> None:
    """The stream is covered from its first value to its newest: in between the last one holds."""
    state = workspace.store.state(stream.id)
    known = state.coverage if state else TimeRanges()
    start, end = min(known.start or sample.at, sample.at), max(known.end or sample.at, sample.at + _INSTANT)
    batch = Batch(facts=(sample,), covered=TimeRanges.of(TimeRange(start, end)), horizon=start)
    workspace.store.write(stream, batch, workspace.clock())


_INSTANT = timedelta(microseconds=1)
