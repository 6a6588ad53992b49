"""The collector's questions and the stand-in's answers, held against what GitHub publishes of its APIs.

Needs the npm packages @octokit/graphql-schema and @octokit/openapi, installed into the folder that
KEYRESULTS_SCHEMAS names (`npm install --prefix "$KEYRESULTS_SCHEMAS" @octokit/graphql-schema @octokit/openapi`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import GraphQLSchema, build_schema, parse, validate
from jsonschema import Draft7Validator
from keyresults.collectors import (
    github_changes,
    github_deployments,
    github_merges,
    github_releases,
    github_repositories,
    github_tags,
)
from standins import histories
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Commit, Release, Tag
from standins.github_graphql import SCHEMA
from standins.github_source import collectors, keeper
from standins.github_world import World
from standins.histories import START, known_by

FOLDER = os.environ.get("KEYRESULTS_SCHEMAS")
NOW = START + timedelta(days=30)

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="KEYRESULTS_SCHEMAS names no folder with @octokit/graphql-schema and @octokit/openapi"
)

PATHS = (
    "/repos/{owner}/{repo}",
    "/repos/{owner}/{repo}/deployments",
    "/repos/{owner}/{repo}/releases",
    "/repos/{owner}/{repo}/git/matching-refs/{ref}",
    "/repos/{owner}/{repo}/git/ref/{ref}",
    "/repos/{owner}/{repo}/actions/runs",
    "/repos/{owner}/{repo}/actions/workflows",
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
    "/repos/{owner}/{repo}/actions/runs/{run_id}",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
)


def package(name: str) -> Path:
    return Path(str(FOLDER)) / "node_modules" / "@octokit" / name


@cache
def published() -> GraphQLSchema:
    return build_schema((package("graphql-schema") / "schema.graphql").read_text(), assume_valid=True)


@cache
def described() -> dict[str, Any]:
    text = (package("openapi") / "generated" / "api.github.com.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def world() -> World:
    world = World(NOW)
    payments = world.add("acme/payments", [*histories.deployments(2, days=30), *histories.runs(2, days=30)])
    payments.code.add(Commit("c" * 40, START), Tag("a" * 40, "c" * 40, START))
    payments.code.tags["v1"], payments.code.branches["main"] = "a" * 40, "c" * 40
    payments.code.releases += [Release(1, "v1", START, START), Release(2, "v2", START)]
    return world


@pytest.fixture
def server(world: World) -> Iterator[GitHubStandIn]:
    with github(world, published()) as standin:
        yield standin


@pytest.mark.parametrize(
    "query",
    [
        github_changes.MERGED,
        github_deployments.NEWEST,
        github_deployments.AGAIN,
        github_deployments.STATUSES,
        github_releases.RELEASES,
        github_tags.TAGS,
        github_merges.HISTORY,
        github_repositories.OWNED,
    ],
)
def test_every_query_is_one_github_understands(query: str) -> None:
    assert not validate(published(), parse(query))


def test_the_stand_in_knows_nothing_github_does_not() -> None:
    ours, theirs = build_schema(SCHEMA), published()
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


def test_answers_come_out_the_same_under_githubs_own_schema(
    world: World, server: GitHubStandIn, tmp_path: Path
) -> None:
    with collectors(server, tmp_path) as make:
        followed = keeper(make(), "deployments", START)
        followed.collect(make(), NOW)
        assert make(repositories=["acme/*"]).streams([("runs", {})])
        assert make().probe().ok
    told = known_by(world.repositories[0].history, NOW)
    assert followed.facts == {fact.key: fact for fact in told if fact.kind == "deployments"}


@pytest.mark.parametrize(
    ("source", "key"), [({"releases": True}, "1"), ({"tags": "v*"}, "v1"), ({"merges": "main"}, "c" * 40)]
)
def test_code_comes_out_the_same_under_githubs_own_schema(
    server: GitHubStandIn, tmp_path: Path, source: dict[str, object], key: str
) -> None:
    with collectors(server, tmp_path) as make:
        followed = keeper(make(), "deployments", START, deployments=source)
        followed.collect(make(), NOW)
    assert [(fact.key, fact.commit) for fact in followed.facts.values()] == [(key, "c" * 40)]


@pytest.mark.parametrize("path", PATHS)
def test_rest_answers_have_the_shape_github_describes(world: World, server: GitHubStandIn, path: str) -> None:
    repeated = next(f for f in world.repositories[0].history if f.kind == "runs" and f.attempt == 2)
    place = path.format(
        owner="acme",
        repo="payments",
        workflow_id="ci.yml",
        run_id=repeated.run,
        attempt_number=1,
        ref="heads/main" if "/git/ref/" in path else "tags",
    )
    answer = requests.get(server.url + place, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert answer.status_code == 200
    responses = described()["paths"][path]["get"]["responses"]
    schema = json_schema(responses["200"]["content"]["application/json"]["schema"])
    errors = [
        f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(schema).iter_errors(answer.json())
    ]
    assert not errors


def test_every_parameter_sent_is_one_github_describes(server: GitHubStandIn, tmp_path: Path) -> None:
    with collectors(server, tmp_path) as make:
        asked = [("deployments", {}), ("runs", {}), ("runs", {"workflow": "ci.yml", "branch": "*"})]
        asked += [
            ("deployments", {"deployments": one}) for one in ({"releases": True}, {"tags": "*"}, {"merges": "main"})
        ]
        for kind, query in asked:
            keeper(make(), kind, START, **query).collect(make(), NOW)
    sent = {(template(one.path), name) for one in server.asked if one.verb == "GET" for name in one.query}
    assert sent
    for path, name in sent:
        assert name in parameters(path), f"{path}?{name}="


def template(path: str) -> str:
    return next(p for p in PATHS if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", p.replace("{ref}", ".+")), path))


def parameters(path: str) -> set[str]:
    known = described()["components"]["parameters"]
    told = described()["paths"][path]["get"]["parameters"]
    return {(known[one["$ref"].rpartition("/")[2]] if "$ref" in one else one)["name"] for one in told}


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0's dialect as JSON Schema, with every schema it refers to."""
    wanted, known = references(schema), {}
    while wanted:
        name = wanted.pop()
        known[name] = described()["components"]["schemas"][name]
        wanted |= references(known[name]) - set(known)
    return {**nullable(schema), "components": {"schemas": {name: nullable(one) for name, one in known.items()}}}


def references(schema: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))


def nullable(schema: Any) -> Any:
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: nullable(value) for key, value in schema.items() if key not in ("nullable", "example", "examples")}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
