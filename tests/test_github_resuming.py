"""Older facts read in pieces: what one piece has read, the next one doesn't ask for again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from keyresults.collectors import github_client
from keyresults.metrics.facts import Change, Deployment, StatusChange
from standins.github import GitHubStandIn
from standins.github_pulls import Pull
from standins.github_source import (  # noqa: F401 (fixtures)
    DAY,
    PAYMENTS,
    Make,
    a_maker,
    a_repository,
    a_server,
    a_world,
    keeper,
)
from standins.github_world import Repository, World
from standins.histories import START

HOUR = timedelta(hours=1)
COUNT = 400
PAGE = 50


@pytest.fixture(autouse=True)
def _at_any_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_client, "PER_MINUTE", {})


def deployed(number: int) -> Deployment:
    at = START + number * 2 * HOUR
    statuses = (StatusChange("in_progress", at), StatusChange("success", at + HOUR))
    return Deployment(
        key=str(number), subject=PAYMENTS, environment="production", commit=f"{number:040x}", created_at=at,
        statuses=statuses,
    )  # fmt: skip


def merged(number: int) -> Pull:
    at = START + number * 2 * HOUR
    change = Change(
        key=str(number), subject=PAYMENTS, commit=f"{number:040x}", merged_at=at, opened_at=at - HOUR,
        first_commit_at=at - 2 * HOUR, base="main", head="topic", url=f"https://github.com/{PAYMENTS}/pull/{number}",
    )  # fmt: skip
    return Pull(change, at)


@pytest.fixture
def filled(repository: Repository) -> Repository:
    repository.history += [deployed(n) for n in range(1, COUNT + 1)]
    repository.pulls += [merged(n) for n in range(1, COUNT + 1)]
    return repository


def after(batches: int) -> Callable[[], bool]:
    """Crashes behind as many batches."""
    left = [batches]

    def crashes() -> bool:
        left[0] -= 1
        return left[0] == 0

    return crashes


def pages(server: GitHubStandIn) -> list[object]:
    """The places behind which a page was asked for."""
    return [one.body["variables"].get("after") for one in server.asked if one.path == "/graphql"]


@pytest.mark.parametrize("kind", ["deployments", "changes"])
def test_a_first_reading_that_is_killed_again_and_again_asks_for_each_page_once(
    world: World, server: GitHubStandIn, make: Make, filled: Repository, kind: str
) -> None:
    kept = keeper(make(), kind, START)
    for _ in range(20):
        if kept.collect(make(), world.now, crashes=after(4), oldest_gap_first=False):
            break
    assert kept.covered.start == START
    assert len(kept.facts) == COUNT
    # The front page is where polls begin, and pages moved while they were read are looked for there.
    behind = [place for place in pages(server) if place is not None]
    assert len(behind) == len(set(behind))
    # Killed behind the last page, it looks once whether there is another.
    assert COUNT / PAGE - 1 <= len(behind) <= COUNT / PAGE


@pytest.mark.parametrize("kind", ["deployments", "changes"])
def test_a_backfill_goes_on_below_what_is_there(
    world: World, server: GitHubStandIn, make: Make, filled: Repository, kind: str
) -> None:
    kept = keeper(make(), kind, START + 20 * DAY)
    kept.collect(make(), world.now)
    server.forget()
    kept.since = START
    assert kept.collect(make(), world.now, oldest_gap_first=False)
    missing = sum(1 for n in range(1, COUNT + 1) if START + n * 2 * HOUR < START + 20 * DAY)
    assert len(kept.facts) == COUNT
    assert len([place for place in pages(server) if place is not None]) <= math.ceil(missing / PAGE)


@pytest.mark.parametrize("kind", ["deployments", "changes"])
@pytest.mark.parametrize("spoilt", ["no cursor", "cursor of the front"])
def test_where_the_place_is_lost_it_reads_from_the_front(
    world: World, server: GitHubStandIn, make: Make, filled: Repository, kind: str, spoilt: str
) -> None:
    kept = keeper(make(), kind, START + 20 * DAY)
    kept.collect(make(), world.now)
    written = json.loads(json.dumps(kept.cursor))
    front = f"cursor {'DE' if kind == 'deployments' else 'PR'}_{COUNT}"
    written["walked"]["after"] = front if spoilt == "cursor of the front" else "gone"
    kept.cursor, kept.since = written, START
    assert kept.collect(make(), world.now, oldest_gap_first=False)
    assert set(kept.facts) == {str(n) for n in range(1, COUNT + 1)}
    assert kept.covered.start == START


def test_a_change_touched_between_two_pieces_is_not_lost(
    world: World, server: GitHubStandIn, make: Make, filled: Repository
) -> None:
    kept = keeper(make(), "changes", START)
    assert not kept.collect(make(), world.now, crashes=after(3), oldest_gap_first=False)
    world.now += 3 * HOUR
    old = filled.pulls[10]
    filled.pulls[10] = replace(old, told=replace(old.told, title="Named anew"), touched=world.now - HOUR)
    assert kept.collect(make(), world.now, oldest_gap_first=False)
    assert len(kept.facts) == COUNT
    told = kept.facts[old.told.key]
    assert isinstance(told, Change)
    assert told.title == "Named anew"
