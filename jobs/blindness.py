"""Sources that are blind: their data is older than a metric which rests on it may have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..collectors.manual import Manual
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


@dataclass(frozen=True, slots=True)
class Sight:
    """`asked` are the sources that a metric rests on, `old` those of them whose data is too old, `blind` those of these
    where collecting did not help."""

    asked: frozenset[str]
    old: frozenset[str]
    blind: Mapping[str, Blind]


@dataclass(frozen=True, slots=True)
class _Looked:
    blind: Blind
    tried: bool


def sight(workspace: Workspace, now: datetime) -> Sight:
    """What is seen of each source, by its oldest data.

    After a rest, and while the past is fetched, data is old that nobody tried to renew yet: that is no blindness.
    """
    config, store = workspace.config, workspace.store
    bindings = Bindings(config, store)
    runs = {name: store.last_source_run(name) for name in config.sources}
    found: dict[str, list[_Looked]] = {}
    for metric in config.metrics.values():
        for question in questions(metric):
            states = [s for s in bindings.states(question) or () if concerns(metric, s.stream)]
            source = config.sources[question.source]
            found.setdefault(source.name, []).extend(_looked(source, metric, states, runs[source.name], now))
    sure = {name: tried for name, those in found.items() if (tried := [one.blind for one in those if one.tried])}
    return Sight(
        frozenset(found),
        frozenset(name for name, those in found.items() if those),
        {name: _oldest(those) for name, those in sure.items()},
    )


def _looked(
    source: SourceConfig,
    metric: MetricDefinition,
    states: Sequence[StreamState],
    whole: RunRecord | None,
    now: datetime,
) -> Iterator[_Looked]:
    for state in states:
        newest = _newest(metric, state)
        if newest is None and _failed_from_the_start(state.last_run or whole):
            yield _Looked(_said(source, metric, None, state.last_run, whole), tried=True)
        if newest is not None and now - newest > metric.max_age:
            tried = source.type == Manual.type or _was_tried(state, whole, newest + metric.max_age)
            yield _Looked(_said(source, metric, newest, state.last_run, whole), tried)
    if not states and _failed_from_the_start(whole):
        yield _Looked(_said(source, metric, None, whole), tried=True)


def _newest(metric: MetricDefinition, state: StreamState) -> datetime | None:
    """Up to when it is known: where the newest value decides by itself, that one's time."""
    if is_carried(metric):
        return state.newest_fact
    return state.coverage.ranges[-1].end if state.coverage else None


def _failed_from_the_start(run: RunRecord | None) -> bool:
    return run is not None and run.outcome in _LASTING


def _was_tried(state: StreamState, whole: RunRecord | None, since: datetime) -> bool:
    """Whether a collection that began later has ended; a first one that has to wait goes on."""
    # That its source could say which streams it has is no try yet.
    asked = (state.last_run, whole if whole is not None and whole.outcome != "ok" else None)
    runs = [run for run in asked if run is not None and run.started_at > since]
    if state.last_success is None:
        return any(_failed_from_the_start(run) for run in runs)
    return bool(runs)


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
