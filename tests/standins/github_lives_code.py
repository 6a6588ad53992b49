"""The lives of releases, of tags and of a branch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatch
from random import Random
from typing import ClassVar

from keyresults.metrics.facts import Deployment, Fact, StatusChange

from .github_code import Code, Commit, Release, Tag
from .github_life import DAY, SECOND, Life
from .github_payloads import WEB
from .github_world import Repository


class Releases(Life):
    kind = "deployments"
    query: ClassVar[Mapping[str, object]] = {"deployments": {"releases": True}}

    def add(self, chance: Random) -> None:
        number, at, draft = self.number(), self.lately(chance), chance.random() < 0.3
        for repository, beside in self.both():
            oid = f"{number + beside:040x}"
            repository.code.add(Commit(oid, at - DAY))
            repository.code.tags[f"v{number}"] = oid
            repository.code.releases.append(Release(number + beside, f"v{number}", at, None if draft else at))

    def late(self, chance: Random) -> None:
        """A draft is published, or something downloaded."""
        # Those behind the first page are found by the sweep alone.
        drafts = [one for one in self.repository.code.listed_releases(self.now)[:3] if one.published is None]
        if drafts:
            chance.choice(drafts).published = self.now
        elif self.repository.code.releases:
            chance.choice(self.repository.code.releases).downloads += 1

    def again(self, chance: Random) -> None:
        """The tag under a release is moved."""
        if self.repository.code.releases:
            oid = f"{self.number():040x}"
            self.repository.code.add(Commit(oid, self.now))
            self.repository.code.tags[chance.choice(self.repository.code.releases).tag] = oid

    def withdraw(self, chance: Random) -> None:
        if self.repository.code.releases:
            self.repository.code.releases.pop(chance.randrange(len(self.repository.code.releases)))

    def facts(self) -> list[Fact]:
        code, subject = self.repository.code, self.repository.name
        return [
            Deployment(
                key=str(one.number),
                subject=subject,
                environment="production",
                commit=code.tags[one.tag],
                created_at=one.published,
                statuses=(StatusChange("success", one.published),),
                ref=one.tag,
                origin="release",
                url=f"{WEB}/acme/payments/releases/tag/{one.tag}",
            )
            for one in code.releases
            if one.published is not None
        ]


class Tags(Life):
    kind = "deployments"
    query: ClassVar[Mapping[str, object]] = {"deployments": {"tags": "v*"}}

    def add(self, chance: Random) -> None:
        number, at = self.number(), self.lately(chance)
        dated = at - chance.choice((0, 0, 3600, 250_000)) * SECOND
        name = chance.choice(("v", "v", "v", "nightly-")) + str(number)
        annotated, leads_nowhere = chance.random() < 0.4, chance.random() < 0.1
        for repository, beside in self.both():
            oid, tag = f"{number + beside:040x}", f"a{number + beside:039x}"
            if not leads_nowhere:
                repository.code.add(Commit(oid, dated))
            if annotated:
                repository.code.add(Tag(tag, oid, at))
            repository.code.tags[name] = tag if annotated else oid

    def late(self, chance: Random) -> None:
        self.again(chance)

    def again(self, chance: Random) -> None:
        """A tag is moved."""
        if self.repository.code.tags:
            oid = f"{self.number():040x}"
            self.repository.code.add(Commit(oid, self.now - chance.choice((0, 7200, 400_000)) * SECOND))
            self.repository.code.tags[chance.choice(sorted(self.repository.code.tags))] = oid

    def withdraw(self, chance: Random) -> None:
        if self.repository.code.tags:
            del self.repository.code.tags[chance.choice(sorted(self.repository.code.tags))]

    def facts(self) -> list[Fact]:
        told: list[Fact] = []
        for name, oid in self.repository.code.tags.items():
            target = self.repository.code.objects.get(oid)
            made = target.made if isinstance(target, Tag) else None
            commit = self.repository.code.objects.get(target.target) if isinstance(target, Tag) else target
            if fnmatch(name, "v*") and isinstance(commit, Commit):
                told.append(_of_code(self.repository, name, commit.oid, made or commit.at, name, "tag"))
        return told


def _of_code(repository: Repository, key: str, commit: str, at: datetime, ref: str, origin: str) -> Deployment:
    return Deployment(
        key=key,
        subject=repository.name,
        environment="production",
        commit=commit,
        created_at=at,
        statuses=(StatusChange("success", at),),
        ref=ref,
        origin="tag" if origin == "tag" else "merge",
    )


class Merges(Life):
    kind = "deployments"
    query: ClassVar[Mapping[str, object]] = {"deployments": {"merges": "main"}}

    def add(self, chance: Random) -> None:
        at = self.lately(chance)
        for _ in range(chance.randint(1, 3)):
            self._push(chance, at - chance.choice((0, 0, 0, 3600, 400_000)) * SECOND)

    def _push(self, chance: Random, at: datetime) -> None:
        number, side = self.number(), chance.random() < 0.3
        for repository, beside in self.both():
            code, oid, topic = repository.code, f"{number + beside:040x}", f"b{number + beside:039x}"
            head = code.branches.get("main")
            parents = (head,) if head else ()
            if side and head:
                code.add(Commit(topic, at - DAY, parents))
                parents = (*parents, topic)
            code.add(Commit(oid, at, parents))
            code.branches["main"] = oid

    def late(self, chance: Random) -> None:
        """Another branch gets a commit."""
        oid = f"{self.number():040x}"
        self.repository.code.add(Commit(oid, self.now))
        self.repository.code.branches["topic"] = oid

    def again(self, chance: Random) -> None:
        """The newest commits are replaced by one."""
        self.withdraw(chance)
        oid, head = f"{self.number():040x}", self.repository.code.branches.get("main")
        self.repository.code.add(Commit(oid, self.now, (head,) if head else ()))
        self.repository.code.branches["main"] = oid

    def withdraw(self, chance: Random) -> None:
        own = line(self.repository.code)
        if len(own) > 1:
            self.repository.code.branches["main"] = own[chance.randint(1, min(3, len(own) - 1))].oid

    def facts(self) -> list[Fact]:
        return [_of_code(self.repository, c.oid, c.oid, c.at, "main", "merge") for c in line(self.repository.code)]


def line(code: Code) -> list[Commit]:
    """The commits of the main branch by their first parents, the newest first."""
    own: list[Commit] = []
    oid = code.branches.get("main")
    while oid is not None:
        commit = code.objects[oid]
        assert isinstance(commit, Commit)
        own.append(commit)
        oid = commit.parents[0] if commit.parents else None
    return own
