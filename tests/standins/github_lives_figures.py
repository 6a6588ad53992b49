"""The lives of figures that stand beside a branch's commits."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import ClassVar

from keyresults.metrics.facts import Fact, Sample

from .github_figures import Beside, Check, Status
from .github_life import LATE
from .github_lives_code import Merges, line

NAME = "codecov/project"


class StatusFigures(Merges):
    kind = "samples"
    query: ClassVar[Mapping[str, object]] = {"figures": {"status": NAME}}

    def add(self, chance: Random) -> None:
        Merges.add(self, chance)
        for repository, _ in self.both():
            if chance.random() < 0.7:
                found = self.awaited() if chance.random() < 0.1 else self.said(chance)
                repository.code.beside[repository.code.branches["main"]] = found

    def late(self, chance: Random) -> None:
        """A commit gets its figure, or another one."""
        young = [commit for commit in line(self.repository.code) if commit.at > self.now - LATE]
        if young:
            self.repository.code.beside[chance.choice(young).oid] = self.said(chance)

    def awaited(self) -> Beside:
        return Beside(statuses=[Status(NAME, "pending", None)])

    def said(self, chance: Random) -> Beside:
        return Beside(
            statuses=[Status("other", "success", "1%"), Status(NAME, "success", f"{chance.randint(1, 99)}.5% (+1%)")]
        )

    def figure(self, beside: Beside) -> str | None:
        return next((one.description for one in beside.statuses if one.context == NAME), None)

    def facts(self) -> list[Fact]:
        told: list[Fact] = []
        for commit in line(self.repository.code):
            figure = self.figure(self.repository.code.beside.get(commit.oid, Beside()))
            if figure is not None:
                told.append(
                    Sample(
                        key=commit.oid,
                        subject=self.repository.name,
                        at=commit.at,
                        value=float(figure.partition("%")[0]) / 100,
                        commit=commit.oid,
                        url=f"https://coverage.example.com/{commit.oid}",
                    )
                )
        return told


class CheckFigures(StatusFigures):
    query: ClassVar[Mapping[str, object]] = {"figures": {"check": NAME}}

    def awaited(self) -> Beside:
        return Beside(checks=[Check(NAME, None)])

    def said(self, chance: Random) -> Beside:
        return Beside(checks=[Check(NAME, "success", title=f"{chance.randint(1, 99)}.5%", at=self.now)])

    def figure(self, beside: Beside) -> str | None:
        return next((one.title for one in beside.checks if one.conclusion), None)
