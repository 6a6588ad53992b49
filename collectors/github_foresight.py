"""How many requests GitHub's lists will take to read, from counts that a few requests tell."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..metrics.ranges import TimeRange
from ..metrics.stream import Stream
from .contract import Unauthorized
from .foresight import Asked, Expected
from .github_client import GitHubClient
from .github_connection import PAGE_SIZES
from .github_cursor import Progress, instant
from .github_options import ChangesQuery, DeploymentSource, DeploymentsQuery, IncidentsQuery, RunsQuery
from .github_repositories import Repository
from .github_runs import SAFE, RunReader

TOGETHER = 50
"""Repositories whose counts one query asks for."""

RUNS_PAGE = 100
ALL_BRANCHES = "*"
LISTS = {
    "deployments": "deployments(first: 1, orderBy: {field: CREATED_AT, direction: ASC})"
    " { totalCount nodes { createdAt } }",
    "changes": "pullRequests(states: [MERGED], %(base)sfirst: 1, orderBy: {field: UPDATED_AT, direction: ASC})"
    " { totalCount nodes { updatedAt } }",
    "tags": 'refs(refPrefix: "refs/tags/", first: 1, orderBy: {field: ALPHABETICAL, direction: ASC}) { totalCount }',
    "releases": "releases(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount }",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of GraphQL: how many items, and the instant of the oldest."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stream with the list it is read from, a word of `LISTS`, or the reader of its runs; neither can't be counted.

    `looks` are the conditional requests of a poll.
    """

    asked: Asked
    repository: Repository
    list: str | None = None
    base: str | None = None
    runs: RunReader | None = None
    looks: int = 1


@dataclass(slots=True)
class Planner:
    """`repository` looks one up, at most once each."""

    client: GitHubClient
    repository: Callable[[str], Repository]
    _hidden: Unauthorized | None = None

    def expected(self, asked: Sequence[Asked]) -> Iterator[Expected]:
        """In order. A repository that can't be seen takes the request that tells so; where none can, that is raised."""
        wanted = {one.stream: self._wanted(one) for one in asked}
        if self._hidden is not None and not any(wanted.values()):
            raise self._hidden
        counts = self._counts([one for one in wanted.values() if one is not None and one.list])
        known: set[str] = set()
        for stream, one in wanted.items():
            first = stream.subject not in known
            known.add(stream.subject)
            if one is None:
                yield Expected(stream=stream, requests={"core": 1})
            else:
                yield self._one(one, counts.get(stream), first)

    def _wanted(self, asked: Asked) -> Wanted | None:
        """None where the repository can't be seen."""
        try:
            repository = self.repository(asked.stream.subject)
        except Unauthorized as error:
            self._hidden = error
            return None
        query = asked.stream.query
        match asked.stream.kind:
            case "changes":
                branch = ChangesQuery.model_validate(query).branch or repository.default_branch
                return Wanted(asked, repository, list="changes", base=None if branch == ALL_BRANCHES else branch)
            case "runs":
                told = RunsQuery.model_validate(query)
                return Wanted(asked, repository, runs=self._reader(asked, repository, told.workflow, told.branch))
            case "deployments":
                return self._deployments(asked, repository, DeploymentsQuery.model_validate(query).deployments)
            case "incidents":
                return Wanted(asked, repository, looks=len(IncidentsQuery.model_validate(query).labels or ()))
        return Wanted(asked, repository)

    def _deployments(self, asked: Asked, repository: Repository, source: DeploymentSource | None) -> Wanted:
        if source is None:
            return Wanted(asked, repository, list="deployments")
        if source.workflow is not None:
            return Wanted(asked, repository, runs=self._reader(asked, repository, source.workflow, source.branch))
        if source.merges is not None:
            return Wanted(asked, repository)
        return Wanted(asked, repository, list="tags" if source.tags is not None else "releases")

    def _reader(self, asked: Asked, repository: Repository, workflow: str | None, branch: str | None) -> RunReader:
        return RunReader(
            client=self.client,
            repository=repository,
            subject=asked.stream.subject,
            progress=Progress(),
            workflow=workflow,
            branch=None if branch == ALL_BRANCHES else branch or repository.default_branch,
        )

    def _one(self, one: Wanted, listed: Listed | None, first: bool) -> Expected:
        progress = Progress.of(one.asked.cursor)
        newest, *gaps = one.asked.windows
        is_quiet = progress.until is not None and newest.start >= progress.until
        looks = first + one.looks
        if one.runs is not None:
            spans = gaps if is_quiet else one.asked.windows
            core = looks + sum(self._runs(one.runs, span, poll=span is newest) for span in spans)
            return Expected(stream=one.asked.stream, requests={"core": core}, at_least=is_quiet)
        if listed is None:
            return Expected(stream=one.asked.stream, requests={"core": looks}, at_least=True)
        pages = 0 if is_quiet else _front(one, listed, newest)
        pages += sum(_below(one, listed, gap, progress) for gap in gaps)
        requests = {"core": looks, "graphql": pages}
        return Expected(stream=one.asked.stream, requests=requests, at_least=is_quiet)

    def _runs(self, reader: RunReader, span: TimeRange, *, poll: bool) -> int:
        """Pages besides the one that a poll looks at."""
        count = reader.count(span)
        if not poll:
            return _slices(count)
        return _slices(count - RUNS_PAGE + 1) if count >= RUNS_PAGE else 0

    def _counts(self, wanted: Sequence[Wanted]) -> dict[Stream, Listed]:
        found: dict[Stream, Listed] = {}
        for start in range(0, len(wanted), TOGETHER):
            part = wanted[start : start + TOGETHER]
            query = "{" + " ".join(_field(n, one) for n, one in enumerate(part)) + "}"
            data = self.client.graphql(query, {}, "what is to be read").data
            for n, one in enumerate(part):
                if data.get(f"n{n}"):
                    found[one.asked.stream] = _listed(data[f"n{n}"]["counted"])
        return found


def _field(number: int, one: Wanted) -> str:
    owner, _, name = one.repository.name.partition("/")
    base = f"baseRefName: {json.dumps(one.base)}, " if one.base else ""
    asked = LISTS[one.list or ""].replace("%(base)s", base)
    where = f"owner: {json.dumps(owner)}, name: {json.dumps(name)}"
    return f"n{number}: repository({where}) {{ counted: {asked} }}"


def _listed(told: Mapping[str, Any]) -> Listed:
    oldest = next((instant(at) for node in told.get("nodes") or () if node for at in node.values()), None)
    return Listed(int(told["totalCount"]), oldest)


def _front(one: Wanted, listed: Listed, newest: TimeRange) -> int:
    """Pages of a poll that reads from the front down to its window's start."""
    whole = _pages(listed.count)
    if listed.oldest is None:
        return whole
    pages = min(whole, _share(listed.count, listed.oldest, newest) // PAGE_SIZES[0] + 1)
    return pages + (one.list == "changes" and pages > 1)


def _below(one: Wanted, listed: Listed, gap: TimeRange, progress: Progress) -> int:
    """Pages of what lies behind what was read, and before them those of the front where no place was kept."""
    if listed.oldest is None:
        return _pages(listed.count)
    kept = progress.start_below(gap.end) is not None
    left = max(listed.count - one.asked.facts, 0)
    pages = min(_pages(left), _share(left, listed.oldest, gap) // PAGE_SIZES[0] + 1)
    pages += 0 if kept else one.asked.facts // PAGE_SIZES[0]
    return pages + (one.list == "changes" and (kept or pages > 1))


def _share(count: int, oldest: datetime, window: TimeRange) -> int:
    """How many of the items up to the window's end lie in it, if they came evenly."""
    whole = max(window.end - oldest, timedelta(seconds=1))
    return round(count * min(max((window.end - window.start) / whole, 0.0), 1.0))


def _pages(count: int) -> int:
    """An empty list takes a page too."""
    return max(math.ceil(count / PAGE_SIZES[0]), 1)


def _slices(count: int) -> int:
    """Pages of runs, in lists of which none is read further than is safe; the next begins with the last one's end."""
    pages = 0
    while count > SAFE:
        pages += SAFE // RUNS_PAGE
        count -= SAFE - 1
    return pages + max(math.ceil(count / RUNS_PAGE), 1)
