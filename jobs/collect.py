"""Collecting: each stream is asked for what is missing, and every batch is stored as it comes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from ..collectors.contract import Collector, CollectorError, ConfigError, RetryAt, SourceError, Unauthorized
from ..config.model import SourceConfig
from ..metrics.definition import MetricDefinition
from ..metrics.ranges import TimeRange
from ..metrics.stream import Stream
from ..reports.values import CollectionResult, Outcome, StreamRun
from ..reports.wording import stream as stream_in_words
from ..storage.rows import Outcome as StoredOutcome
from .bindings import Bindings, Question, concerns, questions
from .collectors import construct
from .evaluate import evaluate_all
from .gaps import gaps
from .holder import is_dead, this_process
from .need import needed_from
from .progress import Progress, Quiet
from .workspace import Workspace

LEASE = timedelta(minutes=10)
"""How long a stream stays taken after its holder last wrote: longer than any one request may hang."""

GIVE_UP_AFTER = 2
"""Streams in a row that a source may fail before the rest of its streams are left for the next run."""

log = logging.getLogger("keyresults.collect")


class NotPast(ValueError):
    """A day to collect back to that has not come yet."""


def collect(workspace: Workspace, sources: Sequence[str] = (), *, progress: Progress | None = None) -> CollectionResult:
    """Ask every source (or those named) for what is missing, then evaluate.

    A source that fails costs the others nothing. Every batch is kept the moment it is stored.
    """
    return _run(workspace, sources, None, progress or Quiet())


def backfill(
    workspace: Workspace, *, since: date, sources: Sequence[str] = (), progress: Progress | None = None
) -> CollectionResult:
    """Collect back to the local day `since`, as far as the sources still know.

    Raises:
        NotPast: where `since` lies in the future.
    """
    if workspace.config.calendar.start_of(since) > workspace.clock():
        raise NotPast(f"{since} lies in the future: nothing can be collected back to it")
    return _run(workspace, sources, workspace.config.calendar.start_of(since), progress or Quiet())


def _run(workspace: Workspace, names: Sequence[str], since: datetime | None, progress: Progress) -> CollectionResult:
    runs: list[StreamRun] = []
    workspace.make_store()
    for name in names or workspace.config.sources:
        runs += _Source(workspace, workspace.config.sources[name], since, progress).collect()
    evaluate_all(workspace)
    return CollectionResult(runs=tuple(runs), failed=any(run.outcome not in ("ok", "busy") for run in runs))


@dataclass
class _Tally:
    """What a stream's collection did so far."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    requests: int = 0
    problems: tuple[str, ...] = ()


@dataclass
class _Source:
    """One source's collection, in one process."""

    workspace: Workspace
    source: SourceConfig
    since: datetime | None
    progress: Progress
    holder: str = field(default_factory=this_process)
    _asking: dict[Stream, tuple[str, ...]] = field(default_factory=dict)
    """The names of the metrics that each stream is collected for."""

    def collect(self) -> list[StreamRun]:
        wanted = self._wanted()
        if not wanted:
            return []
        try:
            collector = construct(self.workspace, self.source)
        except CollectorError as error:
            return [self._source_run(error)]
        try:
            return self._with(collector, wanted)
        finally:
            collector.close()

    def _wanted(self) -> dict[Question, list[MetricDefinition]]:
        """Each question put to this source, with the metrics that ask it."""
        wanted: dict[Question, list[MetricDefinition]] = {}
        for metric in self.workspace.config.metrics.values():
            for question in questions(metric):
                if question.source == self.source.name:
                    wanted.setdefault(question, []).append(metric)
        return wanted

    def _with(self, collector: Collector, wanted: dict[Question, list[MetricDefinition]]) -> list[StreamRun]:
        bindings = Bindings(self.workspace.config, self.workspace.store)
        needs: dict[Stream, datetime] = {}
        failures: list[StreamRun] = []
        for question, metrics in wanted.items():
            try:
                streams = collector.streams([(question.kind, question.query)])
            except CollectorError as error:
                failures.append(self._source_run(error))
                continue
            bindings.remember(question, streams)
            for stream in streams:
                asking = [m for m in metrics if concerns(m, stream)]
                if asking:
                    names = self._asking.get(stream, ())
                    self._asking[stream] = tuple(dict.fromkeys((*names, *(m.name for m in asking))))
                    start = self._start(asking)
                    needs[stream] = min(start, needs.get(stream, start))
        if not failures:
            self._note_recovery()
        return [*failures, *self._streams(collector, needs)]

    def _start(self, metrics: list[MetricDefinition]) -> datetime:
        if self.since is not None:
            return self.since
        return needed_from(self.workspace.config, metrics, self.source.name, self.workspace.clock())

    def _streams(self, collector: Collector, needs: dict[Stream, datetime]) -> list[StreamRun]:
        runs: list[StreamRun] = []
        stopped: Exception | None = None
        failed_in_a_row = 0
        for stream, start in needs.items():
            error, run = (stopped, None) if stopped else self._stream(collector, stream, start)
            run = run or self._skipped(stream, stopped)
            runs.append(run)
            failed_in_a_row = failed_in_a_row + 1 if isinstance(error, SourceError) else 0
            if isinstance(error, RetryAt) or failed_in_a_row >= GIVE_UP_AFTER:
                stopped = stopped or error
        return runs

    def _stream(self, collector: Collector, stream: Stream, start: datetime) -> tuple[Exception | None, StreamRun]:
        """Collect one stream: the error it ended with, if any, and what it did."""
        store, now = self.workspace.store, self.workspace.clock()
        state = store.state(stream.id)
        last = state.last_run if state else None
        if last is not None and last.retry_at is not None and last.retry_at > now:
            waiting = RetryAt(last.retry_at, last.error or "the source asked to wait")
            return None, self._told(stream, "retry", waiting, _Tally(), last.retry_at)
        if not self._lease(stream, now):
            return None, replace(
                self._told(stream, "busy", None, _Tally(), None), error="another process collects it right now"
            )
        try:
            return self._leased(collector, stream, gaps(state, start, now))
        finally:
            store.release(stream.id, self.holder)

    def _lease(self, stream: Stream, now: datetime) -> bool:
        """Take the stream, from a dead process too."""
        store = self.workspace.store
        held_by = store.holder(stream.id)
        if held_by is not None and is_dead(held_by):
            store.release(stream.id, held_by)
        return store.lease(stream.id, self.holder, now, now + LEASE)

    def _leased(
        self, collector: Collector, stream: Stream, windows: Iterable[TimeRange]
    ) -> tuple[Exception | None, StreamRun]:
        tally, error = _Tally(), None
        run_id = self.workspace.store.start_run(self.source.name, stream, self.workspace.clock())
        try:
            for window in windows:
                self.progress.stream(
                    stream_in_words(stream.source, stream.kind, stream.subject), _days(window, self.workspace)
                )
                self._window(collector, stream, window, tally)
        except CollectorError as told:
            error = told
        except Exception as unexpected:
            log.exception("collector %s failed in a way it should not", self.source.type)
            error = SourceError(f"the collector {self.source.type!r} failed: {type(unexpected).__name__}")
        return error, self._finished(run_id, stream, error, tally)

    def _window(self, collector: Collector, stream: Stream, window: TimeRange, tally: _Tally) -> None:
        store = self.workspace.store
        state = store.state(stream.id)
        for batch in collector.collect(stream, window, state.cursor if state else None):
            now = self.workspace.clock()
            written = store.write(stream, batch, now)
            tally.added += written.added
            tally.changed += written.changed
            tally.removed += written.removed
            tally.requests += batch.requests
            tally.problems = tuple(dict.fromkeys((*tally.problems, *batch.problems)))
            if not store.lease(stream.id, self.holder, now, now + LEASE):
                raise SourceError("it took so long that another process has taken over")
            self.progress.advance(len(batch.facts), batch.requests)

    def _finished(self, run_id: int, stream: Stream, error: Exception | None, tally: _Tally) -> StreamRun:
        outcome, retry_at = _outcome(error)
        self.workspace.store.finish_run(
            run_id,
            self.workspace.clock(),
            _STORED[outcome],
            None if error is None else str(error),
            requests=tally.requests,
            added=tally.added,
            changed=tally.changed,
            removed=tally.removed,
            retry_at=retry_at,
        )
        return self._told(stream, outcome, error, tally, retry_at)

    def _told(
        self, stream: Stream, outcome: Outcome, error: Exception | None, tally: _Tally, retry_at: datetime | None
    ) -> StreamRun:
        return StreamRun(
            source=self.source.name,
            stream=stream.id,
            kind=stream.kind,
            subject=stream.subject,
            metrics=self._asking.get(stream, ()),
            outcome=outcome,
            error=None if error is None else str(error),
            added=tally.added,
            changed=tally.changed,
            removed=tally.removed,
            requests=tally.requests,
            retry_at=retry_at,
            problems=tally.problems,
        )

    def _skipped(self, stream: Stream, error: Exception | None) -> StreamRun:
        """A stream left alone because its source has just shown that asking is no use. Recorded, so that it is seen."""
        run_id = self.workspace.store.start_run(self.source.name, stream, self.workspace.clock())
        return self._finished(run_id, stream, error, _Tally())

    def _source_run(self, error: CollectorError) -> StreamRun:
        """Something failed before any stream was known."""
        store = self.workspace.store
        outcome, retry_at = _outcome(error)
        run_id = store.start_run(self.source.name, None, self.workspace.clock())
        store.finish_run(run_id, self.workspace.clock(), _STORED[outcome], str(error), 0, 0, 0, 0, retry_at)
        return StreamRun(source=self.source.name, stream="", outcome=outcome, error=str(error), retry_at=retry_at)

    def _note_recovery(self) -> None:
        """A source whose streams could not be listed, and now can, is no longer in trouble."""
        store = self.workspace.store
        last = store.last_source_run(self.source.name)
        if last is not None and last.outcome != "ok":
            run_id = store.start_run(self.source.name, None, self.workspace.clock())
            store.finish_run(run_id, self.workspace.clock(), "ok", None, 0, 0, 0, 0)


_STORED: dict[Outcome, StoredOutcome] = {
    "ok": "ok",
    "retry": "retry",
    "refused": "config",
    "unauthorized": "unauthorized",
    "failed": "failed",
}


def _outcome(error: Exception | None) -> tuple[Outcome, datetime | None]:
    match error:
        case None:
            return "ok", None
        case RetryAt():
            return "retry", error.time
        case Unauthorized():
            return "unauthorized", None
        case ConfigError():
            return "refused", None
    return "failed", None


def _days(window: TimeRange, workspace: Workspace) -> str:
    calendar = workspace.config.calendar
    first, last = calendar.day_of(window.start), calendar.day_of(window.end)
    return f"{first}" if first == last else f"{first} to {last}"
