"""Polls of a whole source while nothing happens: what they ask, and that they spend nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.github_repositories import LISTED_EVERY
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Change, Incident
from keyresults.reports.values import CollectionResult
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Commit, Release
from standins.github_figures import Beside, Status
from standins.github_issues import Issue
from standins.github_pulls import Pull
from standins.github_world import Repository, World
from standins.histories import START, deployments, runs

DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
NOW = START + 41 * DAY

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.forge]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/shop-*", "acme/plain"]
exclude = ["acme/shop-old"]
topics = ["ours"]
incidents = {{ labels = ["incident"] }}

[metrics.often]
source = "forge"
measure = "deployment_frequency"
across = "sum"
[metrics.failing]
source = "forge"
measure = "change_failure_rate"
[metrics.lead]
source = "forge"
measure = "lead_time_for_changes"
[metrics.green]
source = "forge"
measure = "ci_success_rate"
branch = "*"
[metrics.main-green]
source = "forge"
measure = "ci_success_rate"
[metrics.incidents]
source = "forge"
measure = "incident_count"
[metrics.coverage]
source = "forge"
measure = "test_coverage"
figures = {{ status = "codecov/project" }}
[metrics.released]
source = "forge"
measure = "deployment_count"
deployments = {{ releases = true }}
[metrics.tagged]
source = "forge"
measure = "deployment_count"
deployments = {{ tags = "v*" }}
[metrics.merged]
source = "forge"
measure = "deployment_count"
deployments = {{ merges = "main" }}
"""

ENDED = ("success", "failure", "error", "inactive")
NAMES = ["acme/plain", "acme/shop-1", "acme/shop-2", "acme/tools"]
LISTS = 9
"""Streams of each repository: deployments, runs twice, changes, incidents, figures, releases, tags, merges."""


def fill(repository: Repository, number: int) -> None:
    """Something of everything, the last of it a day ago, and all of it ended."""
    name = repository.name
    deployed = deployments(number, subject=name, days=39, per_day=0.3, first_key=1000 * number)
    repository.history += [one for one in deployed if one.statuses and one.statuses[-1].state in ENDED]
    ran = runs(number, subject=name, days=39, per_day=0.5, first_run=100_000 * number)
    repository.history += [one for one in ran if one.completed_at and one.completed_at < NOW]
    at = START + 30 * DAY
    oid = f"{number:040x}"
    change = Change(
        key="1", subject=name, commit=oid, merged_at=at, opened_at=at - DAY, first_commit_at=at - DAY, base="main",
        url="https://github.com/x",
    )  # fmt: skip
    repository.pulls.append(Pull(change, at))
    opened = Incident(
        key="2", subject=name, opened_at=at, closed_at=at + DAY, title="Down", labels=("incident",), url="https://x"
    )
    repository.issues.append(Issue(opened, at + DAY))
    repository.code.add(Commit(oid, at))
    repository.code.branches["main"] = repository.code.tags["v1"] = oid
    repository.code.beside[oid] = Beside([Status("codecov/project", "success", "81.5%")])
    repository.code.releases.append(Release(1, "v1", at, at))


@dataclass
class Scene:
    server: GitHubStandIn
    config: Path

    @property
    def world(self) -> World:
        return self.server.world

    def poll(self, after: timedelta = QUARTER) -> tuple[CollectionResult, int]:
        """A collection some time later, and the quota it spent."""
        self.world.now += after
        self.server.forget()
        before = self.server.quota.used.total()
        with Workspace(load(self.config), writing=True, clock=lambda: self.world.now) as one:
            result = collect(one)
        return result, self.server.quota.used.total() - before


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(github_client, "PER_MINUTE", {})
    world = World(NOW)
    for number, name in enumerate(NAMES, 1):
        fill(world.add(name, topics=("ours",) if name == "acme/tools" else ()), number)
    world.add("acme/shop-old")
    world.add("acme/other")
    with github(world) as server:
        (tmp_path / "token").write_text(TOKEN)
        (tmp_path / "keyresults.toml").write_text(CONFIG.format(url=server.url))
        found = Scene(server, tmp_path / "keyresults.toml")
        first, _ = found.poll()
        assert not first.failed, [run for run in first.runs if run.outcome != "ok"]
        assert {run.subject for run in first.runs} == set(NAMES)
        yield found


def test_while_nothing_happens_polls_spend_nothing_and_ask_once_for_each_list(scene: Scene) -> None:
    for _ in range(3):
        result, spent = scene.poll(QUARTER - timedelta(seconds=30))
        assert not result.failed
        assert spent == 0
        assert scene.server.counts() == {304: len(NAMES) * (LISTS + 1)}, "and once for each repository itself"
        asked = Counter((one.path, *sorted(one.query.items())) for one in scene.server.asked)
        assert set(asked.values()) == {1}


def test_the_repositories_are_listed_once_for_all_questions_and_again_after_an_hour(scene: Scene) -> None:
    result, spent = scene.poll(LISTED_EVERY)
    assert not result.failed
    assert spent == 1
    assert [one.path for one in scene.server.asked].count("/graphql") == 1


def test_a_new_repository_and_one_that_got_the_topic_are_found_within_the_hour(scene: Scene) -> None:
    fill(scene.world.add("acme/shop-3"), 8)
    old = scene.world.find("acme/other")
    assert old is not None
    old.topics = ("ours",)
    before, _ = scene.poll()
    assert {run.subject for run in before.runs} == set(NAMES)
    after, _ = scene.poll(LISTED_EVERY - QUARTER)
    assert {run.subject for run in after.runs} == {*NAMES, "acme/shop-3", "acme/other"}


def test_another_config_is_heeded_at_once(scene: Scene) -> None:
    scene.config.write_text(scene.config.read_text().replace('topics = ["ours"]', "topics = []"))
    result, _ = scene.poll()
    assert {run.subject for run in result.runs} == set(NAMES) - {"acme/tools"}


def test_where_no_list_may_be_asked_for_the_one_of_before_is_read_on(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.server.plan[1] = "graphql limit"
    result, _ = scene.poll(LISTED_EVERY)
    assert not result.failed
    assert [one.path for one in scene.server.asked].count("/graphql") == 1
    assert caplog.text.count("new repositories are looked for later") == 1, "and it is not tried for each question"
    assert {run.subject for run in result.runs} == set(NAMES)
