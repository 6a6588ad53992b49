"""What monitoring is told of sources: how far their streams reach, how their collections went, what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from ..metrics.table import from_microseconds, microseconds
from ..storage.rows import Outcome, StreamState
from ..storage.store import Store
from ..storage.timetable import JobRecord
from .bindings import metrics_by_stream
from .exported import (
    FAILURES,
    OUTCOME,
    QUOTA_LEFT,
    QUOTA_LIMIT,
    QUOTA_RESET,
    REQUESTS,
    STREAM_AGE,
    STREAM_MAX_AGE,
    STREAM_SUCCESS,
    UNCOVERED,
    Point,
    seconds,
    since_1970,
)
from .gaps import gaps
from .need import needed_from
from .workspace import Workspace

WORST_FIRST: tuple[Outcome, ...] = ("unauthorized", "failed", "config", "retry", "ok")

SHORT = 12
"""Characters of a digest that tell one credential from another."""


class SourcePoints:
    def __init__(self) -> None:
        self._requests = RequestCount()
        self._needed: dict[tuple[str, tuple[str, ...]], datetime] = {}
        self._needed_by: tuple[str, date] | None = None

    def points(self, workspace: Workspace, jobs: Mapping[str, JobRecord]) -> Iterator[Point]:
        store, sources = workspace.store, workspace.config.sources
        resting = metrics_by_stream(workspace.config, store)
        states = [state for state in store.states() if state.stream.source in sources]
        for state in states:
            if metrics := resting.get(state.stream.id):
                yield from self._of_stream(workspace, state, metrics)
        for source in sources:
            yield from _of_runs(store, source, [state for state in states if state.stream.source == source])
            if job := jobs.get(f"collect/{source}"):
                yield FAILURES, (source,), float(job.failures)
        spent = self._requests.spent(store)
        yield from ((REQUESTS, (source,), float(spent.get(source, 0))) for source in sources)
        yield from _of_quotas(store, workspace.clock())

    def _of_stream(self, workspace: Workspace, state: StreamState, metrics: tuple[str, ...]) -> Iterator[Point]:
        labels, now = (state.stream.source, state.stream.id), workspace.clock()
        newest = state.coverage.end
        yield STREAM_AGE, labels, None if newest is None else seconds(now - newest)
        yield STREAM_MAX_AGE, labels, seconds(min(workspace.config.metrics[name].max_age for name in metrics))
        yield UNCOVERED, labels, seconds(_uncovered(state, self._needed_from(workspace, state, metrics), now))
        yield STREAM_SUCCESS, labels, since_1970(state.last_success)

    def _needed_from(self, workspace: Workspace, state: StreamState, metrics: tuple[str, ...]) -> datetime:
        """Worked out once for each config and day: with thousands of key results that takes a while."""
        config, source, now = workspace.config, state.stream.source, workspace.clock()
        if self._needed_by != (by := (config.digest, config.calendar.day_of(now))):
            self._needed_by, self._needed = by, {}
        key = (source, metrics)
        if key not in self._needed:
            self._needed[key] = needed_from(config, [config.metrics[name] for name in metrics], source, now)
        return self._needed[key]


class RequestCount:
    """Counts each run record once, after it has ended: records go with time, and what was counted stays counted.

    What had begun when it was first asked is not counted.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._running: set[int] = set()
        self._spent: dict[str, int] = {}

    def spent(self, store: Store) -> Mapping[str, int]:
        """By source."""
        if self._newest is None:
            self._newest = store.newest_run()
        for run, source, requests in store.requests_since(self._newest, self._running):
            self._newest = max(self._newest, run)
            if requests is None:
                self._running.add(run)
            else:
                self._running.discard(run)
                self._spent[source] = self._spent.get(source, 0) + requests
        return self._spent


def _uncovered(state: StreamState, start: datetime, now: datetime) -> timedelta:
    """All there is between `start` and the newest collected instant, or now where nothing was collected."""
    newest, *older = gaps(state, start, now)
    missing = older if state.coverage else [newest, *older]
    return sum((gap.end - gap.start for gap in missing), timedelta(0))


def _of_runs(store: Store, source: str, states: list[StreamState]) -> Iterator[Point]:
    whole = store.last_source_run(source)
    runs = [state.last_run for state in states if state.last_run] + ([whole] if whole else [])
    outcomes = {run.outcome for run in runs}
    worst = next((outcome for outcome in WORST_FIRST if outcome in outcomes), None)
    if worst is not None:
        yield from ((OUTCOME, (source, outcome), float(outcome == worst)) for outcome in WORST_FIRST)


def _of_quotas(store: Store, now: datetime) -> Iterator[Point]:
    for credential, resource, account in store.accounts(microseconds(now)):
        if account.limit is not None:
            labels = (credential[:SHORT], resource)
            yield QUOTA_LIMIT, labels, float(account.limit)
            yield QUOTA_LEFT, labels, float(account.remaining)
            yield QUOTA_RESET, labels, since_1970(from_microseconds(account.reset))
