"""One source's collection: its streams found, then asked side by side as far as the source takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from ..collectors.contract import Collector, CollectorError, Concurrent, CredentialRefused, RetryAt
from ..config.model import SourceConfig
from ..metrics.stream import Stream
from ..reports.values import StreamRun
from .asking import Asking, Need, by_subject
from .bindings import Bindings
from .collectors import construct
from .holder import this_process
from .horizon import soon_lost
from .progress import Progress
from .stream_collection import STORED, StreamCollection, asked_to_wait, outcome_of, said
from .threads import Crew
from .verdict import Verdict
from .workspace import Workspace


@dataclass
class SourceCollection:
    """In one process. `since` is the instant to collect back to; None for what the key results need."""

    workspace: Workspace
    source: SourceConfig
    since: datetime | None
    progress: Progress
    verdict: Verdict
    holder: str = field(default_factory=this_process)
    _crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        self._crew = Crew(self.workspace.stopping)

    def collect(self) -> list[StreamRun]:
        """What each stream did, in the order in which the config asks for them."""
        asking = Asking(self.workspace, self.source, self.since)
        if not asking.questions():
            return []
        try:
            collector = construct(self.workspace, self.source, check=self._check)
        except CollectorError as error:
            return [self._source_run(error)]
        try:
            return [*self._ask(asking, collector), *self._streams(collector, asking.needs)]
        finally:
            collector.close()

    def _ask(self, asking: Asking, collector: Collector) -> list[StreamRun]:
        """Find the streams; the questions for which they could not be found."""
        bindings = Bindings(self.workspace.config, self.workspace.store)
        failures: list[StreamRun] = []
        waiting = asked_to_wait(self.workspace.store.last_source_run(self.source.name), self.workspace.clock())
        if waiting is not None:
            return [self._told(waiting)]
        for question, metrics in asking.questions().items():
            try:
                streams = asking.put(question, metrics, collector)
            except CollectorError as error:
                failures.append(self._source_run(error))
                if isinstance(error, CredentialRefused):
                    self.verdict.hear(error)
                    break
            else:
                bindings.remember(question, streams)
        if not failures:
            self._note_recovery()
        return failures

    def _streams(self, collector: Collector, needs: dict[Stream, Need]) -> list[StreamRun]:
        """Those of one subject one after another, in one thread."""
        size = collector.concurrency if isinstance(collector, Concurrent) else 1
        groups = by_subject(needs) if size > 1 else [list(needs)]
        runs: dict[Stream, StreamRun] = {}

        def collect(group: Sequence[Stream]) -> None:
            for stream in group:
                self._crew.check()
                runs[stream] = self._stream(collector, stream, needs[stream])

        self.progress.streams(len(needs))
        self._crew.do([partial(collect, group) for group in groups], size)
        return [self._warned(stream, need, runs[stream]) for stream, need in needs.items()]

    def _warned(self, stream: Stream, need: Need, run: StreamRun) -> StreamRun:
        """With what is soon lost; where the config is wrong, or another is at it, that comes first."""
        if run.outcome in ("refused", "busy"):
            return run
        state = self.workspace.store.state(stream.id)
        return replace(run, soon_lost=soon_lost(self.workspace, state, need.start, self.workspace.clock()))

    def _check(self, resource: str | None = None) -> None:
        self._crew.check()
        self.verdict.check(resource)

    def _stream(self, collector: Collector, stream: Stream, need: Need) -> StreamRun:
        one = StreamCollection(
            workspace=self.workspace,
            source=self.source,
            stream=stream,
            metrics=need.metrics,
            holder=self.holder,
            progress=self.progress,
            hear=self.verdict.hear,
            check=self._check,
        )
        if (error := self.verdict.error) is not None:
            return one.leave(error)
        return one.collect(collector, need.start)

    def _source_run(self, error: CollectorError) -> StreamRun:
        """Something failed before any stream was known."""
        store = self.workspace.store
        if isinstance(error, RetryAt):
            error = self.verdict.wait(error)
        outcome, retry_at = outcome_of(error)
        run_id = store.start_run(self.source.name, None, self.workspace.clock())
        store.finish_run(run_id, self.workspace.clock(), STORED[outcome], said(error), 0, 0, 0, 0, retry_at)
        return self._told(error)

    def _told(self, error: CollectorError) -> StreamRun:
        outcome, retry_at = outcome_of(error)
        return StreamRun(source=self.source.name, stream="", outcome=outcome, error=said(error), retry_at=retry_at)

    def _note_recovery(self) -> None:
        """A source whose streams could not be listed, and now can, is no longer in trouble."""
        store = self.workspace.store
        last = store.last_source_run(self.source.name)
        if last is not None and last.outcome != "ok":
            run_id = store.start_run(self.source.name, None, self.workspace.clock())
            store.finish_run(run_id, self.workspace.clock(), "ok", None, 0, 0, 0, 0)
