"""What the readers of GitHub's deployments and of its runs have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ..metrics.facts import Fact
from ..metrics.ranges import TimeRanges
from ..metrics.stream import Batch
from .contract import SourceError
from .github_client import GitHubClient
from .github_connection import Connection
from .github_cursor import Progress
from .github_repositories import Repository

TICK = timedelta(seconds=1)
"""GitHub's instants are whole seconds: others of the oldest one's second may stand on the next page."""


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads one stream once. `subject` is the repository as the config names it."""

    client: GitHubClient
    repository: Repository
    subject: str
    progress: Progress
    covered: TimeRanges = field(default_factory=TimeRanges)

    def batch(self, facts: Sequence[Fact], *, removed: tuple[str, ...] = (), problems: Sequence[str] = ()) -> Batch:
        return Batch(
            facts=tuple(facts),
            covered=self.covered,
            cursor=self.progress.as_json(),
            removed=removed,
            open_keys=self.progress.open_keys,
            requests=self.client.take_count(),
            problems=tuple(problems),
        )

    def connection(self, query: str, *path: str, **variables: object) -> Connection:
        """A list below the repository, of which `query` asks a page."""
        return Connection(
            client=self.client,
            repository=self.repository,
            subject=self.subject,
            query=query,
            path=path,
            hold_against=self.hold_against,
            variables=variables,
        )

    def is_of(self, full_name: str) -> bool:
        """Whether GitHub means the repository that is read; upper and lower case make no difference to it."""
        return full_name.lower() == self.repository.name.lower()

    def hold_against(self, full_name: str) -> None:
        """
        Raises:
            SourceError: where an answer speaks of another repository.
        """
        if not self.is_of(full_name):
            raise SourceError(f"{self.subject}: GitHub answered for {full_name}")
