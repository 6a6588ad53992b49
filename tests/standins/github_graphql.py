"""GitHub's GraphQL, as far as it is asked here, executed by graphql-core."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from keyresults.metrics.facts import Deployment, StatusChange

from . import github_code, github_figures, github_pulls
from .github_described import FOLDER, package
from .github_payloads import WEB, written
from .github_world import Repository, World

SCHEMA = (
    """
scalar DateTime
scalar URI
type Query {
  repository(followRenames: Boolean = true, name: String!, owner: String!): Repository
  repositoryOwner(login: String!): RepositoryOwner
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
}
interface Node { id: ID! }
interface RepositoryOwner {
  login: String!
  repositories(
    after: String, first: Int, orderBy: RepositoryOrder
    ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR]
  ): RepositoryConnection!
}
type Organization implements Node & RepositoryOwner {
  id: ID!
  login: String!
  repositories(
    after: String, first: Int, orderBy: RepositoryOrder
    ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR]
  ): RepositoryConnection!
}
enum RepositoryAffiliation { COLLABORATOR ORGANIZATION_MEMBER OWNER }
enum RepositoryOrderField { CREATED_AT NAME PUSHED_AT STARGAZERS UPDATED_AT }
enum DeploymentOrderField { CREATED_AT }
enum OrderDirection { ASC DESC }
input RepositoryOrder { direction: OrderDirection! field: RepositoryOrderField! }
input DeploymentOrder { direction: OrderDirection! field: DeploymentOrderField! }
type PageInfo { endCursor: String hasNextPage: Boolean! }
type RepositoryConnection { nodes: [Repository] pageInfo: PageInfo! totalCount: Int! }
type Repository implements Node {
  id: ID!
  nameWithOwner: String!
  isArchived: Boolean!
  url: URI!
  repositoryTopics(after: String, first: Int): RepositoryTopicConnection!
  deployments(
    after: String, environments: [String!], first: Int
    orderBy: DeploymentOrder = {field: CREATED_AT, direction: ASC}
  ): DeploymentConnection!
  """
    + github_code.FIELDS
    + github_pulls.FIELDS
    + """
}
type RepositoryTopicConnection { nodes: [RepositoryTopic] }
type RepositoryTopic implements Node { id: ID! topic: Topic! }
type Topic implements Node { id: ID! name: String! }
type DeploymentConnection { nodes: [Deployment] pageInfo: PageInfo! totalCount: Int! }
type Ref implements Node { id: ID! name: String! target: GitObject }
type Deployment implements Node {
  id: ID!
  databaseId: Int
  commitOid: String!
  createdAt: DateTime!
  environment: String
  payload: String
  ref: Ref
  repository: Repository!
  statuses(after: String, first: Int): DeploymentStatusConnection
  task: String
}
type DeploymentStatusConnection { nodes: [DeploymentStatus] pageInfo: PageInfo! totalCount: Int! }
enum DeploymentStatusState { ERROR FAILURE INACTIVE IN_PROGRESS PENDING QUEUED SUCCESS WAITING }
type DeploymentStatus implements Node { id: ID! createdAt: DateTime! logUrl: URI state: DeploymentStatusState! }
"""
    + github_code.SCHEMA
    + github_figures.SCHEMA
    + github_pulls.SCHEMA
)
"""What the stand-in knows of GitHub's schema; a test holds it against the published one."""


@dataclass
class Limits:
    """`heaviest` is the largest page of deployments that is answered whole; `hidden` nodes are never.

    `holed` ones lack what lies below them.
    """

    heaviest: int = 100
    hidden: frozenset[str] = frozenset()
    holed: frozenset[str] = frozenset()


_DEEP = {"labels", "reviews", "target", "tagCommit", "parents"}


@cache
def schema() -> GraphQLSchema:
    """GitHub's published one, where it is at hand."""
    text = (package("graphql-schema") / "schema.graphql").read_text(encoding="utf-8") if FOLDER else SCHEMA
    return build_schema(text, assume_valid=True)


@cache
def _understood(query: str) -> tuple[DocumentNode, list[GraphQLError]]:
    try:
        document = parse(query)
    except GraphQLError as error:
        return DocumentNode(definitions=()), [error]
    return document, validate(schema(), document)


def answer(asked: dict[str, Any], world: World, limits: Limits) -> dict[str, Any]:
    """The body of an answer, errors with GitHub's `type` beside the standard's keys."""
    document, errors = _understood(asked["query"])
    result = (
        ExecutionResult(None, errors)
        if errors
        else execute_sync(
            schema(),
            document,
            _Root(world, limits).fields(),
            variable_values=asked.get("variables"),
            type_resolver=_type,
        )
    )
    body: dict[str, Any] = {"data": result.data} if result.data is not None else {}
    if result.errors:
        body["errors"] = [{**e.formatted, "type": (e.extensions or {}).get("type")} for e in result.errors]
        for error in body["errors"]:
            error.pop("extensions", None)
    return body


@dataclass
class _Root:
    world: World
    limits: Limits

    def fields(self) -> dict[str, object]:
        return {
            "repository": lambda _, owner, name, **__: self._named(f"{owner}/{name}"),
            "repositoryOwner": lambda _, login: self._owner(login),
            "node": lambda _, id: self._node(id),
            "nodes": lambda _, ids: [self._node(id) for id in ids],
        }

    def _named(self, name: str) -> dict[str, object]:
        repository = self.world.find(self.world.impostor or name)
        if repository is None or repository.forbidden:
            raise _missing(f"Could not resolve to a Repository with the name '{name}'.")
        return self._repository(repository)

    def _owner(self, login: str) -> dict[str, object] | None:
        owned = [r for r in self.world.repositories if r.name.lower().startswith(login.lower() + "/")]
        if not owned:
            return None
        ordered = sorted((r for r in owned if not r.forbidden), key=lambda r: r.name)
        return {
            "__typename": "Organization",
            "login": login,
            "repositories": lambda _, **page: _connection([self._repository(r) for r in ordered], page),
        }

    def _node(self, id: str) -> Any:
        for repository in self.world.repositories:
            for fact in self.world.deployments(repository):
                if id == _node_id(fact):
                    return _too_much() if id in self.limits.hidden else self._deployment(repository, fact)
        return _missing(f"Could not resolve to a node with the global id of '{id}'")

    def _repository(self, repository: Repository) -> dict[str, object]:
        topics = [{"topic": {"name": topic}} for topic in repository.topics]
        return {
            "__typename": "Repository",
            "nameWithOwner": repository.name,
            "isArchived": repository.archived,
            "url": f"{WEB}/{repository.name}",
            "repositoryTopics": {"nodes": topics},
            "deployments": lambda _, **page: self._deployments(repository, page),
            **github_pulls.fields(repository.pulls, self.world.now, self._code_connection, _connection),
            **github_code.fields(repository.code, self.world.now, self._code_connection),
        }

    def _code_connection(
        self, items: Sequence[Any], page: dict[str, Any], whole: Callable[[Any], Any] = lambda one: one
    ) -> dict[str, Any]:
        """`whole` makes a node of an item that has no more than its `id`: of a long list a page is told."""
        found = _connection(items, page)
        too_much = page["first"] > self.limits.heaviest
        hidden = [too_much or one.get("id") in self.limits.hidden for one in found["nodes"]]
        told = zip(found["nodes"], hidden, strict=True)
        return {**found, "nodes": [None if not_shown else self._told(whole(one)) for one, not_shown in told]}

    def _told(self, one: dict[str, Any]) -> dict[str, Any]:
        return one | dict.fromkeys(_DEEP & set(one), _too_much()) if one.get("id") in self.limits.holed else one

    def _deployments(self, repository: Repository, page: dict[str, Any]) -> dict[str, object]:
        newest = self.world.deployments(repository)
        ordered = newest if page["orderBy"]["direction"] == "DESC" else newest[::-1]
        found = _connection([{"id": _node_id(fact), "fact": fact} for fact in ordered], page)
        too_much = page["first"] > self.limits.heaviest
        hidden = [too_much or one["id"] in self.limits.hidden for one in found["nodes"]]
        told = zip(found["nodes"], hidden, strict=True)
        nodes = [_too_much() if not_shown else self._deployment(repository, one["fact"]) for one, not_shown in told]
        return {**found, "nodes": nodes}

    def _deployment(self, repository: Repository, fact: Deployment) -> dict[str, Any]:
        return {
            "__typename": "Deployment",
            "id": _node_id(fact),
            # GraphQL's Int has 32 bits; where an id has more, GitHub leaves it out.
            "databaseId": number if (number := int(fact.key)) < 2**31 else None,
            "commitOid": fact.commit,
            "createdAt": written(fact.created_at),
            "environment": fact.environment,
            "payload": json.dumps(dict(fact.payload)) if fact.payload else None,
            "ref": {"name": fact.ref} if fact.ref else None,
            "task": fact.task,
            "repository": self._repository(repository),
            "statuses": lambda _, **page: _connection([_status(fact, s) for s in reversed(fact.statuses)], page),
        }


def _status(fact: Deployment, status: StatusChange) -> dict[str, object]:
    run, _, attempt = (fact.run or "").partition("/")
    log = f"{WEB}/{fact.subject}/actions/runs/{run}/attempts/{attempt}" if run else None
    return {"state": status.state.upper(), "createdAt": written(status.at), "logUrl": log}


def _connection(items: Sequence[Any], page: dict[str, Any]) -> dict[str, Any]:
    """GitHub's cursors name the item, so that a page begins behind it whatever came in front meanwhile."""
    start = 0
    if page.get("after"):
        places = [n for n, item in enumerate(items) if _cursor(item, n) == page["after"]]
        if not places:
            words = f"`{page['after']}` does not appear to be a valid cursor."
            raise GraphQLError(words, extensions={"type": "INVALID_CURSOR_ARGUMENTS"})
        start = 1 + places[0]
    end = start + page["first"]
    nodes = list(items[start:end])
    last = _cursor(nodes[-1], start + len(nodes) - 1) if nodes else None
    return {
        "nodes": nodes,
        "totalCount": len(items),
        "pageInfo": {"hasNextPage": end < len(items), "endCursor": last},
    }


def _cursor(item: dict[str, Any], place: int) -> str:
    return f"cursor {item.get('id') or item.get('nameWithOwner') or place}"


def _node_id(fact: Deployment) -> str:
    return f"DE_{fact.key}"


def _missing(words: str) -> GraphQLError:
    return GraphQLError(words, extensions={"type": "NOT_FOUND"})


def _too_much() -> GraphQLError:
    return GraphQLError("Resource limits for this query exceeded.", extensions={"type": "RESOURCE_LIMITS_EXCEEDED"})


def _type(value: dict[str, Any], *_: object) -> str:
    return str(value["__typename"])
