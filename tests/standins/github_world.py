"""The repositories a stand-in for GitHub tells of. Whole histories lie in it; `now` says how far they have come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from keyresults.metrics.facts import Deployment, Run

from .github_code import Code
from .github_issues import Issue
from .github_pulls import Pull
from .histories import known_by


@dataclass
class Repository:
    """`forks` are the ids of runs that came from a fork; `touched` moves a run's `updated_at` after its end.
    `listed` are ids of runs with the instants from which on lists show them, where that is later than they began.

    `workflows` are files of some that may have no runs. Nothing was ever pushed to an `empty` one."""

    name: str
    number: int = 1
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    forbidden: bool = False
    empty: bool = False
    topics: tuple[str, ...] = ()
    history: list[Deployment | Run] = field(default_factory=list)
    forks: set[str] = field(default_factory=set)
    touched: dict[str, datetime] = field(default_factory=dict)
    listed: dict[str, datetime] = field(default_factory=dict)
    workflows: frozenset[str] = frozenset()
    code: Code = field(default_factory=Code)
    pulls: list[Pull] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    labels: frozenset[str] = frozenset({"incident", "outage", "bug"})


@dataclass
class World:
    """`impostor` is a repository that answers in every other's place, once that has been looked up."""

    now: datetime
    repositories: list[Repository] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    impostor: str | None = None
    _known: dict[str, _Told] = field(default_factory=dict)

    def add(self, name: str, history: Iterable[Deployment | Run] = (), **traits: Any) -> Repository:
        repository = Repository(name, len(self.repositories) + 1, **traits)
        repository.history += history
        self.repositories.append(repository)
        return repository

    def find(self, name: str, *, renames: bool = True) -> Repository | None:
        wanted = self.renamed.get(name.lower(), name).lower() if renames else name.lower()
        return next((r for r in self.repositories if r.name.lower() == wanted), None)

    def numbered(self, number: int) -> Repository | None:
        return next((r for r in self.repositories if r.number == number), None)

    def deployments(self, repository: Repository) -> list[Deployment]:
        """Newest first."""
        return self._told(repository).deployments

    def attempts(self, repository: Repository, run: str) -> list[Run]:
        """Oldest first."""
        return self._told(repository).attempts.get(run, [])

    def latest_attempts(self, repository: Repository) -> list[Run]:
        """One for each run, newest run first."""
        return self._told(repository).latest

    def _told(self, repository: Repository) -> _Told:
        as_of = (len(repository.history), self.now)
        known = self._known.get(repository.name)
        if known is None or known.as_of != as_of:
            known = self._known[repository.name] = _Told.of(known_by(repository.history, self.now), as_of)
        return known


@dataclass
class _Told:
    """What of a history has happened, as lists show it."""

    as_of: object
    deployments: list[Deployment]
    attempts: dict[str, list[Run]]
    latest: list[Run]

    @classmethod
    def of(cls, known: Iterable[Deployment | Run], as_of: object) -> _Told:
        deployments: list[Deployment] = []
        attempts: dict[str, list[Run]] = {}
        for fact in known:
            if isinstance(fact, Deployment):
                deployments.append(fact)
            else:
                attempts.setdefault(fact.run, []).append(fact)
        deployments.sort(key=lambda d: (d.created_at, d.key), reverse=True)
        for some in attempts.values():
            some.sort(key=lambda run: run.attempt)
        latest = [some[-1] for some in attempts.values()]
        return cls(as_of, deployments, attempts, sorted(latest, key=lambda r: (r.created_at, int(r.run)), reverse=True))
