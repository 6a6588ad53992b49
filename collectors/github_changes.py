"""Merged pull requests as changes, the last touched first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from ..metrics.facts import Change
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch
from .contract import SourceError
from .git_history import taken_back
from .github_client import Answer
from .github_cursor import SETTLES, Seen, Walked, claimed, instant
from .github_facts import Node
from .github_reader import TICK, Reader
from .github_refusals import LeftOut

MERGED = """
query($owner: String!, $name: String!, $base: String, $files: Boolean!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    pullRequests(
      states: [MERGED], baseRefName: $base, first: $first, after: $after
      orderBy: {field: UPDATED_AT, direction: DESC}
    ) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number title body createdAt updatedAt mergedAt baseRefName headRefName url
        mergeCommit { oid }
        author { __typename login }
        labels(first: 50) { nodes { name } }
        reviews(first: 20) { nodes { submittedAt author { __typename login } } pageInfo { hasNextPage endCursor } }
        commits(first: 1) { nodes { commit { authoredDate } } }
        files(first: 100) @include(if: $files) { nodes { path } pageInfo { hasNextPage endCursor } }
      }
    }
  }
}
"""
FILES = """
query($owner: String!, $name: String!, $number: Int!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    pullRequest(number: $number) {
      files(first: $first, after: $after) { nodes { path } pageInfo { hasNextPage endCursor } }
    }
  }
}
"""
REVIEWS = """
query($owner: String!, $name: String!, $number: Int!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    pullRequest(number: $number) {
      reviews(first: $first, after: $after) {
        nodes { submittedAt author { __typename login } } pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

LOOK_BACK = timedelta(days=1)
SWEPT = timedelta(days=30)
"""How far behind its window a poll reads again, and the daily sweep."""


@dataclass(slots=True, kw_only=True)
class ChangeReader(Reader):
    """A merge touches its pull request, so one not touched since an instant was not merged since then either.

    `branch` is the one merged into; None for all. `files` asks which files each touched. `holes` are times of which
    something can't be told; an item of which not even that is known `blocks` all that is not covered yet.
    """

    branch: str | None
    files: bool = False
    problems: list[str] = field(default_factory=list)
    holes: TimeRanges = field(default_factory=TimeRanges)
    blocked: bool = False

    def read(self, window: TimeRange) -> Iterator[Batch]:
        if self.progress.is_beyond(window.end):
            yield from self._poll(window)
            return
        asked = claimed(window, self.client.now())
        yield from self._pages(asked, window.start, only=window)
        yield self.batch((), problems=self.problems)

    def _poll(self, window: TimeRange) -> Iterator[Batch]:
        now = self.client.now()
        sweep = self.progress.sweep_is_due(now)
        answer, seen = self._look(window.start, sweep)
        asked = claimed(window, answer.sent)
        if answer.unchanged:
            self.covered = TimeRanges.of(asked)
        else:
            yield from self._pages(asked, self._floor(window.start, sweep))
        self.progress = self.progress.finished(until=asked.end, swept=now if sweep else None, seen=seen)
        yield self.batch((), problems=self.problems)

    def _floor(self, start: datetime, sweep: bool) -> datetime:
        if self.progress.until is None:
            return start
        floor = min(start, self.progress.until) - LOOK_BACK
        return min(floor, self.progress.swept_back(SWEPT)) if sweep else floor

    def _look(self, start: datetime, sweep: bool) -> tuple[Answer, Seen | None]:
        """One conditional request: whether the pull request touched last is the same as before.

        Another one touched in its second might stand behind it: its ETag counts only once that is long over.
        """
        mark = self.client.credential_mark()
        etag = None if sweep else self.progress.etag_for(mark, start)
        asked: dict[str, str | int] = {"state": "closed", "sort": "updated", "direction": "desc", "per_page": 1}
        answer = self.client.get(f"/repos/{self.repository.name}/pulls", self.subject, asked, etag)
        if answer.unchanged:
            return answer, self.progress.seen
        if not isinstance(answer.body, list):
            raise SourceError(f"{self.subject}: GitHub's answer lists no pull requests")
        new = answer.headers.get("etag")
        settled = all(instant(one["updated_at"]) < answer.sent - SETTLES for one in answer.body)
        return answer, Seen(mark, new, None) if new and settled else None

    def _pages(self, asked: TimeRange, floor: datetime, only: TimeRange | None = None) -> Iterator[Batch]:
        """Down to `floor`; the first page is covered at once, the others when all are there.

        A pull request touched while the pages are read moves to their front: the front is read again at the end.
        What fills a gap goes on where reading came to before: what was touched since is told by the polls, and
        what no poll has seen yet is read again too.
        """
        began = self.client.now() - SETTLES
        walked = self.progress.start_below(asked.end) if only else None
        if walked and self.progress.until is not None:
            began = min(began, self.progress.until)
        count = 0
        for page, touched, facts in self._down_to(floor, walked):
            count += 1
            if count == 1 and walked is None:
                self._cover(touched, asked)
            if not self.problems:
                self.progress.walk_on(page["pageInfo"]["endCursor"], touched, asked.end)
            yield self.batch([f for f in facts if only is None or f.merged_at < only.end])
        if count > 1 or walked:
            for _, _, facts in self._down_to(began):
                yield self.batch([f for f in facts if only is None or f.merged_at < only.end])
        if not self.blocked:
            self.covered = TimeRanges.of(asked) - self.holes

    def _cover(self, touched: datetime | None, asked: TimeRange) -> None:
        if touched is not None and not self.blocked and touched + TICK < asked.end:
            self.covered |= TimeRanges.of(TimeRange(max(asked.start, touched + TICK), asked.end)) - self.holes

    def _down_to(
        self, floor: datetime, walked: Walked | None = None
    ) -> Iterator[tuple[Mapping[str, Any], datetime | None, list[Change]]]:
        """Pages, each with the instant its oldest was touched and its facts."""
        merged = self.connection(MERGED, "pullRequests", base=self.branch, files=self.files)
        page = merged.first(walked, "updatedAt")
        while True:
            touched = min((instant(node["updatedAt"]) for node in page["nodes"] if node), default=None)
            yield page, touched, self._facts(page["nodes"])
            if not page["pageInfo"]["hasNextPage"] or (touched is not None and touched < floor):
                return
            page = merged.page(page["pageInfo"]["endCursor"])

    def _facts(self, nodes: Sequence[Node | None]) -> list[Change]:
        facts = []
        for node in nodes:
            if node is None:
                self.problems.append(f"{self.subject}: GitHub left a pull request out of its answer")
                self.blocked = True
                continue
            try:
                if node["mergeCommit"] is None:
                    self._leave_out(node, "is left out, GitHub knows no commit that it was merged as")
                    continue
                paths = self._paths(node) if self.files else None
                facts.append(change_fact(node, self.subject, self._first_review(node), paths))
            except (KeyError, TypeError, ValueError) as error:
                self._leave_out(node, f"can't be read ({error!r})")
        return facts

    def _leave_out(self, node: Node, why: str) -> None:
        self.problems.append(f"{self.subject}: pull request {node.get('number')} {why}")
        try:
            at = instant(node["mergedAt"])
        except (KeyError, TypeError, ValueError):
            self.blocked = True
        else:
            self.holes |= TimeRanges.of(TimeRange(at, at + TICK))

    def _first_review(self, node: Node) -> datetime | None:
        """When somebody else reviewed it first, page by page past the author's own reviews and those of bots."""
        author = (node.get("author") or {}).get("login")
        rest = self.connection(REVIEWS, "pullRequest", "reviews", number=node["number"])
        page: Mapping[str, Any] | None = node.get("reviews")
        while page is not None:
            found = [instant(one["submittedAt"]) for one in page["nodes"] if one and _is_anothers(one, author)]
            if found or not page["pageInfo"]["hasNextPage"]:
                return min(found, default=None)
            page = rest.page(page["pageInfo"]["endCursor"])
        return None

    def _paths(self, node: Node) -> tuple[str, ...] | None:
        """The files it touched, page by page where they are over 100; None where GitHub has no list of them."""
        rest = self.connection(FILES, "pullRequest", "files", number=node["number"])
        page: Mapping[str, Any] | None = node.get("files")
        try:
            if page is None or page["nodes"] is None or None in page["nodes"]:
                page = rest.page(None)
            paths = [one["path"] for one in page["nodes"]]
            while page["pageInfo"]["hasNextPage"]:
                page = rest.page(page["pageInfo"]["endCursor"])
                paths += [one["path"] for one in page["nodes"]]
        except LeftOut:
            return None
        return tuple(paths)


def change_fact(
    node: Node, subject: str, first_review_at: datetime | None, paths: tuple[str, ...] | None = None
) -> Change:
    """A merged pull request; whose it is and who reviewed it stays with GitHub."""
    author = node.get("author") or {}
    commits = (node.get("commits") or {}).get("nodes") or []
    return Change(
        key=str(node["number"]),
        subject=subject,
        commit=node["mergeCommit"]["oid"],
        merged_at=instant(node["mergedAt"]),
        opened_at=instant(node["createdAt"]),
        first_commit_at=instant(commits[0]["commit"]["authoredDate"]) if commits else None,
        first_review_at=first_review_at,
        title=node["title"],
        base=node["baseRefName"],
        head=node["headRefName"],
        labels=tuple(one["name"] for one in (node.get("labels") or {}).get("nodes") or ()),
        author_kind=_kind(author),
        reverts=taken_back(node.get("body") or ""),
        url=node["url"],
        paths=paths,
    )


def _is_anothers(review: Node, author: str | None) -> bool:
    """Whether it was submitted, by a person who is not the author; of accounts that are gone nothing is known."""
    reviewer = review.get("author") or {}
    own = author is not None and reviewer.get("login") == author
    return bool(review.get("submittedAt")) and _kind(reviewer) != "bot" and not own


def _kind(author: Mapping[str, Any]) -> Literal["person", "bot", "unknown"]:
    if not author:
        return "unknown"
    return "bot" if author["__typename"] == "Bot" or author["login"].endswith("[bot]") else "person"
