"""What reading a GitHub costs: hardly more requests than its pages of facts, none twice, none in a hurry."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from keyresults.collectors.contract import Unlimited
from keyresults.metrics.facts import Change, Deployment, Run, StatusChange
from standins import github_source
from standins.github import GitHubStandIn
from standins.github_pulls import Pull
from standins.github_source import DAY, PAYMENTS, Make, keeper
from standins.github_world import Repository, World
from standins.histories import START

a_world, a_server, a_maker, a_repository = (
    github_source.a_world,
    github_source.a_server,
    github_source.a_maker,
    github_source.a_repository,
)

KINDS = ("deployments", "runs", "changes")
PAGES = {"deployments": 50, "runs": 100, "changes": 50}


def deployment(number: int) -> Deployment:
    at = START + number * timedelta(hours=3)
    ended = StatusChange("success", at + timedelta(minutes=5))
    return Deployment(
        key=str(number), subject=PAYMENTS, environment="production", commit=f"{number:040x}", created_at=at,
        statuses=(ended,), ref="main",
    )  # fmt: skip


def run(number: int, after: timedelta) -> Run:
    at = START + after
    return Run(
        key=f"{number}/1", subject=PAYMENTS, workflow="ci.yml", run=str(number), attempt=1, branch="main",
        commit=f"{number:040x}", created_at=at, started_at=at, completed_at=at + timedelta(minutes=9),
        conclusion="success", event="push",
    )  # fmt: skip


def pull(number: int) -> Pull:
    at = START + number * timedelta(hours=4)
    return Pull(
        Change(
            key=str(number), subject=PAYMENTS, commit=f"{number:040x}", merged_at=at, opened_at=at - DAY,
            first_commit_at=at - DAY, base="main", url="https://github.com/acme/payments/pull/1",
        ),
        at,
    )  # fmt: skip


def fill(repository: Repository, deployments: int, runs: int, changes: int) -> None:
    chance = random.Random(runs)
    repository.history += [deployment(n) for n in range(1, deployments + 1)]
    repository.history += [run(n, timedelta(seconds=chance.randint(0, 38 * 86400))) for n in range(1, runs + 1)]
    repository.pulls += [pull(n) for n in range(1, changes + 1)]


@pytest.mark.parametrize("counts", [(180, 4500, 240), (51, 1001, 50), (1, 99, 1)])
def test_a_collection_takes_a_request_for_each_page_and_one_probe_for_each_stream(
    world: World, server: GitHubStandIn, repository: Repository, make: Make, counts: tuple[int, int, int]
) -> None:
    fill(repository, *counts)
    followed = {kind: keeper(make(), kind, START) for kind in KINDS}
    collector = make()
    for one in followed.values():
        one.collect(collector, world.now)
    assert {kind: len(one.facts) for kind, one in followed.items()} == dict(zip(KINDS, counts, strict=True))
    least = sum(ceil(count / PAGES[kind]) + 1 for kind, count in zip(KINDS, counts, strict=True))
    # The repository is looked up once; changes are read again from the front, where they take several pages.
    assert len(server.asked) <= least + 2
    assert sum(one.path == f"/repos/{PAYMENTS}" for one in server.asked) == 1


@pytest.mark.parametrize("drift", [0.96, 1.04])
def test_a_total_that_drifts_takes_no_more_requests(
    world: World, server: GitHubStandIn, repository: Repository, make: Make, drift: float
) -> None:
    fill(repository, 0, 3000, 0)
    server.drift = drift
    followed = keeper(make(), "runs", START)
    followed.collect(make(), world.now)
    assert len(followed.facts) == 3000
    assert Counter(one.path.rpartition("/")[2] for one in server.asked)["runs"] <= 30 + 2


def test_nothing_is_spent_while_nothing_is_new(
    world: World, server: GitHubStandIn, repository: Repository, make: Make
) -> None:
    fill(repository, 60, 300, 80)
    memo: dict[str, str] = {}
    followed = {kind: keeper(make(memo), kind, START) for kind in KINDS}
    for one in followed.values():
        one.collect(make(memo), world.now)
    world.now += timedelta(minutes=15)
    server.forget()
    spent = server.quota.used.total()
    collector = make(memo)
    for one in followed.values():
        one.collect(collector, world.now)
    assert server.counts() == {304: 4}, "three probes, and the repository once"
    assert server.quota.used.total() == spent


class Paced(Unlimited):
    """Notes the pace that each request is put to."""

    def __init__(self) -> None:
        self.paces: list[int | None] = []

    def spend(self, resource: str, requests: int = 1, *, per_minute: int | None = None) -> float:
        self.paces.append(per_minute)
        return 0.0


@pytest.mark.parametrize("silent", [False, True])
def test_only_a_server_that_limits_is_paced(
    world: World, server: GitHubStandIn, repository: Repository, make: Make, silent: bool
) -> None:
    fill(repository, 60, 0, 0)
    server.quota.silent = silent
    budget = Paced()
    budgets: Any = lambda credential: budget  # noqa: E731 (a budget for whoever asks)
    keeper(make(), "deployments", START).collect(make(budgets=budgets), world.now)
    first, *later = budget.paces
    assert first == 900, "nothing is known of it yet"
    assert later
    assert (None in later) == silent
    assert set(later) == ({None} if silent else {900, 2000})
