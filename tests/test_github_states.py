"""Repositories that are renamed, archived, deleted, forbidden or empty: for every kind of stream a state of its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from random import Random

import pytest
from keyresults.collectors.contract import Unauthorized
from keyresults.collectors.github import GitHub
from keyresults.collectors.github_cursor import SETTLES
from keyresults.collectors.github_refusals import NotVisible
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins.github_life import Life
from standins.github_lives import LIVES
from standins.github_source import DAY, Make, a_maker, a_server, a_world  # noqa: F401 (fixtures)
from standins.github_world import World
from standins.keeping import Keeper

WORKFLOWS = frozenset({"ci.yml", "deploy.yml"})
EVERY = pytest.mark.parametrize("kind", sorted(LIVES))


def lives(world: World, kind: str) -> tuple[Life, Life]:
    """Two repositories, each with a few facts and another one behind it that makes up the numbers."""
    found = []
    for name in ("acme/payments", "acme/shop"):
        repository, beside = (world.add(each, workflows=WORKFLOWS) for each in (name, f"{name}-beside"))
        life = LIVES[kind](world, repository, beside, numbers=len(world.repositories) * 100)
        chance = Random(5)
        for _ in range(6):
            life.add(chance)
            world.now += timedelta(hours=5)
        found.append(life)
    return found[0], found[1]


def followed(collector: GitHub, life: Life, since: timedelta = 30 * DAY) -> Keeper:
    streams = collector.streams([(life.kind, dict(life.query))])
    stream = next(one for one in streams if one.subject == life.repository.name)
    keeper = Keeper(stream, life.now - since)
    keeper.collect(collector, life.now)
    return keeper


def facts(life: Life) -> Mapping[str, object]:
    return {fact.key: fact for fact in life.facts()}


BOTH = ("acme/payments", "acme/shop")


@EVERY
def test_a_deleted_repository_is_said_and_leaves_the_others_alone(world: World, make: Make, kind: str) -> None:
    gone, there = lives(world, kind)
    collector = make(repositories=BOTH)
    world.repositories.remove(gone.repository)
    with pytest.raises(NotVisible, match=r"acme/payments: not found, or the token may not see it"):
        followed(collector, gone)
    assert followed(collector, there).facts == facts(there)


@EVERY
def test_a_forbidden_repository_is_said_and_leaves_the_others_alone(world: World, make: Make, kind: str) -> None:
    closed, there = lives(world, kind)
    collector = make(repositories=BOTH)
    closed.repository.forbidden = True
    with pytest.raises(Unauthorized, match=r"acme/payments: forbidden to this token .403.: .*SAML") as refused:
        followed(collector, closed)
    assert not isinstance(refused.value, NotVisible)
    assert followed(collector, there).facts == facts(there)


@EVERY
def test_a_renamed_repository_is_read_on_under_its_old_name(
    world: World, make: Make, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    moved, _ = lives(world, kind)
    expected = facts(moved)
    keeper = followed(make(), moved)
    moved.repository.name = "acme/money"
    world.renamed["acme/payments"] = "acme/money"
    world.now += timedelta(hours=1)
    with caplog.at_level(logging.WARNING):
        keeper.collect(make(), world.now)
    assert {key: fact.subject for key, fact in keeper.facts.items()} == dict.fromkeys(expected, "acme/payments")
    assert "acme/payments is now called acme/money; the config should say so" in caplog.text
    assert keeper.covered == TimeRanges.of(TimeRange(keeper.since, world.now - SETTLES))


@EVERY
def test_the_past_of_an_archived_repository_is_read(world: World, make: Make, kind: str) -> None:
    old, _ = lives(world, kind)
    old.repository.archived = True
    assert followed(make(), old).facts == facts(old)


@EVERY
def test_an_empty_repository_has_nothing_and_all_its_time_is_covered(world: World, make: Make, kind: str) -> None:
    empty, there = lives(world, kind)
    repository = world.add("acme/new", workflows=WORKFLOWS, empty=True)
    new = LIVES[kind](world, repository, empty.other)
    collector = make(repositories=("acme/new", "acme/shop"))
    keeper = followed(collector, new)
    assert (keeper.facts, keeper.problems) == ({}, [])
    assert keeper.covered == TimeRanges.of(TimeRange(keeper.since, world.now - SETTLES))
    keeper.since -= DAY
    keeper.collect(collector, world.now)
    assert keeper.covered == TimeRanges.of(TimeRange(keeper.since, world.now - SETTLES)), "further back too"
    assert followed(collector, there).facts == facts(there)


@EVERY
def test_what_is_pushed_to_an_empty_repository_is_read_however_old_it_is(world: World, make: Make, kind: str) -> None:
    repository, beside = (world.add(name, workflows=WORKFLOWS) for name in ("acme/new", "acme/beside"))
    life = LIVES[kind](world, repository, beside)
    repository.empty = True
    keeper = followed(make(repositories=("acme/new",)), life)
    chance = Random(7)
    for _ in range(70):
        life.add(chance)
    repository.empty = False
    # Runs listed late behind the newest hundred wait for the daily sweep.
    world.now += DAY + timedelta(minutes=5) if "runs" in kind else timedelta(minutes=5)
    keeper.collect(make(repositories=("acme/new",)), world.now)
    assert {key: fact for key, fact in keeper.facts.items() if fact.at >= keeper.since} == facts(life)
