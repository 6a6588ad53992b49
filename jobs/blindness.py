"""Sources that are blind: their data is older than a metric which rests on it may have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ..config.model import SourceConfig
from ..metrics.definition import MetricDefinition
from ..metrics.traits import is_carried
from ..reports.messages import Blind
from ..storage.rows import RunRecord, StreamState
from .bindings import Bindings, concerns, questions
from .evidence import trouble_of
from .workspace import Workspace

_LASTING = ("failed", "unauthorized", "config")
"""How the first collection of all ends where something is to be mended."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def blind(workspace: Workspace, now: datetime) -> dict[str, Blind]:
    """The sources that metrics can't be read for, by name, each with its oldest data.

    One that was never collected is blind once that has failed, not before it was tried.
    """
    config, store = workspace.config, workspace.store
    bindings = Bindings(config, store)
    runs = {name: store.last_source_run(name) for name in config.sources}
    found: dict[str, list[Blind]] = {}
    for metric in config.metrics.values():
        for question in questions(metric):
            states = [s for s in bindings.states(question) or () if concerns(metric, s.stream)]
            those = _of(config.sources[question.source], metric, states, runs[question.source], now)
            found.setdefault(question.source, []).extend(those)
    return {source: _oldest(those) for source, those in found.items() if those}


def _of(
    source: SourceConfig,
    metric: MetricDefinition,
    states: Sequence[StreamState],
    whole: RunRecord | None,
    now: datetime,
) -> Iterator[Blind]:
    for state in states:
        newest = _newest(metric, state)
        if _is_blind(metric, newest, state.last_run or whole, now):
            yield _said(source, metric, newest, state.last_run, whole)
    if not states and _is_blind(metric, None, whole, now):
        yield _said(source, metric, None, whole)


def _newest(metric: MetricDefinition, state: StreamState) -> datetime | None:
    """Up to when it is known: where the newest value decides by itself, that one's time."""
    if is_carried(metric):
        return state.newest_fact
    return state.coverage.ranges[-1].end if state.coverage else None


def _is_blind(metric: MetricDefinition, newest: datetime | None, run: RunRecord | None, now: datetime) -> bool:
    if newest is None:
        return run is not None and run.outcome in _LASTING
    return now - newest > metric.max_age


def _said(source: SourceConfig, metric: MetricDefinition, newest: datetime | None, *runs: RunRecord | None) -> Blind:
    troubles = (trouble_of(run) for run in runs)
    return Blind(
        source=source.name,
        owner=source.owner,
        newest=newest,
        may_be=metric.max_age,
        metrics=(metric.name,),
        why=next((trouble.words for trouble in troubles if trouble), ""),
    )


def _oldest(those: Sequence[Blind]) -> Blind:
    """What is oldest, with all the metrics that suffer."""
    worst = min(those, key=lambda one: one.newest or _NEVER)
    return replace(
        worst,
        may_be=min(one.may_be for one in those),
        metrics=tuple(dict.fromkeys(name for one in those for name in one.metrics)),
        why=worst.why or next((one.why for one in those if one.why), ""),
    )
