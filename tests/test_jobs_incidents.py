"""From GitHub's issues to readings: how many incidents there were, and which deployments they blame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.config.load import load
from keyresults.config.problem import ConfigProblems
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import explain, metric_series
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Deployment, Incident, StatusChange
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Commit
from standins.github_issues import Issue
from standins.github_world import World

PAYMENTS = "acme/payments"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

CONFIG = """
[tracker]
cycle = "2026-Q4"

[sources.github]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/payments"]
{labels}

[metrics.incidents]
source = "github"
measure = "incident_count"
window = "28d"
{counting}

[metrics.failures]
source = "github"
measure = "change_failure_rate"
window = "28d"
min_samples = 0
{failures}
"""
LABELS = 'incidents = { labels = ["incident"] }'

Open = Callable[..., AbstractContextManager[Workspace]]


def deployed(number: int, at: datetime) -> Deployment:
    return Deployment(
        key=str(number),
        subject=PAYMENTS,
        environment="production",
        commit=f"{number:040x}",
        created_at=at,
        statuses=(StatusChange("success", at),),
    )


def issue(number: int, at: datetime, body: str = "", label: str = "incident") -> Issue:
    told = Incident(key=str(number), subject=PAYMENTS, opened_at=at, title="Down", labels=(label,), url="https://x")
    return Issue(told, at, body)


@pytest.fixture
def world() -> World:
    """Ten deployments, one a day at noon; three incidents, of which one names its cause and one blames nobody."""
    world = World(NOW)
    first = NOW - timedelta(days=12)
    payments = world.add(PAYMENTS, [deployed(n, first + timedelta(days=n)) for n in range(1, 11)])
    line = [Commit(f"{n:040x}", first, (f"{n - 1:040x}",) if n > 1 else ()) for n in range(1, 11)]
    payments.code.add(*line)
    payments.code.branches["main"] = line[-1].oid
    payments.issues += [
        issue(1, first + timedelta(days=3, hours=5)),  # within a day after the third
        issue(2, first + timedelta(days=8), f"Caused-by: {5:040x}"),
        issue(3, first - timedelta(days=1)),  # before all
        issue(4, first + timedelta(days=6, hours=1), label="bug"),
    ]
    return world


@pytest.fixture
def server(world: World) -> Iterator[GitHubStandIn]:
    with github(world) as standin:
        yield standin


@pytest.fixture
def opened(server: GitHubStandIn, tmp_path: Path) -> Open:
    def at(labels: str = LABELS, failures: str = "", counting: str = "") -> AbstractContextManager[Workspace]:
        (tmp_path / "token").write_text(TOKEN)
        config = tmp_path / "keyresults.toml"
        config.write_text(CONFIG.format(url=server.url, labels=labels, failures=failures, counting=counting))
        return Workspace(load(config), writing=True, clock=lambda: server.world.now)

    return at


def values(one: Workspace) -> dict[str, float | None]:
    """The newest readings."""
    as_of = one.clock()
    return {
        name: metric_series(one, name, since=None, until=None, as_of=as_of).readings[-1].value
        for name in ("incidents", "failures")
    }


def test_incidents_are_counted_and_blame_the_deployments_they_name_or_follow(opened: Open) -> None:
    with opened() as one:
        assert not collect(one).failed
        assert values(one) == {"incidents": 3, "failures": 2 / 10}
        blamed = {f.key for f in explain(one, "failures", as_of=NOW).facts if "incident" in f.why}
    assert blamed == {"3", "5"}


def test_an_incident_that_was_none_is_taken_back_from_the_readings(opened: Open, world: World) -> None:
    with opened() as one:
        collect(one)
        world.now += timedelta(days=1, hours=2)
        world.repositories[0].issues[0].deleted = True
        assert not collect(one).failed
        assert values(one) == {"incidents": 2, "failures": 1 / 10}


def test_the_labels_of_a_metric_win_and_a_source_may_be_named_for_them(opened: Open) -> None:
    with opened(failures='labels = ["bug"]\nincidents = "github"') as one:
        assert not collect(one).failed
        assert values(one) == {"incidents": 3, "failures": 1 / 10}


def test_without_labels_check_says_what_to_write(opened: Open) -> None:
    with pytest.raises(ConfigProblems) as refused, opened(labels=""):
        pass
    (said,) = str(refused.value).splitlines()
    assert "metrics.incidents.source" in said
    assert 'write incidents = { labels = ["incident"] } in [sources.github], or labels here' in said


def test_without_labels_failures_go_by_other_signals(opened: Open, tmp_path: Path) -> None:
    with opened(labels="", counting='labels = ["incident"]') as one:
        assert not collect(one).failed
        assert values(one) == {"incidents": 3, "failures": 0}
