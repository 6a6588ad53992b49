"""Deployments with their whole history of statuses, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from ..metrics.facts import Deployment
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch
from .contract import SourceError
from .github_client import Answer, GraphQLAnswer
from .github_cursor import SETTLES, Item, Progress, Seen, claimed, instant
from .github_facts import Node, deployment_fact
from .github_reader import TICK, Reader
from .github_refusals import Overloaded

DEPLOYMENT = """
fragment deployment on Deployment {
  id databaseId commitOid environment createdAt payload task
  ref { name }
  repository { nameWithOwner url }
  statuses(first: 20) { pageInfo { hasNextPage endCursor } nodes { state createdAt logUrl } }
}
"""

NEWEST = (
    """
query($owner: String!, $name: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    deployments(first: $first, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes { ...deployment }
    }
  }
}
"""
    + DEPLOYMENT
)

AGAIN = "query($ids: [ID!]!) { nodes(ids: $ids) { ...deployment } }" + DEPLOYMENT

STATUSES = """
query($id: ID!, $after: String) {
  node(id: $id) {
    ... on Deployment {
      statuses(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { state createdAt logUrl } }
    }
  }
}
"""

LOOK_BACK = timedelta(days=7)
"""How far behind the window a poll reads again: statuses come late."""

ABANDONED_AFTER = timedelta(days=30)
"""A deployment without a final status is asked again for as long."""


@dataclass(slots=True, kw_only=True)
class DeploymentReader(Reader):
    def read(self, window: TimeRange) -> Iterator[Batch]:
        if self.progress.is_beyond(window.end):
            yield from self._poll(window)
        else:
            yield from self._pages(window, window.start)

    def _poll(self, window: TimeRange) -> Iterator[Batch]:
        now = self.client.now()
        sweep = self.progress.sweep_is_due(now)
        answer, seen = self._look(window.start, sweep)
        asked = claimed(window, answer.sent)
        yield from self._ask_open_again()
        self.progress.forget_before(now - ABANDONED_AFTER)
        end = partial(Progress.finished, until=asked.end, swept=now if sweep else None, seen=seen)
        if answer.unchanged:
            self.progress, self.covered = end(self.progress), TimeRanges.of(asked)
            yield self.batch(())
            return
        yield from self._pages(asked, self._floor(window.start, sweep), end)

    def _floor(self, start: datetime, sweep: bool) -> datetime:
        if self.progress.until is None:
            return start
        return min(start - LOOK_BACK, self.progress.swept_back(ABANDONED_AFTER)) if sweep else start - LOOK_BACK

    def _look(self, start: datetime, sweep: bool) -> tuple[Answer, Seen | None]:
        """One conditional request on a fixed URL: whether the newest hundred deployments are as they were.

        The facts come from other machines of GitHub's, which may lag behind: its ETag counts only once what is new is
        over long enough.
        """
        mark = self.client.credential_mark()
        etag = None if sweep else self.progress.etag_for(mark, start)
        answer = self.client.get(f"/repos/{self.repository.name}/deployments", self.subject, {"per_page": 100}, etag)
        if answer.unchanged:
            return answer, self.progress.seen
        try:
            settled = all(instant(one["updated_at"]) < answer.sent - SETTLES for one in answer.body)
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{self.subject}: GitHub's answer lists no deployments ({error!r})") from None
        new = answer.headers.get("etag")
        return answer, Seen(mark, new, None) if new and settled else None

    def _pages(
        self, window: TimeRange, floor: datetime, end: Callable[[Progress], Progress] | None = None
    ) -> Iterator[Batch]:
        """From the newest down to `floor`; what fills a gap goes on where reading came to before.

        `end` makes the progress a poll ends with; filling a gap has none.
        """
        newest = self.connection(NEWEST, "deployments")
        page = newest.first(None if end else self.progress.start_below(window.end), "createdAt")
        upper: datetime | None = window.end
        while True:
            facts, problems = self._facts(page["nodes"])
            last = not page["pageInfo"]["hasNextPage"]
            lower = window.start if last else min((f.created_at for f in facts), default=window.end) + TICK
            # Behind a hole nothing is known of the time up to the next page's newest.
            upper = upper or max((f.created_at for f in facts), default=None)
            if not problems and upper is not None:
                self._cover(lower, upper, window)
            last = last or any(f.created_at < floor for f in facts)
            after: str | None = page["pageInfo"]["endCursor"]
            if not problems:
                self.progress.walk_on(after, lower - TICK if facts else None, max(lower, window.start))
            if last and end:
                self.progress = end(self.progress)
            # A poll remembers an ETag that stands for everything seen, so it hands over everything seen.
            yield self.batch([f for f in facts if end or f.created_at < window.end], problems=problems)
            if last:
                return
            upper = None if problems or upper is None else min(lower, upper)
            page = newest.page(after)

    def _cover(self, lower: datetime, upper: datetime, window: TimeRange) -> None:
        start, end = max(lower, window.start), min(upper, window.end)
        if start < end:
            self.covered |= TimeRanges.of(TimeRange(start, end))

    def _ask_open_again(self) -> Iterator[Batch]:
        ids = sorted(self.progress.open)
        for start in range(0, len(ids), 100):
            yield from self._again(ids[start : start + 100])

    def _again(self, ids: Sequence[str]) -> Iterator[Batch]:
        try:
            answer = self.client.graphql(AGAIN, {"ids": list(ids)}, self.subject)
        except Overloaded:
            if len(ids) == 1:
                raise
            yield from self._again(ids[: len(ids) // 2])
            yield from self._again(ids[len(ids) // 2 :])
            return
        nodes = answer.data.get("nodes") or []
        gone = [ids[i] for i in _missing_places(answer) if i < len(ids)]
        removed = tuple(self.progress.open.pop(node).key for node in gone)
        facts, problems = self._facts([node for node in nodes if node])
        yield self.batch(facts, removed=removed, problems=problems)

    def _facts(self, nodes: Sequence[Node | None]) -> tuple[list[Deployment], list[str]]:
        """What could be read, and in words what could not."""
        facts, problems = [], []
        for node in nodes:
            if node is None:
                problems.append(f"{self.subject}: GitHub left a deployment out of its answer")
                continue
            try:
                fact = deployment_fact(node, self._statuses(node), self.subject)
            except (KeyError, TypeError, ValueError) as error:
                problems.append(f"{self.subject}: deployment {node.get('id')} can't be read ({error!r})")
                continue
            facts.append(fact)
            self._note(node["id"], fact)
        return facts, problems

    def _statuses(self, node: Node) -> Sequence[Node]:
        self.hold_against(node["repository"]["nameWithOwner"])
        page = node["statuses"]
        statuses = list(page["nodes"])
        while page["pageInfo"]["hasNextPage"]:
            variables = {"id": node["id"], "after": page["pageInfo"]["endCursor"]}
            page = self.client.graphql(STATUSES, variables, self.subject).data["node"]["statuses"]
            statuses += page["nodes"]
        return statuses

    def _note(self, node: str, fact: Deployment) -> None:
        now = self.client.now()
        if fact.first_final is None and now - fact.created_at < ABANDONED_AFTER:
            self.progress.open[node] = Item(fact.key, fact.created_at)
        else:
            self.progress.open.pop(node, None)


def _missing_places(answer: GraphQLAnswer) -> list[int]:
    """Which of the asked nodes are gone. A null for another reason (limits of the query) says nothing of the kind."""
    paths = [error.get("path") or [] for error in answer.errors if error.get("type") == "NOT_FOUND"]
    return [path[1] for path in paths if len(path) == 2 and path[0] == "nodes"]
