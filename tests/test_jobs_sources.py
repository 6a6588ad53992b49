"""What `sources` lists: the streams that metrics want, those that hold something, and how they are named apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.sources import source_states
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.reading import Health
from keyresults.reports import terminal_tables
from keyresults.reports.dates import Dates
from keyresults.reports.values import CollectionResult, SourceState
from rich.console import Console
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_world import World

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.forge]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/*"]

[metrics.shop]
source = "forge"
measure = "deployment_count"
repositories = ["acme/shop"]

[metrics.bank]
source = "forge"
measure = "deployment_count"
repositories = ["acme/bank"]
deployments = {{ releases = true }}
"""
SHOP, BANK = ("deployments", "acme/shop", ("shop",)), ("deployments", "acme/bank", ("bank",))


@pytest.fixture
def server() -> Iterator[GitHubStandIn]:
    world = World(NOW)
    for name in ("acme/shop", "acme/bank", "acme/mail"):
        world.add(name)
    with github(world) as one:
        yield one


@pytest.fixture
def config(tmp_path: Path, server: GitHubStandIn) -> Path:
    (tmp_path / "token").write_text(TOKEN)
    path = tmp_path / "keyresults.toml"
    path.write_text(CONFIG.format(url=server.url))
    return path


def opened(config: Path, now: datetime = NOW) -> Workspace:
    return Workspace(load(config), writing=True, clock=lambda: now)


def listed(config: Path) -> list[SourceState]:
    with opened(config) as one:
        return source_states(one)


def named(states: list[SourceState]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(state.kind, state.subject, state.metrics) for state in states}


def test_a_glob_lists_the_repositories_that_metrics_name_and_no_others(config: Path) -> None:
    with opened(config) as one:
        collect(one)
    states = listed(config)
    assert named(states) == {SHOP, BANK}
    assert len(states) == 2
    assert {state.health for state in states} == {Health.OK}


def test_a_metric_that_names_one_more_is_blind_there_until_it_is_collected(config: Path) -> None:
    with opened(config) as one:
        collect(one)
    config.write_text(config.read_text().replace('["acme/shop"]', '["acme/shop", "acme/mail"]'))
    states = {state.subject: state.health for state in listed(config) if "shop" in state.metrics}
    assert states == {"acme/shop": Health.OK, "acme/mail": Health.NO_DATA}


def test_a_stream_that_has_lost_its_metric_stays_for_what_it_holds_and_is_not_blind(
    config: Path, server: GitHubStandIn
) -> None:
    with opened(config) as one:
        collect(one)
    server.always = "500"
    with opened(config, NOW + timedelta(hours=2)) as one:
        collect(one)
    config.write_text(config.read_text().partition("[metrics.bank]")[0])
    states = listed(config)
    assert named(states) >= {SHOP, ("deployments", "acme/bank", ())}
    (lost,) = [state for state in states if state.subject == "acme/bank"]
    assert lost.health is Health.OK
    assert lost.covered


def test_a_stream_that_lost_its_metric_before_anything_came_is_listed_no_more(
    config: Path, server: GitHubStandIn
) -> None:
    with opened(config) as one:
        server.world.repositories[1].forbidden = True
        collect(one)
    config.write_text(config.read_text().partition("[metrics.bank]")[0])
    assert named(listed(config)) == {SHOP}


def test_a_source_of_which_metrics_want_no_repository_is_there_as_a_whole(config: Path) -> None:
    config.write_text(config.read_text().replace("acme/shop", "acme/shoe").partition("[metrics.bank]")[0])
    with opened(config) as one:
        collect(one)
    (state,) = listed(config)
    assert (state.stream, state.health, state.metrics) == (None, Health.NO_DATA, ("shop",))


def said(result: CollectionResult) -> str:
    console = Console(width=200)
    with console.capture() as told:
        console.print(terminal_tables.collection(result, Dates.seen_at(NOW, "UTC")))
    return told.get()


@pytest.mark.parametrize("repositories", ['["acme/*"]', '["acme/shop", "acme/bank", "acme/mail"]'])
def test_a_wrong_token_is_said_once_with_its_place_and_asked_with_no_more(
    config: Path, server: GitHubStandIn, repositories: str
) -> None:
    server.always = "401"
    written = config.read_text().replace('repositories = ["acme/*"]', f"repositories = {repositories}")
    config.write_text(
        written.replace('repositories = ["acme/shop"]\n', "").replace('repositories = ["acme/bank"]\n', "")
    )
    with opened(config) as one:
        result = collect(one)
        healths = {state.health for state in source_states(one)}
    assert {run.outcome for run in result.runs} == {"unauthorized"}
    assert result.failed
    assert said(result).count("401") == 1
    assert "[sources.forge] token: expired, mistyped or revoked?" in said(result)
    assert healths == {Health.UNAUTHORIZED}
    assert len(server.asked) <= 3, "of six streams of three repositories, those that were asked side by side"
