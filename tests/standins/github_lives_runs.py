"""The lives of deployments and of workflow runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import ClassVar

from keyresults.metrics.facts import Deployment, Fact, Run, StatusChange

from .github_life import LATE, SECOND, Life
from .github_payloads import WEB
from .github_world import Repository
from .histories import known_by

FEW = 8
"""A second has no more runs than this, where lists are cut off behind nine: all of them can be read."""


class Deployments(Life):
    kind = "deployments"
    query: ClassVar[Mapping[str, object]] = {}

    def add(self, chance: Random) -> None:
        number, at = self.number(), self.lately(chance)
        states = chance.choice(
            [(), ("queued",), ("in_progress",), ("in_progress", "success"), ("queued", "in_progress", "failure")]
        )
        if chance.random() < 0.05:
            states = ("queued",) * 24 + ("in_progress",)
        step = chance.choice((1, 40, 86_000))
        history = tuple(StatusChange(state, at + (n + 1) * step * SECOND) for n, state in enumerate(states))
        environment = chance.choice(("production", "staging"))
        for repository, beside in self.both():
            repository.history.append(_deployment(repository, number + beside, at, environment, history))

    def late(self, chance: Random) -> None:
        goes_on = [
            n
            for n, one in enumerate(self.repository.history)
            if isinstance(one, Deployment)
            and one.created_at > self.now - LATE
            and all(status.at < self.now for status in one.statuses)
        ]
        if not goes_on:
            return
        place = chance.choice(goes_on)
        one = self.repository.history[place]
        assert isinstance(one, Deployment)
        states = ("inactive", "failure") if one.first_final else ("in_progress", "success", "success", "error")
        said = StatusChange(chance.choice(states), self.now)
        self.repository.history[place] = replace(one, statuses=(*one.statuses, said))

    def again(self, chance: Random) -> None:
        self.late(chance)

    def withdraw(self, chance: Random) -> None:
        if self.repository.history:
            gone = self.repository.history.pop(chance.randrange(len(self.repository.history)))
            self.cleared.add(gone.key)

    def facts(self) -> list[Fact]:
        return [one for one in known_by(self.repository.history, self.now) if isinstance(one, Deployment)]


def _deployment(
    repository: Repository, number: int, at: datetime, environment: str, history: tuple[StatusChange, ...]
) -> Deployment:
    return Deployment(
        key=str(number),
        subject=repository.name,
        environment=environment,
        commit=f"{number:040x}",
        created_at=at,
        statuses=history,
        ref="main",
        url=f"{WEB}/{repository.name}/deployments/{environment}",
    )


class Runs(Life):
    kind = "runs"
    query: ClassVar[Mapping[str, object]] = {"branch": "*"}

    def add(self, chance: Random) -> None:
        """One run, some listed minutes late; or as many within few seconds as lists are cut off behind."""
        at = self.lately(chance)
        self._begin(chance, at, late=True)
        if chance.random() < 0.07:
            for _ in range(chance.randint(6, 19)):
                self._begin(chance, at - chance.choice((0, 0, 1, 1, 60)) * SECOND)

    def _begin(self, chance: Random, at: datetime, *, late: bool = False) -> None:
        while sum(one.created_at == at for one in self._latest()) >= FEW:
            at -= SECOND
        lasts = chance.choice((None, 20, 600, 25_000, 400_000))
        workflow, branch = chance.choice(("ci.yml", "deploy.yml")), chance.choice(("main", "main", "feature"))
        conclusion = chance.choice(("success", "failure", "cancelled"))
        number, forked = self.number(), chance.random() < 0.2
        lag = chance.choice((0, 0, 0, 90, 300, 1500)) if late else 0
        for repository, beside in self.both():
            run = _run(repository, number + beside, 1, at, at, workflow, branch)
            repository.history.append(_ended(run, conclusion, at + lasts * SECOND) if lasts else run)
            if forked:
                repository.forks.add(run.run)
            if lag:
                repository.listed[run.run] = self.now + lag * SECOND

    def late(self, chance: Random) -> None:
        running = [one for one in self._latest() if one.conclusion is None and one.created_at > self.now - LATE]
        if running:
            one = chance.choice(running)
            ended = _ended(one, chance.choice(("success", "failure")), max(self.now, (one.started_at or self.now)))
            self.repository.history[self.repository.history.index(one)] = ended

    def again(self, chance: Random) -> None:
        ended = [
            one
            for one in self._latest()
            if one.completed_at and one.completed_at < self.now and one.created_at > self.now - LATE
        ]
        if ended:
            one = chance.choice(ended)
            lasts = chance.choice((None, 30, 30_000))
            for repository, beside in self.both():
                number, attempt = int(one.run) + beside, one.attempt + 1
                run = _run(repository, number, attempt, one.created_at, self.now, one.workflow, one.branch)
                repository.history.append(_ended(run, "success", self.now + lasts * SECOND) if lasts else run)

    def withdraw(self, chance: Random) -> None:
        latest = self._latest()
        if latest:
            gone = chance.choice(latest).run
            mine = [one for one in self.repository.history if isinstance(one, Run) and one.run == gone]
            self.repository.history = [one for one in self.repository.history if one not in mine]
            self.cleared |= {one.key for one in mine}

    def _latest(self) -> list[Run]:
        latest: dict[str, Run] = {}
        for one in self.repository.history:
            if isinstance(one, Run) and (one.run not in latest or latest[one.run].attempt < one.attempt):
                latest[one.run] = one
        return list(latest.values())

    def facts(self) -> list[Fact]:
        return [one for one in known_by(self.repository.history, self.now) if isinstance(one, Run)]

    def listed(self, fact: Fact) -> datetime:
        return self.repository.listed.get(fact.key.partition("/")[0], fact.at)


def _run(
    repository: Repository, number: int, attempt: int, created: datetime, started: datetime, workflow: str, branch: str
) -> Run:
    return Run(
        key=f"{number}/{attempt}",
        subject=repository.name,
        workflow=workflow,
        run=str(number),
        attempt=attempt,
        branch=branch,
        commit=f"{number:040x}",
        created_at=created,
        started_at=started,
        event="push",
        url=f"{WEB}/{repository.name}/actions/runs/{number}/attempts/{attempt}",
    )


def _ended(run: Run, conclusion: str, at: datetime) -> Run:
    """GitHub's own end is an estimate, except for long ones, whose jobs are asked."""
    assert run.started_at
    return replace(run, conclusion=conclusion, completed_at=at, end_estimated=at - run.started_at <= timedelta(hours=6))


class RunsOfOneWorkflow(Runs):
    query: ClassVar[Mapping[str, object]] = {"workflow": "ci.yml", "branch": "main"}

    def facts(self) -> list[Fact]:
        return [
            one
            for one in super().facts()
            if isinstance(one, Run)
            and (one.workflow, one.branch) == ("ci.yml", "main")
            and one.run not in self.repository.forks
        ]


class WorkflowDeployments(Runs):
    kind = "deployments"
    query: ClassVar[Mapping[str, object]] = {"deployments": {"workflow": "deploy.yml", "branch": "*"}}

    def facts(self) -> list[Fact]:
        return [_deployed(one) for one in super().facts() if isinstance(one, Run) and one.workflow == "deploy.yml"]


def _deployed(run: Run) -> Deployment:
    assert run.started_at
    said = [StatusChange("in_progress", run.started_at)]
    if run.completed_at and run.conclusion in ("success", "failure"):
        said.append(StatusChange(run.conclusion, run.completed_at))
    return Deployment(
        key=run.key,
        subject=run.subject,
        environment="production",
        commit=run.commit,
        created_at=run.created_at,
        statuses=tuple(said),
        ref=run.branch,
        run=run.key,
        origin="workflow",
        workflow=run.workflow,
        url=run.url,
    )
