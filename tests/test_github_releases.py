"""Published releases as deployments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from keyresults.collectors.contract import SourceError
from keyresults.collectors.github_cursor import SETTLES
from keyresults.metrics.facts import Deployment, StatusChange
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins import github_source
from standins.github import GitHubStandIn
from standins.github_code import Commit, Release
from standins.github_source import DAY, PAYMENTS, Make, a_maker, a_repository, a_server, a_world  # noqa: F401 (fixtures)
from standins.github_world import Repository, World
from standins.histories import START
from standins.keeping import Keeper

HOUR = timedelta(hours=1)


def keeper(make: Make) -> Keeper:
    return github_source.keeper(make(), "deployments", START, deployments={"releases": True})


def release(repository: Repository, number: int, hours: float, *, published: float | None = None) -> Release:
    """A release drafted `hours` after the start and published by then, or `published` hours after it."""
    oid = f"{number:040x}"
    created = START + hours * HOUR
    repository.code.add(Commit(oid, created))
    repository.code.tags[f"v{number}"] = oid
    one = Release(number, f"v{number}", created, START + published * HOUR if published is not None else created)
    repository.code.releases.append(one)
    return one


def told(repository: Repository, world: World) -> dict[str, Deployment]:
    return {
        str(one.number): Deployment(
            key=str(one.number),
            subject=PAYMENTS,
            environment="production",
            commit=repository.code.tags[one.tag],
            created_at=one.published,
            statuses=(StatusChange("success", one.published),),
            ref=one.tag,
            origin="release",
            url=f"https://github.com/acme/payments/releases/tag/{one.tag}",
        )
        for one in repository.code.releases
        if one.published is not None and one.published <= world.now
    }


def test_releases_of_many_pages_are_all_told(world: World, repository: Repository, make: Make) -> None:
    for number in range(1, 131):
        release(repository, number, number)
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert followed.facts == told(repository, world)
    assert len(followed.facts) == 130
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_new_drafts_hide_no_release_that_was_published_behind_them(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    server.largest_page = 3
    late = release(repository, 1, 1, published=1000)
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert not followed.facts
    late.published = world.now + HOUR
    world.now += 2 * HOUR
    for number in (2, 3, 4):
        hours = (world.now - START) / HOUR - number / 100
        release(repository, number, hours, published=5000)
    followed.collect(make(), world.now)
    assert list(followed.facts) == ["1"]
    assert followed.facts == told(repository, world)


def test_a_poll_without_news_is_one_free_request(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    release(repository, 1, 1)
    memo: dict[str, str] = {}
    followed = keeper(make)
    followed.collect(make(memo), world.now)
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert server.counts() == {304: 2}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_downloads_of_a_release_are_no_news(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    one = release(repository, 1, 1)
    memo: dict[str, str] = {}
    followed = keeper(make)
    followed.collect(make(memo), world.now)
    one.downloads += 1
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert [(asked.verb, asked.status) for asked in server.asked] == [("GET", 304), ("GET", 200)]


def test_a_draft_counts_from_its_late_publication_on(world: World, repository: Repository, make: Make) -> None:
    world.now = START + 10 * HOUR
    release(repository, 1, 2, published=30)
    for number in range(2, 70):
        release(repository, number, 3)
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert "1" not in followed.facts
    world.now = START + 31 * HOUR
    followed.collect(make(), world.now)
    assert followed.facts["1"].created_at == START + 30 * HOUR
    assert followed.facts == told(repository, world)


def test_a_deleted_release_is_withdrawn(world: World, repository: Repository, make: Make) -> None:
    for number in range(1, 4):
        release(repository, number, number)
    followed = keeper(make)
    followed.collect(make(), world.now)
    del repository.code.releases[1]
    world.now += HOUR
    followed.collect(make(), world.now)
    assert sorted(followed.facts) == ["1", "3"]


def test_a_tag_moved_under_a_release_shows_within_a_day(world: World, repository: Repository, make: Make) -> None:
    release(repository, 1, 1)
    release(repository, 2, 2)
    followed = keeper(make)
    followed.collect(make(), world.now)
    repository.code.tags["v1"] = f"{2:040x}"
    world.now += DAY + HOUR
    followed.collect(make(), world.now)
    assert followed.facts["1"].commit == f"{2:040x}"
    assert followed.facts == told(repository, world)


def test_a_release_whose_tag_is_gone_is_said(world: World, repository: Repository, make: Make) -> None:
    release(repository, 1, 1)
    release(repository, 2, 2)
    del repository.code.tags["v1"]
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert sorted(followed.facts) == ["2"]
    assert set(followed.problems) == {"acme/payments: release v1 is left out, its tag leads to no commit"}
    (left_out,) = TimeRanges.of(TimeRange(START, world.now - SETTLES)) - followed.covered
    assert left_out == TimeRange(START + HOUR, START + HOUR + timedelta(seconds=1)), "it is not missing in silence"
    repository.code.tags["v1"] = f"{1:040x}"
    world.now += HOUR
    followed.collect(make(), world.now)
    assert sorted(followed.facts) == ["1", "2"]
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_trouble_in_the_middle_keeps_the_pages_that_came(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    for number in range(1, 131):
        release(repository, number, number)
    followed = keeper(make)
    # The repository, the fixed URL, two pages; then nothing but trouble, in every size of page.
    server.plan = dict.fromkeys(range(5, 40), "502")
    with pytest.raises(SourceError):
        followed.collect(make(), world.now)
    assert len(followed.facts) == 100
    assert not followed.covered
    server.plan = {}
    followed.collect(make(), world.now)
    assert followed.facts == told(repository, world)


def test_pages_too_heavy_for_github_are_asked_for_in_smaller_ones(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    for number in range(1, 31):
        release(repository, number, number)
    server.limits.heaviest = 7
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert followed.facts == told(repository, world)


def test_a_backfill_reads_older_releases(world: World, repository: Repository, make: Make) -> None:
    for number in range(1, 41):
        release(repository, number, number * 20)
    followed = keeper(make)
    followed.since = START + 15 * DAY
    followed.collect(make(), world.now)
    assert followed.facts == {k: f for k, f in told(repository, world).items() if f.created_at >= followed.since}
    followed.since = START
    followed.collect(make(), world.now)
    assert followed.facts == told(repository, world)


def test_answers_for_another_repository_are_refused(world: World, repository: Repository, make: Make) -> None:
    other = world.add("acme/other")
    release(other, 1, 1)
    world.impostor = "acme/other"
    followed = keeper(make)
    with pytest.raises(SourceError, match="GitHub answered for acme/other"):
        followed.collect(make(), world.now)
    assert not followed.facts


def test_a_poll_that_reaches_further_back_tells_what_lies_there_though_nothing_changed(
    world: World, repository: Repository, make: Make
) -> None:
    for number in (1, 2, 3):
        release(repository, number, number * 240)
    followed, memo = keeper(make), dict[str, str]()
    (*_, last) = make(memo).collect(followed.stream, TimeRange(START + 15 * DAY, world.now), None)
    world.now += HOUR
    batches = list(make(memo).collect(followed.stream, TimeRange(START, world.now), last.cursor))
    assert {fact.key for batch in batches for fact in batch.facts} == {"1", "2", "3"}
    assert batches[-1].covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
