"""What lies between two deployed commits: by a local clone where the config names one, else by GitHub's comparison."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..metrics.facts import Shipment, key_between
from ..metrics.stream import Batch
from .contract import CollectorError, ConfigError, SourceError, Unauthorized
from .git_clone import Clone
from .git_shipments import Pair, Relation, shipments
from .github_client import GitHubClient
from .github_refusals import NotVisible, Overloaded
from .github_repositories import Repository, look_up

TOGETHER = 100
"""Pairs that a clone is asked for before what it knew is handed over. GitHub's answers are, one by one."""

RELATIONS: Mapping[str, Relation] = {
    "ahead": "ahead",
    "behind": "behind",
    "diverged": "diverged",
    "identical": "identical",
}


@dataclass(slots=True, kw_only=True)
class ShipmentReader:
    """Of one repository's pairs. GitHub is asked for what a clone doesn't know, in the order given."""

    client: GitHubClient
    clone: Clone | None = None
    _answered: bool = False

    def read(self, pairs: Sequence[Pair]) -> Iterator[Batch]:
        left = (yield from self._from_clone(self.clone, pairs)) if self.clone is not None else pairs
        if left:
            yield from self._from_github(look_up(self.client, left[0][0]), left)

    def _from_clone(self, clone: Clone, pairs: Sequence[Pair]) -> Generator[Batch, None, Sequence[Pair]]:
        """Returns the pairs it doesn't know."""
        known: set[str] = set()
        try:
            for start in range(0, len(pairs), TOGETHER):
                found = tuple(shipments(clone, pairs[start : start + TOGETHER], self.client.context.clock()))
                known |= {one.key for one in found}
                yield Batch(facts=found)
        except CollectorError as error:
            yield Batch(problems=(f"{error}; GitHub is asked instead",))
        return [pair for pair in pairs if key_between(*pair[1:]) not in known]

    def _from_github(self, repository: Repository, pairs: Sequence[Pair]) -> Iterator[Batch]:
        too_much = 0
        for pair in pairs:
            try:
                yield Batch(facts=(self._compared(repository, pair),), requests=self.client.take_count())
                too_much = 0
            except Overloaded as error:
                # One comparison may be too much for GitHub; two in a row are GitHub's own trouble.
                too_much += 1
                yield Batch(requests=self.client.take_count(), problems=(f"{error}; asked again next time",))
                if too_much > 1:
                    raise

    def _compared(self, repository: Repository, pair: Pair) -> Shipment:
        subject, previous, commit = pair
        place = f"/repos/{repository.name}/compare/{quote(previous, safe='')}...{quote(commit, safe='')}"
        asked = _Comparison(self.client, place, f"{subject}: comparing {previous[:9]} with {commit[:9]}", previous)
        try:
            asked.read()
        except NotVisible:
            self._make_sure(repository, subject)
            # Rewritten away, or of another history: asking again won't tell more.
            return self._shipment(pair, None, None)
        except ConfigError:
            return self._shipment(pair, None, None)
        self._answered = True
        return self._shipment(pair, asked.relation, asked.commits if asked.is_whole else None)

    def _make_sure(self, repository: Repository, subject: str) -> None:
        """That it is the commit GitHub doesn't find: to a token that may not read the code it says no more than that.

        Raises:
            Unauthorized: where not even a branch can be compared with itself.
        """
        if self._answered:
            return
        branch = quote(repository.default_branch, safe="")
        try:
            self.client.get(f"/repos/{repository.name}/compare/{branch}...{branch}", subject)
        except NotVisible:
            raise Unauthorized(f"{subject}: commits can't be compared; the token may not read contents") from None
        self._answered = True

    def _shipment(self, pair: Pair, relation: Relation | None, commits: Sequence[str] | None) -> Shipment:
        subject, previous, commit = pair
        return Shipment(
            key=key_between(previous, commit),
            subject=subject,
            previous=previous,
            commit=commit,
            found_at=self.client.context.clock(),
            commits=tuple(commits or ()),
            method="merge-time" if commits is None else "compare",
            relation=relation,
        )


@dataclass(slots=True)
class _Comparison:
    """Without paging GitHub shows the newest 250 commits and how many there are; page by page it shows them all."""

    client: GitHubClient
    place: str
    about: str
    previous: str
    relation: Relation | None = None
    total: int = 0
    _commits: dict[str, None] = field(default_factory=dict)

    def read(self) -> None:
        self._take(self.client.get(self.place, self.about).body)
        if self.is_whole:
            return
        for answer in self.client.pages(self.place, self.about, {}):
            self._take(answer.body)
            if self.is_whole:
                return

    @property
    def is_whole(self) -> bool:
        return len(self._commits) >= self.total

    @property
    def commits(self) -> tuple[str, ...]:
        return tuple(self._commits)

    def _take(self, body: Any) -> None:  # noqa: ANN401 (JSON)
        try:
            base, status, total = body["base_commit"]["sha"], body["status"], int(body["total_commits"])
            ids = [one["sha"] for one in body["commits"]]
        except (KeyError, TypeError, ValueError):
            raise SourceError(f"{self.about}: GitHub's answer is no comparison") from None
        if not base.startswith(self.previous):
            raise SourceError(f"{self.about}: GitHub answered for {base[:9]}")
        self.relation, self.total = RELATIONS.get(status), total
        self._commits.update(dict.fromkeys(ids))
