"""GitHub's GraphQL some seconds behind its REST: what REST showed counts as seen only once the facts bear it out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from keyresults.metrics.facts import Deployment, StatusChange
from standins import github_code, github_source
from standins.github import GitHubStandIn
from standins.github_code import Commit, Release, Tag
from standins.github_graphql import Limits, _Root
from standins.github_source import DAY, PAYMENTS, Make, keeper
from standins.github_world import Repository, World
from standins.histories import START, known_by

a_world, a_server, a_maker, a_repository = (
    github_source.a_world,
    github_source.a_server,
    github_source.a_maker,
    github_source.a_repository,
)

HOUR = timedelta(hours=1)
JUST_NOW = timedelta(seconds=10)


@pytest.fixture
def behind(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Makes GraphQL tell of the code as it was when this was called, until it catches up again."""
    frozen: list[dict[str, object]] = []
    real = github_code.fields

    def fields(code: Any, now: Any, connection: Any) -> dict[str, object]:
        return frozen[0] if frozen else real(code, now, connection)

    monkeypatch.setattr(github_code, "fields", fields)

    def lag(lagging: bool) -> None:
        frozen.clear()
        if lagging:
            code = world.repositories[0].code
            copy = github_code.Code(
                dict(code.objects), dict(code.branches), dict(code.tags), list(code.releases), dict(code.beside)
            )
            root = _Root(world, Limits())
            frozen.append(real(copy, world.now, root._code_connection))

    return lag

    return Limits()


def release(repository: Repository, number: int, world: World) -> None:
    at, oid = world.now - JUST_NOW, f"{number:040x}"
    repository.code.add(Commit(oid, at))
    repository.code.tags[f"v{number}"] = oid
    repository.code.releases.append(Release(number, f"v{number}", at, at))


SOURCES = [{"releases": True}, {"tags": "v*"}]


@pytest.mark.parametrize("source", SOURCES)
def test_what_one_list_showed_and_the_other_did_not_is_found_by_the_next_poll(
    world: World, repository: Repository, make: Make, behind: Callable[[bool], None], source: dict[str, object]
) -> None:
    release(repository, 1, world)
    followed = keeper(make(), "deployments", START, deployments=source)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    before = set(followed.facts)
    world.now += HOUR
    behind(True)
    release(repository, 2, world)
    published = world.now - JUST_NOW
    world.now += timedelta(minutes=2)
    followed.collect(make(memo), world.now)
    assert set(followed.facts) == before
    if "releases" in source:
        assert published not in followed.covered, "its time is known, and it is not told"
        assert followed.problems[-1] == "acme/payments: GitHub does not tell all of release v2 yet"
    behind(False)
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert {fact.ref for fact in followed.facts.values()} == {"v1", "v2"}
    assert published in followed.covered


@pytest.mark.parametrize("source", SOURCES)
def test_what_one_list_still_had_is_taken_back_by_the_next_poll(
    world: World, repository: Repository, make: Make, behind: Callable[[bool], None], source: dict[str, object]
) -> None:
    for number in (1, 2):
        release(repository, number, world)
    followed = keeper(make(), "deployments", START, deployments=source)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    world.now += HOUR
    behind(True)
    del repository.code.tags["v2"], repository.code.releases[-1]
    followed.collect(make(memo), world.now)
    behind(False)
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert {fact.ref for fact in followed.facts.values()} == {"v1"}


def test_a_tag_moved_to_another_annotation_is_found_though_the_list_lagged(
    world: World, repository: Repository, make: Make, behind: Callable[[bool], None]
) -> None:
    one, two = ("1" * 40, "2" * 40)
    repository.code.add(Commit(one, START + DAY), Commit(two, START + 2 * DAY), Tag("a" * 40, one), Tag("b" * 40, two))
    repository.code.tags["v1"] = "a" * 40
    followed = keeper(make(), "deployments", START, deployments={"tags": "v*"})
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    world.now += HOUR
    behind(True)
    repository.code.tags["v1"] = "b" * 40
    followed.collect(make(memo), world.now)
    assert [fact.commit for fact in followed.facts.values()] == [one]
    behind(False)
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert [fact.commit for fact in followed.facts.values()] == [two]


def test_a_deployment_and_a_status_that_only_rest_showed_yet_are_found_by_the_next_poll(
    world: World, repository: Repository, make: Make, server: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deployed(key: int, at: Any, *later: StatusChange) -> Deployment:
        return Deployment(
            key=str(key), subject=PAYMENTS, environment="production", commit=f"{key:040x}", created_at=at,
            statuses=(StatusChange("success", at), *later), ref="main",
        )  # fmt: skip

    polled = world.now + HOUR
    repository.history += [
        deployed(1, START + 39 * DAY, StatusChange("inactive", polled - JUST_NOW)),
        deployed(2, polled - JUST_NOW),
    ]
    memo: dict[str, str] = {}
    followed = keeper(make(), "deployments", START)
    followed.collect(make(memo), world.now)
    world.now = polled
    real, lagging = _Root._deployments, [True]

    def told(root: _Root, one: Repository, page: dict[str, Any]) -> Any:
        if lagging:
            then = known_by(one.history, root.world.now - 2 * JUST_NOW)
            root = _Root(World(root.world.now, [Repository(one.name, history=then)]), root.limits)
            one = root.world.repositories[0]
        return real(root, one, page)

    monkeypatch.setattr(_Root, "_deployments", told)
    followed.collect(make(memo), world.now)
    assert set(followed.facts) == {"1"}
    lagging.clear()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert {key: fact.statuses for key, fact in followed.facts.items()} == {
        one.key: one.statuses for one in repository.history if isinstance(one, Deployment)
    }
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert set(server.counts()) == {304}
