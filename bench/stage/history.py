"""A made-up history: repositories that deploy and run CI at an even pace, sometimes going back a version."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from keyresults.metrics.facts import Deployment, Run, StatusChange

REPOSITORIES = tuple(f"acme/r{n:02}" for n in range(50))


AGAIN = 20
"""Of so many runs one is run again."""


def instants(n: int, start: datetime, end: datetime) -> Iterator[datetime]:
    step = (end - start) / n
    return (start + i * step for i in range(n))


def deployments(repository: str, n: int, start: datetime, end: datetime) -> list[Deployment]:
    """A twentieth goes back to the version before, a twentieth fails."""
    chance = random.Random(repository)
    versions = ["0" * 40]
    return [_deployment(repository, i, at, versions, chance) for i, at in enumerate(instants(n, start, end))]


def _deployment(repository: str, i: int, at: datetime, versions: list[str], chance: random.Random) -> Deployment:
    what = chance.random()
    if what < 0.05 and len(versions) > 2:
        versions.pop()
    else:
        versions.append(f"{chance.getrandbits(160):040x}")
    started = at + timedelta(seconds=chance.randint(1, 60))
    ended = started + timedelta(seconds=chance.randint(60, 1200))
    final = "failure" if 0.05 <= what < 0.1 else "success"
    commit = versions[-1]
    if final == "failure":
        versions.pop()
    return Deployment(
        key=f"{i}",
        subject=repository,
        environment="production",
        commit=commit,
        created_at=at,
        statuses=(StatusChange("in_progress", started), StatusChange(final, ended)),
        ref="main",
        url=f"https://github.com/{repository}/deployments/{i}",
    )


def runs(repository: str, n: int, start: datetime, end: datetime, again: int = AGAIN) -> list[Run]:
    """About `n` attempts: a tenth fails, and of each `again` runs one is run again."""
    chance = random.Random(repository)
    first_attempts = n * again // (again + 1)
    return [
        run
        for i, at in enumerate(instants(first_attempts, start, end))
        for run in _attempts(repository, i, at, i % again == 0, chance)
    ]


def _attempts(repository: str, i: int, at: datetime, repeated: bool, chance: random.Random) -> Iterator[Run]:
    commit, began = f"{chance.getrandbits(160):040x}", at
    for attempt in (1, 2) if repeated else (1,):
        ended = began + timedelta(seconds=chance.randint(60, 1800))
        failed = chance.random() < 0.1 or (repeated and attempt == 1)
        yield Run(
            key=f"{i}/{attempt}",
            subject=repository,
            workflow="ci.yml",
            run=str(i),
            attempt=attempt,
            branch="main",
            commit=commit,
            created_at=at,
            started_at=began,
            completed_at=ended,
            conclusion="failure" if failed else "success",
            event="push",
            url=f"https://github.com/{repository}/actions/runs/{i}/attempts/{attempt}",
        )
        began = ended + timedelta(seconds=30)
