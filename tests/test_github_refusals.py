"""GitHub's bad days: what is kept, what is said, and when it is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.contract import CollectorError, ConfigError, RetryAt, SourceError, Unauthorized
from keyresults.collectors.github_cursor import SETTLES
from keyresults.collectors.github_refusals import retry_at
from keyresults.metrics.facts import Deployment, Run
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins import histories
from standins.github import GitHubStandIn, Trouble
from standins.github_source import DAY, PAYMENTS, Make, a_server, a_world, collectors, keeper  # noqa: F401 (fixtures)
from standins.github_world import World
from standins.histories import START, known_by


@pytest.fixture
def make(server: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    with collectors(server, tmp_path) as one:
        yield one


def history(world: World, days: int = 40) -> list[Deployment | Run]:
    told = [*histories.deployments(3, days=days), *histories.runs(3, branches=("main",), days=days)]
    world.add(PAYMENTS, told)
    return told


def wanted(told: list[Deployment | Run], kind: str, now: datetime) -> dict[str, Deployment | Run]:
    return {fact.key: fact for fact in known_by(told, now) if fact.kind == kind}


@pytest.mark.parametrize("kind", ["deployments", "runs"])
@pytest.mark.parametrize("trouble", ["502", "500", "truncated", "cut off", "login page"])
def test_trouble_that_passes_is_not_noticed(
    world: World, make: Make, server: GitHubStandIn, kind: str, trouble: Trouble
) -> None:
    told = history(world, days=12)
    server.plan = dict.fromkeys((1, 3, 4, 6), trouble)
    followed = keeper(make(), kind, START)
    followed.collect(make(), world.now)
    assert followed.facts == wanted(told, kind, world.now)
    assert not server.plan


@pytest.mark.parametrize("kind", ["deployments", "runs"])
@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("401", Unauthorized),
        ("403", Unauthorized),
        ("429", RetryAt),
        ("primary limit", RetryAt),
        ("secondary limit", RetryAt),
        ("secondary limit, no hint", RetryAt),
        ("500", SourceError),
        ("502", SourceError),
        ("truncated", SourceError),
        ("login page", SourceError),
    ],
)
def test_what_came_before_the_trouble_is_kept_and_the_next_run_completes_it(
    world: World, make: Make, server: GitHubStandIn, kind: str, trouble: Trouble, error: type[CollectorError]
) -> None:
    told = history(world)
    followed = keeper(make(), kind, START)
    server.plan = dict.fromkeys(range(4, 40) if kind == "deployments" else range(60, 100), trouble)
    with pytest.raises(error):
        followed.collect(make(), world.now)
    assert followed.facts
    assert followed.covered.start is None or followed.covered.start > START
    server.plan = {}
    world.now += timedelta(hours=1)
    followed.collect(make(), world.now)
    assert followed.facts == wanted(told, kind, world.now)
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_a_limit_of_graphql_is_waited_for(world: World, make: Make, server: GitHubStandIn) -> None:
    history(world)
    server.plan = {3: "graphql limit"}
    with pytest.raises(RetryAt) as limited:
        keeper(make(), "deployments", START).collect(make(), world.now)
    assert limited.value.time == world.now + timedelta(minutes=30)


@pytest.mark.parametrize(("trouble", "wait"), [("primary limit", 1800), ("secondary limit", 90)])
def test_it_waits_for_as_long_as_github_says(
    world: World, make: Make, server: GitHubStandIn, trouble: Trouble, wait: int
) -> None:
    history(world)
    server.always = trouble
    with pytest.raises(RetryAt) as limited:
        keeper(make(), "runs", START).collect(make(), world.now)
    assert limited.value.time == world.now + timedelta(seconds=wait)
    assert len(server.asked) == 1


def test_without_a_hint_it_waits_a_minute_and_doubles_it(world: World, make: Make, server: GitHubStandIn) -> None:
    history(world)
    memo: dict[str, str] = {}
    waits = []
    server.always = "secondary limit, no hint"
    for _ in range(8):
        with pytest.raises(RetryAt) as limited:
            keeper(make(), "runs", START).collect(make(memo=memo), world.now)
        waits.append((limited.value.time - world.now).total_seconds())
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    server.always = None
    keeper(make(), "runs", START).collect(make(memo=memo), world.now)
    server.always = "429"
    with pytest.raises(RetryAt) as limited:
        keeper(make(), "runs", START).collect(make(memo=memo), world.now)
    assert limited.value.time == world.now + timedelta(seconds=60)


def test_a_server_that_says_nothing_is_not_asked_thrice(world: World, make: Make, server: GitHubStandIn) -> None:
    history(world)
    followed = keeper(make(), "runs", START)
    server.always = "hang"
    with pytest.raises(SourceError, match="in time"):
        followed.collect(make(timeout=0.3), world.now)
    assert len(server.asked) == 1


def test_one_repository_that_is_hidden_leaves_the_others_alone(world: World, make: Make) -> None:
    told = history(world)
    world.add("acme/secret", forbidden=True)
    collector = make(repositories=[PAYMENTS, "acme/secret", "acme/gone"])
    said = {}
    for stream in collector.streams([("deployments", {}), ("runs", {})]):
        if stream.subject == PAYMENTS:
            batches = list(collector.collect(stream, TimeRange(START, world.now), None))
            assert {f.key for b in batches for f in b.facts} == set(wanted(told, stream.kind, world.now))
            continue
        with pytest.raises(Unauthorized) as refused:
            list(collector.collect(stream, TimeRange(START, world.now), None))
        said[stream.kind, stream.subject] = str(refused.value)
    assert set(said) == {(kind, name) for kind in ("deployments", "runs") for name in ("acme/secret", "acme/gone")}
    assert "acme/secret: forbidden" in said["runs", "acme/secret"]
    assert "acme/gone: not found, or the token may not see it" in said["deployments", "acme/gone"]


def test_a_repository_without_anything_is_covered_and_empty(world: World, make: Make) -> None:
    world.add(PAYMENTS)
    for kind in ("deployments", "runs"):
        followed = keeper(make(), kind, START)
        followed.collect(make(), world.now)
        assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
        assert not followed.facts


def test_a_renamed_repository_is_followed_and_keeps_its_subject(
    world: World, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    told = history(world)
    world.repositories[0].name = "acme/billing"
    world.renamed[PAYMENTS] = "acme/billing"
    for kind in ("deployments", "runs"):
        followed = keeper(make(), kind, START)
        followed.collect(make(), world.now)
        assert {(f.key, f.subject) for f in followed.facts.values()} == {
            (key, PAYMENTS) for key in wanted(told, kind, world.now)
        }
    assert "acme/payments is now called acme/billing" in caplog.text


def test_a_workflow_nobody_has_is_named_with_a_near_one(world: World, make: Make) -> None:
    history(world)
    with pytest.raises(ConfigError, match=r"no workflow 'cy\.yml'; did you mean 'ci\.yml'"):
        keeper(make(), "runs", START, workflow="cy.yml").collect(make(), world.now)


@pytest.mark.parametrize("kind", ["deployments", "runs"])
def test_answers_for_another_repository_are_refused(world: World, make: Make, kind: str) -> None:
    history(world)
    world.add("acme/other", world.repositories[0].history)
    world.impostor = "acme/other"
    followed = keeper(make(), kind, START)
    with pytest.raises(SourceError, match="acme/payments: GitHub answered for acme/other"):
        followed.collect(make(), world.now)
    assert not followed.facts


def test_the_probe_fails_where_one_of_what_is_named_is_not_there(world: World, make: Make) -> None:
    history(world)
    found = make(repositories=[PAYMENTS, "acme/gone", "acme/shop-*", "nobody/*"]).probe()
    assert (found.reachable, found.ok) == (True, False)
    assert found.visible == ("acme/*", PAYMENTS)
    assert "2 of 4" in found.detail
    assert "acme/gone, nobody/*" in found.detail
    assert make(repositories=[PAYMENTS, "acme/gone"], exclude=["acme/gone"]).probe().ok


def test_the_probe_says_which_repositories_globs_choose(world: World, make: Make) -> None:
    history(world)
    for name in ("shop-a", "shop-b", "shop-old"):
        world.add(f"acme/{name}")
    found = make(repositories=["acme/shop-*", "acme/none-*", PAYMENTS], exclude=["acme/*-old"]).probe()
    assert found.ok
    assert found.visible == (PAYMENTS, "acme/shop-a", "acme/shop-b")
    assert found.detail == "3 repositories are there; none matches acme/none-*"
    with pytest.raises(ConfigError, match="no repository is left"):
        make(repositories=["acme/none-*"]).probe()
    with pytest.raises(ConfigError, match="no repository is left"):
        make(repositories=[PAYMENTS], exclude=[PAYMENTS]).probe()


def test_globs_topics_and_exclude_choose_repositories(
    world: World, make: Make, server: GitHubStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for n in range(130):
        world.add(f"acme/shop-{n:03}", archived=n == 7)
    world.add("acme/ledger", topics=("payments",))
    world.add("acme/website")
    world.add("other/shop-1")
    collector = make(repositories=["acme/shop-*", "acme/Named"], exclude=["acme/shop-00*"], topics=["payments"])
    chosen = [stream.subject for stream in collector.streams([("runs", {})])]
    assert chosen == ["acme/ledger", "acme/Named", *(f"acme/shop-{n:03}" for n in range(10, 130))]
    assert "acme/shop-007 is archived" in caplog.text
    assert all(one.path == "/graphql" for one in server.asked)


def test_named_repositories_are_streams_without_asking(world: World, make: Make, server: GitHubStandIn) -> None:
    streams = make(repositories=["acme/a", "acme/b"]).streams([("runs", {}), ("deployments", {})])
    assert [(s.kind, s.subject) for s in streams] == [
        ("runs", "acme/a"),
        ("runs", "acme/b"),
        ("deployments", "acme/a"),
        ("deployments", "acme/b"),
    ]
    assert not server.asked


def test_globs_that_match_nothing_at_all_are_an_error(world: World, make: Make) -> None:
    world.add("acme/website")
    with pytest.raises(ConfigError, match="no repository is left"):
        make(repositories=["acme/shop-*"]).streams([("runs", {})])


def test_a_limit_that_was_over_by_our_clock_is_not_asked_again_at_once() -> None:
    now = START
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(now.timestamp()) - 600)}
    assert retry_at(headers, PAYMENTS, now, {}).time > now


@pytest.mark.parametrize("written", ["soon", "nan", "inf", "-5", "1e30"])
def test_a_retry_after_that_is_no_number_of_seconds_is_a_minute(written: str) -> None:
    assert retry_at({"retry-after": written}, PAYMENTS, START, {}).time == START + timedelta(seconds=60)
