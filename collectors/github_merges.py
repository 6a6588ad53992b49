"""The first-parent commits of a branch as deployments, the same ones that a clone tells of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..metrics.facts import Deployment
from .git_clone import Branch
from .git_history import merged
from .github_branch import BranchReader, commit_of
from .github_client import Answer
from .github_connection import Connection
from .github_facts import Node

HISTORY = """
query($owner: String!, $name: String!, $head: GitObjectID!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    object(oid: $head) {
      ... on Commit {
        history(first: $first, after: $after) {
          pageInfo { hasNextPage endCursor }
          nodes { oid committedDate parents(first: 1) { nodes { oid } } }
        }
      }
    }
  }
}
"""


@dataclass(slots=True, kw_only=True)
class MergeReader(BranchReader):
    """Reads from the branch's head down to the commits known before; a commit counts at the committer's date."""

    def ask(self, etag: str | None) -> Answer:
        return self.find_head(etag)

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        return body["object"]["sha"]

    def history(self) -> Connection:
        return self.connection(HISTORY, "object", "history", head=self.head)

    def facts(self, nodes: Sequence[Node]) -> Sequence[Deployment]:
        branch = Branch(self.branch, f"refs/heads/{self.branch}")
        return [merged(commit_of(node), branch, self.subject) for node in nodes]
