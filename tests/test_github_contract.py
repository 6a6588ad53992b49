"""GitHub keeps the collectors' contract, for each kind of fact it tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.github import GitHub
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.ranges import TimeRange
from standins import histories
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Code, Commit, Release
from standins.github_world import World
from standins.histories import START

NOW = START + timedelta(days=30)


def add_code(code: Code) -> None:
    """A commit a day, each with a tag and a release."""
    for n in range(1, 29):
        at = START + timedelta(days=n)
        code.add(Commit(f"{n:040x}", at, (f"{n - 1:040x}",) if n > 1 else ()))
        code.tags[f"v{n}"] = code.branches["main"] = f"{n:040x}"
        code.releases.append(Release(n, f"v{n}", at, at))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubStandIn]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    world = World(NOW)
    world.add("acme/payments", [*histories.deployments(11, days=30), *histories.runs(11, days=30, per_day=4)])
    add_code(world.repositories[0].code)
    with github(world) as standin:
        yield standin


class GitHubContract(CollectorContract):
    kind = "deployments"
    query: ClassVar[dict[str, object]] = {}

    @pytest.fixture
    def case(self, server: GitHubStandIn, tmp_path: Path) -> Case:
        (tmp_path / "token").write_text(TOKEN)
        options = {"api_url": server.url, "token": {"file": "token"}, "repositories": ["acme/payments"]}
        return Case(
            collector=GitHub,
            options=options,
            queries=[(self.kind, self.query)],
            window=TimeRange(START, NOW),
            now=NOW,
            base=tmp_path,
            secrets=(TOKEN,),
            trouble=lambda trouble: setattr(server, "always", trouble),
        )


class TestDeployments(GitHubContract):
    pass


class TestRuns(GitHubContract):
    kind = "runs"
    query: ClassVar[dict[str, object]] = {"workflow": "ci.yml"}


class TestWorkflowDeployments(GitHubContract):
    query: ClassVar[dict[str, object]] = {"deployments": {"workflow": "deploy.yml", "branch": "*"}}


class TestReleases(GitHubContract):
    query: ClassVar[dict[str, object]] = {"deployments": {"releases": True}}


class TestTags(GitHubContract):
    query: ClassVar[dict[str, object]] = {"deployments": {"tags": "v*"}}


class TestMerges(GitHubContract):
    query: ClassVar[dict[str, object]] = {"deployments": {"merges": "main"}}
