"""How many requests a collection will need, said before it makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from time import monotonic

from ..collectors.contract import Collector, CollectorError, Resolver
from ..collectors.foresight import Asked, Expected, Foreseeing, Foresight
from ..config.model import SourceConfig
from ..metrics.definition import MetricDefinition
from ..metrics.ranges import TimeRange
from ..metrics.stream import Stream
from ..metrics.table import from_microseconds, microseconds
from ..reports.values import CollectionPlan, PlannedQuota, PlannedSource, PlannedStream
from ..storage.account import kept
from .asking import Asking, Need
from .bindings import concerns
from .collect import start_of
from .collectors import construct
from .gaps import gaps
from .shipments import KIND, asking_what_shipped, pairs_left
from .workspace import Workspace


def plan(workspace: Workspace, *, since: date | None = None, sources: Sequence[str] = ()) -> CollectionPlan:
    """Of the sources named, or all. No fact is asked for or stored; what the source tells of itself is remembered.

    Raises:
        NotPast: where `since` lies in the future.
    """
    start = None if since is None else start_of(workspace, since)
    workspace.make_store()
    named = [workspace.config.sources[name] for name in sources or workspace.config.sources]
    found = [_of_source(workspace, source, start) for source in named]
    return CollectionPlan(sources=tuple(one for one in found if one is not None))


def _of_source(workspace: Workspace, source: SourceConfig, since: datetime | None) -> PlannedSource | None:
    """None where no metric asks the source for anything."""
    asking = Asking(workspace, source, since)
    if not asking.questions():
        return None
    try:
        collector = construct(workspace, source)
    except CollectorError as error:
        return PlannedSource(source=source.name, error=str(error))
    try:
        for question, metrics in asking.questions().items():
            asking.put(question, metrics, collector)
        return _planned(workspace, source, collector, asking.needs)
    except CollectorError as error:
        return PlannedSource(source=source.name, error=str(error))
    finally:
        collector.close()


def _planned(
    workspace: Workspace, source: SourceConfig, collector: Collector, needs: Mapping[Stream, Need]
) -> PlannedSource:
    asked = [_asked(workspace, stream, need) for stream, need in needs.items()]
    names = {stream: need.metrics for stream, need in needs.items()}
    if not isinstance(collector, Foreseeing):
        return PlannedSource(source=source.name, streams=_streams(asked, names, {}))
    comparing = asking_what_shipped(workspace, source.name) if isinstance(collector, Resolver) else []
    if comparing:
        for pairs in _compared(workspace, source, comparing):
            asked.append(pairs)
            names[pairs.stream] = tuple(metric.name for metric in comparing if concerns(metric, pairs.stream))
    began = monotonic()
    told = collector.foresee(asked)
    each = (monotonic() - began) / max(told.spent, 1)
    needed: Counter[str] = Counter()
    for one in told.expected:
        needed.update(one.requests)
    return PlannedSource(
        source=source.name,
        streams=_streams(asked, names, {one.stream: one for one in told.expected}),
        quotas=tuple(_quota(workspace, source, told, *one) for one in sorted(needed.items()) if one[1]),
        seconds=_seconds(needed, told, each),
        spent=told.spent,
        compares=bool(comparing),
    )


def _asked(workspace: Workspace, stream: Stream, need: Need) -> Asked:
    state = workspace.store.state(stream.id)
    return Asked(
        stream=stream,
        windows=gaps(state, need.start, workspace.clock()),
        cursor=state.cursor if state else None,
        facts=state.facts if state else 0,
    )


def _compared(workspace: Workspace, source: SourceConfig, metrics: Sequence[MetricDefinition]) -> Iterator[Asked]:
    """What is to be compared already; deployments that are read first may make it more."""
    now = workspace.clock()
    for subject, pairs in pairs_left(workspace, source, metrics).items():
        yield Asked(stream=Stream(source.name, KIND, subject), windows=(TimeRange(now, now),), pairs=pairs)


def _streams(
    asked: Sequence[Asked], metrics: Mapping[Stream, tuple[str, ...]], told: Mapping[Stream, Expected]
) -> tuple[PlannedStream, ...]:
    planned = []
    for one in asked:
        stream, expected = one.stream, told.get(one.stream)
        planned.append(
            PlannedStream(
                source=stream.source,
                stream=stream.id,
                kind=stream.kind,
                subject=stream.subject,
                query=stream.query,
                metrics=metrics[stream],
                start=min(window.start for window in one.windows),
                requests=sum(expected.requests.values()) if expected else None,
                at_least=expected.at_least if expected else False,
            )
        )
    return tuple(planned)


def _quota(workspace: Workspace, source: SourceConfig, told: Foresight, resource: str, needed: int) -> PlannedQuota:
    account = workspace.store.account(told.credential, resource, microseconds(workspace.clock()))
    if account.limit is None:
        return PlannedQuota(resource=resource, needed=needed)
    allowed = account.remaining - kept(account.limit, source.reserve)
    return PlannedQuota(
        resource=resource, needed=needed, allowed=max(allowed, 0), reset=from_microseconds(account.reset)
    )


def _seconds(needed: Mapping[str, int], told: Foresight, each: float) -> float:
    """The longer of what the answers take, as long as those to the plan's own requests took, and of the pace."""
    paced = (
        60 * count / told.per_minute[resource] for resource, count in needed.items() if resource in told.per_minute
    )
    return max(sum(needed.values()) * each / told.at_once, *paced, 0.0)
