"""Which files changes touched, from a stand-in for GitHub to readings of a monorepo's services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors import github_client
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import metric_series
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Change, Deployment, StatusChange
from keyresults.metrics.reading import Reading
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Commit
from standins.github_pulls import Pull
from standins.github_world import World

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 2, 10, tzinfo=UTC)
SHOP, PAY = "acme/shop", "acme/pay"
HOUR = 3600

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[services.web]
repository = "acme/shop"
match = {{ payload = {{ service = "web" }} }}
{web}

[services.ledger]
repository = "acme/shop"
match = {{ payload = {{ service = "ledger" }} }}
{ledger}

[sources.github]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/shop", "acme/pay"]
since = 2026-10-20

[metrics.web]
source = "github"
measure = "lead_time_for_changes"
services = ["web"]
min_samples = 1

[metrics.ledger]
source = "github"
measure = "lead_time_for_changes"
services = ["ledger"]
min_samples = 1

[metrics.merged]
source = "github"
measure = "change_count"

[metrics.web-merged]
source = "github"
measure = "change_count"
services = ["web"]
"""
PATHS = {"web": 'paths = ["web/**", "libs"]', "ledger": 'paths = ["ledger/**", "libs"]'}


def oid(name: str) -> str:
    return name.encode().hex().ljust(40, "0")


def pull(subject: str, number: int, hours: float, *paths: str) -> Pull:
    merged = MONDAY + timedelta(hours=hours)
    change = Change(
        key=str(number),
        subject=subject,
        commit=oid(f"m{number}"),
        merged_at=merged,
        opened_at=merged,
        first_commit_at=merged,
        base="main",
        author_kind="person",
        url=f"https://github.com/{subject}/pull/{number}",
        paths=paths,
    )
    return Pull(change, merged)


def ships(number: int, service: str, commit: str, hours: float) -> Deployment:
    done = MONDAY + timedelta(hours=hours)
    return Deployment(
        key=str(number),
        subject=SHOP,
        environment="production",
        commit=oid(commit),
        created_at=done,
        statuses=(StatusChange("success", done),),
        payload={"service": service},
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubStandIn]:
    """Every merge of the shop, in a line: 1 to both services, 2 to web, 3 to a library of both, 4 to the docs."""
    monkeypatch.setattr(github_client, "PER_MINUTE", {})
    world = World(NOW)
    line = ["m0", "m1", "m2", "m3", "m4"]
    deployments = [
        *(ships(n, "web", commit, hours) for n, commit, hours in ((1, "m0", 0), (3, "m2", 30), (5, "m4", 60))),
        *(ships(n, "ledger", commit, hours) for n, commit, hours in ((2, "m0", 1), (4, "m4", 70))),
    ]
    shop = world.add(SHOP, deployments)
    for place, commit in enumerate(line):
        parents = (oid(line[place - 1]),) if place else ()
        shop.code.add(Commit(oid(commit), MONDAY + timedelta(hours=10 * place), parents))
    touched = (("web/a.py", "ledger/a.py"), ("web/b.py",), ("libs/x.py",), ("docs/a.md",))
    shop.pulls += [pull(SHOP, n, 10 * n, *paths) for n, paths in enumerate(touched, 1)]
    world.add(PAY).pulls.append(pull(PAY, 1, 10, "web/a.py"))
    with github(world) as standin:
        yield standin


def collected(server: GitHubStandIn, folder: Path, **paths: str) -> dict[str, Reading]:
    (folder / "token").write_text(TOKEN)
    config = folder / "keyresults.toml"
    config.write_text(CONFIG.format(url=server.url, **{"web": "", "ledger": "", **paths}))
    with Workspace(load(config), writing=True, clock=lambda: NOW) as space:
        assert not collect(space).failed
        names = ("web", "ledger", "merged", "web-merged")
        return {n: metric_series(space, n, since=None, until=None, as_of=NOW).readings[-1] for n in names}


def asked_for_files(server: GitHubStandIn) -> list[tuple[str, bool]]:
    """The repository of each list of pull requests that was asked for, and whether with files."""
    told = [one.body for one in server.asked if one.body and "pullRequests(" in str(one.body.get("query"))]
    return [(f"{t['variables']['owner']}/{t['variables']['name']}", t["variables"]["files"]) for t in told]


def test_each_service_has_the_lead_times_of_changes_to_its_files(server: GitHubStandIn, tmp_path: Path) -> None:
    readings = collected(server, tmp_path, **PATHS)
    # Web shipped 1 and 2 at 30 h (merged at 10 and 20), and 3 at 60 h (merged at 30); ledger 1 and 3 at 70 h.
    assert (readings["web"].value, readings["web"].n) == (20 * HOUR, 3)
    assert (readings["ledger"].value, readings["ledger"].n) == ((60 + 40) / 2 * HOUR, 2)
    assert "1 left out: changes that touch no service's files" in readings["web"].notes
    assert (readings["merged"].value, readings["web-merged"].value) == (5, 3)


def test_files_are_asked_only_of_the_repository_where_a_service_has_paths(
    server: GitHubStandIn, tmp_path: Path
) -> None:
    readings = collected(server, tmp_path)
    assert readings["web-merged"].value == 4
    assert "web says no paths: every change of its repository counts as its own" in readings["web-merged"].notes
    assert {files for _, files in asked_for_files(server)} == {False}
    server.forget()
    readings = collected(server, tmp_path, web=PATHS["web"])
    assert set(asked_for_files(server)) == {(SHOP, True)}
    assert (readings["merged"].value, readings["web-merged"].value) == (5, 3)
