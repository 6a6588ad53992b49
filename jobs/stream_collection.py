"""One stream's collection: leased, asked for what is missing, and every batch stored as it comes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from ..collectors.contract import CollectorError, ConfigError, RetryAt, SourceError, Unauthorized
from ..config.model import SourceConfig
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch, Json, Stream
from ..reports.values import Outcome, StreamRun
from ..reports.wording import stream as stream_in_words
from ..storage.errors import StoreError
from ..storage.rows import Outcome as StoredOutcome
from ..storage.rows import RunRecord
from .gaps import gaps
from .holder import is_dead
from .progress import Progress
from .workspace import Workspace

LEASE = timedelta(minutes=10)
"""How long a stream stays taken after its holder last wrote: longer than any one request may hang."""

STORED: dict[Outcome, StoredOutcome] = {
    "ok": "ok",
    "retry": "retry",
    "refused": "config",
    "unauthorized": "unauthorized",
    "failed": "failed",
}

log = logging.getLogger("keyresults.collect")


class Collects(Protocol):
    """What of a collector the collection of one stream needs."""

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]: ...


@dataclass
class _Tally:
    """What a stream's collection did so far."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    requests: int = 0
    problems: tuple[str, ...] = ()
    covered: TimeRanges = field(default_factory=TimeRanges)


@dataclass(kw_only=True)
class StreamCollection:
    """`metrics` are the names of those it is collected for.

    `hear` is told how the asking ended, and says what that means for the stream; `check` is called behind every
    stored batch, and may raise.
    """

    workspace: Workspace
    source: SourceConfig
    stream: Stream
    metrics: tuple[str, ...]
    holder: str
    progress: Progress
    hear: Callable[[CollectorError | None], CollectorError | None]
    check: Callable[[], None]
    _leased_at: datetime | None = None

    def collect(self, collector: Collects, start: datetime) -> StreamRun:
        """Ask for what is missing from `start` on."""
        store, now = self.workspace.store, self.workspace.clock()
        state = store.state(self.stream.id)
        if (waiting := asked_to_wait(state.last_run if state else None, now)) is not None:
            return self._told("retry", waiting, _Tally(), waiting.time)
        if not self._lease(now):
            busy = self._told("busy", None, _Tally(), None)
            return replace(busy, error="another process collects it right now")
        try:
            return self._leased(collector, gaps(state, start, now))
        finally:
            store.release(self.stream.id, self.holder)

    def leave(self, error: CollectorError) -> StreamRun:
        """Not asked, because its source has just shown that asking is no use. Recorded, so that it is seen."""
        run_id = self.workspace.store.start_run(self.source.name, self.stream, self.workspace.clock())
        return self._finished(run_id, error, _Tally())

    def _lease(self, now: datetime) -> bool:
        """Take the stream, from a dead process too."""
        store = self.workspace.store
        held_by = store.holder(self.stream.id)
        if held_by is not None and is_dead(held_by):
            store.release(self.stream.id, held_by)
        self._leased_at = now
        return store.lease(self.stream.id, self.holder, now, now + LEASE)

    def _leased(self, collector: Collects, windows: Sequence[TimeRange]) -> StreamRun:
        tally, wanted = _Tally(), TimeRanges.of(*windows)
        error: CollectorError | None = None
        run_id = self.workspace.store.start_run(self.source.name, self.stream, self.workspace.clock())
        try:
            for window in windows:
                self.progress.stream(self._name, _days(window, self.workspace))
                self._window(collector, window, tally, wanted)
        except CollectorError as told:
            error = told
        except StoreError:
            raise
        except Exception as unexpected:
            log.exception("collector %s failed in a way it should not", self.source.type)
            error = SourceError(f"the collector {self.source.type!r} failed: {type(unexpected).__name__}")
        self.progress.advance(0, name=self._name, share=1.0)
        return self._finished(run_id, self.hear(error), tally)

    def _window(self, collector: Collects, window: TimeRange, tally: _Tally, wanted: TimeRanges) -> None:
        store = self.workspace.store
        state = store.state(self.stream.id)
        for batch in collector.collect(self.stream, window, state.cursor if state else None):
            now = self.workspace.clock()
            written = store.write(self.stream, batch, now)
            tally.added += written.added
            tally.changed += written.changed
            tally.removed += written.removed
            tally.requests += batch.requests
            tally.problems = tuple(dict.fromkeys((*tally.problems, *batch.problems)))
            self._prolong(now)
            tally.covered |= batch.covered & wanted
            self._advance(batch, _share(tally.covered, wanted))
            self.check()

    @property
    def _name(self) -> str:
        return stream_in_words(self.source.name, self.stream.kind, self.stream.subject)

    def _advance(self, batch: Batch, share: float) -> None:
        start = batch.covered.start
        back_to = None if start is None else self.workspace.config.calendar.day_of(start)
        self.progress.advance(len(batch.facts), batch.requests, name=self._name, back_to=back_to, share=share)

    def _prolong(self, now: datetime) -> None:
        if self._leased_at is not None and now - self._leased_at < LEASE / 10:
            return
        if not self.workspace.store.lease(self.stream.id, self.holder, now, now + LEASE):
            raise SourceError("it took so long that another process has taken over")
        self._leased_at = now

    def _finished(self, run_id: int, error: CollectorError | None, tally: _Tally) -> StreamRun:
        outcome, retry_at = outcome_of(error)
        self.workspace.store.finish_run(
            run_id,
            self.workspace.clock(),
            STORED[outcome],
            said(error),
            requests=tally.requests,
            added=tally.added,
            changed=tally.changed,
            removed=tally.removed,
            retry_at=retry_at,
        )
        return self._told(outcome, error, tally, retry_at)

    def _told(
        self, outcome: Outcome, error: CollectorError | None, tally: _Tally, retry_at: datetime | None
    ) -> StreamRun:
        return StreamRun(
            source=self.source.name,
            stream=self.stream.id,
            kind=self.stream.kind,
            subject=self.stream.subject,
            query=self.stream.query,
            metrics=self.metrics,
            outcome=outcome,
            error=said(error),
            added=tally.added,
            changed=tally.changed,
            removed=tally.removed,
            requests=tally.requests,
            retry_at=retry_at,
            problems=tally.problems,
        )


def asked_to_wait(run: RunRecord | None, now: datetime) -> RetryAt | None:
    """The wait that the newest collection was asked for, while it lasts.

    One that was asked for later than now was so by a clock that has been set back since: it holds nothing up.
    """
    if run is None or run.retry_at is None or not (run.finished_at or run.started_at) <= now < run.retry_at:
        return None
    return RetryAt(run.retry_at, run.error or "the source asked to wait")


def outcome_of(error: CollectorError | None) -> tuple[Outcome, datetime | None]:
    """How a collection ended that ended with this error, and when the source wants to be asked again."""
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


def said(error: CollectorError | None) -> str | None:
    """Its words for people, without the time to ask again: that is kept beside them."""
    match error:
        case None:
            return None
        case RetryAt():
            return error.reason
    return str(error)


def _share(covered: TimeRanges, wanted: TimeRanges) -> float:
    whole = sum((one.length for one in wanted), timedelta())
    return sum((one.length for one in covered), timedelta()) / whole if whole else 1.0


def _days(window: TimeRange, workspace: Workspace) -> str:
    calendar = workspace.config.calendar
    first, last = calendar.day_of(window.start), calendar.day_of(window.end)
    return f"{first}" if first == last else f"{first} to {last}"
