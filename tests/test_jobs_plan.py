"""`collect --plan`: what it says a collection will take, held against what the collection then took."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from keyresults.cli.main import keyresults
from keyresults.collectors import github_client
from keyresults.config.load import load
from keyresults.jobs import clock
from keyresults.jobs.collect import backfill, collect
from keyresults.jobs.plan import plan
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Change, Deployment, Run, StatusChange
from keyresults.reports.values import CollectionPlan, CollectionResult, PlannedSource
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Commit
from standins.github_pulls import Pull
from standins.github_world import Repository, World
from standins.histories import START, deployments, runs

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = [f"acme/shop-{n}" for n in range(2)]

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.forge]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = {names}
reserve = "20%"

[metrics.green]
source = "forge"
measure = "ci_success_rate"

[metrics.often]
source = "forge"
measure = "deployment_frequency"
across = "sum"

[metrics.size]
source = "forge"
measure = "change_count"
"""


@dataclass
class Scene:
    server: GitHubStandIn
    config: Path

    def workspace(self) -> Workspace:
        return Workspace(load(self.config), writing=True, clock=lambda: self.server.world.now)

    def plan(self, since: date | None = None) -> PlannedSource:
        with self.workspace() as one:
            return the_source(plan(one, since=since))

    def collect(self) -> CollectionResult:
        with self.workspace() as one:
            return collect(one)

    def backfill(self, since: date) -> CollectionResult:
        with self.workspace() as one:
            return backfill(one, since=since)

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.config.parent / ".keyresults/store.db")) as connection:
            (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            return int(number)


def the_source(planned: CollectionPlan) -> PlannedSource:
    (one,) = planned.sources
    return one


def made(result: CollectionResult) -> int:
    assert not result.failed
    return sum(run.requests for run in result.runs)


def fill(repository: Repository, number: int, start: datetime, per_day: int, days: int) -> None:
    """Evenly, so that a share of the time holds that share of what there is; nothing is repeated."""
    step = timedelta(days=1) / per_day
    for n in range(per_day * days):
        at, key, commit = start + n * step, str(number * 100_000 + n + 1), f"{n + 1:040x}"
        subject = repository.name
        repository.history += [
            Deployment(
                key=key, subject=subject, environment="production", commit=commit, created_at=at,
                statuses=(StatusChange("success", at + timedelta(minutes=5)),),
            ),
            Run(
                key=f"{key}/1", subject=subject, workflow="ci.yml", run=key, attempt=1, branch="main", commit=commit,
                created_at=at, started_at=at, completed_at=at + timedelta(minutes=5), conclusion="success",
                event="push",
            ),
        ]  # fmt: skip
        change = Change(
            key=key, subject=subject, commit=commit, merged_at=at, opened_at=at - HOUR, first_commit_at=at - 2 * HOUR,
            base="main", head="topic", url=f"https://github.com/{subject}/pull/{key}",
        )  # fmt: skip
        repository.pulls.append(Pull(change, at))


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(github_client, "PER_MINUTE", {})
    world = World(NOW)
    for n, name in enumerate(NAMES):
        fill(world.add(name), n, NOW - timedelta(days=75), 4 * (n + 1), 75)
    with github(world) as server:
        (tmp_path / "token").write_text(TOKEN)
        config = tmp_path / "keyresults.toml"
        config.write_text(CONFIG.format(url=server.url, names=NAMES))
        yield Scene(server, config)


def test_the_plan_of_a_first_collection_is_what_it_takes(scene: Scene) -> None:
    planned = scene.plan()
    spent = len(scene.server.asked)
    assert planned.spent == spent
    assert [stream.requests for stream in planned.streams]
    result = scene.collect()
    told = {run.stream: run.requests for run in result.runs}
    # The cycle's window does not reach back to the oldest item: an even share of a page is anybody's guess.
    assert all(abs((one.requests or 0) - told[one.stream]) <= 1 for one in planned.streams)
    assert planned.requests == pytest.approx(made(result), rel=0.05)
    assert spent <= 2 * len(NAMES) + 1, "one look-up and one count of runs each, and one query for all of the rest"


def test_the_plan_of_all_there_is_is_exact(scene: Scene) -> None:
    long_ago = date(2026, 8, 1)
    planned = scene.plan(long_ago)
    assert planned.requests == made(scene.backfill(long_ago))


def test_the_plan_of_a_backfill_knows_what_is_there(scene: Scene) -> None:
    first = made(scene.collect())
    long_ago = date(2026, 8, 1)
    planned = scene.plan(long_ago)
    took = made(scene.backfill(long_ago))
    assert planned.requests == pytest.approx(took, abs=len(NAMES))
    assert took < first


def test_a_quiet_poll_is_planned_as_its_looks(scene: Scene) -> None:
    scene.collect()
    planned = scene.plan()
    assert all(stream.at_least for stream in planned.streams)
    assert planned.requests == made(scene.collect())


@pytest.mark.soak
def test_a_history_with_everything_that_happens_is_planned_within_a_fifth(scene: Scene) -> None:
    for n, repository in enumerate(scene.server.world.repositories):
        repository.history[:] = [
            *deployments(n, subject=repository.name, days=70, per_day=6.0, first_key=1000 * (n + 1)),
            *runs(n, subject=repository.name, days=70, per_day=8.0, first_run=100_000 * (n + 1)),
        ]
    planned = scene.plan(START.date())
    took = scene.backfill(START.date())
    # Each earlier attempt, and each doubtful end, takes a request of its own that no count tells of.
    own = sum(1 for one in scene.server.asked if "/attempts/" in one.path or one.path.rpartition("/")[2].isdigit())
    assert planned.requests == pytest.approx(made(took) - own, rel=0.2)


LEAD = """
[metrics.lead]
source = "forge"
measure = "lead_time_for_changes"
"""


@pytest.mark.soak
def test_comparisons_of_commits_are_planned_as_far_as_their_deployments_are_known(scene: Scene) -> None:
    for repository in scene.server.world.repositories:
        deployed = [one for one in repository.history if isinstance(one, Deployment)]
        for one, before in zip(deployed, (None, *deployed), strict=False):
            repository.code.add(Commit(one.commit, one.created_at, (before.commit,) if before else ()))
        repository.code.branches["main"] = deployed[-1].commit
    scene.config.write_text(scene.config.read_text() + LEAD)
    assert not [one for one in scene.plan().streams if one.kind == "shipments"], (
        "nothing is known of any deployment yet"
    )
    scene.config.write_text(scene.config.read_text().replace(LEAD, ""))
    scene.collect()
    scene.config.write_text(scene.config.read_text() + LEAD)
    planned = scene.plan()
    assert planned.compares
    compared = [one for one in planned.streams if one.kind == "shipments"]
    assert {(one.subject, one.metrics, one.at_least) for one in compared} == {(name, ("lead",), True) for name in NAMES}
    result = scene.collect()
    assert planned.requests == made(result)
    took = {run.subject: run.requests for run in result.runs if run.kind == "shipments"}
    assert {one.subject: one.requests for one in compared} == took
    assert all(count > 10 for count in took.values())
    assert not [one for one in scene.plan().streams if one.kind == "shipments"]


def test_no_fact_and_no_coverage_is_stored_by_it(scene: Scene) -> None:
    scene.plan()
    assert [scene.count(table) for table in ("deployments", "runs", "changes", "coverage", "collections")] == [0] * 5


def test_it_says_whether_the_quota_allows_it(scene: Scene) -> None:
    scene.server.quota.limit, scene.server.quota.ends = 20, NOW + HOUR
    planned = scene.plan()
    core = next(quota for quota in planned.quotas if quota.resource == "core")
    used = scene.server.quota.used["core"]
    assert core.allowed == 20 - used - 4, "less the reserve of a fifth"
    assert core.reset == NOW + HOUR
    assert not core.fits
    assert not planned.fits


def test_it_says_when_a_quota_is_not_known(scene: Scene) -> None:
    scene.server.quota.silent = True
    planned = scene.plan()
    assert {quota.allowed for quota in planned.quotas} == {None}
    assert planned.fits


def test_a_repository_nobody_sees_takes_one_request(scene: Scene) -> None:
    scene.server.world.repositories[0].forbidden = True
    planned = scene.plan()
    assert {s.requests for s in planned.streams if s.subject == NAMES[0]} == {1}


def test_a_source_that_fails_is_said_and_costs_the_exit_code(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    scene.server.always = "401"
    answer = CliRunner().invoke(keyresults, ["--config", str(scene.config), "collect", "--plan"])
    assert answer.exit_code == 3
    assert "forge: GitHub refuses the credential" in answer.output


def test_the_command_prints_a_table_and_json(scene: Scene) -> None:
    table = CliRunner().invoke(keyresults, ["--config", str(scene.config), "collect", "--plan"])
    assert table.exit_code == 0, table.output
    assert all(len(line) <= 80 for line in table.output.splitlines())
    assert "finding this out took" in table.output
    assert "not in it: the first attempts of repeated runs." in table.output
    assert not scene.plan().compares
    asked = ["--config", str(scene.config), "backfill", "--since", "2026-08-01", "--plan", "--json"]
    written = CliRunner().invoke(keyresults, asked)
    (source,) = json.loads(written.output)
    assert source["requests"] == sum(stream["requests"] for stream in source["streams"])
    assert {quota["resource"] for quota in source["quotas"]} == {"core", "graphql"}


def test_json_without_a_plan_is_a_mistake(scene: Scene) -> None:
    answer = CliRunner().invoke(keyresults, ["--config", str(scene.config), "collect", "--json"])
    assert answer.exit_code == 2
    assert "--json goes with --plan" in answer.output
