"""Which reader reads a stream of GitHub's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypedDict

from ..metrics.facts import Deployment, Run
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Stream
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
    DeploymentSource,
    DeploymentsQuery,
    FiguresQuery,
    IncidentsQuery,
    RunsQuery,
)
from .github_releases import ReleaseReader
from .github_repositories import Repository
from .github_runs import RunReader
from .github_tags import TagReader

Read = Callable[[GitHubClient, Repository, str, Progress, TimeRange], Iterator[Batch]]
"""Reads a window of a stream, given its repository, the subject it is called by, and how far it was read."""


def reader_of(stream: Stream) -> Read:
    if stream.kind == "runs":
        asked = RunsQuery.model_validate(stream.query)
        return partial(_read_runs, asked.workflow, asked.branch)
    if stream.kind == "changes":
        asked_changes = ChangesQuery.model_validate(stream.query)
        return partial(_read_changes, asked_changes.branch, bool(asked_changes.files_of))
    if stream.kind == "incidents":
        labels = IncidentsQuery.model_validate(stream.query).labels
        assert labels, "a stream of incidents names its labels"
        return partial(_read_incidents, labels)
    if stream.kind == "samples":
        return partial(_read_figures, FiguresQuery.model_validate(stream.query))
    source = DeploymentsQuery.model_validate(stream.query).deployments
    if source is None:
        return _read_deployments
    if source.workflow is not None:
        return partial(_read_runs, source.workflow, source.branch, make=workflow_deployment)
    return partial(_read_code, source)


class _Common(TypedDict):
    client: GitHubClient
    repository: Repository
    subject: str
    progress: Progress


def _read_deployments(
    client: GitHubClient, repository: Repository, subject: str, progress: Progress, window: TimeRange
) -> Iterator[Batch]:
    return DeploymentReader(client=client, repository=repository, subject=subject, progress=progress).read(window)


def _read_changes(
    branch: str | None,
    files: bool,
    client: GitHubClient,
    repository: Repository,
    subject: str,
    progress: Progress,
    window: TimeRange,
) -> Iterator[Batch]:
    common: _Common = {"client": client, "repository": repository, "subject": subject, "progress": progress}
    named = None if branch == ALL_BRANCHES else branch or repository.default_branch
    return ChangeReader(**common, branch=named, files=files).read(window)


def _read_incidents(
    labels: Sequence[str],
    client: GitHubClient,
    repository: Repository,
    subject: str,
    progress: Progress,
    window: TimeRange,
) -> Iterator[Batch]:
    common: _Common = {"client": client, "repository": repository, "subject": subject, "progress": progress}
    return IncidentReader(**common, labels=tuple(labels)).read(window)


def _read_figures(
    asked: FiguresQuery,
    client: GitHubClient,
    repository: Repository,
    subject: str,
    progress: Progress,
    window: TimeRange,
) -> Iterator[Batch]:
    common: _Common = {"client": client, "repository": repository, "subject": subject, "progress": progress}
    figures, branch = asked.figures, repository.default_branch
    if figures.status is not None:
        return StatusReader(**common, branch=branch, of=figures.status, pattern=figures.pattern).read(window)
    if figures.check is not None:
        return CheckReader(**common, branch=branch, of=figures.check, pattern=figures.pattern).read(window)
    name = figures.artifact or ""
    return ArtifactReader(**common, branch=branch, artifact=name, files=figures.files, kind=asked.kind).read(window)


def _read_code(
    source: DeploymentSource,
    client: GitHubClient,
    repository: Repository,
    subject: str,
    progress: Progress,
    window: TimeRange,
) -> Iterator[Batch]:
    common: _Common = {"client": client, "repository": repository, "subject": subject, "progress": progress}
    if source.tags is not None:
        return TagReader(**common, pattern=source.tags).read(window)
    if source.merges is not None:
        return MergeReader(**common, branch=source.merges).read(window)
    return ReleaseReader(**common).read(window)


def _read_runs(
    workflow: str | None,
    branch: str | None,
    client: GitHubClient,
    repository: Repository,
    subject: str,
    progress: Progress,
    window: TimeRange,
    make: Callable[[Run], Run | Deployment] = lambda run: run,
) -> Iterator[Batch]:
    named = None if branch == ALL_BRANCHES else branch or repository.default_branch
    reader = RunReader(
        client=client,
        repository=repository,
        subject=subject,
        progress=progress,
        workflow=workflow,
        branch=named,
        make=make,
    )
    return reader.read(window)
