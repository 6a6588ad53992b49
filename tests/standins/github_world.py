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
    """`forks` are the ids of runs that came from a fork; `touched` moves a run's `updated_at` after its end."""

    name: str
    number: int = 1
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    forbidden: bool = False
    topics: tuple[str, ...] = ()
    history: list[Deployment | Run] = field(default_factory=list)
    forks: set[str] = field(default_factory=set)
    touched: dict[str, datetime] = field(default_factory=dict)
    code: Code = field(default_factory=Code)
    pulls: list[Pull] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


@dataclass
class World:
    """`impostor` is a repository that answers in every other's place, once that has been looked up."""

    now: datetime
    repositories: list[Repository] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    impostor: str | None = None
    _known: dict[str, tuple[object, list[Deployment | Run]]] = field(default_factory=dict)

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

    def known(self, repository: Repository) -> list[Deployment | Run]:
        as_of = (len(repository.history), self.now)
        known = self._known.get(repository.name)
        if known is None or known[0] != as_of:
            known = self._known[repository.name] = (as_of, known_by(repository.history, self.now))
        return known[1]

    def deployments(self, repository: Repository) -> list[Deployment]:
        """Newest first."""
        known = [fact for fact in self.known(repository) if isinstance(fact, Deployment)]
        return sorted(known, key=lambda d: (d.created_at, d.key), reverse=True)

    def attempts(self, repository: Repository, run: str) -> list[Run]:
        """Oldest first."""
        known = [f for f in self.known(repository) if isinstance(f, Run) and f.run == run]
        return sorted(known, key=lambda r: r.attempt)

    def latest_attempts(self, repository: Repository) -> list[Run]:
        """One for each run, newest run first."""
        latest: dict[str, Run] = {}
        for fact in self.known(repository):
            if isinstance(fact, Run) and (fact.run not in latest or latest[fact.run].attempt < fact.attempt):
                latest[fact.run] = fact
        return sorted(latest.values(), key=lambda r: (r.created_at, int(r.run)), reverse=True)
