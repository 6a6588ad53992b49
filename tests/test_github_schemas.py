"""The collector's questions and the stand-in's answers, held against what GitHub publishes of its APIs.

Needs the npm packages @octokit/graphql-schema and @octokit/openapi, installed into the folder that
KEYRESULTS_SCHEMAS names (`npm install --prefix "$KEYRESULTS_SCHEMAS" @octokit/graphql-schema @octokit/openapi`).
With it every stand-in of every test holds its own answers and what it is asked against them, and the test that it
serves fails if it has a complaint. Here stands that this is so, and that nothing it serves goes by unlooked at.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta

import keyresults.collectors
import pytest
import requests
from graphql import build_schema, parse, validate
from keyresults.collectors.github_artifacts import dates_query
from keyresults.collectors.github_foresight import LISTS
from keyresults.metrics.facts import Change, Incident
from standins import histories
from standins.github import ROUTES, TOKEN, Answer, GitHubStandIn, github
from standins.github_answers import Asked
from standins.github_code import Commit, Release, Tag
from standins.github_described import FOLDER, Described, described, template
from standins.github_figures import Artifact, Beside, Check, Status
from standins.github_graphql import SCHEMA, schema
from standins.github_issues import Issue
from standins.github_payloads import WEB, RunPrinter, minimal_repository
from standins.github_payloads import run as run_payload
from standins.github_pulls import Pull
from standins.github_world import World
from standins.histories import START

NOW = START + timedelta(days=30)

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="KEYRESULTS_SCHEMAS names no folder with @octokit/graphql-schema and @octokit/openapi"
)


@pytest.fixture
def world() -> World:
    world = World(NOW)
    change = Change(
        key="7",
        subject="acme/payments",
        commit="c" * 40,
        merged_at=START,
        opened_at=START,
        first_commit_at=START,
        first_review_at=START,
        base="main",
        labels=("bug",),
    )
    history = [*histories.deployments(2, days=30), *histories.runs(2, days=30)]
    payments = world.add("acme/payments", history, pulls=[Pull(change, START)])
    incident = Incident(key="1", subject="acme/payments", opened_at=START, labels=("incident",), url=f"{WEB}/1")
    payments.issues.append(Issue(incident, START))
    payments.code.add(Commit("b" * 40, START), Commit("c" * 40, START, ("b" * 40,)), Tag("a" * 40, "c" * 40, START))
    payments.code.tags["v1"], payments.code.branches["main"] = "a" * 40, "c" * 40
    status, check = Status("coverage", "success", "90%"), Check("coverage", "success", "90%")
    payments.code.beside["c" * 40] = Beside([status], [check])
    payments.code.artifacts.append(Artifact(1, "reports", "c" * 40, START, NOW + timedelta(days=1), "http://x/1.zip"))
    payments.code.releases += [Release(1, "v1", START, START), Release(2, "v2", START)]
    return world


@pytest.fixture
def server(world: World) -> Iterator[GitHubStandIn]:
    with github(world) as standin:
        yield standin


def queries() -> dict[str, str]:
    """Every GraphQL document that stands in a collector's module; what only goes into one has a private name."""
    modules = [m.name for m in pkgutil.iter_modules(keyresults.collectors.__path__) if m.name.startswith("github")]
    named = {
        f"{module}.{name}": value
        for module in modules
        for name, value in vars(importlib.import_module(f"keyresults.collectors.{module}")).items()
        if isinstance(value, str) and not name.startswith("_")
    }
    return {name: text for name, text in named.items() if re.match(r"\s*(query\b|\{)", text)}


def test_every_query_is_one_github_understands() -> None:
    found = queries()
    assert {"github_deployments.NEWEST", "github_changes.MERGED", "github_repositories.OWNED"} <= set(found)
    assert {name: faults for name, text in found.items() if (faults := validate(schema(), parse(text)))} == {}


def test_the_query_for_dates_of_commits_is_one_github_understands() -> None:
    assert validate(schema(), parse(dates_query(20))) == []


@pytest.mark.parametrize("kind", LISTS)
def test_every_count_of_a_plan_is_one_github_understands(kind: str) -> None:
    counted = LISTS[kind].replace("%(base)s", 'baseRefName: "main", ')
    query = f'{{ n0: repository(owner: "acme", name: "shop") {{ counted: {counted} }} }}'
    assert validate(schema(), parse(query)) == []


def test_the_stand_in_knows_nothing_github_does_not() -> None:
    ours, theirs = build_schema(SCHEMA), schema()
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        assert name in theirs.type_map, name
        for field, one in getattr(kind, "fields", {}).items():
            there = theirs.type_map[name].fields[field]
            assert str(there.type) == str(one.type), f"{name}.{field}"
            for argument, asked in getattr(one, "args", {}).items():
                assert str(there.args[argument].type) == str(asked.type), f"{name}.{field}({argument})"
                assert there.args[argument].default_value == asked.default_value, f"{name}.{field}({argument})"
        for value in getattr(kind, "values", {}):
            assert value in theirs.type_map[name].values


FILLED = {"basehead": "1...1", "ref": "heads/1", "archive_format": "zip"}
"""What a parameter looks like that is no number."""


def served() -> dict[str, list[str]]:
    """Each path that the stand-in knows, with the described ones that lead to it."""
    repository = "/repos/{owner}/{repo}"
    below = [path.removeprefix(repository) for path in described()["paths"] if path.startswith(repository)]
    filled = {
        path: re.sub(r"\{(\w+)\}", lambda found: FILLED.get(found[1], "1"), path)
        for path in below
        if "get" in described()["paths"][repository + path]
    }
    return {route: [p for p, like in filled.items() if re.fullmatch(route, like)] for route, _ in ROUTES}


def test_every_path_the_stand_in_serves_is_one_github_describes() -> None:
    assert [route for route, paths in served().items() if not paths] == []


def test_every_path_answers_in_the_shape_github_describes(world: World, server: GitHubStandIn) -> None:
    """Each at least once, with something in it; `examples` says what stands for a parameter."""
    run = world.latest_attempts(world.repositories[0])[0]
    examples = {"run_id": run.run, "attempt_number": "1", "workflow_id": "ci.yml"}
    examples |= {"deployment_id": world.deployments(world.repositories[0])[0].key, "pull_number": "7"}
    examples |= {"base": "b" * 40, "head": "c" * 40}
    examples |= {"ref": "heads/main", "basehead": f"{'b' * 40}...{'c' * 40}", "issue_number": "1"}
    examples |= {"artifact_id": "1", "archive_format": "zip"}
    for path in sorted({path for paths in served().values() for path in paths}):
        place = re.sub(
            r"\{(\w+)\}", lambda found: examples[found[1]], path.replace("matching-refs/{ref}", "matching-refs/tags")
        )
        answer = requests.get(
            f"{server.url}/repos/acme/payments{place}",
            params={"state": "all", "sort": "updated", "direction": "desc"} if place == "/issues" else {},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=10,
            allow_redirects=False,
        )
        assert answer.status_code in (200, 302), place
        assert answer.status_code == 302 or answer.json(), place


def test_runs_are_printed_as_they_are_told() -> None:
    own, fork = (
        minimal_repository("acme/payments", 1, private=True),
        minimal_repository("someone/fork", 9, private=False),
    )
    printer = RunPrinter(own, fork)
    for one in histories.runs(3, days=5):
        for touched in (None, NOW):
            assert json.loads(printer.written(one, touched)) == run_payload(one, own, fork, touched)


def test_what_differs_from_the_description_is_told() -> None:
    complaints: list[str] = []
    one = Described(complaints)
    one.look_at(Asked("GET", "/repos/acme/payments/git/ref/heads/main", {}, {}), Answer(200, {"ref": 1}))
    one.look_at(Asked("GET", "/repos/acme/payments/deployments", {"per_pgae": "100"}, {}), Answer(200, []))
    one.look_at(Asked("GET", "/repos/acme/payments/deploys", {}, {}), Answer(200, []))
    one.look_at(Asked("GET", "/repos/acme/payments/deployments", {}, {}), Answer(206, []))
    said = "\n".join(complaints)
    for words in ("$.ref: 1 is not of type", "no parameter per_pgae", "no such path", "no answer 206"):
        assert words in said


def test_an_address_is_found_however_the_repository_is_named() -> None:
    runs = "/repos/{owner}/{repo}/actions/runs"
    assert template("GET", "/repos/acme/payments/actions/runs") == runs
    assert template("GET", "/repositories/7/actions/runs") == runs
    assert template("GET", "/repos/acme/payments/git/ref/heads/release/1") == "/repos/{owner}/{repo}/git/ref/{ref}"
    assert template("GET", "/repos/acme/payments/actions") is None
