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
from standins.github_world import World
from standins.histories import START

NOW = START + timedelta(days=30)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubStandIn]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    world = World(NOW)
    world.add("acme/payments", [*histories.deployments(11, days=30), *histories.runs(11, days=30, per_day=4)])
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
