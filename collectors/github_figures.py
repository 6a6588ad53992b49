"""Coverage as services print it beside a branch's commits: in commit statuses, or in check runs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..metrics.facts import Sample
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch
from .contract import ConfigError, SourceError
from .git_clone import Commit
from .github_branch import LOOK_BACK, BranchReader, commit_of
from .github_client import Answer
from .github_connection import Connection
from .github_cursor import Item
from .github_facts import Node
from .github_refusals import NotVisible
from .github_watched import Told
from .percentage import share_in
from .remembered import recall


def _history(said: str) -> str:
    """Asks for the commits of a branch, with what is said of each; the name it is said under is `$of`."""
    return f"""
query($owner: String!, $name: String!, $head: GitObjectID!, $of: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    object(oid: $head) {{
      ... on Commit {{
        history(first: $first, after: $after) {{
          pageInfo {{ hasNextPage endCursor }}
          nodes {{ oid committedDate parents(first: 1) {{ nodes {{ oid }} }} {said} }}
        }}
      }}
    }}
  }}
}}
"""


STATUSES = _history("status { context(name: $of) { state description targetUrl } }")

CHECKS = _history(
    """
checkSuites(first: 10, filterBy: {checkName: $of}) {
  nodes {
    checkRuns(first: 1, filterBy: {checkName: $of, checkType: LATEST}) {
      nodes { status conclusion title summary text detailsUrl completedAt }
    }
  }
}
"""
)

AWAITED = timedelta(hours=6)
"""How long a commit without a figure, or with one that is not final, is looked at again by every poll."""

SWEPT = timedelta(days=30)
"""How far back the daily sweep looks at all commits again."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a service has said of a commit for good; `texts` in the order they are looked through."""

    texts: tuple[str | None, ...]
    url: str | None


@dataclass(slots=True, kw_only=True)
class FigureReader(BranchReader):
    """The branch's own commits; a figure is dated by its commit. `of` is the name it is said under.

    Commits that still wait for their figure are read again whatever the fixed URL shows; still later figures are
    found by the sweep.
    """

    of: str
    pattern: str | None
    _unreadable: list[str] = field(default_factory=list)

    @abstractmethod
    def said(self, node: Node) -> Said | None:
        """What is said of a commit; None where nothing is, or not for good."""

    @property
    def known_head(self) -> str:
        """The head that the last poll found; empty before the first one."""
        heights = recall(self.progress.known)
        return max(heights, key=lambda commit: heights[commit], default="")

    def awaits_more(self) -> bool:
        return bool(self.progress.open)

    def floor(self, window: TimeRange) -> datetime | None:
        floors = [one.created_at - LOOK_BACK for one in self.progress.open.values()]
        now = self.client.now()
        if self.progress.sweep_is_due(now):
            floors.append(self.progress.swept_back(SWEPT) - LOOK_BACK)
        if (usual := BranchReader.floor(self, window)) is not None:
            floors.append(usual)
        return min(floors, default=None)

    def is_new(self, commit: Commit, window: TimeRange, heights: Mapping[str, int]) -> bool:
        return True

    def tell(self, window: TimeRange) -> Told:
        ended = yield from BranchReader.tell(self, window)
        self.progress.forget_before(self.client.now() - AWAITED)
        self._sum_up()
        return ended

    def tell_gap(self, window: TimeRange) -> Generator[Batch, None, str | None]:
        known = yield from BranchReader.tell_gap(self, window)
        self._sum_up()
        return known

    def facts(self, nodes: Sequence[Node]) -> Sequence[Sample]:
        return [sample for sample in map(self._sample, nodes) if sample is not None]

    def _sample(self, node: Node) -> Sample | None:
        commit, said = commit_of(node), self.said(node)
        if said is None:
            if self.client.now() - commit.at < AWAITED:
                self.progress.open[commit.id] = Item(commit.id, commit.at)
            return None
        self.progress.open.pop(commit.id, None)
        share = share_in(said.texts, self.pattern)
        if share is None:
            self._unreadable.append(next(filter(None, said.texts), ""))
            return None
        return Sample(
            key=commit.id,
            subject=self.subject,
            at=commit.at,
            value=share,
            commit=commit.id,
            url=said.url,
        )

    def _sum_up(self) -> None:
        if self._unreadable:
            words = f"{self.of!r} says no percentage that can be read of {len(self._unreadable)} commits"
            self.problems.append(f"{self.subject}: {words}, of the newest one: {self._unreadable[0][:100]!r}")


@dataclass(slots=True, kw_only=True)
class StatusReader(FigureReader):
    """The fixed URL shows the head and its statuses, so that it need not be waited for."""

    def awaits_more(self) -> bool:
        return FigureReader.awaits_more(self) and set(self.progress.open) != {self.known_head}

    def ask(self, etag: str | None) -> Answer:
        try:
            return self.get(f"/commits/heads/{self.quoted_branch}/status", etag, {"per_page": 100})
        except (NotVisible, ConfigError):
            raise ConfigError(f"{self.subject} has no branch {self.branch!r}, or no commit on it") from None

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        self.head = body["sha"]
        said = [[one["state"], one["description"]] for one in body["statuses"] if one["context"] == self.of]
        return [self.head, said]

    def history(self) -> Connection:
        return self.connection(STATUSES, "object", "history", head=self.head, of=self.of)

    def said(self, node: Node) -> Said | None:
        context = (node["status"] or {}).get("context")
        if context is None or context["state"] in ("PENDING", "EXPECTED"):
            return None
        return Said((context["description"],), context["targetUrl"])


@dataclass(slots=True, kw_only=True)
class CheckReader(FigureReader):
    """The fixed URL shows the head alone: one that shows checks says nothing of a head without any."""

    def ask(self, etag: str | None) -> Answer:
        return self.find_head(etag)

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        return body["object"]["sha"]

    def awaits_more(self) -> bool:
        self.head = self.head or self.known_head
        return FigureReader.awaits_more(self)

    def history(self) -> Connection:
        return self.connection(CHECKS, "object", "history", head=self.head, of=self.of)

    def said(self, node: Node) -> Said | None:
        try:
            runs = [run for suite in node["checkSuites"]["nodes"] for run in suite["checkRuns"]["nodes"]]
        except TypeError:
            raise SourceError(f"{self.subject}: GitHub left out checks of commit {node['oid']}") from None
        ended = [run for run in runs if run["status"] == "COMPLETED" and run["conclusion"] not in _SILENT]
        if not ended:
            return None
        newest = max(ended, key=lambda run: run["completedAt"] or "")
        return Said(tuple(newest[text] for text in _TEXTS), newest["detailsUrl"])


_TEXTS = ("title", "summary", "text")

_SILENT = ("CANCELLED", "SKIPPED", "STALE")
"""Conclusions of a check that measured nothing."""
