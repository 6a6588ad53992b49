"""A branch's own commits, from its head down to those known before."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from ..metrics.facts import Deployment, Sample
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch
from .contract import ConfigError, SourceError
from .git_clone import Commit
from .github_client import Answer
from .github_connection import Connection
from .github_cursor import instant
from .github_facts import Node
from .github_refusals import NotVisible
from .github_watched import REMEMBERED, Told, WatchedReader
from .remembered import recall, remember

LOOK_BACK = timedelta(days=7)
"""How far behind its window a branch is read: a commit may be dated before its parent, by as much at most."""

BEFORE_THE_FIRST = ""
"""Stands for the parent of the first commit there will be: whatever is above it has not been told."""


@dataclass(slots=True, kw_only=True)
class BranchReader(WatchedReader):
    """`known` numbers the commits of the line upwards, so that those above the place where it was rewritten are told.

    A fact's key is its commit. `head` is empty until something has told it.
    """

    branch: str
    head: str = ""

    @abstractmethod
    def history(self) -> Connection:
        """The history of `head`, with `oid`, `committedDate` and the first of the `parents` of each commit."""

    @abstractmethod
    def facts(self, nodes: Sequence[Node]) -> Sequence[Deployment | Sample]:
        """What commits of the branch tell."""

    def floor(self, window: TimeRange) -> datetime | None:
        """How far down a poll reads at least; None where it may stop at the first commit that is known."""
        until = self.progress.until
        follows = self.progress.known and until is not None and window.start >= until
        return None if follows else window.start - LOOK_BACK

    def is_new(self, commit: Commit, window: TimeRange, heights: Mapping[str, int]) -> bool:
        """Whether a poll that came by the commit tells of it."""
        return commit.at >= window.start or bool(heights and commit.id not in heights)

    def nothing(self) -> str:
        return remember({BEFORE_THE_FIRST: 0}, 1)

    @property
    def quoted_branch(self) -> str:
        """As it stands in an address, slashes included."""
        return quote(self.branch)

    def find_head(self, etag: str | None = None) -> Answer:
        try:
            answer = self.get(f"/git/ref/heads/{self.quoted_branch}", etag)
        except NotVisible:
            raise ConfigError(f"{self.subject} has no branch {self.branch!r}") from None
        try:
            self.head = self.head if answer.unchanged else answer.body["object"]["sha"]
        except (KeyError, TypeError) as error:
            raise SourceError(f"{self.subject}: GitHub's answer names no commit ({error!r})") from None
        return answer

    def tell(self, window: TimeRange) -> Told:
        heights, floor = recall(self.progress.known), self.floor(window)
        line: list[Commit] = []
        for nodes in self._line():
            commits = [commit_of(node) for node in nodes]
            line += commits
            new = [n for n, c in zip(nodes, commits, strict=True) if self.is_new(c, window, heights)]
            yield self.told(self.facts(new))
            if _reaches(line, heights, floor):
                break
        known = _followed(line, heights)
        return remember(known, REMEMBERED), self.gone(heights, {*known, *(commit.id for commit in line)})

    def tell_gap(self, window: TimeRange) -> Generator[Batch, None, str | None]:
        line: list[Commit] = []
        for nodes in self._line():
            commits = [commit_of(node) for node in nodes]
            line += commits
            yield self.told(self.facts([n for n, c in zip(nodes, commits, strict=True) if c.at in window]))
            if _reaches(line, {}, window.start - LOOK_BACK):
                break
        return remember(_numbered_below(line, recall(self.progress.known)), REMEMBERED)

    def _line(self) -> Iterator[list[Node]]:
        """The branch's own commits from its head down, as the pages of its whole history bring them.

        A page may hold a commit before the one it is the first parent of: none is let go before its turn.
        """
        if not self.head:
            self.find_head()
        found: dict[str, Node] = {}
        wanted: str | None = self.head
        for nodes in self.history().pages():
            own: list[Node] = []
            try:
                found |= {commit_of(node).id: node for node in nodes}
            except (KeyError, TypeError, ValueError) as error:
                raise SourceError(f"{self.subject}: a commit of {self.branch} can't be read ({error!r})") from None
            while wanted is not None and (node := found.get(wanted)) is not None:
                own.append(node)
                wanted = next(iter(commit_of(node).parents), None)
            yield own
            if wanted is None:
                return


def commit_of(node: Node) -> Commit:
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
