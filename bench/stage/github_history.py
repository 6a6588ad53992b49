"""A made-up GitHub: what teams of one size do in some months, told evenly over their days."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from keyresults.metrics.facts import Change, Deployment, Run

from . import history

if TYPE_CHECKING:
    from standins.github_control import GitHubProcess

MONTH = timedelta(days=30)
DEPLOYMENTS, RUNS, CHANGES = 60, 1500, 80
"""Of a repository in a month."""

REPEATED = 500
"""Of so many runs one is run again: each costs a request of its own, which is counted apart."""


def fill(server: GitHubProcess, repositories: int, months: int, end: datetime) -> None:
    """Everything is over by `end`."""
    from standins.github_pulls import Pull

    start, last = end - months * MONTH, end - timedelta(hours=2)
    for number, name in enumerate(history.REPOSITORIES[:repositories]):
        facts: list[Deployment | Run] = [
            replace(one, key=str((number + 1) * 100_000 + int(one.key)))
            for one in history.deployments(name, DEPLOYMENTS * months, start, last)
        ]
        facts += history.runs(name, RUNS * months, start, last, again=REPEATED)
        pulls = [Pull(one, one.merged_at) for one in changes(name, CHANGES * months, start, last)]
        server.add(name, facts, pulls=pulls)


def changes(repository: str, n: int, start: datetime, end: datetime) -> list[Change]:
    chance = random.Random(f"changes of {repository}")
    return [_change(repository, key, at, chance) for key, at in enumerate(history.instants(n, start, end), 1)]


def _change(repository: str, key: int, at: datetime, chance: random.Random) -> Change:
    merged = at.replace(microsecond=0)
    opened = merged - timedelta(minutes=chance.randint(30, 4000))
    return Change(
        key=str(key),
        subject=repository,
        commit=f"{chance.getrandbits(160):040x}",
        merged_at=merged,
        opened_at=opened,
        first_commit_at=opened - timedelta(minutes=chance.randint(5, 900)),
        first_review_at=merged - timedelta(minutes=chance.randint(1, 25)),
        title=f"Change {key}",
        base="main",
        head=f"topic-{key}",
        labels=("feature",),
        author_kind="person",
        url=f"https://github.com/{repository}/pull/{key}",
    )
