"""The lives of pull requests and of issues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import ClassVar

from keyresults.metrics.facts import Change, Fact, Incident

from .github_issues import Issue
from .github_life import DAY, Life
from .github_payloads import WEB
from .github_pulls import Pull
from .github_world import Repository


class Changes(Life):
    kind = "changes"
    query: ClassVar[Mapping[str, object]] = {}

    def add(self, chance: Random) -> None:
        at, number = self.lately(chance), self.number()
        base = chance.choice(("main", "main", "main", "other"))
        for repository, beside in self.both():
            repository.pulls.append(_pull(repository, number + beside, at, base))

    def late(self, chance: Random) -> None:
        """A label, or the first review."""
        if self.repository.pulls:
            one = chance.choice(self.repository.pulls)
            one.touched = self.now
            if one.told.first_review_at is None and chance.random() < 0.5:
                one.told = replace(one.told, first_review_at=self.now)
            else:
                one.told = replace(one.told, labels=(*one.told.labels, f"label {len(one.told.labels)}")[-3:])

    def again(self, chance: Random) -> None:
        """A word in its discussion, and nothing else."""
        if self.repository.pulls:
            chance.choice(self.repository.pulls).touched = self.now

    def withdraw(self, chance: Random) -> None:
        """What was merged stays merged."""

    def facts(self) -> list[Fact]:
        return [p.told for p in self.repository.pulls if p.told.merged_at <= self.now and p.told.base == "main"]


def _pull(repository: Repository, number: int, at: datetime, base: str) -> Pull:
    change = Change(
        key=str(number),
        subject=repository.name,
        commit=f"{number:040x}",
        merged_at=at,
        opened_at=at - 5 * DAY,
        first_commit_at=at - 6 * DAY,
        first_review_at=at - DAY if number % 3 else None,
        title=f"Change {number}",
        base=base,
        head="topic",
        author_kind="bot" if number % 4 == 0 else "person",
        url=f"{WEB}/{repository.name}/pull/{number}",
    )
    return Pull(change, at)


class Incidents(Life):
    kind = "incidents"
    query: ClassVar[Mapping[str, object]] = {"labels": ["incident", "outage"]}

    def add(self, chance: Random) -> None:
        at, number, is_pull = self.lately(chance), self.number(), chance.random() < 0.1
        labels = chance.choice((("incident",), ("Outage", "bug"), ("incident", "outage"), ("bug",)))
        for repository, beside in self.both():
            one = _incident(repository, number + beside, at, labels)
            repository.issues.append(Issue(one, at, is_pull=is_pull))

    def late(self, chance: Random) -> None:
        """One is closed, or opened again."""
        if self.repository.issues:
            one = chance.choice(self.repository.issues)
            one.touched = self.now
            one.told = replace(one.told, closed_at=None if one.told.closed_at else self.now)

    def again(self, chance: Random) -> None:
        """Its labels are others."""
        if self.repository.issues:
            one = chance.choice(self.repository.issues)
            one.touched = self.now
            one.told = replace(one.told, labels=chance.choice((("incident", "bug"), ("outage",), ("bug",), ())))

    def withdraw(self, chance: Random) -> None:
        if self.repository.issues:
            one = chance.choice(self.repository.issues)
            if chance.random() < 0.5:
                one.deleted = True
            else:
                one.moved_to = self.other.name

    def changed(self) -> None:
        """One that became none and is one again is shown anew."""
        there = {fact.key for fact in self.facts()}
        self.shown = {key: at for key, at in self.shown.items() if key in there}
        super().changed()

    def facts(self) -> list[Fact]:
        return [
            one.told
            for one in self.repository.issues
            if not (one.is_pull or one.deleted or one.moved_to)
            and {"incident", "outage"} & {label.lower() for label in one.told.labels}
        ]


def _incident(repository: Repository, number: int, at: datetime, labels: tuple[str, ...]) -> Incident:
    return Incident(
        key=str(number),
        subject=repository.name,
        opened_at=at,
        title=f"Trouble {number}",
        labels=labels,
        url=f"{WEB}/{repository.name}/issues/{number}",
    )
