"""One budget for a credential: sources, streams and processes on one store spend from it together."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors.contract import Quota, RetryAt
from keyresults.config.load import load
from keyresults.jobs.budget import StoredBudget
from keyresults.jobs.collect import collect
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Deployment, Run, StatusChange
from keyresults.reports.values import CollectionResult
from keyresults.storage import account
from keyresults.storage.store import Store
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_world import World

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = timedelta(minutes=1)
"""As much later than the quota's reset a process may come back."""

SOURCES = ("east", "west")
REPOSITORIES = 6

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"
"""

SOURCE = """
[sources.{name}]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = [{repositories}]
reserve = "25%"

[metrics.runs-{name}]
source = "{name}"
measure = "ci_success_rate"
"""

PROGRAM = """
import sys
from datetime import datetime
from pathlib import Path
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.workspace import Workspace
now = datetime.fromisoformat(sys.argv[2])
with Workspace(load(Path(sys.argv[1])), writing=True, clock=lambda: now) as one:
    collect(one, (sys.argv[3],))
"""


def repositories(source: str) -> list[str]:
    return [f"acme/{source}-{n}" for n in range(REPOSITORIES)]


def run(subject: str, number: int, attempt: int) -> Run:
    """Every run went wrong once, and its first attempt has to be asked for by itself."""
    at = NOW - number * timedelta(days=1) - timedelta(hours=5) + attempt * HOUR
    return Run(
        key=f"{number}/{attempt}",
        subject=subject,
        workflow="ci.yml",
        run=str(number),
        attempt=attempt,
        branch="main",
        commit=f"{number:040x}",
        created_at=NOW - number * timedelta(days=1) - timedelta(hours=5),
        started_at=at,
        completed_at=at + timedelta(minutes=10),
        conclusion="success" if attempt == 2 else "failure",
        event="push",
    )


@dataclass(frozen=True)
class Scene:
    server: GitHubStandIn
    config: Path

    @property
    def store(self) -> Path:
        return self.config.parent / ".keyresults/store.db"

    def collect(self, *sources: str) -> CollectionResult:
        with Workspace(load(self.config), writing=True, clock=lambda: self.server.world.now) as one:
            return collect(one, sources)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.store)) as connection:
            return connection.execute(query).fetchall()

    def core_left(self) -> int:
        ((left,),) = self.rows("SELECT remaining FROM budgets WHERE resource = 'core'")
        assert isinstance(left, int)
        return left


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    world = World(NOW)
    for source in SOURCES:
        for name in repositories(source):
            world.add(name, [run(name, number, attempt) for number in range(1, 5) for attempt in (1, 2)])
    with github(world) as server:
        (tmp_path / "token").write_text(TOKEN)
        told = [
            SOURCE.format(name=s, url=server.url, repositories=", ".join(f'"{r}"' for r in repositories(s)))
            for s in SOURCES
        ]
        (tmp_path / "keyresults.toml").write_text(CONFIG + "".join(told))
        server.quota.limit, server.quota.ends = 40, NOW + HOUR
        yield Scene(server, tmp_path / "keyresults.toml")


@pytest.mark.soak
def test_two_processes_leave_the_reserve_and_go_on_in_the_next_window(scene: Scene) -> None:
    world, quota = scene.server.world, scene.server.quota
    quota.limit = 80
    window = 0
    for window in range(6):
        world.now = NOW + window * (HOUR + LATER)
        command = [sys.executable, "-c", PROGRAM, str(scene.config), world.now.isoformat()]
        running = [subprocess.Popen([*command, source]) for source in SOURCES]
        assert [process.wait(timeout=60) for process in running] == [0, 0]
        assert quota.used["core"] <= 60, "80 less a quarter"
        # What is under way is counted as spent in ours and maybe in theirs too: eight threads may leave a few.
        assert quota.used["core"] > 60 - 8 or window > 0
        if not scene.collect().failed:
            break
    assert window >= 1
    assert set(scene.server.counts()) <= {200, 304}, "GitHub never had to refuse"
    assert scene.rows("SELECT count(*) FROM runs") == [(2 * REPOSITORIES * 8,)]


def test_a_reset_an_hour_away_is_told_at_once_and_kept_from_the_source(scene: Scene) -> None:
    first = scene.collect()
    assert first.failed
    words = (
        "only the reserve (25%) of the credential's core requests is left; a smaller `reserve` leaves less to others"
    )
    assert any((r.error or "").startswith(f"east: {words}") for r in first.runs)
    scene.server.forget()
    again = scene.collect()
    waits = [r.retry_at for r in (*first.runs, *again.runs) if r.outcome == "retry"]
    assert all(at is not None and NOW + HOUR <= at <= NOW + HOUR + LATER for at in waits)
    assert {r.error for r in again.runs} <= {r.error for r in first.runs}, (
        "the time to come back stands beside the words"
    )
    assert len(waits) > REPOSITORIES
    assert not scene.server.asked


def test_what_is_unchanged_costs_nothing(scene: Scene) -> None:
    scene.server.quota.limit = 1000
    assert not scene.collect().failed
    spent = scene.server.quota.used["core"]
    counted_twice = 1000 - spent - scene.core_left()
    # What was under way as the first answer came is in ours, and may have been in theirs by then.
    assert 0 <= counted_twice < 8
    scene.server.forget()
    assert not scene.collect().failed
    assert scene.server.counts()[304] > 0
    assert scene.core_left() == 1000 - scene.server.quota.used["core"] - counted_twice


def test_a_server_that_counts_nothing_is_asked_without_end(scene: Scene) -> None:
    scene.server.quota.silent = True
    assert not scene.collect().failed
    assert len(scene.server.asked) > 40


def test_the_credential_is_kept_as_a_digest(scene: Scene) -> None:
    scene.collect()
    ((credential,),) = scene.rows("SELECT DISTINCT credential FROM budgets")
    assert len(str(credential)) == 24
    for file in scene.store.parent.iterdir():
        assert TOKEN.encode() not in file.read_bytes()


DEPLOYING = """
[metrics.often]
source = "east"
measure = "deployment_count"
"""


def test_what_is_used_up_stops_only_the_streams_that_need_it(scene: Scene) -> None:
    world, quota = scene.server.world, scene.server.quota
    quota.limit = 1000
    one_by_one = scene.config.read_text().replace('reserve = "25%"', 'reserve = "25%"\nconcurrency = 1')
    scene.config.write_text(one_by_one.replace("[metrics.runs-east]", f"{DEPLOYING}\n[metrics.runs-east]"))
    assert not scene.collect("east").failed
    world.now += timedelta(minutes=15)
    for repository in world.repositories:
        ran = {"created_at": NOW, "started_at": NOW, "completed_at": world.now, "conclusion": "success"}
        repository.history.append(replace(run(repository.name, 0, 1), key="90/1", run="90", **ran))
        repository.history.append(deployment(repository.name, world.now))
    quota.used["graphql"] = 1000
    with closing(sqlite3.connect(scene.store)) as connection, connection:
        connection.execute("UPDATE budgets SET remaining = 0 WHERE resource = 'graphql'")
    by_kind = {kind: [r for r in scene.collect("east").runs if r.kind == kind] for kind in ("runs", "deployments")}
    assert {r.outcome for r in by_kind["runs"]} == {"ok"}
    assert {r.added for r in by_kind["runs"]} == {1}
    assert {r.outcome for r in by_kind["deployments"]} == {"retry"}
    assert all("graphql requests" in (r.error or "") for r in by_kind["deployments"])
    again = {r.kind: r.outcome for r in scene.collect("east").runs}
    assert again == {"runs": "ok", "deployments": "retry"}


def deployment(subject: str, at: datetime) -> Deployment:
    ended = StatusChange("success", at)
    return Deployment(
        key="1", subject=subject, environment="production", commit="c" * 40, created_at=at, statuses=(ended,)
    )


@pytest.mark.parametrize(
    ("reserve", "heard", "said"),
    [
        (0.25, None, "hub: 10 core requests are under way, and none is answered yet"),
        (0.0, 0, "hub: the credential's core requests are used up; a longer `every` needs fewer"),
        (0.25, 9, "hub: only the reserve (25%) of the credential's core requests is left; a smaller"),
    ],
)
def test_why_nothing_more_may_be_sent_is_said_as_it_is(
    tmp_path: Path, reserve: float, heard: int | None, said: str
) -> None:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        budget = StoredBudget(store, "hub", "mark", reserve, lambda: NOW, pause=lambda seconds: None)
        if heard is not None:
            budget.spend("core")
            budget.learn("core", Quota(limit=40, remaining=heard, reset=NOW + HOUR))
        for _ in range(account.UNHEARD if heard is None else 0):
            budget.spend("core")
        with pytest.raises(RetryAt) as told:
            budget.spend("core")
    assert told.value.reason.startswith(said)
    assert told.value.resource == "core"
