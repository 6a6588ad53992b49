"""Lists of GitHub's GraphQL below a repository, page by page, in sizes it manages to answer whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .contract import SourceError
from .github_client import GitHubClient, GraphQLAnswer
from .github_cursor import Walked, instant
from .github_facts import Node
from .github_refusals import LeftOut, NotVisible, Overloaded
from .github_repositories import Repository

PAGE_SIZES = (50, 20, 5, 1)
"""A page GitHub can't answer whole is asked for in smaller ones."""


class CursorRefused(SourceError):
    """The cursor to go on behind is none of this list, or none any more."""


@dataclass(slots=True, kw_only=True)
class Connection:
    """`path` leads from the repository to the list; `query` takes `$owner`, `$name`, `$first` and `$after`.

    `hold_against` is told the repository's full name, where the query asks for it.

    Raises:
        NotVisible: where the repository is gone.
        CursorRefused: where the cursor leads nowhere.
        Overloaded: where GitHub leaves the list out, or can't answer even one item.
    """

    client: GitHubClient
    repository: Repository
    subject: str
    query: str
    path: tuple[str, ...]
    hold_against: Callable[[str], None]
    variables: Mapping[str, object] = field(default_factory=dict)
    _size: int = field(default_factory=lambda: PAGE_SIZES[0])

    def pages(self) -> Iterator[Sequence[Node]]:
        """All of the list; a hole in it raises."""
        after: str | None = None
        while True:
            page = self.page(after)
            if None in page["nodes"]:
                raise Overloaded(f"{self.subject}: GitHub left one of the {self.path[-1]} out of its answer")
            yield page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def first(self, walked: Walked | None, told_at: str) -> Mapping[str, Any]:
        """The page behind a place kept earlier; the front one where the cursor leads there no more.

        `told_at` names the field by which the list is ordered, newest first.
        """
        if walked is None:
            return self.page(None)
        try:
            page = self.page(walked.after)
        except CursorRefused:
            return self.page(None)
        behind = all(instant(node[told_at]) <= walked.reached for node in page["nodes"] if node)
        return page if behind else self.page(None)

    def page(self, after: str | None) -> Mapping[str, Any]:
        """The page behind a cursor; a hole in a page of one is left to the caller."""
        while True:
            try:
                page, whole = self._ask(after)
                if whole:
                    return page
                if self._size == PAGE_SIZES[-1]:
                    return {**page, "nodes": [None] * len(page["nodes"])}
            except Overloaded:
                if self._size == PAGE_SIZES[-1]:
                    raise
            self._size = PAGE_SIZES[PAGE_SIZES.index(self._size) + 1]

    def _ask(self, after: str | None) -> tuple[Mapping[str, Any], bool]:
        """A page, and whether all of it is there."""
        owner, _, name = self.repository.name.partition("/")
        variables = {**self.variables, "owner": owner, "name": name, "first": self._size, "after": after}
        answer = self.client.graphql(self.query, variables, self.subject)
        found: Any = answer.data.get("repository")
        if found is None and _is_missing(answer):
            raise NotVisible(f"{self.subject}: not found, or the token may not see it")
        if found and "nameWithOwner" in found:
            self.hold_against(found["nameWithOwner"])
        for step in self.path:
            found = found.get(step) if found else None
        if after is not None and any(error.get("type") == "INVALID_CURSOR_ARGUMENTS" for error in answer.errors):
            raise CursorRefused(f"{self.subject}: GitHub knows the place in the {self.path[-1]} no more")
        if not found or found.get("nodes") is None:
            said = f"{self.subject}: GitHub left out the {self.path[-1]} ({_said(answer)})"
            raise Overloaded(said) if answer.errors else LeftOut(said)
        page: Mapping[str, Any] = found
        return page, None not in page["nodes"] and not _is_too_much(answer)


def _is_missing(answer: GraphQLAnswer) -> bool:
    return any(error.get("type") == "NOT_FOUND" for error in answer.errors)


def _is_too_much(answer: GraphQLAnswer) -> bool:
    """Whether limits left anything out, be it deep inside an item."""
    return any(str(error.get("type")).startswith("RESOURCE_LIMIT") for error in answer.errors)


def _said(answer: GraphQLAnswer) -> str:
    return "; ".join(str(error.get("message", "")) for error in answer.errors)[:200] or "no reason given"
