"""The commits of a branch's own line as deployments."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from keyresults.collectors.contract import ConfigError, SourceError
from keyresults.collectors.github_cursor import SETTLES
from keyresults.metrics.facts import Deployment, StatusChange
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins import github_source
from standins.github import GitHubStandIn
from standins.github_code import Commit
from standins.github_source import DAY, PAYMENTS, Make, a_maker, a_repository, a_server, a_world  # noqa: F401 (fixtures)
from standins.github_world import Repository, World
from standins.histories import START
from standins.keeping import Keeper

HOUR = timedelta(hours=1)


def keeper(make: Make, branch: str = "main") -> Keeper:
    return github_source.keeper(make(), "deployments", START, deployments={"merges": branch})


def grow(repository: Repository, chance: random.Random, first: float, last: float, branch: str = "main") -> None:
    """A commit about every hour; half of them merge a side branch that left the line somewhere before."""
    code = repository.code
    hours = first
    while hours < last:
        head = code.branches.get(branch)
        parents = [head] if head else []
        if head and chance.random() < 0.5:
            base = chance.choice([head, *code.objects[head].parents[:1]])
            for _ in range(chance.randint(1, 3)):
                side = Commit(f"{chance.getrandbits(160):040x}", START + (hours - chance.random()) * HOUR, (base,))
                code.add(side)
                base = side.oid
            parents.append(base)
        one = Commit(f"{chance.getrandbits(160):040x}", START + hours * HOUR, tuple(parents))
        code.add(one)
        code.branches[branch] = one.oid
        # Now and then a commit is dated before its parent.
        hours += chance.uniform(-0.3, 1.5)


def told(repository: Repository, branch: str = "main") -> dict[str, Deployment]:
    found = {}
    oid = repository.code.branches[branch]
    while oid:
        commit = repository.code.objects[oid]
        found[oid] = Deployment(
            key=oid,
            subject=PAYMENTS,
            environment="production",
            commit=oid,
            created_at=commit.at.replace(microsecond=0),
            statuses=(StatusChange("success", commit.at.replace(microsecond=0)),),
            ref=branch,
            origin="merge",
        )
        oid = commit.parents[0] if commit.parents else ""
    return found


@pytest.mark.parametrize("seed", range(3))
def test_only_the_branchs_own_line_is_told_however_its_history_is_mixed(
    world: World, repository: Repository, make: Make, seed: int
) -> None:
    grow(repository, random.Random(seed), 1, 120)
    followed = keeper(make)
    followed.collect(make(), world.now)
    expected = told(repository)
    assert followed.facts == expected
    assert len(expected) < len(repository.code.objects)
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_a_commit_dated_long_before_its_parent_may_come_pages_after_it(
    world: World, repository: Repository, make: Make
) -> None:
    line = [Commit(f"{n:040x}", START + n * HOUR, (f"{n - 1:040x}",) if n > 2 else ()) for n in range(2, 101)]
    sides = [Commit(f"{n:040x}", START + n * HOUR, (f"{n - 1:040x}",)) for n in range(101, 161)]
    early = Commit("e" * 40, START + HOUR, (line[-1].oid,))
    merge = Commit("f" * 40, START + 161 * HOUR, (early.oid, sides[-1].oid))
    repository.code.add(*line, *sides, early, merge)
    repository.code.branches["main"] = merge.oid
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert set(followed.facts) == {one.oid for one in (*line, early, merge)}


@pytest.mark.parametrize("seed", range(3))
def test_following_a_branch_ends_with_all_of_it_whatever_crashes(
    world: World, repository: Repository, make: Make, seed: int
) -> None:
    chance = random.Random(seed)
    world.now, hours = START + 20 * HOUR, 1.0
    followed = keeper(make)
    for _ in range(12):
        now = (world.now - START) / HOUR
        grow(repository, chance, hours, now)
        hours = now
        followed.collect(make(), world.now, crashes=lambda: chance.random() < 0.2)
        world.now += chance.choice((2, 9, 30)) * HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told(repository)


def test_a_poll_without_news_is_one_free_request_and_one_with_news_reads_a_page(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    chance = random.Random(1)
    grow(repository, chance, 1, 200)
    memo: dict[str, str] = {}
    followed = keeper(make)
    followed.collect(make(memo), world.now)
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert server.counts() == {304: 2}
    grow(repository, chance, (world.now - START) / HOUR - 3, (world.now - START) / HOUR)
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert [asked.verb for asked in server.asked] == ["GET", "GET", "POST"]
    assert followed.facts == told(repository)


@pytest.mark.parametrize("back", [1, 40, None])
def test_commits_rewritten_away_are_withdrawn(
    world: World, repository: Repository, make: Make, back: int | None
) -> None:
    chance = random.Random(5)
    grow(repository, chance, 1, 100)
    followed = keeper(make)
    followed.collect(make(), world.now)
    line = list(told(repository))
    if back is None:
        del repository.code.branches["main"]
    else:
        repository.code.branches["main"] = line[back]
    grow(repository, chance, 101, 110)
    world.now += HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told(repository)


def test_a_branch_set_back_withdraws_what_lay_above(world: World, repository: Repository, make: Make) -> None:
    grow(repository, random.Random(6), 1, 30)
    followed = keeper(make)
    followed.collect(make(), world.now)
    repository.code.branches["main"] = list(told(repository))[7]
    world.now += HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told(repository)


def test_a_backfill_reads_older_commits_and_watches_them_too(world: World, repository: Repository, make: Make) -> None:
    chance = random.Random(7)
    grow(repository, chance, 1, 900)
    every = told(repository)
    followed = keeper(make)
    followed.since = START + 25 * DAY
    followed.collect(make(), world.now)
    assert followed.facts == {k: f for k, f in every.items() if f.created_at >= followed.since}
    followed.since = START
    followed.collect(make(), world.now)
    assert followed.facts == every
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
    del repository.code.branches["main"]
    grow(repository, chance, 901, 903)
    world.now += HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told(repository)


def test_trouble_in_the_middle_keeps_the_pages_that_came(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    grow(repository, random.Random(8), 1, 200)
    followed = keeper(make)
    server.plan = dict.fromkeys(range(5, 40), "502")
    with pytest.raises(SourceError):
        followed.collect(make(), world.now)
    assert followed.facts.items() < told(repository).items()
    assert followed.facts
    assert not followed.covered
    server.plan = {}
    followed.collect(make(), world.now)
    assert followed.facts == told(repository)


def test_a_branch_may_have_slashes_and_one_that_is_not_there_is_said(
    world: World, repository: Repository, make: Make
) -> None:
    grow(repository, random.Random(9), 1, 5, "release/1#0")
    followed = keeper(make, "release/1#0")
    followed.collect(make(), world.now)
    assert followed.facts == told(repository, "release/1#0")
    with pytest.raises(ConfigError, match="acme/payments has no branch 'release/1'"):
        keeper(make, "release/1").collect(make(), world.now)
