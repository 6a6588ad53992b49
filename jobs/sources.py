"""How far each source reaches and what ails it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..config.model import SourceConfig
from ..metrics.reading import Health
from ..reports.progress_report import SourceHealth
from ..reports.values import SoonLost, SourceState
from ..storage.rows import RunRecord, StreamState
from ..storage.timetable import JobRecord
from .bindings import metrics_by_stream
from .evidence import trouble_of
from .holder import is_dead
from .horizon import soon_lost
from .need import needed_from
from .workspace import Workspace


def source_states(workspace: Workspace) -> list[SourceState]:
    """The streams of every configured source, in the order of the config.

    One that no metric wants is there for what is stored of it. A source that metrics ask stands there with none where
    it could not yet say which streams it has, or where they want none of its streams.
    """
    resting = metrics_by_stream(workspace.config, workspace.store)
    planned = workspace.store.jobs()
    found: list[SourceState] = []
    for source in workspace.config.sources.values():
        states = [s for s in workspace.store.states(source.name) if s.stream.id in resting or _holds_something(s)]
        found += [_state(workspace, source, state, resting.get(state.stream.id, ())) for state in states]
        whole = workspace.store.last_source_run(source.name)
        if (whole is not None and whole.outcome != "ok") or (not states and source.name in _asked(workspace)):
            found.append(_without_streams(source, whole, _metrics_asking(workspace, source)))
    return [_planned(state, planned.get(f"collect/{state.source}")) for state in found]


def _planned(state: SourceState, job: JobRecord | None) -> SourceState:
    """With the daemon's plan, unless the source itself has asked to wait for longer."""
    if job is None or job.next_due is None:
        return state
    return replace(state, next_run=max(job.next_due, state.next_run or job.next_due))


def source_healths(workspace: Workspace) -> tuple[SourceHealth, ...]:
    """Each source that a metric asks, as a whole: its worst stream, in words."""
    asked = _asked(workspace)
    return tuple(_health(s, workspace) for s in workspace.config.sources.values() if s.name in asked)


def _asked(workspace: Workspace) -> frozenset[str]:
    return frozenset(name for metric in workspace.config.metrics.values() for name in metric.sources.values())


def _metrics_asking(workspace: Workspace, source: SourceConfig) -> tuple[str, ...]:
    return tuple(m.name for m in workspace.config.metrics.values() if source.name in m.sources.values())


def _without_streams(source: SourceConfig, run: RunRecord | None, metrics: tuple[str, ...]) -> SourceState:
    trouble = trouble_of(run)
    return SourceState(
        source=source.name,
        type=source.type,
        stream=None,
        metrics=metrics,
        health=trouble.health if trouble else Health.NO_DATA,
        last_run=run.started_at if run else None,
        last_error=run.error if run else None,
        next_run=run.retry_at if run else None,
    )


def _health(source: SourceConfig, workspace: Workspace) -> SourceHealth:
    states = workspace.store.states(source.name)
    whole = workspace.store.last_source_run(source.name)
    runs = [s.last_run for s in states if s.last_run] + ([whole] if whole else [])
    troubled = [t for run in runs if (t := trouble_of(run))]
    if troubled:
        order = list(Health)
        trouble = min(troubled, key=lambda t: order.index(t.health))
        since = _last_success(states)
        zone = workspace.config.calendar.zone
        seen = f"last collected {since.astimezone(zone):%Y-%m-%d %H:%M}" if since else "never collected"
        words = f"{trouble.words} ({seen})"
        return SourceHealth(name=source.name, health=trouble.health, words=words, owner=source.owner)
    if not states and not whole:
        return SourceHealth(name=source.name, health=Health.NO_DATA, words="never collected", owner=source.owner)
    return SourceHealth(name=source.name, health=Health.OK, words="", owner=source.owner)


def _last_success(states: list[StreamState]) -> datetime | None:
    return max((s.last_success for s in states if s.last_success), default=None)


def _state(workspace: Workspace, source: SourceConfig, state: StreamState, metrics: tuple[str, ...]) -> SourceState:
    run = state.last_run
    return SourceState(
        source=source.name,
        type=source.type,
        stream=state.stream.id,
        kind=state.stream.kind,
        subject=state.stream.subject,
        query=state.stream.query,
        metrics=metrics,
        health=_stream_health(state) if metrics else Health.OK,
        covered=tuple(state.coverage),
        newest_fact=state.newest_fact,
        last_run=run.started_at if run else None,
        last_error=run.error if run else None,
        requests=run.requests if run else 0,
        next_run=run.retry_at if run else None,
        problems=state.problems,
        soon_lost=_soon_lost(workspace, state, metrics),
    )


def _soon_lost(workspace: Workspace, state: StreamState, metrics: tuple[str, ...]) -> SoonLost | None:
    """Nothing where the config is to be mended first, or somebody fetches it just now."""
    if not metrics or (state.last_run is not None and state.last_run.outcome == "config"):
        return None
    config, now = workspace.config, workspace.clock()
    start = needed_from(config, [config.metrics[name] for name in metrics], state.stream.source, now)
    loss = soon_lost(workspace, state, start, now)
    held_by = workspace.store.holder(state.stream.id) if loss else None
    return loss if held_by is None or is_dead(held_by) else None


def _stream_health(state: StreamState) -> Health:
    trouble = trouble_of(state.last_run)
    if trouble:
        return trouble.health
    return Health.OK if _holds_something(state) else Health.NO_DATA


def _holds_something(state: StreamState) -> bool:
    return bool(state.facts or state.coverage)
