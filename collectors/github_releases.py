"""Published releases as deployments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..metrics.facts import Deployment, StatusChange
from ..metrics.ranges import TimeRange, TimeRanges
from .git_history import ENVIRONMENT
from .github_client import Answer
from .github_cursor import instant
from .github_facts import Node
from .github_reader import TICK
from .github_watched import ListingReader

RELEASES = """
query($owner: String!, $name: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    releases(first: $first, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes { id databaseId tagName isDraft publishedAt url tagCommit { oid } }
    }
  }
}
"""


@dataclass(slots=True, kw_only=True)
class ReleaseReader(ListingReader):
    """A release counts when it was published, at the commit of its tag; pre-releases too, drafts never.

    What is published or changed behind the newest hundred, and tags moved under a release, show once a day.
    """

    _found: set[tuple[str, datetime]] = field(default_factory=set)
    _is_all: bool = True

    def ask(self, etag: str | None) -> Answer:
        answer = self.get("/releases", etag, {"per_page": 100})
        self._is_all = answer.following is None
        return answer

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        # Drafts too: a new one may have pushed a release behind the page that was published meanwhile.
        return [[one["id"], one["tag_name"], None if one["draft"] else one["published_at"]] for one in body]

    def listed(self) -> Iterator[Sequence[Deployment]]:
        for nodes in self.connection(RELEASES, "releases").pages():
            published = [node for node in nodes if not node["isDraft"] and node["publishedAt"]]
            self._found |= {(node["tagName"], instant(node["publishedAt"])) for node in published}
            yield [fact for fact in map(self._fact, published) if fact is not None]

    def agrees(self) -> bool:
        shown = {(tag, instant(published)) for _, tag, published in self.looked if published}
        for tag, at in sorted(shown - self._found):
            self.problems.append(f"{self.subject}: GitHub does not tell all of release {tag} yet")
            self.holes |= TimeRanges.of(TimeRange(at, at + TICK))
        return shown == self._found if self._is_all else shown <= self._found

    def _fact(self, node: Node) -> Deployment | None:
        at = instant(node["publishedAt"])
        if node["tagCommit"] is None:
            self.problems.append(f"{self.subject}: release {node['tagName']} is left out, its tag leads to no commit")
            self.holes |= TimeRanges.of(TimeRange(at, at + TICK))
            return None
        return Deployment(
            key=str(node["databaseId"] or node["id"]),
            subject=self.subject,
            environment=ENVIRONMENT,
            commit=node["tagCommit"]["oid"],
            created_at=at,
            statuses=(StatusChange("success", at),),
            ref=node["tagName"],
            origin="release",
            url=node["url"],
        )
