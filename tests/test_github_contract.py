"""GitHub keeps the collectors' contract, for each kind of fact it tells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.github import GitHub
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.facts import Change, FactKind, Incident
from keyresults.metrics.ranges import TimeRange
from standins import histories
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Code, Commit, Release
from standins.github_figures import Artifact, Beside, Check, Status, Storage, storage
from standins.github_issues import Issue
from standins.github_payloads import WEB
from standins.github_pulls import Pull
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
        code.beside[f"{n:040x}"] = Beside([Status("cover", "success", f"{n}%")], [Check("cover", "success", f"{n}%")])


def add_pulls(pulls: list[Pull]) -> None:
    """More than a page of merged ones, on the same days."""
    for n in range(1, 90):
        at = START + timedelta(hours=7 * n)
        told = Change(
            key=str(n),
            subject="acme/payments",
            commit=f"{n:040x}",
            merged_at=at,
            opened_at=at - timedelta(days=1),
            first_commit_at=at - timedelta(days=2),
            base="main",
            head="topic",
            url=f"{WEB}/acme/payments/pull/{n}",
        )
        pulls.append(Pull(told, at))


def add_incidents(issues: list[Issue]) -> None:
    """More than a page of them, on the same days."""
    for n in range(1, 130):
        at = START + timedelta(hours=5 * n)
        told = Incident(key=str(n), subject="acme/payments", opened_at=at, labels=("incident",), url=f"{WEB}/{n}")
        issues.append(Issue(told, at))


def add_artifacts(code: Code, elsewhere: Storage) -> None:
    """One for every other commit, of a hundred lines of which as many are covered as the commit's number says."""
    for n in range(1, 29, 2):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            lines = "".join(f"DA:{line},{int(line <= n)}\n" for line in range(1, 101))
            archive.writestr("lcov.info", f"SF:a.py\n{lines}end_of_record\n")
        at = START + timedelta(days=n, hours=1)
        address = elsewhere.put(f"{n}.zip", whole.getvalue())
        code.artifacts.append(Artifact(n, "reports", f"{n:040x}", at, at + timedelta(days=90), address))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubStandIn]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    world = World(NOW)
    world.add("acme/payments", [*histories.deployments(11, days=30), *histories.runs(11, days=30, per_day=4)])
    add_code(world.repositories[0].code)
    add_incidents(world.repositories[0].issues)
    add_pulls(world.repositories[0].pulls)
    with github(world) as standin, storage() as elsewhere:
        add_artifacts(world.repositories[0].code, elsewhere)
        yield standin


class GitHubContract(CollectorContract):
    kind: ClassVar[FactKind] = "deployments"
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


class TestChanges(GitHubContract):
    kind = "changes"
    query: ClassVar[dict[str, object]] = {"branch": "*"}


class TestReleases(GitHubContract):
    query: ClassVar[dict[str, object]] = {"deployments": {"releases": True}}


class TestTags(GitHubContract):
    query: ClassVar[dict[str, object]] = {"deployments": {"tags": "v*"}}


class TestMerges(GitHubContract):
    query: ClassVar[dict[str, object]] = {"deployments": {"merges": "main"}}


class TestIncidents(GitHubContract):
    kind = "incidents"
    query: ClassVar[dict[str, object]] = {"labels": ["incident", "outage"]}


class TestStatuses(GitHubContract):
    kind = "samples"
    query: ClassVar[dict[str, object]] = {"figures": {"status": "cover"}}


class TestChecks(GitHubContract):
    kind = "samples"
    query: ClassVar[dict[str, object]] = {"figures": {"check": "cover"}}


class TestArtifacts(GitHubContract):
    kind = "samples"
    query: ClassVar[dict[str, object]] = {"figures": {"artifact": "reports"}}
