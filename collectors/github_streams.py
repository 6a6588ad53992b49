"""Which reader reads a stream of GitHub's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypedDict

from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Json, Stream
from .github_artifacts import ArtifactReader
from .github_changes import ChangeReader
from .github_client import GitHubClient
from .github_cursor import Progress
from .github_deployments import DeploymentReader
from .github_facts import workflow_deployment
from .github_figures import CheckReader, StatusReader
from .github_foresight import ALL_BRANCHES
from .github_incidents import IncidentReader
from .github_merges import MergeReader
from .github_options import (
    ChangesQuery,
    DeploymentsQuery,
    FiguresQuery,
    IncidentsQuery,
    RunsQuery,
)
from .github_releases import ReleaseReader
from .github_repositories import Repository
from .github_runs import RunReader
from .github_tags import TagReader


class Reads(Protocol):
    def read(self, window: TimeRange) -> Iterator[Batch]: ...


class _Common(TypedDict):
    client: GitHubClient
    repository: Repository
    subject: str
    progress: Progress


def reader_of(stream: Stream, client: GitHubClient, repository: Repository, progress: Progress) -> Reads:
    """What reads the stream from `repository` on, given how far it was read."""
    common: _Common = {"client": client, "repository": repository, "subject": stream.subject, "progress": progress}
    if stream.kind == "runs":
        return _runs(common, RunsQuery.model_validate(stream.query))
    if stream.kind == "changes":
        asked = ChangesQuery.model_validate(stream.query)
        return ChangeReader(**common, branch=_branch(repository, asked.branch), files=bool(asked.files_of))
    if stream.kind == "incidents":
        labels = IncidentsQuery.model_validate(stream.query).labels
        assert labels, "a stream of incidents names its labels"
        return IncidentReader(**common, labels=labels)
    if stream.kind == "samples":
        return _figures(common, FiguresQuery.model_validate(stream.query))
    return _deployments(common, stream.query)


def _branch(repository: Repository, said: str | None) -> str | None:
    """None for every branch."""
    return None if said == ALL_BRANCHES else said or repository.default_branch


def _runs(common: _Common, asked: RunsQuery) -> Reads:
    return RunReader(**common, workflow=asked.workflow, branch=_branch(common["repository"], asked.branch))


def _figures(common: _Common, asked: FiguresQuery) -> Reads:
    figures, branch = asked.figures, common["repository"].default_branch
    if figures.status is not None:
        return StatusReader(**common, branch=branch, of=figures.status, pattern=figures.pattern)
    if figures.check is not None:
        return CheckReader(**common, branch=branch, of=figures.check, pattern=figures.pattern)
    name = figures.artifact or ""
    return ArtifactReader(**common, branch=branch, artifact=name, files=figures.files, kind=asked.kind)


def _deployments(common: _Common, query: Json) -> Reads:
    source = DeploymentsQuery.model_validate(query).deployments
    if source is None:
        return DeploymentReader(**common)
    if source.workflow is not None:
        branch = _branch(common["repository"], source.branch)
        return RunReader(**common, workflow=source.workflow, branch=branch, make=workflow_deployment)
    if source.tags is not None:
        return TagReader(**common, pattern=source.tags)
    if source.merges is not None:
        return MergeReader(**common, branch=source.merges)
    return ReleaseReader(**common)
