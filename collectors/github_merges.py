"""The first-parent commits of a branch as deployments, the same ones that a clone tells of."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from ..metrics.facts import Deployment
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch
from .contract import ConfigError, SourceError
from .git_clone import Branch, Commit
from .git_history import merged
from .github_client import Answer
from .github_cursor import instant
from .github_facts import Node
from .github_refusals import NotVisible
from .github_watched import REMEMBERED, Told, WatchedReader
from .remembered import recall, remember

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

LOOK_BACK = timedelta(days=7)
"""How far behind its window a branch is read: a commit may be dated before its parent, by as much at most."""


@dataclass(slots=True, kw_only=True)
class MergeReader(WatchedReader):
    """Reads from the branch's head down to the commits known before; a commit counts at the committer's date.

    `known` numbers the commits of the line upwards, so that those above the place where it was rewritten are told.
    """

    branch: str
    head: str = ""

    def ask(self, etag: str | None) -> Answer:
        try:
            return self.get(f"/git/ref/heads/{quote(self.branch)}", etag)
        except NotVisible:
            raise ConfigError(f"{self.subject} has no branch {self.branch!r}") from None

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        self.head = body["object"]["sha"]
        return self.head

    def tell(self, window: TimeRange) -> Told:
        heights = recall(self.progress.known)
        until = self.progress.until
        floor = None if heights and until is not None and window.start >= until else window.start - LOOK_BACK
        line: list[Commit] = []
        for commits in self._line():
            line += commits
            fresh = [c for c in commits if c.at >= window.start or (heights and c.id not in heights)]
            yield self.told(self._facts(fresh))
            if _reaches(line, heights, floor):
                break
        known = _followed(line, heights)
        return remember(known, REMEMBERED), self.gone(heights, {*known, *(commit.id for commit in line)})

    def tell_gap(self, window: TimeRange) -> Generator[Batch, None, str | None]:
        self.shown(self.ask(None).body)
        line: list[Commit] = []
        for commits in self._line():
            line += commits
            yield self.told(self._facts([c for c in commits if c.at in window]))
            if _reaches(line, {}, window.start - LOOK_BACK):
                break
        return remember(_numbered_below(line, recall(self.progress.known)), REMEMBERED)

    def _facts(self, commits: Sequence[Commit]) -> list[Deployment]:
        branch = Branch(self.branch, f"refs/heads/{self.branch}")
        return [merged(commit, branch, self.subject) for commit in commits]

    def _line(self) -> Iterator[list[Commit]]:
        """The branch's own commits from its head down, as the pages of its whole history bring them.

        A page may hold a commit before the one it is the first parent of: none is let go before its turn.
        """
        found: dict[str, Commit] = {}
        wanted: str | None = self.head
        for nodes in self.connection(HISTORY, "object", "history", head=self.head).pages():
            try:
                found |= {commit.id: commit for commit in map(_commit, nodes)}
            except (KeyError, TypeError) as error:
                raise SourceError(f"{self.subject}: a commit of {self.branch} can't be read ({error!r})") from None
            own = []
            while wanted is not None and (commit := found.get(wanted)) is not None:
                own.append(commit)
                wanted = next(iter(commit.parents), None)
            yield own
            if wanted is None:
                return


def _commit(node: Node) -> Commit:
    parents = tuple(one["oid"] for one in node["parents"]["nodes"])
    return Commit(node["oid"], instant(node["committedDate"]), parents)


def _reaches(line: Sequence[Commit], heights: Mapping[str, int], floor: datetime | None) -> bool:
    """Whether a line read so far goes down to what is known, and below a floor."""
    meets = not heights or any(commit.id in heights for commit in line)
    return meets and (floor is None or any(commit.at < floor for commit in line))


def _followed(line: Sequence[Commit], heights: Mapping[str, int]) -> dict[str, int]:
    """What is known of the branch with a line from its new head, without the commits it has no more."""
    above = next((n for n, commit in enumerate(line) if commit.id in heights), len(line))
    met = heights[line[above].id] if above < len(line) else min(heights.values(), default=1) - 1
    kept = {key: height for key, height in heights.items() if height <= met}
    new = {commit.id: met + above - n for n, commit in enumerate(line[:above])}
    return _numbered_below(line, kept | new)


def _numbered_below(line: Sequence[Commit], heights: Mapping[str, int]) -> dict[str, int]:
    """With the commits of a line that lie below the lowest one known."""
    lowest = min(heights, key=lambda key: heights[key], default=None)
    place = next((n for n, commit in enumerate(line) if commit.id == lowest), None)
    if lowest is None or place is None:
        return dict(heights)
    return dict(heights) | {c.id: heights[lowest] - n for n, c in enumerate(line[place + 1 :], 1)}
