"""Between collecting and evaluating: sources are asked what lies between deployed commits, where a metric needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..collectors.contract import Collector, CollectorError, Concurrent, Resolver
from ..collectors.registry import collector_type
from ..config.model import SourceConfig
from ..metrics.definition import MetricDefinition
from ..metrics.facts import FactKind, key_between
from ..metrics.ranges import TimeRange
from ..metrics.shipping import MERGE_TIME, Pair
from ..metrics.stream import Batch, Json, Stream
from ..metrics.table import microseconds
from ..metrics.traits import asks_for_ancestors, asks_what_shipped
from ..reports.values import StreamRun
from .bindings import Bindings, concerns
from .collectors import construct
from .evidence import Evaluation
from .holder import this_process
from .progress import Progress
from .stream_collection import StreamCollection
from .threads import Crew
from .verdict import Verdict
from .workspace import Workspace

KIND: FactKind = "shipments"


def resolve_shipments(workspace: Workspace, verdicts: Mapping[str, Verdict], progress: Progress) -> list[StreamRun]:
    """Ask the sources of deployments for the pairs of commits that metrics need and the store does not have.

    `verdicts` hold for each source what the collection before found out: what it asked to wait with is left alone.
    Where nothing is told of a pair, readings go by the order of time, and say so.
    """
    found: list[StreamRun] = []
    for name, verdict in verdicts.items():
        source = workspace.config.sources[name]
        asking = asking_what_shipped(workspace, name)
        if asking and issubclass(collector_type(source.type), Resolver):
            found += _SourceShipments(workspace, source, asking, progress, verdict).resolve()
    return found


def asking_what_shipped(workspace: Workspace, source: str) -> list[MetricDefinition]:
    """The metrics for which this source of deployments is asked what lies between commits."""
    resting = [one for one in workspace.config.metrics.values() if one.sources.get("deployments") == source]
    return [one for one in resting if asks_what_shipped(one) or asks_for_ancestors(one)]


@dataclass(frozen=True)
class _Pairs:
    """A resolver's answer about these pairs, asked for as any stream is."""

    resolver: Resolver
    pairs: Sequence[Pair]

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        return self.resolver.resolve(self.pairs)


@dataclass
class _SourceShipments:
    """One source's, in one process; newest deployments first, so that a budget goes where it is of most use."""

    workspace: Workspace
    source: SourceConfig
    metrics: Sequence[MetricDefinition]
    progress: Progress
    verdict: Verdict
    holder: str = field(default_factory=this_process)
    _crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        self._crew = Crew(self.workspace.stopping)

    _asked: set[Pair] = field(default_factory=set)

    def resolve(self) -> list[StreamRun]:
        wanted = self._wanted()
        for subject in self._in_trouble():
            wanted.setdefault(subject, [])
        if not wanted:
            return []
        try:
            collector = construct(self.workspace, self.source, check=self._check)
        except CollectorError:
            return []  # the collection of the source's other streams has told it
        try:
            return list(self._rounds(collector, wanted))
        finally:
            collector.close()

    def _rounds(self, collector: Collector, wanted: dict[str, list[Pair]]) -> Iterator[StreamRun]:
        """Only how far back a rollback to an ancestor went makes a second round."""
        assert isinstance(collector, Resolver)
        again = any(asks_for_ancestors(metric) for metric in self.metrics)
        size = collector.concurrency if isinstance(collector, Concurrent) else 1
        while wanted:
            runs: dict[str, StreamRun] = {}

            def ask(subject: str, pairs: Sequence[Pair], runs: dict[str, StreamRun] = runs) -> None:
                self._crew.check()
                runs[subject] = self._stream(collector, subject, pairs)

            self._crew.do([partial(ask, subject, pairs) for subject, pairs in wanted.items()], size)
            yield from (runs[subject] for subject in wanted)
            more = again and self.verdict.error is None and any(run.added for run in runs.values())
            wanted = self._wanted() if more else {}

    def _stream(self, resolver: Resolver, subject: str, pairs: Sequence[Pair]) -> StreamRun:
        self._asked.update(pairs)
        stream = Stream(self.source.name, KIND, subject)
        one = StreamCollection(
            workspace=self.workspace,
            source=self.source,
            stream=stream,
            metrics=tuple(metric.name for metric in self.metrics if concerns(metric, stream)),
            holder=self.holder,
            progress=self.progress,
            hear=self.verdict.hear,
            check=self._check,
        )
        if (error := self.verdict.error) is not None:
            return one.leave(error)
        _Put(self.workspace, self.source).remember(subject)
        return one.collect(_Pairs(resolver, pairs), self.workspace.clock())

    def _check(self, resource: str | None = None) -> None:
        self._crew.check()
        self.verdict.check(resource)

    def _wanted(self) -> dict[str, list[Pair]]:
        left = pairs_left(self.workspace, self.source, self.metrics)
        news = {subject: [pair for pair in pairs if pair not in self._asked] for subject, pairs in left.items()}
        return {subject: pairs for subject, pairs in news.items() if pairs}

    def _in_trouble(self) -> Iterator[str]:
        """Repositories whose last run failed: one with nothing left to ask for shall be well again."""
        for state in self.workspace.store.states(self.source.name):
            last = state.last_run
            if state.stream.kind == KIND and last is not None and last.outcome != "ok":
                yield state.stream.subject


def pairs_left(
    workspace: Workspace, source: SourceConfig, metrics: Iterable[MetricDefinition]
) -> dict[str, list[Pair]]:
    """The pairs still to be put to the source for these metrics, by repository, newest first.

    One that it could not tell is put to it once more when its options have changed: a clone may know better.
    """
    evaluation = Evaluation(workspace.config, workspace.store, workspace.clock())
    wanted = dict.fromkeys(pair for metric in metrics for pair in evaluation.pairs_wanted(metric.name))
    stored = _stored(workspace, source) if wanted else set()
    found: dict[str, list[Pair]] = {}
    for subject, previous, commit in wanted:
        if (subject, key_between(previous, commit)) not in stored:
            found.setdefault(subject, []).append((subject, previous, commit))
    return found


@dataclass(frozen=True)
class _Put:
    """With which options the source is asked for a repository's pairs, by a digest of them, and since when."""

    workspace: Workspace
    source: SourceConfig

    def since(self, subject: str) -> int | None:
        """In microseconds since 1970 UTC; None where it was asked with others, or never."""
        digest, _, since = self._memo.get(subject, "").partition(" ")
        return int(since or 0) if digest == self._digest else None

    def remember(self, subject: str) -> None:
        """Before the first of them is asked for: a reading that a budget ends has asked for some."""
        now, since = microseconds(self.workspace.clock()), self.since(subject)
        if since is None or since > now:  # the computer's clock was ahead
            self._memo[subject] = f"{self._digest} {now}"

    @property
    def _digest(self) -> str:
        return hashlib.sha256(self.source.options.model_dump_json().encode()).hexdigest()[:16]

    @property
    def _memo(self) -> MutableMapping[str, str]:
        return self.workspace.store.memo(f"{self.source.name} shipments")


def _stored(workspace: Workspace, source: SourceConfig) -> set[tuple[str, str]]:
    """By repository and key what is known, from whichever source; and what this one will never know as it is set up."""
    found: set[tuple[str, str]] = set()
    put = _Put(workspace, source)
    for state in Bindings(workspace.config, workspace.store).of_kind(KIND):
        since = put.since(state.stream.subject) if state.stream.source == source.name else None
        columns = workspace.store.facts(KIND, [state.stream.id], columns=("subject", "key", "method", "found_at"))
        for subject, key, method, at in zip(*columns.values(), strict=True):
            if method != MERGE_TIME or (since is not None and at >= since):
                found.add((subject, key))
    return found
