"""Collecting: each stream is asked for what is missing, and every batch is stored as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from ..reports.values import CollectionResult, StreamRun
from .evaluate import evaluate_all
from .progress import Progress, Quiet
from .shipments import resolve_shipments
from .source_collection import SourceCollection
from .verdict import Verdict
from .workspace import Workspace


class NotPast(ValueError):
    """A day to collect back to that has not come yet."""


def collect(workspace: Workspace, sources: Sequence[str] = (), *, progress: Progress | None = None) -> CollectionResult:
    """Ask every source (or those named) for what is missing, then evaluate.

    A source that fails costs the others nothing. Every batch is kept the moment it is stored.
    """
    return _evaluated(workspace, fetch(workspace, sources, progress=progress))


def fetch(workspace: Workspace, sources: Sequence[str] = (), *, progress: Progress | None = None) -> CollectionResult:
    """As `collect`, without evaluating.

    Raises:
        Stopped: where the workspace is stopping; every batch that was stored stays.
    """
    return _run(workspace, sources, None, progress or Quiet())


def _evaluated(workspace: Workspace, result: CollectionResult) -> CollectionResult:
    evaluate_all(workspace)
    return result


def backfill(
    workspace: Workspace, *, since: date, sources: Sequence[str] = (), progress: Progress | None = None
) -> CollectionResult:
    """Collect back to the local day `since`, as far as the sources still know.

    Raises:
        NotPast: where `since` lies in the future.
    """
    return _evaluated(workspace, _run(workspace, sources, start_of(workspace, since), progress or Quiet()))


def start_of(workspace: Workspace, since: date) -> datetime:
    """The instant at which this local day begins.

    Raises:
        NotPast: where it lies in the future.
    """
    start = workspace.config.calendar.start_of(since)
    if start > workspace.clock():
        raise NotPast(f"{since} lies in the future: nothing can be collected back to it")
    return start


def _run(workspace: Workspace, names: Sequence[str], since: datetime | None, progress: Progress) -> CollectionResult:
    runs: list[StreamRun] = []
    workspace.make_store()
    verdicts = {name: Verdict(workspace.clock, workspace.chance) for name in names or workspace.config.sources}
    for name, verdict in verdicts.items():
        runs += SourceCollection(workspace, workspace.config.sources[name], since, progress, verdict).collect()
    runs += resolve_shipments(workspace, verdicts, progress)
    return CollectionResult(runs=tuple(runs), failed=any(run.outcome not in ("ok", "busy") for run in runs))
