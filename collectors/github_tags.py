"""Tags as deployments, the same ones that a clone tells of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from fnmatch import fnmatchcase
from typing import Any

from ..metrics.facts import Deployment
from .git_clone import Tag
from .git_history import tagged
from .git_telling import unmatched
from .github_client import Answer
from .github_cursor import instant
from .github_facts import Node
from .github_watched import ListingReader

TAGS = """
query($owner: String!, $name: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    refs(refPrefix: "refs/tags/", first: $first, after: $after, orderBy: {field: ALPHABETICAL, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      nodes { name target { sha: oid ...commit ... on Tag { tagger { date } target { ...commit ... on Tag {
        target { ...commit ... on Tag { target { ...commit } } } } } } } }
    }
  }
}
fragment commit on Commit { oid committedDate }
"""


@dataclass(slots=True, kw_only=True)
class TagReader(ListingReader):
    """An annotated tag counts when it was made, a lightweight one at its commit's date; tags of no commit never.

    A moved tag is the same deployment at its new commit.
    """

    pattern: str
    _found: set[tuple[str, str | None]] = field(default_factory=set)

    def ask(self, etag: str | None) -> Answer:
        return self.get("/git/matching-refs/tags", etag)

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        return [[one["ref"], one["object"]["sha"]] for one in body if one["ref"].startswith("refs/tags/")]

    def listed(self) -> Iterator[Sequence[Deployment]]:
        names: list[str] = []
        for nodes in self.connection(TAGS, "refs").pages():
            self._found |= {(f"refs/tags/{node['name']}", (node["target"] or {}).get("sha")) for node in nodes}
            tags = [tag for tag in map(_tag, nodes) if tag is not None]
            names += [tag.name for tag in tags]
            yield [tagged(tag, self.subject) for tag in tags if fnmatchcase(tag.name, self.pattern)]
        if not any(fnmatchcase(name, self.pattern) for name in names):
            self.problems += unmatched(self.pattern, names)

    def agrees(self) -> bool:
        return {(ref, sha) for ref, sha in self.looked} == self._found


def _tag(node: Node) -> Tag | None:
    target = node["target"] or {}
    made = (target.get("tagger") or {}).get("date")
    while "target" in target:
        target = target["target"] or {}
    if "oid" not in target:
        return None
    return Tag(node["name"], target["oid"], instant(made or target["committedDate"]).astimezone(UTC))
